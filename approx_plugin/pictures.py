"""A folder of pictures with one folder for each class: `cats/1.png`, `dogs/a.jpg`.

Classes are numbered in the order of their folders' names. Pictures come in an order that mixes the classes and is
always the same, so that `start` and `count` cut sets out of one folder. PNG (8 bits), PGM and PPM are read here; other
formats by Pillow, where it is installed. Each picture is scaled to the network's input, and is grey or coloured as that
is.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

SUFFIXES = frozenset({".png", ".pgm", ".ppm", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff"})
MAX_PIXELS = 1 << 26
_LUMA = np.array([0.299, 0.587, 0.114])
"""ITU-R BT.601."""


class PictureError(Exception):
    """What is wrong with a folder or a picture, as of an ApproxError."""

    def __init__(self, what: str, why: str = "", hint: str = "") -> None:
        """See the class."""
        super().__init__(what)
        self.what, self.why, self.hint = what, why, hint


@dataclass(frozen=True, eq=False)
class Pictures:
    """arrays: "images" (uint8 [count, height, width, channels]) and "labels" (int64 [count])."""

    arrays: Mapping[str, npt.NDArray[Any]]


def picture_files(folder: Path) -> tuple[list[tuple[Path, int]], list[str]]:
    """Pictures with their classes, in their order; and the classes' names."""
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    found = [
        (file, number)
        for number, name in enumerate(names)
        for file in (folder / name).iterdir()
        if file.suffix.lower() in SUFFIXES and file.is_file()
    ]
    return sorted(found, key=lambda one: _mix(one[0].relative_to(folder))), names


def _mix(name: Path) -> str:
    return hashlib.sha256(name.as_posix().encode("utf-8", "surrogateescape")).hexdigest()


def read_pictures(folder: Path, shape: tuple[int, ...], start: int, count: int | None) -> Pictures:
    """The pictures from `start` on, `count` of them; those of other sets are not read, and are black.

    shape: height, width, channels of the network's input. Raises PictureError.
    """
    files, _ = picture_files(folder)
    if not files:
        raise PictureError(
            f"{folder.name} holds no pictures",
            "there is one folder for each class, and in it the pictures",
            "make folders as in cats/1.png, dogs/1.png",
        )
    height, width, channels = shape
    if channels not in (1, 3):
        raise PictureError(f"the network's input has {channels} channels", "pictures have 1 or 3", "use an .npz file")
    images = np.zeros((len(files), height, width, channels), dtype=np.uint8)
    end = len(files) if count is None else start + count
    for place, (file, _) in list(enumerate(files))[start:end]:
        images[place] = fitted(read_picture(file), height, width, channels)
    labels = np.array([number for _, number in files], dtype=np.int64)
    return Pictures({"images": images, "labels": labels})


def fitted(picture: Pixels, height: int, width: int, channels: int) -> Pixels:
    """uint8 [h, w, c] as [height, width, channels]: bilinear with half-pixel centres, alpha left out, grey by luma."""
    colours = picture[..., :3] if picture.shape[-1] >= 3 else picture[..., :1]
    real: npt.NDArray[Any] = colours.astype(np.float64)
    if colours.shape[-1] != channels:
        real = np.repeat(real, 3, axis=2) if channels == 3 else (real @ _LUMA)[..., None]
    for axis, extent in ((0, height), (1, width)):
        real = _resized(real, axis, extent)
    rounded: Pixels = np.clip(np.floor(real + 0.5), 0, 255).astype(np.uint8)
    return rounded


def _resized(real: npt.NDArray[Any], axis: int, extent: int) -> npt.NDArray[Any]:
    size = int(real.shape[axis])
    if size == extent:
        return real
    places = np.clip((np.arange(extent) + 0.5) * size / extent - 0.5, 0, size - 1)
    front = np.floor(places).astype(np.int64)
    behind = np.minimum(front + 1, size - 1)
    weight: npt.NDArray[Any] = (places - front).reshape([-1 if number == axis else 1 for number in range(real.ndim)])
    mixed: npt.NDArray[Any] = np.take(real, front, axis) * (1 - weight) + np.take(real, behind, axis) * weight
    return mixed


