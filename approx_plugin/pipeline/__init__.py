"""The whole way: approx.yaml and a .tflite in, a verified STM32CubeIDE project and its report out.

inputs    Spec, Board, Graph, Datasets: everything that the user gave, checked before any work begins
designed  the approximated network, by search on one set and confirmation on another
lowered   a kernel for every layer, the memory plan, the sources
linked    the program with its test vectors, built where a compiler is found
generate  all of it, reported, and written to the output directory
"""
