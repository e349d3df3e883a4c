#!/usr/bin/env python3
"""Takes every .tflite of a folder all the way, and writes one table: docs/models.md.

    CMSIS_NN_PATH=... tools/public_models.py FOLDER --record models.jsonl [--jobs 2] [--document docs/models.md]

For each model: it is read; its outputs for random inputs are compared with TensorFlow Lite's reference kernels (where
tflite_runtime is installed); a project is generated for the smallest board that holds it, and run in QEMU, where every
layer's bytes are compared; CMSIS-NN's and our exact kernels are simulated on the board's model. What is short of the
nearest board is said of a model that fits none. The record has a line of JSON a model: what is in it is not done again.
All cycles are simulated.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from against_tflite import agreement

from approx_plugin.errors import ApproxError
from approx_plugin.inspection.fitting import fits, smallest
from approx_plugin.inspection.text import nearest
from approx_plugin.model.graph import Graph
from approx_plugin.tflite.reader import read_graph

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "models.md"

RANDOM_INPUTS = 20
"""That are compared with TensorFlow Lite's kernels; of a network with states, `STEPS` of one sequence."""

STEPS = 50

EMULATED_MACS = 100_000_000
"""In QEMU, all inputs of a model together: it takes seconds for that, and large models get fewer inputs."""

Row = Mapping[str, Any]


