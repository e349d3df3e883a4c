"""The CIFAR-10 architectures as data: what `train_cifar10.py` trains. Inputs are 32x32x3, outputs 10 logits."""

from __future__ import annotations

from dataclasses import dataclass

CLASSES = 10
INPUT_SHAPE = (32, 32, 3)


@dataclass(frozen=True)
class Block:
    """A layer with what belongs to it.

    kind:     "conv", "depthwise", "dense", "max_pool" or "average_pool".
    channels: that come out; 0 where the kind keeps their number.
    size:     of the square window. stride: in both directions. padding: "SAME" or "VALID".
    hidden:   whether batch norm (unless trained plain) and ReLU follow.
    """

    kind: str
    channels: int = 0
    size: int = 3
    stride: int = 1
    padding: str = "VALID"
    hidden: bool = True


def _conv(channels: int, size: int = 3, padding: str = "VALID") -> Block:
    return Block("conv", channels, size, padding=padding)


def _depthwise(stride: int) -> Block:
    return Block("depthwise", stride=stride, padding="SAME")


_POOL = Block("max_pool", size=2, stride=2, hidden=False)
_LOGITS = Block("dense", CLASSES, hidden=False)

NETWORKS: dict[str, tuple[Block, ...]] = {
    "lenet": (_conv(32), _POOL, _conv(64), _POOL, _conv(64), Block("dense", 64), _LOGITS),
    "alexnet": (
        _conv(32),
        _POOL,
        _conv(64),
        _conv(96),
        _conv(72),
        _POOL,
        _conv(128),
        Block("dense", 128),
        _LOGITS,
    ),
    "dscnn": (
        _conv(32, padding="SAME"),
        *(_depthwise(1), _conv(64, 1)),
        *(_depthwise(2), _conv(96, 1)),
        *(_depthwise(1), _conv(96, 1)),
        *(_depthwise(2), _conv(128, 1)),
        *(_depthwise(1), _conv(128, 1)),
        *(_depthwise(1), _conv(160, 1)),
        Block("average_pool", size=8, stride=8, hidden=False),
        _LOGITS,
    ),
}
"""By the name that `train_cifar10.py --network` takes."""
