"""`python -m approx_plugin`."""

from __future__ import annotations

import sys

from approx_plugin.cli import main

if __name__ == "__main__":
    sys.exit(main())
