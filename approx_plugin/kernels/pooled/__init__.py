"""Pooling: the largest value or the mean under a window, four channels at a time.

window   sizes, and how far bytes lie apart
walk     the loops over pixels and channels, and rows with their padding
maximum  what is computed of four channels, or one
average  the same for means, and the factor that divides
plan     one way to compute a layer
kernel   the kernel
"""
