"""Depthwise convolutions on planes of int16 pairs.

Four channels at a time become planes: words that hold two neighbouring rows (or columns) of one channel, surrounded by
the zero point. One SMLAD then makes two products of an output, a channel's weights stay in registers over its whole
plane, and the words of a pair of rows serve two rows of outputs.
"""
