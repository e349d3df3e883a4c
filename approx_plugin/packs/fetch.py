"""Gets the packs of a project: ARM::CMSIS-NN, and the pack of the board's part. Looks at everything that arrives."""

from __future__ import annotations

import contextlib
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from xml.sax.saxutils import escape

from approx_plugin.errors import ApproxError, BoardError, ToolError, attempt, raise_all
from approx_plugin.files import sha256_of
from approx_plugin.packs.index import Entry, answer_of, read_index
from approx_plugin.packs.library import LIBRARY
from approx_plugin.packs.lock import Locked, lock_text, read_lock
from approx_plugin.packs.lookup import meant
from approx_plugin.packs.manager import manage
from approx_plugin.packs.pdsc import Description
from approx_plugin.packs.source import describe
from approx_plugin.packs.store import Reference, Store

Say = Callable[[str], None]
Index = dict[tuple[str, str], Entry]

_STUB = """\
<?xml version="1.0" encoding="UTF-8"?>
<package schemaVersion="1.7.7"><vendor>{vendor}</vendor><name>{name}</name><description>-</description><url>{url}</url>
<releases><release version="{version}">-</release></releases></package>
"""


@dataclass(frozen=True)
class Wish:
    """A pack that is wanted: by vendor and name, or by a part.

    version, sha256: that it has to have, "" where any will do. optional: its description is enough, and not needed.
    """

    vendor: str = ""
    name: str = ""
    part: str = ""
    version: str = ""
    sha256: str = ""
    optional: bool = False

    @property
    def title(self) -> str:
        """For messages."""
        return f"{self.vendor}::{self.name}" if self.name else f"the pack of {self.part}"

    def place(self, store: Store) -> str:
        """Where a .pack has to be put that does not come from an index."""
        one = Reference(self.vendor or "<vendor>", self.name or "<name>", self.version or "<version>")
        return str(store.pack(one))


@dataclass(frozen=True)
class Found:
    """A wish with the release that fulfils it, and where that is published ("" for a pack that is here already)."""

    wish: Wish
    reference: Reference
    url: str = ""


def fetch(store: Store, index: str, wishes: Sequence[Wish], say: Say) -> tuple[Locked, ...]:
    """Bring the wished packs onto this computer and note them in the lock file; what it holds now.

    What is here with the right content is not asked for again: then nothing of a network is needed. Where no index can
    be had, packs that were put into the store by hand are taken.

    Raises ToolError, or several in an ErrorGroup, where a pack cannot be had; BoardError for a part that no pack has.
    """
    wanted = [_noted(wish, store) for wish in wishes]
    here = {wish: found for wish in wanted for found in [_here(wish, store)] if found}
    missing = [wish for wish in wanted if wish not in here]
    if missing:
        here.update(_from_index(store, index, missing, say))
    entries = {(one.reference.vendor, one.reference.name): one for one in read_lock(store.lock)}
    for wish, found in here.items():
        if wish.optional:
            continue
        sha256 = sha256_of(store.pack(found.reference)).hex()
        key = (found.reference.vendor, found.reference.name)
        devices = set(entries[key].devices if key in entries else ())
        if wish.part:
            devices.add(describe(store.pack(found.reference)).spelling(wish.part) or wish.part)
        entries[key] = Locked(found.reference, sha256, tuple(sorted(devices)))
        say(f"{found.reference.title}: sha256 {sha256}")
    locked = tuple(sorted(entries.values(), key=lambda one: one.reference))
    _write(store.lock, lock_text(locked), say)
    return locked


def described(store: Store, part: str) -> Description | None:
    """The description among those on this computer that has a part; of several the preferred pack's newest release."""
    needle, best = part.upper().encode(), None
    for file in sorted(store.data.glob("*.pdsc")) if store.data.is_dir() else ():
        with contextlib.suppress(ApproxError, OSError):
            if needle in file.read_bytes().upper():
                one = describe(file)
                if one.spelling(part) and one.releases and (best is None or _rank(one) > _rank(best)):
                    best = one
    return best


def _rank(one: Description) -> tuple[bool, str, str, list[tuple[int, str]]]:
    """Keil's packs have long had all of ST's parts; others come after them."""
    return (one.vendor == "Keil", one.vendor, one.name, release(one.releases[0]))


def release(version: str) -> list[tuple[int, str]]:
    """A version as what can be compared: 1.10.0 is newer than 1.9.0, and 2.0.0 newer than 2.0.0-rc1."""
    plain, _, early = version.partition("+")[0].partition("-")
    numbers = [(int(text), "") if text.isdigit() else (0, text) for text in re.split(r"[.]", plain)]
    return [*numbers, (0, early) if early else (1, "")]


