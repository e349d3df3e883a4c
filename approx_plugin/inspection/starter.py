"""An approx.yaml to begin with."""

from __future__ import annotations

import json

from approx_plugin.model.graph import Graph

_EXACT = """\
# yaml-language-server: $schema={schema}
# What is to be made of {name}: {layers}, {macs:,} MACs.
# `python -m approx_plugin generate` makes the project, `verify` runs it in QEMU; --spec names another file.
version: 1
model: {model}
board: {board}{reason}
method: none                          # exact: nothing is skipped
# budget: {{flash: 512K, ram: 128K}}    # what the network may take of the board, if not all
# optimize: time                      # or flash, ram, balanced
project: {{test_vectors: 4}}            # inputs that the firmware checks itself with
verify: {{images: 20}}
"""

_APPROXIMATED = """\

# To leave out products that do not matter, put this in the place of `method: none`:
#
# method: significance
# target: {max_accuracy_drop: 1.0}    # points of top-1, on images that the search never saw
# data:                               # .npz files with images and labels; the three sets must be disjoint
#   calibration:  {file: images.npz, images: calibration_images,  labels: calibration_labels}
#   exploration:  {file: images.npz, images: exploration_images,  labels: exploration_labels}
#   confirmation: {file: images.npz, images: confirmation_images, labels: confirmation_labels}
"""

_NOT_HELD = "  # no board holds it with the library's kernels: this one lacks least"


def starter(graph: Graph, layers: str, model: str, board: str, held: bool, schema: str) -> str:
    """The text. layers: how many, in words; model: the path as it is to stand in the file; board: an id.

    held: whether the board holds the network. schema: where an editor finds what may stand in the file.
    """
    text = _EXACT.format(
        name=graph.name,
        layers=layers,
        macs=graph.macs,
        # JSON is YAML; a path may hold anything.
        model=json.dumps(model, ensure_ascii=False),
        board=board,
        reason="" if held else _NOT_HELD,
        schema=schema,
    )
    one_input = len(graph.inputs) == 1 and not graph.states
    return text + (_APPROXIMATED if one_input else "")
