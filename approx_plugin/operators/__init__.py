"""One file an operator: its parameters, how it is read, what it computes."""
