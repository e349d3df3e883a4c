"""The sum, or the difference, of two activations of one shape: four elements at a time.

constants  two factors and a start that give the exact bytes for all pairs of inputs
plan       the code
kernel     the kernel
"""
