"""CMSIS-NN as a kernel: a call for each kind of operator that the library serves.

call        what a call into the library is made of
registry    which operators it serves
kernel      the kernel that the rest of the house sees
counting    what the counts of the operators share
c_text      the library's structures as C text
others      one file an operator: its call, and what its kernel does
"""
