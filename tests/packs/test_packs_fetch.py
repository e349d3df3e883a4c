"""The verb packs against an index on the loopback: what it brings, and one clear message for each way to fail."""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import sys
import zipfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from digits_project import Done, environment, exact, run, write_spec
from pack_files import G4, Index, publish_all, write_pack

from approx_plugin.cli import main
from approx_plugin.packs.fetch import release
from approx_plugin.packs.lock import Locked, lock_text, read_lock
from approx_plugin.packs.store import Reference, Store

pytest.importorskip("cmsis_pack_manager")

PART = "STM32G474RETx"
LIBRARY_PACK = "/packs/ARM.CMSIS-NN.7.0.0.pack"
DEVICE_PACK = "/packs/Keil.STM32G4xx_DFP.2.0.0.pack"


class Project:
    """A folder with an approx.yaml whose packs come from an index."""

    def __init__(self, folder: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.index, self._patch = folder, index, monkeypatch
        self.store = Store(folder / "store", folder / "packs.lock")

    def write(self, board: object = PART, **packs: str) -> None:
        write_spec(self.folder, exact(board=board, packs={"index": self.index.url, "folder": "store", **packs}))

    def run(self, verb: str = "packs", **environment: str) -> Done:
        """The command line, in this process: cmsis-pack-manager has one of its own in any case."""
        out, err = io.StringIO(), io.StringIO()
        with self._patch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.delenv("CMSIS_NN_PATH", raising=False)
            for name, value in {"APPROX_PACKS_PATIENCE": "20", **environment}.items():
                patch.setenv(name, value)
            status = main([verb, "--spec", str(self.folder / "approx.yaml")])
        return Done(status, out.getvalue(), err.getvalue())

    def refused(self, *words: str, **environment: str) -> None:
        """The verb ends with one message that has these words, says what to do, and leaves no lock file."""
        done = self.run(**environment)
        assert done.status == 2, done.text
        assert "Traceback" not in done.text and len(re.findall(r"(?m)^(?:\S+: )?error: ", done.err)) == 1, done.err
        assert all(word in done.err for word in words), done.err
        assert "    do:  " in done.err
        assert not self.store.lock.exists()


@pytest.fixture
def project(tmp_path: Path, index: Index, library: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Project:
    """One for a part, with a good index."""
    publish_all(index, library)
    made = Project(tmp_path, index, monkeypatch)
    made.write()
    return made


# ---- what it brings


def test_fetched_locked_and_used(project: Project) -> None:
    done = project.run()
    assert done.status == 0, done.text
    assert "STM32G474RETx: cortex-m4, fpv4-sp-d16, 170 MHz; FLASH 512 KiB, RAM 128 KiB" in done.out
    served = {
        name: hashlib.sha256(project.index.files[name] or b"").hexdigest() for name in (LIBRARY_PACK, DEVICE_PACK)
    }
    assert all(sha256 in project.store.lock.read_text() for sha256 in served.values())
    first, second = read_lock(project.store.lock)
    assert (first.reference.title, second.reference.title) == ("ARM::CMSIS-NN 7.0.0", "Keil::STM32G4xx_DFP 2.0.0")
    assert second.devices == (PART,)

    # From now on without a network: by the lock file alone.
    project.index.files.clear()
    project.index.asked.clear()
    again = project.run()
    assert again.status == 0 and "written" not in again.out, again.text
    made = project.run("generate")
    assert made.status == 0, made.text
    report = (project.folder / "out" / "report.txt").read_text()
    assert "Keil::STM32G4xx_DFP 2.0.0" in report and "CMSIS-NN, 7.0.0" in report
    assert "USART1_IRQHandler" in (project.folder / "out" / "Core" / "Startup" / "startup_stm32g474retx.s").read_text()
    assert project.index.asked == []


def test_a_board_of_ours_is_held_against_its_pack(project: Project) -> None:
    project.write("nucleo-f446re")
    done = project.run()
    assert done.status == 0 and "NUCLEO-F446RE agrees with Keil::STM32F4xx_DFP 3.1.0" in done.out, done.text
    assert "/packs/Keil.STM32F4xx_DFP.3.1.0.pack" not in project.index.asked, "its description is enough"
    assert [one.reference.name for one in read_lock(project.store.lock)] == ["CMSIS-NN"]


def test_a_board_that_differs_from_its_pack(project: Project) -> None:
    name = "/pdsc/Keil.STM32F4xx_DFP.pdsc"
    project.index.files[name] = (project.index.files[name] or b"").replace(b'0x20000"', b'0x18000"')
    project.write("nucleo-f446re")
    done = project.run()
    assert done.status == 0, done.text
    assert "note: NUCLEO-F446RE and Keil::STM32F4xx_DFP 3.1.0 differ in memory RAM" in done.out, done.text


def test_a_board_of_ours_that_no_pack_has(project: Project) -> None:
    project.write("nucleo-u575zi-q")
    done = project.run()
    assert done.status == 0 and "note: no pack at hand has STM32U575ZITxQ" in done.out, done.text


def test_a_part_by_path_needs_no_index(project: Project) -> None:
    pack = project.folder / "g4.pack"
    pack.write_bytes(project.index.files[DEVICE_PACK] or b"")
    project.write({"device": PART, "pdsc": "g4.pack"})
    project.index.files.clear()
    done = project.run("generate")
    assert done.status == 0 and PART in done.out, done.text


def test_an_older_release_than_that_of_the_index(project: Project, library: dict[str, bytes]) -> None:
    project.index.publish("ARM", "CMSIS-NN", "6.0.0", "", {**library, "old": b""})
    publish_all(project.index, library)
    project.write(cmsis_nn="6.0.0")
    done = project.run()
    assert done.status == 0, done.text
    assert [one.reference.version for one in read_lock(project.store.lock)] == ["6.0.0", "2.0.0"]


def test_the_locked_release_stays(project: Project, library: dict[str, bytes]) -> None:
    """Another computer, a newer index: the same bytes."""
    assert project.run().status == 0
    text = project.store.lock.read_text()
    for name in ("store", "store2"):
        project.index.files.pop("/pdsc/ARM.CMSIS-NN.pdsc", None)
        project.index.publish("ARM", "CMSIS-NN", "8.0.0", "", library)
        project.index.announce({("ARM", "CMSIS-NN"): "8.0.0", ("Keil", "STM32G4xx_DFP"): "2.0.0"})
        project.write(folder=name)
        done = project.run()
        assert done.status == 0 and project.store.lock.read_text() == text, done.text
    project.store.lock.unlink()
    assert project.run().status == 0
    assert [one.reference.version for one in read_lock(project.store.lock)] == ["8.0.0", "2.0.0"]


def test_packs_that_were_put_there_by_hand(project: Project) -> None:
    for name, content in project.index.files.items():
        if name.startswith("/packs/"):
            vendor, pack, *version = name.removeprefix("/packs/").removesuffix(".pack").split(".")
            place = project.store.pack(Reference(vendor, pack, ".".join(version)))
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content or b"")
    project.index.close()
    done = project.run()
    assert done.status == 0 and "note:" in done.out and "is taken" in done.out, done.text
    assert len(read_lock(project.store.lock)) == 2


def test_a_cmsis_nn_pack_by_path(project: Project) -> None:
    pack = project.folder / "nn.pack"
    pack.write_bytes(project.index.files[LIBRARY_PACK] or b"")
    project.write("nucleo-f446re")
    done = project.run("generate", CMSIS_NN_PATH=str(pack))
    assert done.status == 0, done.text
    assert "CMSIS-NN, 7.0.0" in (project.folder / "out" / "report.txt").read_text()


def test_another_part_of_a_pack_that_is_here(project: Project) -> None:
    """The pack that the lock file names serves it, in any spelling, and stays in its release."""
    assert project.run().status == 0
    project.index.files.clear()
    project.write("stm32g474rbtx")
    done = project.run()
    assert done.status == 0 and "FLASH 128 KiB" in done.out, done.text
    assert read_lock(project.store.lock)[1].devices == ("STM32G474RBTx", PART)


def test_scons_packs(project: Project, root: Path) -> None:
    """Without approx=1, and before anything looks for what is not there yet."""
    tools = root / "site_scons" / "site_tools"
    text = f'env = Environment(tools=["approx"], toolpath=[{str(tools)!r}])\nenv.ApproxProject("approx.yaml")\n'
    (project.folder / "SConstruct").write_text(text)
    project.store.lock.write_text(lock_text((Locked(Reference("ARM", "CMSIS-NN", "7.0.0"), "0" * 64),)))
    before = run([sys.executable, "-m", "SCons", "-Q"], project.folder, environment())
    assert before.status != 0 and "is not on this computer" in before.err, before.text
    project.store.lock.unlink()
    done = run([sys.executable, "-m", "SCons", "-Q", "packs"], project.folder, environment())
    assert done.status == 0 and "STM32G474RETx: cortex-m4" in done.out, done.text


# ---- each way to fail


def test_no_server(project: Project) -> None:
    project.index.close()
    project.refused(
        project.index.url, "no answer", "ARM::CMSIS-NN and the pack of STM32G474RETx", "cmsis_nn: <file>.pack"
    )


def test_no_index(project: Project) -> None:
    del project.index.files["/index.pidx"]
    project.refused("404", project.index.url)


@pytest.mark.parametrize("body", [b"<html><body>Log in</body></html>", b"no XML", b"<index/>", b""])
def test_an_index_that_is_none(project: Project, body: bytes) -> None:
    project.index.files["/index.pidx"] = body
    project.refused("no index of packs", project.index.url)


def test_an_index_without_the_library(project: Project) -> None:
    project.index.announce({("Keil", "STM32G4xx_DFP"): "2.0.0"})
    project.refused("no pack ARM::CMSIS-NN")


def test_a_description_that_is_not_there(project: Project) -> None:
    del project.index.files["/pdsc/ARM.CMSIS-NN.pdsc"]
    project.refused("description of ARM::CMSIS-NN did not arrive", "404", "/pdsc/ARM.CMSIS-NN.pdsc")


def test_a_pack_that_is_not_there(project: Project) -> None:
    del project.index.files[LIBRARY_PACK]
    project.refused("ARM::CMSIS-NN 7.0.0 did not arrive", "404", LIBRARY_PACK)


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"", None], ids=["page", "empty", "cut"])
def test_a_pack_that_is_none(project: Project, body: bytes | None) -> None:
    project.index.files[DEVICE_PACK] = body
    project.refused("Keil::STM32G4xx_DFP 2.0.0", DEVICE_PACK)
    # Nothing wrong stays: the next run fetches it again.
    publish_all(project.index, {"Include/arm_nnfunctions.h": b"", "Source/x.c": b""})
    assert not project.store.pack(Reference("Keil", "STM32G4xx_DFP", "2.0.0")).exists()


