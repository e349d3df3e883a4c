"""Instructions as values: what kernels write their assembly with, so that text, size and cycles are one description.

registers    registers by name and number, virtual ones among them
operands     addresses, shifted registers, lists
forms        the instructions that there are: operands, what is read and written, kind of timing
encoding     which constants fit which encoding, for one value or for arrays of them
narrow       which instructions GNU as encodes in 16 bits
checking     what an instruction does not take
instruction  the instruction itself
idioms       constants, far moves of a pointer, limits, words as multiples
text         functions: labels, loops, alignment, comments, unwinding information (unwinding)
timed        an instruction in the terms of a core's table
timing       when instructions issue on a core, by the virtual board's rules (addresses: where they access)
dependence   what has to stay after what
scheduling   an order that a core issues sooner
allocation   registers for virtual ones

Nothing here knows a kernel. A kernel is a sequence of items of `text`; `text.layout` closes it, and everything else
reads the result.
"""
