"""Unpacked convolution: weights as constants in straight-line code, a block of pixels by a group of output channels.

geometry     where every operand lies in the widened input, and which two share a 32-bit word (a slot)
requantise   the layer's constants with offset, doubling and rounding folded in
blocks       how many pixels and channels are computed at once
window       which operand words are held in registers when
assembly     the code of one channel group, in the instructions of kernels/machine
c_source     the same in portable C
legend       what the generated files say about themselves
counting     what the code consists of, counted without writing it (kept: the part that no block decides)
kernel       the schedule that the rest of the house sees
"""
