"""The variants of one network side by side, simulated on virtual boards: table, JSON and picture."""