def test_a_pack_that_is_cut_off(project: Project) -> None:
    whole = project.index.files[LIBRARY_PACK] or b""
    project.index.files[LIBRARY_PACK] = whole[: len(whole) // 2]
    project.refused("ARM::CMSIS-NN 7.0.0 is not used", "no whole zip archive")
    project.index.files[LIBRARY_PACK] = whole
    assert project.run().status == 0


def test_a_pack_with_a_damaged_file(project: Project) -> None:
    content = bytearray(project.index.files[LIBRARY_PACK] or b"")
    content[200] ^= 0xFF
    project.index.files[LIBRARY_PACK] = bytes(content)
    project.refused("ARM::CMSIS-NN 7.0.0 is not used")


def test_another_pack_in_its_place(project: Project) -> None:
    project.index.files[LIBRARY_PACK] = project.index.files[DEVICE_PACK]
    project.refused("it is the pack Keil::STM32G4xx_DFP")


def test_another_content_than_the_locked_one(project: Project, library: dict[str, bytes]) -> None:
    assert project.run().status == 0
    project.write(folder="store2")
    project.index.publish("ARM", "CMSIS-NN", "7.0.0", "", {**library, "changed": b""})
    done = project.run()
    assert done.status == 2 and "its sha256 is" in done.err and "packs.lock" in done.err, done.text


def test_what_was_fetched_has_changed(project: Project) -> None:
    assert project.run().status == 0
    pack = project.store.pack(Reference("Keil", "STM32G4xx_DFP", "2.0.0"))
    write_pack(pack, {"Keil.STM32G4xx_DFP.pdsc": G4})
    done = project.run("generate")
    assert done.status == 2 and "is not the one that the lock file names" in done.err, done.text
    assert "scons packs" in done.err
    pack.unlink()
    done = project.run("generate")
    assert done.status == 2 and "is not on this computer" in done.err, done.text
    assert project.run().status == 0, "the verb mends it"
    assert project.run("generate").status == 0


def test_a_description_that_crashes_the_manager(project: Project) -> None:
    """An empty release makes cmsis-pack-manager 0.6.0 fall over its own index; ours is read without it."""
    name = "/pdsc/Keil.STM32F4xx_DFP.pdsc"
    text = (project.index.files[name] or b"").replace(b'"3.1.0">first</release>', b'"3.1.0"/>')
    project.index.files[name] = text
    done = project.run()
    assert "Traceback" not in done.text
    assert done.status == 0 or done.err.count("error:") == 1, done.text


def manager_that(folder: Path, body: str) -> dict[str, str]:
    """An environment in which cmsis_pack_manager does something else."""
    place = folder / "replaced"
    place.mkdir()
    (place / "cmsis_pack_manager.py").write_text(body)
    return {
        "PYTHONPATH": os.pathsep.join([str(place), os.environ.get("PYTHONPATH", ""), str(Path(__file__).parents[2])])
    }


CLASS = "class CmsisPackRef:\n    def __init__(self, *_): pass\nclass Cache:\n    def __init__(self, *_, **__): pass\n"


def test_a_manager_that_hangs(project: Project) -> None:
    body = CLASS + "    def cache_descriptors(self):\n        import time\n        time.sleep(600)\n"
    environment = manager_that(project.folder, body)
    project.refused("nothing had arrived for 1 s", APPROX_PACKS_PATIENCE="1", **environment)


def test_a_manager_that_crashes(project: Project) -> None:
    body = CLASS + "    def cache_descriptors(self):\n        import os\n        os.abort()\n"
    project.refused("cmsis-pack-manager crashed", **manager_that(project.folder, body))


def test_without_the_manager(project: Project) -> None:
    environment = manager_that(project.folder, "raise ImportError('none here')\n")
    project.refused("cmsis-pack-manager is missing", "pip install 'approx-plugin[packs]'", **environment)


def test_a_part_that_no_pack_has(project: Project) -> None:
    project.write("STM32G474REYx")
    project.refused("no pack of the index has a part 'STM32G474REYx'", "Did you mean STM32G474RETx")


def test_all_that_is_missing_at_once(project: Project) -> None:
    del project.index.files[LIBRARY_PACK]
    del project.index.files[DEVICE_PACK]
    done = project.run()
    assert done.status == 2 and "2 errors." in done.err, done.text


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs permissions that bind")
def test_a_store_that_cannot_be_written(project: Project) -> None:
    project.store.root.mkdir()
    project.store.root.chmod(stat.S_IRUSR | stat.S_IXUSR)
    done = project.run()
    assert done.status == 2 and "Traceback" not in done.text, done.text


def test_a_proxy_does_not_get_in_the_way(project: Project) -> None:
    done = project.run(http_proxy="http://127.0.0.1:9", https_proxy="http://127.0.0.1:9")
    assert done.status == 0, done.text


# ---- the lock file


def test_the_lock_file_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "packs.lock"
    assert read_lock(path) == ()
    entries = (
        Locked(Reference("ARM", "CMSIS-NN", "7.0.0"), "0" * 64),
        Locked(Reference("Keil", "STM32G4xx_DFP", "2.0"), "f" * 64, ("STM32G431KBTx", PART)),
    )
    path.write_text(lock_text(entries))
    assert read_lock(path) == entries
    assert lock_text(read_lock(path)) == lock_text(entries[::-1])


@pytest.mark.parametrize(
    "text", ["packs: 1", "packs:\n  ARM::CMSIS-NN: {version: 7.0.0}", "a: b", "packs: {x: {}}", "["]
)
def test_a_lock_file_that_was_spoilt(project: Project, text: str) -> None:
    project.store.lock.write_text(text)
    done = project.run("generate")
    assert done.status == 2 and "packs.lock" in done.err and "Traceback" not in done.err, done.text


def test_releases_in_their_order() -> None:
    ordered = ["0.9", "1.9.0", "1.10.0", "2.0.0-rc1", "2.0.0", "2.0.1+build"]
    mixed = [ordered[place] for place in (3, 0, 5, 2, 4, 1)]
    assert sorted(mixed, key=release) == ordered


def test_a_pack_that_leads_out_of_its_folder(project: Project) -> None:
    pack = project.folder / "evil.pack"
    with zipfile.ZipFile(pack, "w") as archive:
        archive.writestr("ARM.CMSIS-NN.pdsc", "x")
        archive.writestr("../../evil", "x")
    project.write("nucleo-f446re")
    done = project.run("generate", CMSIS_NN_PATH=str(pack))
    assert done.status == 2 and "leads out of its folder" in done.err, done.text
    assert not (project.folder.parent / "evil").exists()
