"""Which products of a convolution matter: operand statistics, significance, and the layers with products left out."""
