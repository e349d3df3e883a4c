"""Proves that a step's machine code computes its operator for every input.

The code is executed with symbols in the place of the input: addresses and branches stay numbers, data become linear
forms (`linear`), halfwords and bytes of them (`words`), and what requantisation makes of one (`expression`). In the end
every output byte is a function of one linear form. Two things are then shown: that the form is the operator's sum of
products, and that the function is the operator's requantisation for every value which the sum can take (`judge`).

linear      linear forms over the input
words       registers and memory words that hold several of them
expression  functions of one linear form
memory      what lies at which address
decoding    instructions as values, by capstone
machine     registers, control flow, the run of a function
semantics   what instructions do
expected    the operators' sums
judge       whether an output is what it should be
step        one step of a program from its ELF
"""
