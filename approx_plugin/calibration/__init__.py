"""Fits the cost model of kernels to the virtual board: a maintainers' tool, nothing of it runs for a user.

simulation   runs the laboratory's drawn layers on the virtual board -> samples: plan, simulated cycles
networks     the layers of real networks, in their own firmware: what the model is tried on
fit          non-negative least squares in relative error
document     costs.yaml
"""
