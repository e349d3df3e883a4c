"""The index of packs (.pidx), and what a server says about an address: both asked for by ourselves, because the answer
is what a message needs.
"""

from __future__ import annotations

import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit
from xml.etree import ElementTree

from approx_plugin.errors import ToolError
from approx_plugin.packs.manager import LOCAL

TIMEOUT = 20.0
LARGEST = 64 << 20
LOCAL_HOSTS = frozenset(LOCAL.split(","))


@dataclass(frozen=True)
class Entry:
    """A pack of the index. url: the folder of its description."""

    vendor: str
    name: str
    version: str
    url: str

    @property
    def description_url(self) -> str:
        """The address of its description."""
        return f"{self.url.rstrip('/')}/{self.vendor}.{self.name}.pdsc"


def read_index(url: str) -> Mapping[tuple[str, str], Entry]:
    """The packs of an index by vendor and name. Raises ToolError for an index that cannot be had, or is none."""
    try:
        with _open(url) as answer:
            text = answer.read(LARGEST)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ToolError(f"the index of packs cannot be fetched: {_words(error)}", where=url) from None
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ToolError(f"what lies there is no index of packs: {error}", where=url) from None
    found = {}
    for one in root.iter("pdsc"):
        entry = Entry(one.get("vendor", ""), one.get("name", ""), one.get("version", ""), one.get("url", ""))
        found[entry.vendor, entry.name] = entry
    if root.tag != "index" or not found:
        raise ToolError(f"what lies there is no index of packs: its root is <{root.tag}>, without a <pdsc>", where=url)
    return found


def answer_of(url: str) -> str:
    """What a server says about an address, in words."""
    try:
        with _open(url) as answer:
            return f"{url}: the server answers {answer.status} {answer.reason}".rstrip()
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"{url}: {_words(error)}"


def _open(url: str) -> http.client.HTTPResponse:
    """The answer to a request. This computer's addresses are asked without a proxy."""
    direct = urlsplit(url).hostname in LOCAL_HOSTS
    handlers = [urllib.request.ProxyHandler({})] if direct else []
    opener = urllib.request.build_opener(*handlers)
    answer: http.client.HTTPResponse = opener.open(url, timeout=TIMEOUT)
    return answer


def _words(error: Exception) -> str:
    """An error of the network in words."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}".rstrip()
    reason = getattr(error, "reason", error)
    proxy = next((os.environ[name] for name in ("https_proxy", "http_proxy") if os.environ.get(name)), "")
    through = f" (through the proxy {proxy})" if proxy else ""
    said = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return f"no answer: {said}{through}"
