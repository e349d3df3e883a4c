#!/usr/bin/env python3
"""Benches networks on virtual boards and writes docs/benchmarks.md: the library and our exact kernels side by side.

    CMSIS_NN_PATH=... tools/benchmarks.py --boards nucleo-u575zi-q,nucleo-l4r5zi models/*.tflite

All cycles are simulated. Whole firmware is built and run for each figure, and every layer's bytes are compared with the
integer reference. Networks that a board does not hold are named as missing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "benchmarks.md"
VARIANTS = ("cmsis_nn", "exact")


def main(argv: Sequence[str] | None = None) -> int:
    """0: written; 1: a network could not be benched, and nothing was written."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--boards", required=True, help="ids, with commas between them")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--cmsis-nn", default=os.environ.get("CMSIS_NN_PATH"), help="the library; or CMSIS_NN_PATH")
    parser.add_argument("--output", type=Path, default=DOCUMENT)
    options = parser.parse_args(argv)
    if not options.cmsis_nn:
        print("give --cmsis-nn: the portable subset is no baseline", file=sys.stderr)
        return 1
    benches = []
    for model in options.models:
        print(f"{model.stem} ...", flush=True)
        found = bench(model.resolve(), options)
        if found is None:
            return 1
        benches.append(found)
    options.output.write_text("\n".join(document(benches)) + "\n", encoding="utf-8")
    return 0


def bench(model: Path, options: argparse.Namespace) -> dict[str, Any] | None:
    """What `bench` says of one network; None if it failed, which is printed."""
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "approx.yaml"
        board = options.boards.split(",")[0]
        spec.write_text(
            f"version: 1\nmodel: {json.dumps(str(model))}\nboard: {board}\nmethod: none\n"
            "project: {name: network, directory: out, test_vectors: 1}\n",
            encoding="utf-8",
        )
        command = [sys.executable, "-m", "approx_plugin", "bench", "--spec", str(spec), "--boards", options.boards]
        command += ["--workers", str(options.workers), "--cmsis-nn", str(options.cmsis_nn)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        files = list(Path(folder).rglob("bench.json"))
        if done.returncode or not files:
            print(done.stdout[-2000:], done.stderr[-2000:], file=sys.stderr)
            return None
        found: dict[str, Any] = json.loads(files[0].read_text(encoding="utf-8"))
        return found


def document(benches: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The lines."""
    first = benches[0]
    yield "# Benchmarks"
    yield ""
    yield "Written by `tools/benchmarks.py`. **All cycles are simulated** on the board models of this repository;"
    yield "docs/validation.md says how right these are. Exact networks, nothing approximated: every layer's bytes were"
    yield "compared with the integer reference. Flash and RAM are of the whole firmware, with one test vector;"
    yield "published: the best figure of MLPerf Tiny's rounds on the same board, as cycles per MAC."
    yield ""
    library = first["cmsis_nn"]
    yield f"CMSIS-NN: {library['provider']} {library['version']}. Compiler: {first['tool']['compiler']}."
    for found in benches:
        yield ""
        yield f"## {found['network']} ({found['macs']:,} MACs)"
        yield ""
        head = ("board", "CMSIS-NN, cycles", "c/MAC", "ours, cycles", "c/MAC", "speed-up", "published", "flash, KB")
        yield f"| {' | '.join(head)} | RAM, KB | kernels |"
        yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|"
        for board in found["boards"]:
            yield _row(board)


def _row(board: Mapping[str, Any]) -> str:
    library, ours = (board["variants"].get(name) for name in VARIANTS)
    if library is None or ours is None:
        return f"| {board['name']} | does not fit: {'; '.join(board['missing'].values())} |||||||||"
    published = min((one["cycles_per_mac"][0] for one in board["published"]), default=None)
    kernels: dict[str, int] = {}
    for layer in ours["layers"]:
        kernels[layer["kernel"]] = kernels.get(layer["kernel"], 0) + 1
    cells = [board["name"]]
    for variant in (library, ours):
        cells += [f"{variant['total']['cycles']:,}", f"{variant['total']['cycles_per_mac']:.2f}"]
    cells.append(f"{library['total']['cycles'] / ours['total']['cycles']:.2f}x")
    cells.append("-" if published is None else f"{published:.2f}")
    for size in ("flash_bytes", "ram_bytes"):
        cells.append(f"{library[size] / 1024:.0f} -> {ours[size] / 1024:.0f}")
    cells.append(", ".join(f"{count} {name}" for name, count in sorted(kernels.items()) if name != "none"))
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
