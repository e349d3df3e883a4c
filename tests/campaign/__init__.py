"""Random networks of many operators against TensorFlow Lite's reference kernels, and their firmware in QEMU.

python -m tests.campaign --networks N --seed S
"""

from tests.paths import find_support

find_support()
