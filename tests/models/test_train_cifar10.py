"""The CIFAR-10 networks and their training script."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cifar10_networks import NETWORKS

from approx_plugin.tflite.reader import read_graph

KINDS = {
    "conv": "CONV_2D",
    "depthwise": "DEPTHWISE_CONV_2D",
    "dense": "FULLY_CONNECTED",
    "max_pool": "MAX_POOL_2D",
    "average_pool": "AVERAGE_POOL_2D",
}


@pytest.mark.parametrize("file", ["lenet", "lenet_plain", "alexnet", "dscnn"])
def test_committed_models_have_the_networks_layers(file: str, root: Path) -> None:
    graph = read_graph(root / "models" / f"cifar10_{file}.tflite")
    operators = [operator for operator in graph.operators if operator.kind != "RESHAPE"]
    blocks = NETWORKS[file.removesuffix("_plain")]
    assert [operator.kind for operator in operators] == [KINDS[block.kind] for block in blocks]
    for operator, block in zip(operators, blocks):
        if block.channels:
            assert operator.output.shape[-1] == block.channels
        if block.kind in ("conv", "depthwise"):
            weights = getattr(operator, "weights").shape  # noqa: B009
            assert (block.size, block.size) == (weights[1:3] if block.kind == "conv" else weights[-3:-1])
            assert getattr(operator, "stride") == (block.stride, block.stride)  # noqa: B009
    macs = {"lenet": 4548608, "lenet_plain": 4548608, "alexnet": 16020864, "dscnn": 10927680}
    assert graph.macs == macs[file]
    assert (graph.input_tensor.zero_point, graph.input_tensor.scale) == (-128, float(np.float32(1 / 255)))


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_exported_network_computes_what_pytorch_computes(name: str, plain: bool) -> None:
    torch = pytest.importorskip("torch", reason="needs PyTorch")
    import train_cifar10

    torch.manual_seed(0)
    model = train_cifar10.build(NETWORKS[name], plain)
    images = torch.rand(8, 3, 32, 32)
    model.train()
    model(images)  # moves the running statistics away from 0 and 1
    model.eval()
    expected = model(images).detach().numpy()
    found = train_cifar10.export(NETWORKS[name], model).predict(images.numpy().transpose(0, 2, 3, 1))
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max() + 1e-6)


def test_script_writes_a_model_that_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch", reason="needs PyTorch")
    import train_cifar10

    rng = np.random.RandomState(0)
    data, model = tmp_path / "images.npz", tmp_path / "lenet.tflite"
    images = rng.randint(0, 256, (130, 32, 32, 3)).astype(np.uint8)
    np.savez(data, images=images, labels=rng.randint(0, 10, 130).astype(np.uint8))
    common = ["--network", "lenet", "--train", str(data), "--epochs", "1", "--output", str(model)]
    train_cifar10.main([*common, "--test", str(data), "--calibration-count", "10"])
    assert "int8" in capsys.readouterr().out
    assert read_graph(model).macs == 4548608
    np.savez(data, images=images.astype(np.float32), labels=np.zeros(130))
    with pytest.raises(SystemExit) as caught:
        train_cifar10.main(common)
    assert caught.value.code == 2 and "float32" in capsys.readouterr().err


def test_augmentation_moves_and_mirrors() -> None:
    pytest.importorskip("torch", reason="needs PyTorch")
    import train_cifar10

    image = np.zeros((1, 32, 32, 3), np.uint8)
    image[0, 10, 4] = 200
    places = set()
    for seed in range(300):
        found = np.argwhere(train_cifar10.augmented(image, np.random.RandomState(seed))[0, :, :, 0] == 200)
        assert len(found) == 1
        places.add(tuple(found[0]))
    rows, columns = {row for row, _ in places}, {column for _, column in places}
    assert rows == set(range(6, 15)) and columns == set(range(0, 9)) | set(range(23, 32))
