"""One run at a time for an output directory."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from approx_plugin.project.lock import alone


def never() -> None:
    pytest.fail("nobody else is there")


def test_a_directory_is_made_for_the_time_only(tmp_path: Path) -> None:
    place = tmp_path / "a/b/out"
    with alone(place, never):
        assert place.is_dir()
    assert not (tmp_path / "a").exists()
    with alone(place, never):
        (place / "file").write_text("content", encoding="utf-8")
    assert (place / "file").exists()
    with alone(place, never):
        pass
    assert (place / "file").exists()


def test_an_empty_directory_of_the_users_stays(tmp_path: Path) -> None:
    with alone(tmp_path, never):
        pass
    assert tmp_path.is_dir()


def test_it_is_given_back_after_an_error(tmp_path: Path) -> None:
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt), alone(tmp_path / "out", never):
            raise KeyboardInterrupt
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_a_directory_is_for_others_to_say(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content", encoding="utf-8")
    with alone(tmp_path / "file", never), alone(tmp_path / "file/below", never):
        pass
    assert (tmp_path / "file").read_text(encoding="utf-8") == "content"


class Visitor(threading.Thread):
    """Somebody else who wants the directory. told: that it waited; order: who was in it, and when he left."""

    def __init__(self, place: Path, name: str, order: list[str]) -> None:
        super().__init__(name=name)
        self.place, self.order = place, order
        self.told, self.inside = threading.Event(), threading.Event()

    def run(self) -> None:
        with alone(self.place, self.told.set):
            self.order.append(f"{self.name} in")
            self.inside.set()
            time.sleep(0.01)
            self.order.append(f"{self.name} out")


@pytest.mark.parametrize("by", ["the same path", "a link above it", "a link to it"])
def test_the_second_waits_by_whatever_path(by: str, tmp_path: Path) -> None:
    place = tmp_path / "real/out"
    place.mkdir(parents=True)
    (tmp_path / "above").symlink_to(tmp_path / "real")
    (tmp_path / "link").symlink_to(place)
    ways = {"the same path": place, "a link above it": tmp_path / "above/out", "a link to it": tmp_path / "link"}
    order: list[str] = []
    visitor = Visitor(ways[by], "second", order)
    with alone(place, never):
        order.append("first in")
        visitor.start()
        assert visitor.told.wait(60)
        assert not visitor.inside.is_set()
        order.append("first out")
    visitor.join(60)
    assert order == ["first in", "first out", "second in", "second out"]


def test_many_in_a_directory_that_comes_and_goes(tmp_path: Path) -> None:
    """Whoever gets it is alone in it, although each one makes it anew and removes it."""
    order: list[str] = []
    visitors = [Visitor(tmp_path / "a/out", str(number), order) for number in range(8)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(120)
    assert len(order) == 16
    for entered, left in zip(order[::2], order[1::2]):
        assert entered.split()[0] == left.split()[0]
        assert (entered.split()[1], left.split()[1]) == ("in", "out")
    assert not (tmp_path / "a").exists()


def test_a_directory_that_nobody_can_write_to_can_be_held() -> None:
    """And one that cannot be made is no reason to hang or to fail."""
    with alone(Path("/proc/self"), never), alone(Path("/proc/self/not there/out"), never):
        pass
