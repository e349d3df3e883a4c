"""YAML files as documents: read with positions, checked against a JSON Schema, mistakes said in words for people.

reader      text -> `Document`: values, and where each of them stands
syntax      what PyYAML says about text that is no YAML, in words that help
schema      the JSON Schemas, and how to walk them
validation  a schema's verdict on a document: every mistake at once
wording     how messages name keys, values and choices
"""
