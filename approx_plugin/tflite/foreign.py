"""Files that people give in the place of a .tflite: recognised, so that the message says what to do."""

from __future__ import annotations

_CONVERT = "convert it: tf.lite.TFLiteConverter, full int8 with a representative_dataset"


def foreign(content: bytes) -> tuple[str, str] | None:
    """What the file is instead, and what to do; None if nobody knows."""
    head = content[:4096]
    if head.startswith(b"\x89HDF"):
        return "a Keras model in HDF5", _CONVERT + ", from_keras_model(keras.models.load_model(file))"
    if head.startswith(b"PK\x03\x04"):
        if b"config.json" in head or b"metadata.json" in head:
            return "a Keras model", _CONVERT + ", from_keras_model(keras.models.load_model(file))"
        if b"data.pkl" in head:
            return "a PyTorch model", "export it to .tflite: ai-edge-torch, or ONNX and onnx2tf, full int8"
        return "a zip archive", "unpack it, and name the .tflite in it"
    if head.startswith((b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ")):
        return "a compressed archive", "unpack it, and name the .tflite in it"
    if head.startswith(b"version https://git-lfs.github.com"):
        return "a pointer of Git LFS, not the file itself", "git lfs pull"
    if head[:1] == b"\x08" and (b"onnx" in head.lower() or b"pytorch" in head or b"tf2onnx" in head):
        return "an ONNX model", "convert it to .tflite with onnx2tf (-oiqt), full int8"
    if head.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        return "a web page, not the file that it offers", "download the raw file"
    text = _text(head)
    if text is not None and "0x54, 0x46, 0x4c, 0x33" in text.lower():
        return "a .tflite as a C array", "take the .tflite from which it was made, or turn it back: xxd -r -p"
    if text is not None:
        return "a text file", "name the .tflite file that the TensorFlow Lite converter wrote"
    return None


def _text(head: bytes) -> str | None:
    """The beginning as text, None if it is none."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4 or not error.start:
            return None
        text = head[: error.start].decode("utf-8")
    return text if text and all(character.isprintable() or character in "\n\r\t" for character in text) else None
