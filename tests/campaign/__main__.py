"""Random networks against TensorFlow Lite's reference kernels, and their firmware in QEMU.

Each network is compared with the reference on this computer, tensor by tensor, and then built and run for one core by
turns, with both back ends; with --all for every core. Ends with 1 if anything differs; the networks are kept then.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.campaign import firmware
from tests.campaign.drawing import draw_network
from tests.campaign.firmware import BACKENDS, CORES, Bench
from tests.campaign.host import compare


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("--networks", type=int, default=60, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first one (default: %(default)s)")
    parser.add_argument("--core", action="append", choices=CORES, help="may be repeated; by turns if not given")
    parser.add_argument("--backend", action="append", choices=BACKENDS, help="may be repeated; both if not given")
    parser.add_argument("--all", action="store_true", help="every network on every core")
    parser.add_argument("--host-only", action="store_true", help="no firmware")
    parser.add_argument("--cmsis-nn", default=os.environ.get("CMSIS_NN_PATH"), help="the library; or CMSIS_NN_PATH")
    parser.add_argument("--findings", type=Path, default=Path("build/campaign"), help="a folder (default: %(default)s)")
    return parser


class Campaign:
    """What was seen so far."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        """folder: for trees and objects."""
        self._options = options
        self._cores: tuple[str, ...] = tuple(options.core or CORES)
        library = Path(options.cmsis_nn) if options.cmsis_nn else None
        self._benches = {
            (core, backend): Bench.of(core, backend, library, folder)
            for core in self._cores
            for backend in options.backend or BACKENDS
        }
        self.counts: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.kernels: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()

    def examine(self, number: int) -> None:
        """One network."""
        options = self._options
        network = draw_network(options.seed, number)
        found = compare(network)
        self.counts["networks"] += 1
        self.counts["tensors compared"] += found.compared
        if found.why:
            self.counts["refused"] += 1
            self.reasons[found.why.strip().splitlines()[0][:160]] += 1
        for fault in found.faults:
            self._tell(number, network.content, "host", fault)
        if found.graph is None:
            return
        self.kinds.update(operator.kind for operator in found.graph.operators)
        core = self._cores[number % len(self._cores)]
        for (wanted, backend), bench in self._benches.items():
            if options.host_only or (wanted != core and not options.all):
                continue
            ran = firmware.run(found.graph, network.inputs, bench, firmware.generator(options.seed, number, bench))
            self.kernels.update(ran.steps)
            self.counts["left out" if ran.left_out else "firmware"] += 1
            for fault in ran.faults:
                self._tell(number, network.content, f"{wanted} {backend}", fault)

    def _tell(self, number: int, content: bytes, where: str, fault: str) -> None:
        options = self._options
        self.counts["faults"] += 1
        options.findings.mkdir(parents=True, exist_ok=True)
        kept = options.findings / f"{options.seed}-{number}.tflite"
        kept.write_bytes(content)
        print(f"seed {options.seed}, network {number}, {where}: {fault}\n    kept: {kept}", flush=True)

    def summary(self) -> str:
        """What it was about."""
        lines = [", ".join(f"{count:,} {name}" for name, count in self.counts.items())]
        lines.append("steps: " + ", ".join(f"{name} {count}" for name, count in self.kernels.most_common()))
        lines.append("operators: " + ", ".join(f"{name} {count}" for name, count in self.kinds.most_common()))
        lines += [f"refused {count}: {why}" for why, count in self.reasons.most_common(5)]
        return "\n".join(lines)


def main() -> int:
    """The command."""
    options = arguments().parse_args()
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(options, Path(folder))
        for number in range(options.first, options.first + options.networks):
            campaign.examine(number)
            if campaign.counts["networks"] % 20 == 0:
                print(f"{campaign.counts['networks']} networks, {campaign.counts['faults']} faults", file=sys.stderr)
    print(f"seed {options.seed}, networks {options.first} to {options.first + options.networks - 1}")
    print(campaign.summary())
    return 1 if campaign.counts["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
