"""The network as plain values: tensors, quantization, operators, graph. It imports no other room."""
