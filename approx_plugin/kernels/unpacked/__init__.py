"""Unpacked convolution: weights as constants in straight-line code, a block of pixels by a group of output channels.

geometry     where every operand lies in the widened input, and which two share a 32-bit word (a slot)
requantise   the layer's constants with offset, doubling and rounding folded in
blocks       how many pixels and channels are computed at once
window       which operand words are held in registers when
thumb        text, size and cycles of Thumb-2 instructions
assembly     the code of one channel group
c_source     the same in portable C
schedule     the schedule that the rest of the house sees
"""
