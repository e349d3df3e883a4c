"""Which products matter: bases and groups of operands, statistics, significance, and operators without the rest."""
