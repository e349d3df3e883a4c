"""A board without a board: runs the firmware's ELF and counts simulated cycles. Never presented as hardware."""
