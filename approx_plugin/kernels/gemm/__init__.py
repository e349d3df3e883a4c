"""Convolutions as matrix products: pixels are gathered into blocks of four, weights are streamed from a table.

geometry  sizes and strides of a layer, and how its pixels fall into blocks and stripes
gather    which input bytes become which slot, and the code that widens them
table     weights and constants in the order in which the code reads them
task      what all parts of the function have in common
windows   its first part: windows become blocks
products  its second part: blocks times the table, and outputs
code      the function
plan      one way to compute a layer
kernel    the kernel
"""
