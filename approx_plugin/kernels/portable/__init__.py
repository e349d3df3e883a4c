"""The kernel of our own runtime: operators that CMSIS-NN does not serve, as calls into `Middlewares/Approx`.

call         what a call into the runtime is made of
registry     which operators it serves
kernel       the kernel that the rest of the house sees
assumed      coefficients of its costs where a board has none of its own
others       one file a C function: which operators it computes, its call, and what it does
"""
