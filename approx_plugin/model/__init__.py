"""The network as plain values: tensors, quantization, graph; and the reader of .tflite files."""
