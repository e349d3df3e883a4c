"""3x3 convolutions with stride 1 in Winograd's domain, exact in int16, with transformed weights in a table.

shape     sizes of a layer, its tiles, stripes of tiles, and where things stand in the scratch
table     transformed weights and constants in the order in which the code reads them; which slots are kept
passes    the transforms of inputs and outputs
task      what all parts of the function have in common
inputs    its first part: inputs are transformed
products  its second part: point by point
outputs   its last part: sums are transformed back
code      the function
plan      one way to compute a layer
kernel    the kernel
"""
