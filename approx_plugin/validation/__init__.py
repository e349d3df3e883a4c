"""Compares the virtual board with what others have measured: a maintainers' tool, nothing of it runs for a user.

measurements  what was published, as data: who measured which network how, and what differs from our firmware
kernels       the core by itself: what public kernels took where no memory waits, recorded once
networks      the published networks: from .tflite files, or from their description with random weights
firmware      a network through the library of that measurement, with its optimization level
run           every measurement whose library is at hand -> comparisons
document      docs/validation.md
"""
