"""What a real board has said: its console, compared with the virtual board, and kept for validation.

consoles         the text: of a file, of standard input, or from a serial port
comparison       the same lines from the board and from the virtual board, side by side
record           board/<id>/measured.yaml: what was measured, as data
command          the verb `measure`
microbenchmarks  short runs of instructions whose cycles are public
selftest         a project of its own that runs them; the verb `selftest`
"""