def main(argv: Sequence[str] | None = None) -> int:
    """0: every model that is supported and fits a board is right; 1: something failed, or a byte differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--record", type=Path, required=True, help="JSON lines, one a model; may exist")
    parser.add_argument("--jobs", type=int, default=1, help="models at a time")
    parser.add_argument("--only", default="", help="models whose names hold this text")
    parser.add_argument("--cmsis-nn", default=os.environ.get("CMSIS_NN_PATH"), help="the library; or CMSIS_NN_PATH")
    parser.add_argument(
        "--simulated", type=float, default=math.inf, help="MACs; what has more is verified, but not simulated"
    )
    parser.add_argument("--recorded", action="store_true", help="only write the document of what is recorded")
    parser.add_argument("--document", type=Path, help=f"the table, {DOCUMENT.relative_to(ROOT)} for example")
    options = parser.parse_args(argv)
    known = recorded(options.record)
    models = [path for path in sorted(options.folder.rglob("*.tflite")) if options.only in path.name]
    left = [] if options.recorded else models
    todo = sorted((path for path in left if _key(path) not in known), key=_macs)
    with ThreadPoolExecutor(options.jobs) as pool, options.record.open("a", encoding="utf-8") as record:
        examine = partial(examined, cmsis_nn=options.cmsis_nn, simulated=options.simulated)
        for row in pool.map(examine, todo):
            record.write(json.dumps(row) + "\n")
            record.flush()
            known[str(row["key"])] = row
            print(f"{row['model']}: {said(row)}", flush=True)
    rows = [known[_key(path)] for path in models if _key(path) in known]
    absent = [path.stem for path in models if _key(path) not in known]
    if options.document:
        options.document.write_text("\n".join(document(rows, absent)) + "\n", encoding="utf-8")
    return 1 if any(wrong(row) for row in rows) else 0


def recorded(file: Path) -> dict[str, Row]:
    """The rows of a record by their keys, of several for one model the last; none where there is no file."""
    if not file.exists():
        return {}
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return {row["key"]: row for row in rows}


def _key(path: Path) -> str:
    return f"{path.stem} {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"


def _macs(path: Path) -> int:
    """The small ones come first; those that are refused before them."""
    try:
        return read_graph(path).macs
    except ApproxError:
        return -1


def examined(path: Path, cmsis_nn: str | None, simulated: float = math.inf) -> Row:
    """All that the table says of a model. simulated: up to how many MACs it is."""
    row: dict[str, Any] = {"key": _key(path), "model": path.stem}
    try:
        graph = read_graph(path)
    except ApproxError as error:
        return {**row, "refused": " ".join(str(error).replace(str(path), path.name).split())}
    row.update(layers=len(graph.operators), macs=graph.macs, states=len(graph.states))
    try:
        found = agreement(path.read_bytes(), graph, STEPS if graph.states else RANDOM_INPUTS)
        row.update(equal=found.equal, inputs=found.count, off=found.off, no_oracle=found.refused)
    except ImportError as error:
        row.update(no_oracle=str(error))
    boards = fits(graph)
    best = smallest(boards)
    if best is None:
        near = nearest(boards)
        return {**row, "short": f"{near.board.name}: {near.verdict}"}
    row.update(board=best.board.id, board_name=best.board.name)
    with tempfile.TemporaryDirectory() as folder:
        return {**row, **_made(path, graph, best.board.id, Path(folder), cmsis_nn, graph.macs <= simulated)}


def _made(path: Path, graph: Graph, board: str, folder: Path, cmsis_nn: str | None, simulate: bool) -> Row:
    """The generated, emulated and simulated part of a row; "failed" says where it came to its end."""
    count = STEPS if graph.states else min(RANDOM_INPUTS, max(2, EMULATED_MACS // max(1, graph.macs)))
    spec = folder / "approx.yaml"
    row: dict[str, Any] = {}
    spec.write_text(
        f"version: 1\nmodel: {json.dumps(str(path.resolve()))}\nboard: {board}\nmethod: none\n"
        f"project: {{name: network, directory: out, test_vectors: 1}}\nverify: {{images: {count}}}\n",
        encoding="utf-8",
    )
    library = ["--cmsis-nn", cmsis_nn] if cmsis_nn else []
    for verb in ("generate", "verify", *(["bench"] if simulate else [])):
        command = [sys.executable, "-m", "approx_plugin", verb, "--spec", str(spec), "--workers", "1", *library]
        started = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        if done.returncode:
            return {**row, "failed": f"{verb}: {' '.join(done.stderr.split())[-600:]}"}
        if verb == "generate":
            row["seconds"] = round(time.monotonic() - started, 1)
            size = re.search(r"Release: ([\d,]+) B flash, ([\d,]+) B RAM", done.stdout + done.stderr)
            if size:
                row.update(flash=int(size[1].replace(",", "")), ram=int(size[2].replace(",", "")))
        elif verb == "verify":
            match = re.search(r"verified: (\d+) of (\d+) inputs", done.stdout + done.stderr)
            row["verified"] = [int(match[1]), int(match[2])] if match else []
    if not simulate:
        return row
    (file,) = folder.rglob("bench.json")
    (bench,) = json.loads(file.read_text(encoding="utf-8"))["boards"]
    for name, variant in bench["variants"].items():
        row[name] = {
            "cycles": variant["total"]["cycles"],
            "flash": variant["flash_bytes"],
            "ram": variant["ram_bytes"],
        }
        if name == "exact":
            row.update(flash=variant["flash_bytes"], ram=variant["ram_bytes"])
    row["missing"] = bench["missing"]
    return row


def wrong(row: Row) -> bool:
    """Whether something is amiss that is not the model's, or the boards', own nature."""
    differs = "equal" in row and not row.get("no_oracle") and row["equal"] != row["inputs"]
    verified = row.get("verified")
    return "failed" in row or differs or (verified is not None and (not verified or verified[0] != verified[1]))


def said(row: Row) -> str:
    """A row in one line."""
    for what in ("refused", "failed", "short"):
        if what in row:
            return f"{what}: {row[what]}"
    return f"{_oracle(row)}; {_verified(row)}; {row['board_name']}, {row['seconds']} s"


def _oracle(row: Row) -> str:
    if row.get("no_oracle"):
        return "no oracle"
    return f"{row['equal']} of {row['inputs']}" + (f", off by {row['off']}" if row["off"] else "")


def _verified(row: Row) -> str:
    return "{} of {}".format(*row["verified"]) if row.get("verified") else "-"


def document(rows: Sequence[Row], absent: Sequence[str] = ()) -> Iterator[str]:
    """The lines of the table and of what is not in it. absent: models that nobody has taken all the way."""
    inside = [row for row in rows if "verified" in row]
    yield "# Public models"
    yield ""
    yield "Written by `tools/public_models.py`. **All cycles are simulated** on the model of the board that is named,"
    yield "the smallest one that holds the network with the library's kernels; docs/validation.md says how right these"
    yield "models are. Exact networks, nothing approximated. Flash and RAM are of the whole firmware with one test"
    yield "vector, with our kernels: `auto` takes what flash there is. BUILTIN_REF: random inputs for which the integer"
    yield "reference gives the bytes of TensorFlow Lite's reference kernels; QEMU: inputs for which every layer's bytes"
    yield "in the emulated firmware are those of the integer reference. Seconds: of `generate`, on one shared core."
    yield ""
    right = sum(not wrong(row) for row in inside)
    yield f"{len(rows)} models: {right} generated, built and verified; {len(rows) - len(inside)} below the table."
    yield ""
    head = ("model", "layers", "MACs", "board", "flash, KB", "RAM, KB", "CMSIS-NN, cycles", "ours, cycles", "speed-up")
    yield f"| {' | '.join(head)} | BUILTIN_REF | QEMU | s |"
    yield "|---|--:|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    for row in inside:
        yield _line(row)
    for row in rows:
        if "verified" not in row:
            what = next((name for name in ("refused", "short", "failed") if name in row), "")
            words = {"refused": "refused", "short": "fits no board; nearest is", "failed": "failed"}.get(what, "")
            size = ""
            if "macs" in row:
                size = f" ({row['layers']} layers, {row['macs']:,} MACs, BUILTIN_REF {_oracle(row)})"
            yield ""
            yield f"`{row['model']}`{size}: {words} {row.get(what, '')[:400]}"
    if absent:
        yield ""
        yield f"Not taken all the way yet: {', '.join(f'`{name}`' for name in absent)}."


def _line(row: Row) -> str:
    library, ours = row.get("cmsis_nn"), row.get("exact")
    cells = [row["model"], str(row["layers"]), f"{row['macs']:,}", row["board_name"]]
    cells += [f"{row[size] / 1024:.0f}" if size in row else "-" for size in ("flash", "ram")]
    absent = "does not fit" if "missing" in row else "-"
    cells += [f"{variant['cycles']:,}" if variant else absent for variant in (library, ours)]
    cells.append(f"{library['cycles'] / ours['cycles']:.2f}x" if library and ours else "-")
    cells += [_oracle(row), _verified(row), f"{row['seconds']:.0f}"]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
