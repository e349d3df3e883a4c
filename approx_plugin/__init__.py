"""Approximate, unpacked convolution kernels for STM32: from approx.yaml and a .tflite to an STM32CubeIDE project.

The way of the data, one room (sub-package) a stage, every stage handing the next one plain immutable values:

    approx.yaml -> Spec -> Graph -> Statistics -> Candidates -> Front -> Design
                -> Program -> Sources -> Project -> Report

`pipeline/generate.py` is that sentence as code; start reading there.
"""

__version__ = "0.1.0"
