"""Products of the integer network in C, built with the host's compiler at first use; NumPy serves without one."""
