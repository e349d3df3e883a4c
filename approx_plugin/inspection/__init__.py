"""What a .tflite holds, said before there is an approx.yaml."""
