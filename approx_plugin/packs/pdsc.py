"""Reads pack descriptions (.pdsc): names, releases, and the devices with what families hand down to them.

Format: the Open-CMSIS-Pack specification, pack description and its /package/devices element. A property (processor,
memory, compile, debug) that stands at a family or a subfamily holds for all devices below, and what stands deeper
overrides it attribute by attribute; properties with a Pname hold for that processor of a part with several cores.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from approx_plugin.errors import BoardError, Location
from approx_plugin.packs.device import FLASH, RAM, Device, Region

LEVELS = ("family", "subFamily", "device", "variant")
NAMES = MappingProxyType({"device": "Dname", "variant": "Dvariant"})
FPUS = MappingProxyType({"1": "single", "FPU": "single", "SP_FPU": "single", "2": "double", "DP_FPU": "double"})
DSPS = MappingProxyType({"1": True, "DSP": True, "0": False, "NO_DSP": False})


@dataclass(frozen=True)
class Properties:
    """What a device has, attribute by attribute: keys are the processor's name, for memories with their own."""

    processors: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    memories: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    compiles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    debugs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def below(self, level: Element) -> Properties:
        """These with what stands at the next level."""
        return Properties(
            _merged(self.processors, level, "processor"),
            _merged_memories(self.memories, level),
            _merged(self.compiles, level, "compile"),
            _merged(self.debugs, level, "debug"),
        )

    def of(self, kind: Mapping[str, Mapping[str, str]], processor: str) -> Mapping[str, str]:
        """A property of one processor, with what holds for all of them."""
        return {**kind.get("", {}), **kind.get(processor, {})}


def _merged(inherited: Mapping[str, Mapping[str, str]], level: Element, tag: str) -> Mapping[str, Mapping[str, str]]:
    found = dict(inherited)
    for one in level.findall(tag):
        key = one.get("Pname", "")
        found[key] = {**found.get(key, {}), **one.attrib}
    return found


def _merged_memories(
    inherited: Mapping[tuple[str, str], Mapping[str, str]], level: Element
) -> Mapping[tuple[str, str], Mapping[str, str]]:
    found = dict(inherited)
    for one in level.findall("memory"):
        key = (one.get("Pname", ""), one.get("name") or one.get("id") or "")
        found[key] = {**found.get(key, {}), **one.attrib}
    return found


@dataclass(frozen=True)
class Description:
    """A pack's description.

    where: the file, for messages. url: of the folder that its packs are published in. releases: the newest first.
    devices: what each device and each variant has, by its name as the pack spells it.
    """

    where: str
    vendor: str
    name: str
    url: str
    releases: tuple[str, ...]
    devices: Mapping[str, Properties]

    @property
    def title(self) -> str:
        """As people write it: "Keil::STM32G4xx_DFP 2.0.0"."""
        return f"{self.vendor}::{self.name} {self.releases[0] if self.releases else 'without a release'}"

    def spelling(self, name: str) -> str | None:
        """The pack's spelling of a device's name in any case; None where it has no such device."""
        return next((known for known in self.devices if known.lower() == name.lower()), None)

    def device(self, name: str) -> Device:
        """The device of that name, in any case. Raises KeyError for one that the pack has not, BoardError for one whose
        description lacks what a board needs.
        """
        known = self.spelling(name)
        if known is None:
            raise KeyError(name)
        return _device(self, known, self.devices[known])


