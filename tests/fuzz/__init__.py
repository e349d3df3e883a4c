"""Inputs that nobody would write: every reader of the tool takes them, or says what is wrong with them.

python -m tests.fuzz spec|model|data|cproject|uart --seconds N --seed S
"""

from tests.paths import find_support

find_support()
