"""approx.yaml: strict loading, validation against the JSON Schema, and the `Spec` that comes out."""
