"""docs/validation.md: the comparison as a document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import TypeVar

from approx_plugin.boards.board import Board
from approx_plugin.boards.loader import load_board
from approx_plugin.measured.comparison import Row
from approx_plugin.measured.record import Record
from approx_plugin.validation.kernels import Recorded, load_kernels
from approx_plugin.validation.measurements import CONNECTED, DENSE, Stack
from approx_plugin.validation.run import Comparison, band
from approx_plugin.virtual_board.fingerprint import fingerprint
from approx_plugin.virtual_board.timing import load_timing

T = TypeVar("T")
STRAIGHT = "integer code without wait states"
Records = Sequence[tuple[Board, Record]]

TITLE = """\
# The virtual board against published measurements

Written by `python -m approx_plugin.validation`; `--help` says what it needs. Nothing here was measured by this
project: figures that others have published for int8 networks through CMSIS-NN, with software that can be had, stand
beside what the virtual board says about the same networks through the same version of the library, at the same
optimization level, with the same settings of flash as far as they are known. The firmware around the network is the one
that this tool generates; every simulated run also gave the integer reference's outputs, byte for byte.
"""

HEAD = "| network | MACs | published | network alone | simulated | error | ideal | cycles/MAC | used for fitting |"

REASONS = """\
## The published firmware itself

EdgeMark publishes its whole project for NUCLEO-L4R5ZI. Built from its sources (gcc 12.2, -O3) with the reference
.tflite files and run on the virtual board as it is, interpreter and copies included, once and not by the command, it
was -4.9 % (ResNet8), +0.0 % (DS-CNN), -3.7 % (MobileNet) and +0.9 % (autoencoder) from what was measured.

## What remains

