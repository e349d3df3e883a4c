"""Makes the checkout's approx_plugin importable: SCons puts site_scons on the path, but not the SConstruct's folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