def read_picture(file: Path) -> Pixels:
    """uint8 [height, width, channels]. Raises PictureError."""
    try:
        content = file.read_bytes()
        if content.startswith(b"\x89PNG") and content[24:25] == b"\x08" and content[28:29] == b"\x00":
            return _png(content)
        if content[:2] in (b"P5", b"P6"):
            return _portable(content)
    except (OSError, ValueError, IndexError, KeyError, zlib.error) as error:
        raise PictureError(f"{file.name} cannot be read", str(error), "the file is damaged; make it again") from None
    return _by_pillow(file)


def _by_pillow(file: Path) -> Pixels:
    try:
        from PIL import Image
    except ImportError:
        hint = "pip install pillow, or convert the pictures to PNG"
        raise PictureError(f"{file.name} is no PNG of 8 bits", "other formats need Pillow", hint) from None
    try:
        with Image.open(file) as opened:
            return np.asarray(opened.convert("RGB"), dtype=np.uint8)
    except Exception as error:  # Pillow raises many kinds for damaged pictures
        raise PictureError(f"{file.name} cannot be read", str(error), "remove it, or make it again") from None


def _portable(content: bytes) -> Pixels:
    """PGM and PPM, binary."""
    fields: list[bytes] = []
    place = 0
    while len(fields) < 4:
        end = place
        while content[end : end + 1].strip() and content[end : end + 1] != b"#":
            end += 1
        if end > place:
            fields.append(content[place:end])
        if content[end : end + 1] == b"#":
            end = content.index(b"\n", end)
        elif end >= len(content):
            raise ValueError("its head is incomplete")
        place = end + 1
    width, height, most = (int(field) for field in fields[1:])
    if most != 255:
        raise ValueError(f"its largest value is {most}, not 255")
    return _shaped(content[place:], height, width, 1 if fields[0] == b"P5" else 3)


def _png(content: bytes) -> Pixels:
    """8 bits a channel, not interlaced."""
    chunks: dict[bytes, bytes] = {}
    place = 8
    while place + 8 <= len(content):
        size, kind = int.from_bytes(content[place : place + 4], "big"), content[place + 4 : place + 8]
        chunks[kind] = chunks.get(kind, b"") + content[place + 8 : place + 8 + size]
        place += 12 + size
    width, height = (int.from_bytes(chunks[b"IHDR"][start : start + 4], "big") for start in (0, 4))
    kind_of_colour = chunks[b"IHDR"][9]
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind_of_colour]
    if width * height > MAX_PIXELS:
        raise ValueError(f"it has {width} x {height} pixels")
    size = height * (width * channels + 1)
    raw = np.frombuffer(zlib.decompressobj().decompress(chunks[b"IDAT"], size), np.uint8)
    rows = raw[:size].reshape(height, width * channels + 1)
    pixels = _unfiltered(rows[:, 0], rows[:, 1:], channels).reshape(height, width, channels)
    if kind_of_colour != 3:
        return pixels
    palette: Pixels = np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)
    coloured: Pixels = palette[pixels[..., 0]]
    return coloured


def _unfiltered(filters: Pixels, rows: Pixels, channels: int) -> Pixels:
    """Source: the PNG specification, section 9."""
    made = np.zeros((len(rows) + 1, rows.shape[1] + channels), dtype=np.int64)
    for number, (kind, row) in enumerate(zip(filters.tolist(), rows), 1):
        above, line = made[number - 1], made[number]
        if kind in (0, 2):
            line[channels:] = (row + above[channels:] * (kind == 2)) & 255
            continue
        if kind == 1:
            apart = row.astype(np.int64).reshape(-1, channels)
            line[channels:] = (np.cumsum(apart, axis=0) & 255).reshape(-1)
            continue
        if kind not in (3, 4):
            raise ValueError(f"filter {kind}")
        for place in range(channels, len(line)):
            left, up, corner = int(line[place - channels]), int(above[place]), int(above[place - channels])
            if kind == 3:
                guess = (left + up) // 2
            else:
                total = left + up - corner
                guess = min((left, up, corner), key=lambda one: abs(total - one))
            line[place] = (int(row[place - channels]) + guess) & 255
    whole: Pixels = made[1:, channels:].astype(np.uint8)
    return whole


def _shaped(data: bytes, height: int, width: int, channels: int) -> Pixels:
    if height * width > MAX_PIXELS or len(data) < height * width * channels:
        raise ValueError(f"{len(data)} bytes for {width} x {height} pixels")
    return np.frombuffer(data, np.uint8, height * width * channels).reshape(height, width, channels)
