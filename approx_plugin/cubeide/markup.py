"""XML as Eclipse writes it: one tab a level, attributes in alphabetical order, empty elements closed at once.

A file in this form changes in few places when the IDE saves it. `xml.etree` cannot write the processing instruction
that a .cproject must start with, hence the writer of our own.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr


def element(tag: str, attributes: dict[str, str] | None = None, *children: Element, text: str | None = None) -> Element:
    """An element with its children in place."""
    node = Element(tag, attributes or {})
    node.text = text
    node.extend(children)
    return node


def render(node: Element, depth: int = 0) -> str:
    """The text of `node`, with a line feed at its end. Either children or text, never both."""
    indent = "\t" * depth
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in sorted(node.attrib.items()))
    if len(node):
        inner = "".join(render(child, depth + 1) for child in node)
        return f"{indent}<{node.tag}{attributes}>\n{inner}{indent}</{node.tag}>\n"
    if node.text is not None:
        return f"{indent}<{node.tag}{attributes}>{escape(node.text)}</{node.tag}>\n"
    return f"{indent}<{node.tag}{attributes}/>\n"
