"""The bases in which operators are approximated: one file each."""
