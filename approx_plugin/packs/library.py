"""CMSIS-NN out of a pack: the folder that a project is built with."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path

from approx_plugin.errors import BoardError, Location
from approx_plugin.files import sha256_of
from approx_plugin.packs.lock import Locked, read_lock
from approx_plugin.packs.source import description_name, opened_archive
from approx_plugin.packs.store import Store

LIBRARY = ("ARM", "CMSIS-NN")
MOST_BYTES = 1 << 30
"""Of a pack that is unpacked: far more than CMSIS-NN has, and less than fills a disk."""

AGAIN = "fetch the packs again: scons packs (python -m approx_plugin packs)"


def locked_library(store: Store) -> Path | None:
    """The folder of the CMSIS-NN that the lock file names, unpacked when it is asked for first; None if it names none.

    Raises BoardError where the pack is not on this computer, or is another one.
    """
    found = [one for one in read_lock(store.lock) if (one.reference.vendor, one.reference.name) == LIBRARY]
    if not found:
        return None
    folder = store.unpacked(found[0].sha256)
    return folder if folder.is_dir() else unpacked(locked_pack(found[0], store), LIBRARY, store, store.lock)


def locked_pack(locked: Locked, store: Store) -> Path:
    """The .pack of an entry of the lock file. Raises BoardError where it is not there, or has another content."""
    path = store.pack(locked.reference)
    if not path.is_file():
        raise BoardError(
            f"the pack {locked.reference.title} is not on this computer",
            where=store.lock,
            why=f"{path} is not there",
            hint=f"{AGAIN}, or put the .pack there",
        )
    found = sha256_of(path).hex()
    if found != locked.sha256:
        raise BoardError(
            f"the pack {locked.reference.title} on this computer is not the one that the lock file names",
            where=store.lock,
            why=f"{path} has the sha256 {found[:16]}..., and {locked.sha256[:16]}... is expected",
            hint=f"delete {path} and {AGAIN}; if another one is meant, delete its entry in {store.lock.name}, too",
        )
    return path


def unpacked(pack: Path, name: tuple[str, str], store: Store, where: Location | Path | None) -> Path:
    """The files of a pack. name: vendor and name that it has to have; where: the place that names it.

    Raises BoardError for a file that is no pack, that of another name, or one with paths that lead out of its folder.
    """
    folder = store.unpacked(sha256_of(pack).hex())
    if folder.is_dir():
        return folder
    place = where if isinstance(where, Location) or where is None else Location(str(where))
    with opened_archive(pack, place) as archive:
        described = description_name(archive, pack, place)
        if described != f"{name[0]}.{name[1]}.pdsc":
            raise BoardError(
                f"{pack} is the pack {described.removesuffix('.pdsc').replace('.', '::', 1)}",
                where=place,
                why=f"the pack {'::'.join(name)} is expected here",
                hint="name another .pack",
            )
        _check_members(archive, pack, place)
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=folder.parent))
        try:
            archive.extractall(temporary)
            temporary.chmod(0o755)
            temporary.replace(folder)
        except OSError:
            if not folder.is_dir():  # else another run was quicker
                raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _check_members(archive: zipfile.ZipFile, pack: Path, where: Location | None) -> None:
    """Raise BoardError for an archive that must not be unpacked."""
    members = archive.infolist()
    astray = [
        one.filename for one in members if ".." in Path(one.filename).parts or one.filename.startswith(("/", "\\"))
    ]
    problem = f"'{astray[0]}' leads out of its folder" if astray else ""
    if sum(one.file_size for one in members) > MOST_BYTES:
        problem = f"its files have more than {MOST_BYTES >> 30} GiB"
    bad = None if problem else archive.testzip()
    problem = problem or (f"'{bad}' is damaged" if bad else "")
    if problem:
        raise BoardError(f"{pack} is not unpacked", where=where, why=problem, hint="fetch it again from its vendor")
