"""How quickly a core executes which instruction: one table for each core, for everything that counts cycles."""
