"""A headless Chromium that is driven over a pipe: what a page logs, how wide it is, how it looks.

The protocol is Chromium's own (DevTools), as messages of JSON that end with a zero byte, on descriptors 3 and 4.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "headless_shell")

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
    "about:blank",
)


def find() -> str | None:
    """The program, None where there is none."""
    return next((found for found in map(shutil.which, NAMES) if found), None)


@dataclass(frozen=True)
class View:
    """messages: what the page has logged, errors and warnings; width: of the content, in pixels; requests: addresses
    that it has asked for beside itself.
    """

    messages: tuple[str, ...]
    width: int
    requests: tuple[str, ...]


class Browser:
    """A running Chromium with one tab."""

    def __init__(self, profile: Path) -> None:
        program = find()
        assert program is not None
        to_read, to_write = os.pipe()
        from_read, from_write = os.pipe()
        command = f'exec "$0" "$@" 3<&{to_read} 4>&{from_write}'
        self._process = subprocess.Popen(
            ["bash", "-c", command, program, f"--user-data-dir={profile}", *FLAGS],
            pass_fds=(to_read, from_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(from_write)
        self._to, self._from = os.fdopen(to_write, "wb"), os.fdopen(from_read, "rb")
        self._number, self._events, self._rest = 0, [], b""  # type: tuple[int, list[dict[str, Any]], bytes]
        self._session = ""
        target = self("Target.createTarget", url="about:blank")["targetId"]
        self._session = self("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._session = ""
        self("Browser.close")
        self._process.wait(timeout=30)
        self._to.close()
        self._from.close()

    def __call__(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a command."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._to.write(json.dumps(message).encode() + b"\0")
        self._to.flush()
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
            self._events.append(answer)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            piece = os.read(self._from.fileno(), 1 << 16)
            if not piece:
                raise RuntimeError("Chromium has ended")
            self._rest += piece
        message, self._rest = self._rest.split(b"\0", 1)
        answer: dict[str, Any] = json.loads(message)
        return answer

    def open(self, page: Path, width: int = 1100, dark: bool = False) -> View:
        """Shows a file at a width in pixels, 800 high."""
        self._events.clear()
        self("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 600)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self("Emulation.setEmulatedMedia", media="", features=[scheme])
        self("Page.navigate", url=page.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self._events):
            self._events.append(self._next())
        wide = int(self.evaluate("document.documentElement.scrollWidth"))
        said = [event for event in self._events if event.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown")]
        said += [event for event in self._events if event.get("method") == "Runtime.consoleAPICalled"]
        asked = [e["params"]["request"]["url"] for e in self._events if e.get("method") == "Network.requestWillBeSent"]
        outside = tuple(url for url in asked if url != page.as_uri() and not url.startswith("data:"))
        return View(tuple(json.dumps(event["params"]) for event in said), wide, outside)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression of JavaScript in the page."""
        return self("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def picture(self, top: int = 0, height: int | None = None) -> bytes:
        """The page as PNG, from `top` on; height: in pixels, None: to the end."""
        size = self("Page.getLayoutMetrics")["cssContentSize"]
        high = size["height"] - top if height is None else min(height, size["height"] - top)
        clip = {"x": 0, "y": top, "width": size["width"], "height": high, "scale": 1}
        made = self("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(made["data"])

    def paper(self) -> bytes:
        """The page as PDF."""
        made = self("Page.printToPDF", printBackground=False, preferCSSPageSize=True)
        return base64.b64decode(made["data"])
