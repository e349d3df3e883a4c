"""The .npz with images and labels."""

from __future__ import annotations

import functools
import io
import random
import zipfile
from pathlib import Path

import numpy as np

from approx_plugin.dataset import load_dataset
from approx_plugin.errors import Location
from approx_plugin.model.quantization import Quantization
from approx_plugin.model.tensor import Tensor
from approx_plugin.spec.spec import DataSource
from tests.fuzz.mutation import mutated
from tests.fuzz.target import Target

_TENSORS = (
    Tensor(0, "x", (1, 4, 3, 1), "int8", Quantization((0.5,), (-128,))),
    Tensor(0, "x", (1, 4), "int8", Quantization((0.1,), (3,))),
)
"""Inputs that the images may be for."""

_WORDS = (
    b"\x93NUMPY", b"'descr': ", b"'<f4'", b"'|i1'", b"'|u1'", b"'|O'", b"'<U9999999'", b"'>i8'", b"'<c16'",
    b"'<M8[s]'", b"[('a', '<i4')]", b"True", b"'shape': ", b"()", b"(0,)", b"(-1, 4)", b"(99999999999, 4, 3, 1)",
    b"(1" + b", 1" * 70 + b")", b"PK\x03\x04", b"PK\x05\x06", b"images.npy", b"labels.npy", b"(" * 500, b"nan",
    b"\x00\x00\xc0\x7f",
)  # fmt: skip


def _archive(compressed: bool = False, **arrays: object) -> bytes:
    stream = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


@functools.lru_cache(maxsize=1)
def _seeds() -> tuple[bytes, ...]:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 6)
    maps = rng.integers(-128, 128, (6, 4, 3, 1)).astype(np.int8)
    return (
        _archive(images=maps, labels=labels),
        _archive(compressed=True, images=(maps + 128).astype(np.uint8)[..., 0], labels=labels[:, np.newaxis]),
        _archive(images=np.asfortranarray(maps.astype(np.float32)), labels=labels.astype(np.uint8)),
        _archive(images=rng.random((6, 4)), labels=labels.astype(np.int16), other=np.array("text")),
        _archive(images=maps[:0], labels=labels[:0]),
        _archive(images=np.float64(1), labels=np.int64(2)),
    )


def _read(content: bytes, folder: Path) -> str:
    path = folder / "d.npz"
    path.write_bytes(content)
    tensor = _TENSORS[len(content) % 2]
    source = DataSource(path, "images", "labels", start=len(content) // 2 % 3, count=(None, 2)[len(content) // 6 % 2])
    found = load_dataset("exploration", source, tensor, 3, lambda field: Location("approx.yaml", 1, 1))
    assert found.inputs.dtype == np.int8 and found.inputs.shape == (len(found), *tensor.shape[1:])
    assert np.all((found.labels >= 0) & (found.labels < 3))
    return f"data {len(found)}"


def _member(rng: random.Random, content: bytes) -> bytes:
    """An array's file changed inside of an archive that is sound: the checksums fit."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()[:8]}
    except Exception:
        return content
    if not members:
        return content
    name = rng.choice(sorted(members))
    members[name] = mutated(rng, [members[name]], _WORDS, ())
    if rng.random() < 0.1:
        members[rng.choice(("labels.npy", "images.npy", "images", "../x.npy", ""))] = members.pop(name)
    stream = io.BytesIO()
    method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(stream, "w", method) as archive:
        for member, data in members.items():
            archive.writestr(zipfile.ZipInfo(member), data)
    return stream.getvalue()


DATA = Target("data", _seeds, _WORDS, _read, (_member,))
