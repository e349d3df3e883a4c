"""approx.yaml."""

from __future__ import annotations

import random
from pathlib import Path

from approx_plugin.errors import ApproxError
from approx_plugin.request import Request
from approx_plugin.spec.loader import load_spec
from approx_plugin.spec.order import Order
from tests.fuzz.target import Target, stored, told

_WORDS = (
    b"\n", b"  ", b"\t", b": ", b"- ", b"{", b"}", b"[", b"]", b", ", b"#", b"'", b'"', b"\\", b"|\n ", b">\n ",
    b"&a ", b"*a", b"<<: *a", b"!!int ", b"!!python/object:os.system ", b"%YAML 1.1\n", b"---\n", b"...\n", b"\xff",
    b"\x00", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"null", b"~", b"yes", b"0o17", b"1:30", b"2026-11-27", b"$b", b"../",
    b"/dev/zero", b"model: m.tflite\n", b"version: 1\n", b"project: ", b"data: ", b"search: ", b"method: ",
    b"{layers: [0, 0, 00]}",
)  # fmt: skip


def _read(content: bytes, folder: Path) -> str:
    path = folder / "approx.yaml"
    path.write_bytes(content)
    for name in ("m.tflite", "d.npz"):
        (folder / name).touch()
    spec = load_spec(path)
    assert 0 <= spec.project.test_vectors <= 1000 and 0 < spec.verify_images <= 10_000
    assert spec == load_spec(path), "read twice, it says two things"
    order = Order.of(Request(spec=path))
    try:
        board = order.board.id
    except ApproxError as error:
        told(error)
        board = "no board"
    return f"spec {spec.method.name} {board} {spec.optimize} {sorted(spec.budget)} {spec.data is None}"


def _nested(rng: random.Random, content: bytes) -> bytes:
    """A value that goes deep."""
    brackets = rng.choice((b"[", b"{a: ", b"- "))
    return content + b"\nx: " + brackets * rng.choice((3, 60, 3000))


def _moved(rng: random.Random, content: bytes) -> bytes:
    """Lines that stand elsewhere, twice, or deeper."""
    lines = content.split(b"\n")
    line = rng.choice(lines)
    lines.insert(rng.randrange(len(lines) + 1), rng.choice((line, b"  " + line, line.strip())))
    if rng.random() < 0.5:
        del lines[rng.randrange(len(lines))]
    return b"\n".join(lines)


SPEC = Target("spec", lambda: stored("spec"), _WORDS, _read, (_moved, _moved, _moved, _nested))
