"""What runs in a process of its own: the calls of cmsis-pack-manager, which may crash or never come back.

    python -m approx_plugin.packs.worker '{"root": ..., "index": ..., "packs": [[vendor, name, version], ...]}'

Nothing of what it says or returns is relied on: whoever starts it looks at the files afterwards. Without packs it
fetches all descriptions of the index, else these packs, whose descriptions have to be there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

MISSING = 3
"""Exit status where cmsis-pack-manager is not installed."""


def main(argument: str) -> int:
    """Do what the argument says; the exit status."""
    try:
        from cmsis_pack_manager import Cache, CmsisPackRef
    except ImportError as error:
        print(error)
        return MISSING
    order = json.loads(argument)
    root = Path(order["root"])
    data, index = root / "data", root / "index"
    for folder in (data, index):
        folder.mkdir(parents=True, exist_ok=True)
    # One line, without a comment or an empty line: it waits for ever for what it cannot read.
    vendors = index / "vendors.list"
    vendors.write_text(f"{order['index']}\n", encoding="utf-8")
    cache = Cache(True, False, json_path=str(index), data_path=str(data), vidx_list=str(vendors))
    if order["packs"]:
        cache.download_pack_list([CmsisPackRef(*one) for one in order["packs"]])
    else:
        cache.cache_descriptors()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
