"""Fully connected layers from packed tables: one byte a weight, two output rows in one multiplication.

groups  which outputs are computed together, and the table in that order
code    the function
plan    one way to compute a layer
kernel  the kernel
"""