def _noted(wish: Wish, store: Store) -> Wish:
    """A wish with what the lock file says about it."""
    for one in read_lock(store.lock):
        known = one.reference
        by_name = (known.vendor, known.name) == (wish.vendor, wish.name)
        by_part = wish.part and (
            wish.part.upper() in (device.upper() for device in one.devices) or _has(store.pack(known), wish.part)
        )
        if (by_name or by_part) and wish.version in ("", known.version):
            return replace(wish, vendor=known.vendor, name=known.name, version=known.version, sha256=one.sha256)
    return wish


def _has(pack: Path, part: str) -> bool:
    """Whether a pack is here and describes a part."""
    return pack.is_file() and any(one.spelling(part) for one in _readable(pack))


def _here(wish: Wish, store: Store) -> Found | None:
    """What is on this computer already, if its release is known; a damaged file is removed."""
    if not (wish.name and wish.version):
        return None
    one = Reference(wish.vendor, wish.name, wish.version)
    path = store.pack(one)
    if not path.is_file() or _problem(path, wish, one):
        return None
    return Found(wish, one)


def _placed(wish: Wish, store: Store) -> Found | None:
    """The newest pack that somebody has put into the store and that fulfils a wish."""
    best: Found | None = None
    for path in sorted(store.data.glob("*/*/*.pack")) if store.data.is_dir() else ():
        one = Reference(path.parent.parent.name, path.parent.name, path.stem)
        if wish.name and (one.vendor, one.name) != (wish.vendor, wish.name):
            continue
        if wish.version not in ("", one.version) or _problem(path, wish, one):
            continue
        if wish.part and not _has(path, wish.part):
            continue
        if best is None or release(one.version) > release(best.reference.version):
            best = Found(wish, one)
    return best


def _from_index(store: Store, index: str, wishes: Sequence[Wish], say: Say) -> dict[Wish, Found]:
    """The wishes that an index fulfils, or, where it cannot be had, the store. Raises as `fetch`."""
    try:
        known = dict(read_index(index))
    except ToolError as error:
        placed = {wish: found for wish in wishes for found in [_placed(wish, store)] if found}
        lacking = [wish for wish in wishes if wish not in placed and not wish.optional]
        if lacking:
            raise _without(error, lacking, store) from None
        say(f"note: {error.where}: {error.what}; what lies in {store.data} is taken")
        return placed
    trouble = "" if _is_current(store, known, wishes) else manage(store, index)
    errors: list[ApproxError] = []
    found: dict[Wish, Found] = {}
    for wish in wishes:
        one = attempt(errors, lambda wish=wish: _resolved(wish, store, known))  # type: ignore[misc]
        if one:
            found[wish] = one
    if errors and trouble:  # one cause, one message
        failed = [wish for wish in wishes if wish not in found and not wish.optional]
        names = " and ".join(wish.title for wish in failed)
        raise ToolError(f"{names} did not arrive", where=index, why=trouble, hint=_remedies(failed, store))
    raise_all(errors)
    wanted = [one for one in found.values() if not one.wish.optional]
    _download(store, index, wanted)
    return found


def _is_current(store: Store, known: Index, wishes: Sequence[Wish]) -> bool:
    """Whether the descriptions that are here are those that the index has now."""
    for wish in wishes:
        entry = known.get((wish.vendor, wish.name))
        if wish.part:
            one = described(store, wish.part)
            entry = known.get((one.vendor, one.name)) if one else None
        if entry is None or not store.description(Reference(entry.vendor, entry.name, entry.version)).is_file():
            return False
    return True


def _resolved(wish: Wish, store: Store, known: Index) -> Found | None:
    """The release that fulfils a wish, by the descriptions that have arrived."""
    if not wish.name:
        one = described(store, wish.part)
        if one is not None:
            return Found(wish, Reference(one.vendor, one.name, one.releases[0]), one.url)
        if wish.optional:
            return None
        raise _no_pack(wish, store)
    entry = known.get((wish.vendor, wish.name))
    if entry is None:
        raise ToolError(f"the index has no pack {wish.title}", hint=_remedies([wish], store))
    files = store.data.glob(f"{wish.vendor}.{wish.name}.*.pdsc")
    descriptions = [one for file in sorted(files) for one in _readable(file) if one.releases]
    if not descriptions:
        why = answer_of(entry.description_url)
        raise ToolError(f"the description of {wish.title} did not arrive", why=why, hint=_remedies([wish], store))
    newest = max(descriptions, key=lambda one: release(one.releases[0]))
    return Found(wish, Reference(wish.vendor, wish.name, wish.version or newest.releases[0]), newest.url)