- *The compiler.* The published firmware was built by other releases of gcc than this one. With gcc 10.2 for the
  library (Debian's cross compiler for Linux, told to be freestanding) single totals moved by up to 5 % in both
  directions, CNN_3 to +12 %.
- *The placement of code.* With an instruction cache of 1 KB, two firmwares that differ only in where the linker puts a
  loop differ by several per cent (DS-CNN: by 10 %); the published ones hold another runtime.
- *The runtime.* The interpreter's own work between layers is not simulated; the smaller a network, the more of its
  time that is (FC_3 to FC_6). Where the harness copies input and output one element at a time inside of the measured
  interval, that is taken off the published figure. How long a copy takes was itself simulated: the share that is taken
  off, up to a quarter for networks of many inputs and few products, is no evidence.
- *The caches of the STM32L4+.* Their replacement, their ways and the moment at which a line counts as present are not
  documented. Fully associative caches of 8-byte lines, and the manual's wait states, would leave DS-CNN and MobileNet
  in TensorFlow Lite Micro 21 and 18 % below the measurement.
- *Stores behind loads, and fetches at odd halfwords.* The kernels at 20 MHz are 3 to 4 % slower than simulated where
  they stream through Keccak's straight-line code, up to 8 % in code of many 32-bit instructions at odd halfwords: the
  model knows neither the fetch buffer's limit nor a cycle that a store behind a load seems to take on this part.
- *Prefetch and unpacked kernels.* All published firmware runs with flash prefetch off, and through the library.
  Projects of this tool switch prefetch on; how the model treats that, and straight-line code from slow flash, is
  compared with nothing.
- *Flash of the nRF5340.* Its wait states are assumed; between 3 and 7 of them the autoencoder moves by 9 %, the others
  by 2 % at most. What remains there is the core's: its table, or the compiler.
- *Global average pooling* of CNN_1 and CNN_4 to CNN_7 runs as a mean in the published runtime, which its library does
  not cover; here it is the library's average pooling, which is faster.
- *Cortex-M7.* No published figure with CMSIS-NN's int8 kernels was found that says enough about clock, caches, flags
  and placement to be repeated. Its core table comes from measured instruction timings, its memory system is assumed:
  trust ratios of one run, and not even those to better than about 10 %.
"""


def document(comparisons: Sequence[Comparison], date: str, records: Records = ()) -> str:
    """The text. date: ISO 8601; records: what users have measured. Raises ValueError without a comparison."""
    if not comparisons:
        raise ValueError("nothing was compared")
    simulated = comparisons[0].simulated
    lines = [TITLE, f"Date: {date}. Compiler: arm-none-eabi-gcc {simulated.compiler}. {versions(comparisons)}", ""]
    lines += _bands(comparisons)
    lines += by_code(comparisons, load_kernels())
    chips = _distinct(one.measurement.chip for one in comparisons)
    for chip in chips:
        lines += [f"## {chip.title}, {chip.clock_hz // 10**6} MHz", "", f"Differences: {chip.differences}.", ""]
        here = [one for one in comparisons if one.measurement.chip == chip]
        for stack in _distinct(one.measurement.stack for one in here):
            lines += [
                f"**{stack.title}.** {stack.source}.",
                f"{stack.compiler}; {stack.library}, that is {stack.version}.",
                f"{stack.networks[0].upper()}{stack.networks[1:]}.",
                _copies(stack),
                "",
                HEAD,
                "|---|--:|--:|--:|--:|--:|--:|--:|---|",
                *(_row(one) for one in here if one.measurement.stack == stack),
                "",
            ]
    lines += [
        "Million cycles an inference. *network alone*: published, without the copies; *error*: simulated against it.",
        "*ideal*: the same core with memories that never let it wait.",
        "*cycles/MAC*: of the simulated figure.",
        "",
        *kernels_section(load_kernels()),
        *_fitted(comparisons),
        *measured_section(records),
        REASONS,
    ]
    return "\n".join(lines).rstrip() + "\n"


def measured_section(records: Records) -> list[str]:
    """What users have measured on real boards with firmware of this tool; nothing if there is none."""
    if not records:
        return []
    lines = [
        "## Measured with this tool's own firmware",
        "",
        "By `measure`, on real boards; simulated by the virtual board of that time, which may be another now.",
        "",
        "| board | program | rows | measured | simulated | error | rows' errors | model | note |",
        "|---|---|--:|--:|--:|--:|---|---|---|",
    ]
    for board, record in records:
        total = Row("", "", record.measured, record.simulated).error
        errors = [row.error for row in record.rows if row.error is not None]
        cells = (
            board.name,
            record.program,
            f"{len(record.rows)}",
            f"{record.measured:,.0f}",
            f"{record.simulated:,.0f}",
            "n/a" if total is None else f"{100 * total:+.1f} %",
            f"{100 * min(errors):+.1f} to {100 * max(errors):+.1f} %" if errors else "n/a",
            "the same" if record.virtual_board == fingerprint(board) else "another",
            record.note.replace("|", "/").replace("\n", " "),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def versions(comparisons: Sequence[Comparison]) -> str:
    """What the simulated figures depend on beside the firmware; they are out of date with another one."""
    boards = _distinct(one.measurement.chip.board for one in comparisons)
    return f"Virtual boards: {', '.join(f'{name} {fingerprint(load_board(name))}' for name in boards)}."


def _copies(stack: Stack) -> str:
    if stack.copies:
        what = f"Of the published figure, {stack.copies} cycles are taken off for each element of input and output"
    else:
        what = "Nothing is taken off the published figure"
    return f"{what}: {stack.copies_source}."


def _bands(comparisons: Sequence[Comparison]) -> list[str]:
    lines = ["| | figures | error |", "|---|--:|--:|"]
    for chip in _distinct(one.measurement.chip for one in comparisons):
        for fitted, what in ((True, "in sight when numbers were fitted"), (False, "not used for fitting")):
            part = [o for o in comparisons if o.measurement.chip == chip and o.measurement.fitted == fitted]
            if part:
                low, high = band(part)
                lines.append(f"| {chip.title}, {what} | {len(part)} | {100 * low:+.1f} to {100 * high:+.1f} % |")
    return [*lines, ""]


def by_code(comparisons: Sequence[Comparison], recorded: Recorded) -> list[str]:
    """Errors by chip and by what the cycles go into."""
    lines = ["| by kind of code | figures | median of errors' amounts | error |", "|---|--:|--:|--:|"]
    for chip in _distinct(one.measurement.chip for one in comparisons):
        for code in (DENSE, CONNECTED):
            part = [o.error for o in comparisons if o.measurement.chip == chip and o.measurement.network.code == code]
            if part:
                lines.append(_band_row(f"{chip.title}, {code}", part))
    straight = [kernel.error for kernel in recorded.kernels]
    lines.append(_band_row(f"{recorded.chip}, {STRAIGHT}", straight))
    return [*lines, ""]


def _band_row(title: str, errors: Sequence[float]) -> str:
    amount = median(abs(error) for error in errors)
    band = f"{100 * min(errors):+.1f} to {100 * max(errors):+.1f} %"
    return f"| {title} | {len(errors)} | {100 * amount:.1f} % | {band} |"


def kernels_section(recorded: Recorded) -> list[str]:
    """The core by itself."""
    lines = [
        f"## {recorded.chip} at 20 MHz: the core by itself",
        "",
        f"{recorded.source}. Built with {recorded.published_with}. Simulated, recorded on {recorded.date}: "
        f"{recorded.simulated_with}; virtual board {recorded.virtual_board}.",
        "",
        "| kernel | implementation | operation | published | simulated | error |",
        "|---|---|---|--:|--:|--:|",
    ]
    for one in recorded.kernels:
        figures = f"{one.published:,} | {one.simulated:,} | {100 * one.error:+.1f} %"
        lines.append(f"| {one.scheme} | {one.implementation} | {one.operation} | {figures} |")
    return [*lines, ""]


def _row(one: Comparison) -> str:
    simulated = one.simulated
    cells = (
        one.measurement.network.title,
        f"{one.macs:,}",
        f"{one.measurement.cycles / 1e6:.3f}",
        f"{one.expected / 1e6:.3f}",
        f"{simulated.cycles / 1e6:.3f}",
        f"{100 * one.error:+.1f} %",
        f"{simulated.ideal / 1e6:.3f}",
        f"{simulated.cycles / one.macs:.2f}",
        "yes" if one.measurement.fitted else "no",
    )
    return f"| {' | '.join(cells)} |"


def _fitted(comparisons: Sequence[Comparison]) -> list[str]:
    """Every number of the boards that were compared whose source says that it was fitted."""
    found: dict[str, str] = {}
    for one in comparisons:
        board = load_board(one.measurement.chip.board)
        timing = load_timing(board)
        for name, source in timing.references.items():
            if "fitted" in source:
                owner = timing.core.name if name in timing.core.references else board.name
                found[f"{owner}, {name}"] = source
    rows = [f"- {name}: {source}." for name, source in sorted(found.items())]
    return [
        "## Fitted numbers",
        "",
        *rows,
        "",
        "All others are from manuals or public measurements, or are marked as assumed.",
        "",
    ]


def _distinct(items: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(items))
