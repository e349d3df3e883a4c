"""Trains a CIFAR-10 network with PyTorch on the CPU and writes it as an int8 .tflite.

    pip install torch
    python models/train_cifar10.py --network lenet --train cifar10_train.npz --test cifar10_exploration.npz

The networks are in cifar10_networks.py, the .npz files come from prepare_cifar10.py. Training uses batch
normalisation, which is folded into the weights afterwards, and images flipped and moved at random; `--plain` does
without both. One seed gives the same file on the same machine with the same number of threads; other machines add up
in another order, and what they train is another, equally good network.
"""

from __future__ import annotations

import argparse
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from cifar10_networks import INPUT_SHAPE, NETWORKS, Block
from evaluate import int8_accuracy
from float_network import (
    Array,
    AveragePool2D,
    Conv2D,
    DepthwiseConv2D,
    FloatNetwork,
    FullyConnected,
    Layer,
    MaxPool2D,
    Reshape,
)
from quantise import Quantization, quantise

from approx_plugin.errors import ApproxError, DataError

try:
    import torch
    from torch import nn
except ImportError:
    raise SystemExit("error: PyTorch is missing. Run: pip install torch") from None

INPUT: Quantization = (1 / 255, -128)
"""The int8 input is the pixel minus 128, and stands for the pixel divided by 255."""

_BATCH = 128
_LARGEST_SHIFT = 4  # pixels
_RECIPES = {False: (60, 2e-3, 5e-4), True: (15, 1e-3, 0.0)}
"""Epochs, largest learning rate and weight decay, by whether training is plain."""


