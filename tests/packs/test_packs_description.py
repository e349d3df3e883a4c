"""Pack descriptions: what families hand down, and what is said about those that cannot be used."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pack_files import F4, G4, H7, SMALL, SVD, U5, pdsc, write_device_pack, write_pack, write_pdsc

from approx_plugin.errors import ApproxError, BoardError
from approx_plugin.packs.device import Device, Region
from approx_plugin.packs.interrupt_names import of_header, of_svd
from approx_plugin.packs.pdsc import parse
from approx_plugin.packs.source import companion, describe, header


def device(families: str, name: str) -> Device:
    return parse(pdsc(families).encode(), "x.pdsc").device(name)


def test_what_family_and_subfamily_hand_down() -> None:
    found = device(G4, "stm32g474retx")
    assert (found.name, found.pack, found.core) == ("STM32G474RETx", "Keil::STM32G4xx_DFP 2.0.0", "Cortex-M4")
    assert (found.fpu, found.dsp, found.clock_hz, found.define) == ("single", True, 170_000_000, "STM32G474xx")
    assert found.svd == "SVD/STM32G474.svd"
    assert found.regions == (
        Region("Main_Flash", "flash", 0x08000000, 0x80000, True),
        Region("SRAM", "ram", 0x20000000, 0x20000),
    )


def test_memories_of_the_old_form() -> None:
    found = device(F4, "STM32F407VG")
    assert [(r.name, r.kind, r.origin, r.length) for r in found.regions] == [
        ("IROM1", "flash", 0x08000000, 0x100000),
        ("IRAM2", "ram", 0x10000000, 0x10000),
        ("IRAM1", "ram", 0x20000000, 0x20000),
    ]
    assert found.dsp is None


def test_a_variant_is_a_device_and_overrides() -> None:
    assert device(F4, "STM32F407VGTx").clock_hz == 168_000_000
    assert device(F4, "STM32F407VGHx").clock_hz == 100_000_000


def test_of_several_cores_the_first_is_taken_with_its_own_memories() -> None:
    found = device(H7, "STM32H745ZITx")
    assert (found.core, found.processor, found.others, found.fpu) == ("Cortex-M7", "CM7", ("CM4",), "double")
    assert [region.name for region in found.regions] == ["FLASH_Bank1", "DTCMRAM", "RAM_D1"]


def test_aliases_and_peripherals_are_no_memories() -> None:
    names = [region.name for region in device(U5, "STM32U5A9NJHxQ").regions]
    assert names == ["Bank1", "Bank2", "SRAM1", "SRAM2", "SRAM_GFXMM"]


def test_unknown_part() -> None:
    with pytest.raises(KeyError):
        device(G4, "STM32G474")


@pytest.mark.parametrize(
    ("name", "words"),
    [("STM32F303RETx", ["Dclock", "'lots'", "x.pdsc"]), ("STM32F303RBTx", ["no memory for the program", "for data"])],
)
def test_what_cannot_be_used_is_named(name: str, words: list[str]) -> None:
    with pytest.raises(BoardError) as caught:
        device(SMALL, name)
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"<html>404</html>", ["<html>", "no description of a pack"]),
        (b"<package><vendor>x</vendor>", ["well-formed", "x.pdsc:1:"]),
        (b"", ["well-formed"]),
        (b"<package><vendor>A</vendor></package>", ["no description"]),
    ],
)
def test_what_is_no_description(text: bytes, words: list[str]) -> None:
    with pytest.raises(BoardError) as caught:
        parse(text, "x.pdsc")
    assert all(word in str(caught.value) for word in words), caught.value


@given(start=st.text(max_size=12), size=st.text(max_size=12), core=st.text(max_size=6))
@settings(max_examples=60, deadline=None)
def test_any_values_are_read_or_refused(start: str, size: str, core: str) -> None:
    from xml.sax.saxutils import quoteattr

    memory = f'<memory name="F" access="rx" start={quoteattr(start)} size={quoteattr(size)} startup="1"/>'
    families = G4.replace("Cortex-M4", "{core}").replace("</device>", memory + "</device>", 1)
    families = families.replace('Dcore="{core}"', f"Dcore={quoteattr(core)}")
    try:
        found = device(families, "STM32G474RETx")
    except ApproxError:
        return
    assert found.core and all(0 < region.length <= 1 << 32 for region in found.regions)


def test_three_ways_to_name_a_description(tmp_path: Path) -> None:
    plain = write_pdsc(tmp_path)
    packed = write_device_pack(tmp_path / "g4.pack")
    assert describe(plain).title == describe(packed).title == describe(tmp_path).title
    assert companion(packed, "SVD/STM32G474.svd") == SVD
    assert companion(plain, "SVD/STM32G474.svd") == companion(packed, "../x") == companion(packed, "") == b""


def test_what_is_no_pack(tmp_path: Path) -> None:
    cases = {
        "html": (b"<html>Not found</html>", "no whole zip archive"),
        "empty": (b"", "no whole zip archive"),
        "cut": (write_device_pack(tmp_path / "whole.pack").read_bytes()[:300], "no whole zip archive"),
    }
    for name, (content, words) in cases.items():
        path = tmp_path / f"{name}.pack"
        path.write_bytes(content)
        with pytest.raises(BoardError, match=words):
            describe(path)
    with pytest.raises(BoardError, match=r"no \.pdsc lies at its root"):
        describe(write_pack(tmp_path / "none.pack", {"sub/a.pdsc": "x"}))
    with pytest.raises(BoardError, match=r"2 \.pdsc files"):
        write_pdsc(tmp_path, name="A")
        write_pdsc(tmp_path, name="B")
        describe(tmp_path)
    with pytest.raises(BoardError, match="cannot be read"):
        describe(tmp_path / "missing.pdsc")


def test_names_of_interrupts() -> None:
    found = of_svd(SVD)
    assert len(found) == 38 and found[0] == "WWDG" and found[37] == "USART1"
    assert {name for name in found if name} == {"WWDG", "USART1"}, "no name twice, none that C could not use"
    assert of_svd(b"<device") == of_svd(b"<device/>") == of_header(b"") == ()
    text = b"  NMI_IRQn = -14,\n  WWDG_IRQn  = 0, /* x */\n  USART1_IRQn=3,\n  TWICE_IRQn = 3,\n  FAR_IRQn = 4000\n"
    assert of_header(text) == ("WWDG", None, None, "USART1")


def test_the_device_header_is_found_by_its_name(tmp_path: Path) -> None:
    place = "Drivers/CMSIS/Device/ST/STM32G4xx/Include/stm32g474xx.h"
    pack = write_pack(tmp_path / "x.pack", {"A.B.pdsc": pdsc(G4), place: b"in the pack"})
    (tmp_path / place).parent.mkdir(parents=True)
    (tmp_path / place).write_bytes(b"in the folder")
    assert header(pack, "stm32g474xx.h") == b"in the pack"
    assert header(write_pdsc(tmp_path), "stm32g474xx.h") == header(tmp_path, "stm32g474xx.h") == b"in the folder"
    assert header(pack, "stm32g431xx.h") == header(tmp_path, "") == header(tmp_path / "x", "y.h") == b""


def test_a_damaged_pack_has_no_companions(tmp_path: Path) -> None:
    path = write_device_pack(tmp_path / "g4.pack")
    with zipfile.ZipFile(path) as archive:
        offset = archive.getinfo("SVD/STM32G474.svd").header_offset
    content = bytearray(path.read_bytes())
    content[offset + 60] ^= 0xFF
    path.write_bytes(content)
    assert companion(path, "SVD/STM32G474.svd") == b""