def _readable(file: Path) -> list[Description]:
    try:
        return [describe(file)]
    except ApproxError:
        return []


def _download(store: Store, index: str, wanted: Sequence[Found]) -> None:
    """Fetch packs and look at what has arrived. Raises ToolError, or several."""
    stubs = []
    for one in wanted:
        path = store.pack(one.reference)
        if path.is_file() and _problem(path, one.wish, one.reference):
            path.unlink()  # what is there is never fetched again
        description = store.description(one.reference)
        if not description.exists():  # an older release than that of the index
            values = {key: escape(getattr(one.reference, key)) for key in ("vendor", "name", "version")}
            description.write_text(_STUB.format(**values, url=escape(one.url)), encoding="utf-8")
            stubs.append(description)
    try:
        missing = [one.reference for one in wanted if not store.pack(one.reference).is_file()]
        trouble = manage(store, index, missing) if missing else ""
    finally:
        for stub in stubs:
            stub.unlink(missing_ok=True)
    raise_all(error for one in wanted for error in _arrived(one, store, trouble))


def _arrived(one: Found, store: Store, trouble: str) -> list[ToolError]:
    """What is wrong with a pack that was fetched: nothing, or one error. A wrong file does not stay."""
    path, title = store.pack(one.reference), one.reference.title
    address = f"{one.url.rstrip('/')}/{one.reference.vendor}.{one.reference.name}.{one.reference.version}.pack"
    remedies = _remedies([replace(one.wish, vendor=one.reference.vendor, name=one.reference.name)], store)
    if not path.is_file():
        why = trouble or answer_of(address)
        return [ToolError(f"the pack {title} did not arrive", where=address, why=why, hint=remedies)]
    problem = _problem(path, one.wish, one.reference)
    if not problem:
        return []
    path.unlink()
    return [ToolError(f"what arrived as the pack {title} is not used", where=address, why=problem, hint=remedies)]


def _problem(path: Path, wish: Wish, one: Reference) -> str:
    """What is wrong with a file that should be a release of a pack, "" for nothing."""
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged:
            return f"{damaged} in it is damaged"
        found = describe(path)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        return f"it is no whole zip archive ({error}): cut off, or the page of a proxy"
    except BoardError as error:
        return error.why or error.what
    if (found.vendor, found.name) != (one.vendor, one.name):
        return f"it is the pack {found.vendor}::{found.name}"
    if one.version not in found.releases:
        return f"it is release {found.releases[0] if found.releases else 'of no number'}"
    sha256 = sha256_of(path).hex()
    if wish.sha256 and sha256 != wish.sha256:
        return (
            f"its sha256 is {sha256[:16]}..., and packs.lock names {wish.sha256[:16]}...: the release was published "
            "anew, or somebody has changed it"
        )
    return ""


def _no_pack(wish: Wish, store: Store) -> BoardError:
    """No description has a part."""
    names = {
        name.decode(errors="replace")
        for file in store.data.glob("*.pdsc")
        for name in re.findall(rb'D(?:name|variant)="(STM32[^"]+)"', file.read_bytes())
    }
    return BoardError(
        f"no pack of the index has a part '{wish.part}'",
        why=f"its packs describe {len(names)} parts of the STM32 family",
        hint=meant(wish.part, sorted(names)) or "write the part as STM32CubeIDE spells it, as in STM32G474RETx",
    )


def _without(error: ToolError, lacking: Sequence[Wish], store: Store) -> ToolError:
    """No index, and no packs either."""
    names = " and ".join(wish.title for wish in lacking)
    return ToolError(
        error.what, where=error.where, why=f"{names} would come from there", hint=_remedies(lacking, store)
    )


def _remedies(wishes: Sequence[Wish], store: Store) -> str:
    """What to do without the index: the three ways."""
    named = (
        "cmsis_nn: <file>.pack"
        if wishes[0].name == LIBRARY[1]
        else f"board: {{device: {wishes[0].part}, pdsc: <file>}}"
    )
    return (
        "try again later; or name another index (packs: {index: ...} in approx.yaml); "
        f"or get the .pack by hand and name it ({named}) or put it at {wishes[0].place(store)}"
    )


def _write(lock: Path, text: str, say: Say) -> None:
    """The lock file, if it changes."""
    if not lock.exists() or lock.read_text(encoding="utf-8") != text:
        temporary = lock.with_name(f".{lock.name}.new")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(lock)
        say(f"{lock}: written; keep it under version control")