def parse(text: bytes, where: str) -> Description:
    """The description in a .pdsc. where: the file, for messages. Raises BoardError for one that is none."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        line, column = error.position
        raise BoardError(
            "the pack description is no well-formed XML",
            where=Location(where, line, column + 1),
            why=str(error),
            hint="fetch the pack again, or take the .pdsc out of another copy of it",
        ) from None
    vendor, name = (root.findtext("vendor") or "").strip(), (root.findtext("name") or "").strip()
    if root.tag != "package" or not vendor or not name:
        raise BoardError(
            "this is no description of a pack",
            where=where,
            why=f"its root is <{root.tag}>, and a <package> with <vendor> and <name> is expected",
            hint="name the .pdsc of a device family pack",
        )
    releases = tuple(one.get("version", "") for one in root.findall("releases/release"))
    devices = {name: found for family in root.findall("devices/family") for name, found in _below(family, Properties())}
    return Description(where, vendor, name, (root.findtext("url") or "").strip(), releases, devices)


def _below(level: Element, inherited: Properties) -> Iterator[tuple[str, Properties]]:
    """The devices at a level and below it. A device with variants is known by its own name, too."""
    found = inherited.below(level)
    name = level.get(NAMES[level.tag], "") if level.tag in NAMES else ""
    if name:
        yield name, found
    for tag in LEVELS[LEVELS.index(level.tag) + 1 :]:
        for deeper in level.findall(tag):
            yield from _below(deeper, found)


def _device(description: Description, name: str, found: Properties) -> Device:
    names = [processor for processor in found.processors if processor] or [""]
    processor = names[0]
    values = found.of(found.processors, processor)
    core = values.get("Dcore", "")
    regions = tuple(_regions(description, name, found, processor))
    missing = [
        what
        for what, there in (
            ("a processor with a Dcore", core),
            ("a memory for the program", any(region.kind == FLASH for region in regions)),
            ("a memory for data", any(region.kind == RAM for region in regions)),
        )
        if not there
    ]
    if missing:
        raise BoardError(
            f"the pack {description.title} does not say enough about {name}",
            where=description.where,
            why=f"it names no {', no '.join(one.removeprefix('a ') for one in missing)}",
            hint="take a newer release of the pack, or describe the board in a board.yaml (board/README.md)",
        )
    return Device(
        name=name,
        pack=description.title,
        core=core,
        processor=processor,
        others=tuple(names[1:]),
        fpu=FPUS.get(values.get("Dfpu", ""), ""),
        dsp=DSPS.get(values.get("Ddsp", "")),
        clock_hz=_number(description, name, "Dclock", values["Dclock"]) if "Dclock" in values else None,
        define=found.of(found.compiles, processor).get("define", ""),
        svd=found.of(found.debugs, processor).get("svd", "").replace("\\", "/"),
        regions=regions,
    )


def _regions(description: Description, device: str, found: Properties, processor: str) -> Iterator[Region]:
    """The memories that this processor reaches and that programs and data may lie in, by address."""
    regions = []
    for (owner, name), values in found.memories.items():
        access = values.get("access") or _access(values.get("id", ""))
        if owner not in ("", processor) or "alias" in values or "r" not in access or "p" in access:
            continue
        origin = _number(description, device, f"the start of {name}", values.get("start", ""))
        length = _number(description, device, f"the size of {name}", values.get("size", ""))
        if length <= 0 or origin + length > 1 << 32:
            raise _wrong(description, device, f"the size of {name}", values.get("size", ""))
        startup = values.get("startup") in ("1", "true")
        regions.append(Region(name, RAM if "w" in access else FLASH, origin, length, startup))
    yield from sorted(regions, key=lambda region: region.origin)


def _access(number: str) -> str:
    """What memories of the old form, known by their id alone, are for."""
    if number.startswith("IROM"):
        return "rx"
    return "rwx" if number.startswith("IRAM") else ""


def _number(description: Description, device: str, what: str, text: str) -> int:
    """A number as packs write it: decimal or with 0x. Raises BoardError."""
    try:
        return int(text.strip(), 0)
    except ValueError:
        raise _wrong(description, device, what, text) from None


def _wrong(description: Description, device: str, what: str, text: str) -> BoardError:
    return BoardError(
        f"{what} of {device} is '{text}'",
        where=description.where,
        why="that is no number that such a part can have",
        hint="take another release of the pack, or mend the .pdsc",
    )
