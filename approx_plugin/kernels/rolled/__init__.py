"""What kernels share whose code is a loop over tables of constants: the form of a plan, tables, requantisation, costs.

requantise  constants with which three instructions requantise a sum, and their proof
table       constants as assembly data
stream      what a step reads over and over, for the cost model
plan        a plan whose code is assembly with tables
"""
