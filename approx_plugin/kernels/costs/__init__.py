"""What a kernel costs on a board, by formula: counts of what it does, times coefficients of the board.

counting     `Work`: a kind of kernel and its counts; caches and the traffic that a repeated sweep causes
kinds        which kinds of kernels there are, and what they count
model        `CostModel`: coefficients by kind, cycles of a `Work`
loader       board/<id>/costs.yaml, or the ideal core of its kind for a board that has none

The coefficients are fitted to the virtual board by `python -m approx_plugin.calibration`; nothing was measured.
"""
