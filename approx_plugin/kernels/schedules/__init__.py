"""Kernel schedules: each says which layers it can lower, what that costs, and emits the code."""
