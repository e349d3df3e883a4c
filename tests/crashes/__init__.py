"""Every verb that writes, killed, interrupted, or on a disk that fails, at a random moment.

python -m tests.crashes --points N --seed S
"""

from tests.paths import find_support

find_support()
