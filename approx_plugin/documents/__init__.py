"""YAML files as documents: read with positions, held against a JSON Schema, mistakes said in words for people.

One way for every kind of file (approx.yaml, board.yaml, costs.yaml, tables of cores and interrupts), and one direction:
text -> `Document` -> mistakes -> the caller's class of error.

reader      text -> `Document`: strict YAML, every value with its place
document    `Document`: values, where each of them stands, and what could not be read
scalars     what an unquoted word means: a number, a truth value, a text
syntax      what PyYAML says about text that is no YAML, in words that help
schema      the JSON Schemas (draft-07), and how to walk them
validator   what jsonschema finds wrong with a value, as plain values
validation  a schema's verdict on a document: every mistake at once, in words
wording     how messages name keys, values and choices
checked     `load`: all of the above; `Checked`: values, and what further checks need of them
"""
