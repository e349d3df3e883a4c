"""Reads .tflite files: the only room that knows the file format."""
