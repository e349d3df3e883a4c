"""What kernels share whose code is a loop over tables of constants: the form of a plan, tables, requantisation, costs.

requantise  constants with which three instructions requantise a sum, and their proof
table       constants as assembly data
stream      what a step reads over and over, for the cost model
pairs       pairs of output channels: weights in one word, constants
products    their products and sums
frame       what a routine keeps on the stack
rows        rows of a map, copied with their padding
plan        a plan whose code is assembly with tables
"""
