"""The integer reference: runs a Graph on the host, bit-exact with the firmware, fast enough for a search."""
