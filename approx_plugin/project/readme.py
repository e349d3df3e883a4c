"""The README of a generated project."""

from __future__ import annotations

from approx_plugin.boards.board import Board
from approx_plugin.library.provider import CmsisNn
from approx_plugin.provenance import paragraph

_TEXT = """\
# {name}

{provenance}

{preparation}## Import and run

STM32CubeIDE (1.9 or newer): *File > Import... > General > Existing Projects into Workspace*, select this directory,
*Finish*; then build *Debug* or *Release* and run it on the board. There is no .ioc file: {setup}
The results are printed on {console}: first every layer with its average number of
cycles, then every test vector, then the time of one inference.

The project lies in one directory and has no links out of it: it can be moved, copied and put under version control
(leave out the build folders `Debug` and `Release`).

## What is in it

| path | what it is |
|---|---|
| `Core/` | the application: runs the stored test vectors and prints; `Core/Src/test_vectors.c` holds them |
| `Core/Src/inference.c` | how a program calls the network: its three buffers and the call |
| `Drivers/BSP/` | {support} |
| `Middlewares/Approx/` | the network: `Inc/{header}` is what an application includes |
| `Middlewares/CMSIS-NN/` | the library that computes the other layers: {provider} {version} |
| `{script}` | the linker script |
| `Release/` | what was built, ready to be flashed: `.elf`, `.hex`, `.bin`, and the linker's map |
| `approx_manifest.json` | every generated file with its sha256 |
{report}
`Middlewares` is compiled with -O3 in both configurations, so that Debug shows the timing of Release.

## Which files are yours

Every file that `approx_manifest.json` lists is generated, this one too. Generating again rewrites those whose content
changes, removes those that are not needed any more, and touches nothing else. It stops, before it changes anything, if
one of them was edited: so put code of your own into files of your own, for instance `Core/Src/app.c`. Source files
below `Core`, `Drivers` and `Middlewares` are compiled without further ado. To have a main() of your own, leave
`Core/Src/main.c` out of the build in the IDE (*Resource Configurations > Exclude from Build*). What the IDE changes in
`.project` and `.cproject` stays, unless the generated ones have to change too: then the run stops and says so.
"""

_PREPARATION = """\
## Prepare the board, once

{text}

"""

_BOARD = ("clock and UART are set up by\n`Drivers/BSP`.", "clock, UART and cycle counter of the board")
_PART = (
    "nothing but the core is known\nof this part's board. It stays on its reset clock; functions of your own set up "
    "clock, flash and caches\n(`device_start`), print on a UART (`device_put`) and light a LED (`device_show`): "
    "`Drivers/BSP/board.c` says how.",
    "cycle counter and trace port of the core",
)
"""How the project is set up, and what Drivers/BSP is: of a board, and of a part alone."""

_REPORT = "| `report.html`, `report.txt`, `report.json` | what was approximated, accuracy, memory |\n"


def readme_text(
    name: str, board: Board, provider: CmsisNn, *, network: str, header: str, script: str, has_report: bool
) -> str:
    """The text of README.md. network: its name; header: its file's, script: the linker script's; has_report: report
    files lie beside it.
    """
    console = f"the board's virtual COM port ({board.console.baud} baud, 8N1)" if board.console else "its console"
    if board.generic:
        console = "the core's trace port (SWO, ITM port 0)" if board.console else "what `device_put` writes to"
    setup, support = _PART if board.generic else _BOARD
    return _TEXT.format(
        name=name,
        provenance=paragraph(
            f'an STM32CubeIDE project for {board.name} ({board.mcu}) that runs the int8 network "{network}"'
        ),
        preparation=_PREPARATION.format(text=board.preparation) if board.preparation else "",
        console=console,
        header=header,
        setup=setup,
        support=support,
        script=script,
        provider=provider.provider,
        version=provider.version,
        report=_REPORT if has_report else "",
    )
