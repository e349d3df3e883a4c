"""Putting a network into a person's own project, and taking it out again.

The project stays its owner's: one folder is added, a few lines are inserted into its build files, and nothing else of
it is touched. Whatever was inserted can be found again without a backup, so that removing it gives back every byte.
"""
