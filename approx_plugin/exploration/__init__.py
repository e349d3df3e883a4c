"""The search: from candidates a layer to the Pareto front, the chosen design, and the kernel of every layer."""
