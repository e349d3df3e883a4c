"""A small picture of pixels as a data URI.

The PNG is written without compression: what zlib makes of the same bytes differs between its releases.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence

SHADES = 15

EMPTY = SHADES
"""The number of a pixel where there is nothing; 0 to 14 are shades from none to all. A pixel takes 4 bits."""

COLOUR, GREY = (217, 119, 6), (128, 128, 128)
"""Of what is shaded, and of what is empty: both are seen on a light ground and on a dark one."""

GREY_ALPHA = 70


def data_uri(rows: Sequence[Sequence[int]]) -> str:
    """rows: numbers of pixels, 0 to `EMPTY`, all rows equally long and not empty."""
    width, height = len(rows[0]), len(rows)
    palette = bytes(COLOUR) * SHADES + bytes(GREY)
    alpha = bytes([round(255 * shade / (SHADES - 1)) for shade in range(SHADES)]) + bytes([GREY_ALPHA])
    lines = b"".join(b"\0" + _packed(row) for row in rows)
    parts = [
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 4, 3, 0, 0, 0)),
        _chunk(b"PLTE", palette),
        _chunk(b"tRNS", alpha),
        _chunk(b"IDAT", _stored(lines)),
        _chunk(b"IEND", b""),
    ]
    png = b"\x89PNG\r\n\x1a\n" + b"".join(parts)
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _packed(row: Sequence[int]) -> bytes:
    """Two pixels in a byte, the first one in its upper half."""
    even = [*row, 0] if len(row) % 2 else row
    return bytes(first << 4 | second for first, second in zip(even[::2], even[1::2]))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _stored(content: bytes) -> bytes:
    """As a zlib stream (RFC 1950) of blocks that are stored as they are (RFC 1951, 3.2.4)."""
    blocks = [content[start : start + 0xFFFF] for start in range(0, len(content), 0xFFFF)]
    stream = b"\x78\x01"
    for number, block in enumerate(blocks, 1):
        stream += struct.pack("<BHH", number == len(blocks), len(block), len(block) ^ 0xFFFF) + block
    return stream + struct.pack(">I", zlib.adler32(content))