def load(path: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Images uint8 [count, 32, 32, 3] and labels [count] of an .npz. Raises DataError."""
    try:
        with np.load(path) as file:
            images, labels = file["images"], file["labels"].astype(np.int64)
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"no images and labels can be read: {error}", where=path, hint="make the file with prepare_cifar10.py"
        ) from error
    if images.dtype != np.uint8 or images.shape[1:] != INPUT_SHAPE or labels.shape != images.shape[:1]:
        raise DataError(
            f"images are {images.dtype} {images.shape}, labels {labels.shape}",
            where=path,
            why="expected are uint8 [count, 32, 32, 3] and [count]",
        )
    return images, labels


def build(blocks: tuple[Block, ...], plain: bool) -> nn.Sequential:
    """The network as PyTorch modules: one Sequential a block, in it "pad", "flat", "layer", "norm" and "relu"."""
    height, channels = INPUT_SHAPE[0], INPUT_SHAPE[2]
    built = []
    for block in blocks:
        modules, height, channels = _modules(block, height, channels, plain)
        built.append(nn.Sequential(modules))
    return nn.Sequential(*built)


def _modules(block: Block, height: int, channels: int, plain: bool) -> tuple[OrderedDict[str, Any], int, int]:
    """The modules of a block behind a square map, and the map's height and channels behind the block."""
    modules: OrderedDict[str, Any] = OrderedDict()
    bias = plain or not block.hidden
    if block.padding == "SAME":
        # As TFLite pads: the odd row or column at the end. PyTorch's own padding puts the same on both sides.
        missing = max((-(-height // block.stride) - 1) * block.stride + block.size - height, 0)
        before, after = missing // 2, missing - missing // 2
        modules["pad"] = nn.ZeroPad2d((before, after, before, after))
        height += missing
    behind = (height - block.size) // block.stride + 1
    outputs = block.channels or channels
    if block.kind == "dense":
        modules["flat"] = nn.Flatten()
        modules["layer"] = nn.Linear(channels * height * height, outputs, bias=bias)
        behind = 1
    elif block.kind in ("conv", "depthwise"):
        groups = channels if block.kind == "depthwise" else 1
        modules["layer"] = nn.Conv2d(channels, outputs, block.size, block.stride, groups=groups, bias=bias)
    else:
        pool = nn.MaxPool2d if block.kind == "max_pool" else nn.AvgPool2d
        modules["layer"] = pool(block.size, block.stride)
    if block.hidden:
        if not plain:
            modules["norm"] = (nn.BatchNorm1d if block.kind == "dense" else nn.BatchNorm2d)(outputs)
        modules["relu"] = nn.ReLU()
    return modules, behind, outputs


def train(
    blocks: tuple[Block, ...],
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64],
    *,
    plain: bool,
    epochs: int | None,
    seed: int,
) -> nn.Sequential:
    """A trained network, in evaluation mode. AdamW, one cycle of the learning rate."""
    usual, rate, decay = _RECIPES[plain]
    epochs = epochs or usual
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    rng = np.random.RandomState(seed)
    model = build(blocks, plain).train()
    batches = len(labels) // _BATCH or 1
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=rate, total_steps=epochs * batches)
    for epoch in range(epochs):
        order, total = rng.permutation(len(labels)), 0.0
        for batch in range(batches):
            chosen = order[batch * _BATCH : (batch + 1) * _BATCH]
            pixels = images[chosen] if plain else augmented(images[chosen], rng)
            logits = model(_input(pixels))
            loss = nn.functional.cross_entropy(logits, torch.from_numpy(labels[chosen]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
        print(f"epoch {epoch + 1}/{epochs}: loss {total / batches:.3f}", flush=True)
    return model.eval()


def _input(pixels: npt.NDArray[np.uint8]) -> Any:
    """Channels first, 0 to 1."""
    return torch.from_numpy(pixels.transpose(0, 3, 1, 2) / np.float32(255))


def float_accuracy(model: nn.Sequential, images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64]) -> float:
    """Top-1 accuracy in percent before quantisation."""
    with torch.no_grad():
        found = [
            model(_input(images[start : start + 500])).argmax(dim=1).numpy() for start in range(0, len(images), 500)
        ]
    return 100.0 * float(np.mean(np.concatenate(found) == labels))


def augmented(images: npt.NDArray[np.uint8], rng: np.random.RandomState) -> npt.NDArray[np.uint8]:
    """Every other image mirrored, every image moved by up to 4 pixels, black where nothing is left."""
    height, width = images.shape[1:3]
    mirrored = np.where(rng.randint(2, size=(len(images), 1, 1, 1)), images, images[:, :, ::-1])
    around = (_LARGEST_SHIFT, _LARGEST_SHIFT)
    padded = np.pad(mirrored, ((0, 0), around, around, (0, 0)))
    corners = rng.randint(0, 2 * _LARGEST_SHIFT + 1, (len(images), 2))
    return np.stack([image[y : y + height, x : x + width] for image, (y, x) in zip(padded, corners)])


def export(blocks: tuple[Block, ...], model: nn.Sequential) -> FloatNetwork:
    """The network with batch norm folded into weights and biases, and channels last."""
    layers: list[Layer] = []
    channels, flat = INPUT_SHAPE[2], False
    for block, modules in zip(blocks, model):
        window, stride = (block.size, block.size), (block.stride, block.stride)
        activation = "RELU" if block.hidden else "NONE"
        if block.kind == "max_pool":
            layers.append(MaxPool2D(window, stride, block.padding))
            continue
        if block.kind == "average_pool":
            layers.append(AveragePool2D(window, stride, block.padding))
            continue
        weights, bias = _folded(modules)
        if block.kind == "dense":
            if not flat:
                # PyTorch flattens channels first.
                extent = round((weights.shape[1] // channels) ** 0.5)
                weights = weights.reshape(-1, channels, extent, extent).transpose(0, 2, 3, 1)
                weights = weights.reshape(len(weights), -1)
                layers.append(Reshape((weights.shape[1],)))
                flat = True
            layers.append(FullyConnected(weights, bias, activation))
        elif block.kind == "depthwise":
            turned = weights.transpose(1, 2, 3, 0)
            layers.append(DepthwiseConv2D(turned, bias, stride, block.padding, activation=activation))
        else:
            turned = weights.transpose(0, 2, 3, 1)
            layers.append(Conv2D(turned, bias, stride, block.padding, activation=activation))
        channels = len(bias)
    return FloatNetwork.chain(INPUT_SHAPE, layers)


def _folded(modules: Any) -> tuple[Array, Array]:
    """Weights and bias of a block: y = (w x + b - mean) * gamma / sqrt(variance + epsilon) + beta."""
    weights = modules.layer.weight.detach().numpy().astype(np.float64)
    bias = np.zeros(len(weights))
    if modules.layer.bias is not None:
        bias = modules.layer.bias.detach().numpy().astype(np.float64)
    norm = getattr(modules, "norm", None)
    if norm is None:
        return weights, bias
    gamma, beta, mean, variance = (
        values.detach().numpy().astype(np.float64)
        for values in (norm.weight, norm.bias, norm.running_mean, norm.running_var)
    )
    factor = gamma / np.sqrt(variance + norm.eps)
    return weights * factor.reshape(-1, *[1] * (weights.ndim - 1)), (bias - mean) * factor + beta


def main(arguments: list[str] | None = None) -> None:
    """Train, quantise, write, print the accuracy."""
    parser = argparse.ArgumentParser(description="Trains a CIFAR-10 network and writes it as an int8 .tflite.")
    parser.add_argument("--network", choices=sorted(NETWORKS), required=True)
    parser.add_argument("--train", type=Path, required=True, help=".npz with the training images")
    parser.add_argument("--calibration", type=Path, help=".npz for quantisation; default: the training images")
    parser.add_argument("--calibration-count", type=int, default=600, help="how many of them (default: 600)")
    parser.add_argument("--test", type=Path, help=".npz on which the accuracy is printed")
    parser.add_argument("--plain", action="store_true", help="without batch norm and augmentation")
    parser.add_argument("--epochs", type=int, help="default: 60, plain 15")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, help="default: cifar10_<network>[_plain].tflite in this folder")
    options = parser.parse_args(arguments)
    name = f"cifar10_{options.network}{'_plain' if options.plain else ''}"
    output = options.output or Path(__file__).resolve().parent / f"{name}.tflite"
    try:
        # Whatever can be wrong comes out before hours are spent.
        if not output.parent.is_dir():
            raise DataError("there is no such folder", where=output.parent, hint="make it, or choose another --output")
        images, labels = load(options.train)
        calibration = load(options.calibration)[0] if options.calibration else images
        test = load(options.test) if options.test else None
    except ApproxError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    blocks = NETWORKS[options.network]
    model = train(blocks, images, labels, plain=options.plain, epochs=options.epochs, seed=options.seed)
    network = export(blocks, model)
    written = quantise(network, calibration[: options.calibration_count] / 255.0, INPUT, description=name)
    output.write_bytes(written)
    print(f"{output.name}: {len(written)} bytes")
    if test is not None:
        pixels, expected = test
        integers = (pixels.astype(np.int16) - 128).astype(np.int8)
        print(f"float {float_accuracy(model, pixels, expected):.2f} %")
        print(f"int8  {int8_accuracy(output, integers, expected):.2f} %")


if __name__ == "__main__":
    main()
