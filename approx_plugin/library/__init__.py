"""The CMSIS-NN that a project is built with: the user's, or the portable subset of its API."""
