"""Core's small functions on the host: text of numbers and checksums, against Python."""

from __future__ import annotations

import ctypes
import subprocess
import zlib
from decimal import Decimal
from pathlib import Path
from typing import Callable

import pytest
from c_dialect import C11, WARNINGS
from hypothesis import given
from hypothesis import strategies as st

CAPTURE = """
#include <stddef.h>
#include <string.h>
#include "board.h"
char captured[256];
size_t captured_length;
void board_write(const char *text, size_t length)
{
    memcpy(captured + captured_length, text, length);
    captured_length += length;
}
"""


@pytest.fixture(scope="module")
def core(root: Path, tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """console.c and crc32.c as a library of the host."""
    folder = tmp_path_factory.mktemp("core")
    (folder / "capture.c").write_text(CAPTURE)
    library = folder / "core.so"
    sources = [str(root / "Core" / "Src" / name) for name in ("console.c", "crc32.c")]
    flags = f"-shared -fPIC -O1 -I{root / 'Core' / 'Inc'} -I{root / 'board/common'}"
    command = ["gcc", C11, *WARNINGS, *flags.split(), *sources, str(folder / "capture.c"), "-o", str(library)]
    subprocess.run(command, check=True, timeout=60)
    return ctypes.CDLL(str(library))


def said(core: ctypes.CDLL, speak: Callable[[], object]) -> str:
    length = ctypes.c_size_t.in_dll(core, "captured_length")
    length.value = 0
    speak()
    return bytes((ctypes.c_char * length.value).in_dll(core, "captured")).decode("ascii")


@given(value=st.integers(0, 2**64 - 1))
def test_unsigned(core: ctypes.CDLL, value: int) -> None:
    assert said(core, lambda: core.console_unsigned(ctypes.c_uint64(value))) == str(value)


@given(value=st.integers(0, 2**64 - 1), digits=st.integers(1, 9))
def test_fixed(core: ctypes.CDLL, value: int, digits: int) -> None:
    text = said(core, lambda: core.console_fixed(ctypes.c_uint64(value), ctypes.c_uint32(digits)))
    assert text == f"{Decimal(value).scaleb(-digits):.{digits}f}"


@pytest.mark.parametrize(("value", "digits", "text"), [(62976, 3, "62.976"), (7, 2, "0.07"), (0, 3, "0.000")])
def test_fixed_examples(core: ctypes.CDLL, value: int, digits: int, text: str) -> None:
    assert said(core, lambda: core.console_fixed(ctypes.c_uint64(value), ctypes.c_uint32(digits))) == text


@given(value=st.integers(0, 2**32 - 1))
def test_hex32(core: ctypes.CDLL, value: int) -> None:
    assert said(core, lambda: core.console_hex32(ctypes.c_uint32(value))) == f"{value:#010x}"


def test_text(core: ctypes.CDLL) -> None:
    assert said(core, lambda: core.console_text(b"approx: PASS\n")) == "approx: PASS\n"


@given(data=st.binary(max_size=400))
def test_crc32(core: ctypes.CDLL, data: bytes) -> None:
    core.crc32.restype = ctypes.c_uint32
    assert core.crc32(data, ctypes.c_size_t(len(data))) == zlib.crc32(data)


def test_crc32_check_value(core: ctypes.CDLL) -> None:
    """The value by which catalogues of CRCs tell this one from the others."""
    core.crc32.restype = ctypes.c_uint32
    assert core.crc32(b"123456789", ctypes.c_size_t(9)) == 0xCBF43926
