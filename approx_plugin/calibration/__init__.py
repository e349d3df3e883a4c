"""Fits the cost model of kernels to the virtual board: a maintainers' tool, nothing of it runs for a user.

layers       layers with drawn shapes and weights, as operators
firmware     many layers in one firmware, each called once with its code cold, as in a network
networks     the layers of real networks, in their own firmware: what the model is tried on
simulation   runs firmwares on the virtual board -> samples: operator, schedule, simulated cycles
fit          non-negative least squares in relative error
document     costs.yaml
"""
