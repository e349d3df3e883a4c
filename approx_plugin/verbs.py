"""What can be done with a spec, one function a verb. Each makes sure first that the project is up to date."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import MappingProxyType

from approx_plugin.bench import output as bench_output
from approx_plugin.bench.published import load_published
from approx_plugin.bench.text import render as bench_text
from approx_plugin.build import compile_commands
from approx_plugin.build.build import BuildResult, build
from approx_plugin.build.check import check_project
from approx_plugin.build.emulator import run_in_emulator
from approx_plugin.build.emulator import verify as verify_run
from approx_plugin.build.flashing import program as program_board
from approx_plugin.build.headless import build_in_cubeide
from approx_plugin.build.images import FOLDER
from approx_plugin.build.toolchain import COMPILER
from approx_plugin.errors import ProjectError, ToolError, VerificationError, raise_all
from approx_plugin.exploring import explore as explore_front
from approx_plugin.files import write_whole
from approx_plugin.inspection.command import inspect as inspect_model
from approx_plugin.laboratory.firmware import step_functions
from approx_plugin.measured import selftest as selftest_project
from approx_plugin.merging.host import Host, read_host
from approx_plugin.merging.merge import missing, take_out
from approx_plugin.packing import packs
from approx_plugin.pipeline.lowered import lowered_again
from approx_plugin.project.clean import remove_generated
from approx_plugin.project.lock import alone
from approx_plugin.proof.program import read_code
from approx_plugin.report.size import size_text
from approx_plugin.session import Session, generate_project, require
from approx_plugin.spec.order import front_folder, project_place


def generate_if_needed(session: Session) -> None:
    """Make the project, or say that it is up to date."""
    session.repair()
    if session.is_current():
        session.say(f"{session.directory} is up to date")
    else:
        generate_project(session)


def run(session: Session) -> None:
    """Run the project's stored vectors in the emulator and show its console."""
    require("run", session)
    vectors = session.vectors().part(0, max(1, session.spec.project.test_vectors))
    result = run_in_emulator(
        session.directory, session.board, vectors, session.place.build, workers=session.request.workers
    )
    session.show(
        result.raw.rstrip("\n"),
        {"vectors": result.vectors, "passed": result.passed, "console": result.raw.splitlines()},
    )
    verify_run(result, vectors)


def verify(session: Session) -> None:
    """Run the firmware over verify.images inputs in the emulator; outputs and every layer must equal the reference."""
    require("verify", session)
    vectors = session.vectors().part(0, session.spec.verify_images)
    result = run_in_emulator(
        session.directory, session.board, vectors, session.place.build, workers=session.request.workers
    )
    verify_run(result, vectors)
    assert session.board.emulator is not None
    session.show(
        f"verified: {result.passed} of {result.vectors} inputs bit-exact, output and all {len(result.layers)} layers, "
        f"in QEMU ({session.board.emulator.machine}, {session.board.core})",
        {
            "inputs": result.vectors,
            "bit_exact": result.passed,
            "layers": len(result.layers),
            "machine": session.board.emulator.machine,
            "core": session.board.core,
        },
    )


def report(session: Session) -> None:
    """Print the project's report."""
    session.up_to_date()
    text = (session.directory / "report.txt").read_text(encoding="utf-8").rstrip("\n")
    session.show(text, json.loads((session.directory / "report.json").read_text(encoding="utf-8")))


def size(session: Session) -> None:
    """Print flash and RAM by section, library and layer."""
    require("size", session)
    session.up_to_date()
    built = build(session.directory, "Release", session.place.build, session.request.workers)
    session.show(size_text(built.size, session.board), {**asdict(built.size), "board": session.board.name})


def check(session: Session) -> None:
    """Check the project as STM32CubeIDE would see it, and build both configurations from its project files alone."""
    require("check", session)
    session.up_to_date()
    found = check_project(session.directory)
    raise_all(ProjectError(f"{f.message} [{f.rule}]", where=session.directory / f.file) for f in found)
    lines, sizes = ["project files: no finding"], {}
    for configuration in ("Debug", "Release"):
        built = build(session.directory, configuration, session.place.build, session.request.workers)
        flash, ram, warnings = built.size.flash_bytes, built.size.ram_bytes, len(built.warnings)
        lines.append(f"{configuration}: {flash:,} B flash, {ram:,} B RAM, {warnings} warnings")
        sizes[configuration] = {"flash": flash, "ram": ram, "warnings": warnings}
    session.show("\n".join(lines), {"findings": [], "configurations": sizes})


def prove(session: Session) -> None:
    """Prove from the built program, layer by layer, that it computes the network for every input.

    Raises VerificationError where it does not.
    """
    require("prove", session)
    try:
        from approx_plugin.proof.step import PROVED, REFUTED
        from approx_plugin.proof.step import prove as prove_step
    except ModuleNotFoundError as error:
        if error.name != "capstone":
            raise
        raise ToolError(
            "the Python package capstone is missing: the program cannot be decoded",
            hint="pip install 'approx-plugin[virtual-board]'",
        ) from None
    session.up_to_date()
    program = lowered_again(session.order).program
    built = build(session.directory, "Release", session.place.build, session.request.workers)
    code, functions = read_code(built.elf), step_functions(program, built.size.symbols)
    proofs = []
    for step in program.steps:
        proof = prove_step(step, code, functions[step.last.index])
        said = "proved for all inputs" if proof.verdict == PROVED else f"{proof.verdict}: {proof.why}"
        session.say(f"{proof.name} ({step.kernel}): {said}")
        proofs.append(proof)
    layers = [
        {"layer": p.name, "kernel": s.kernel, "verdict": p.verdict, "why": p.why} for p, s in zip(proofs, program.steps)
    ]
    refuted = [proof for proof in proofs if proof.verdict == REFUTED]
    if refuted:
        raise VerificationError(
            f"{', '.join(proof.name for proof in refuted)} of the built program computes something else",
            where=built.elf,
            why="; ".join(f"{proof.name}: {proof.why}" for proof in refuted),
            hint="please report it, with the model and approx.yaml",
        )
    count = sum(proof.verdict == PROVED for proof in proofs)
    text = f"{count} of {len(proofs)} layers are proved for all inputs; `verify` samples the others"
    session.show(text, {"proved": count, "layers": layers})


def cubeide(session: Session) -> None:
    """Import and build the project in an installed STM32CubeIDE, without its window."""
    require("cubeide", session)
    session.up_to_date()
    made = build_in_cubeide(session.directory)
    built = {"program": str(made.program), "configurations": list(made.configurations)}
    session.show(f"{made.program}: built {', '.join(made.configurations)}", built)


def inspect(session: Session) -> None:
    """Say what is in the spec's model, what of it is supported, and which boards hold it."""
    lines: list[str] = []
    inspect_model(session.spec.model, lines.append)
    session.show("\n".join(lines), {"lines": lines})


def bench(session: Session) -> None:
    """Simulate exact CMSIS-NN, our exact kernels and the spec's design side by side, on virtual boards."""
    require("bench", session)
    try:
        # Late: the virtual board's packages are an optional part of an installation.
        from approx_plugin.bench.run import bench as run_bench
    except ModuleNotFoundError as error:
        if error.name not in ("unicorn", "capstone"):
            raise
        raise ToolError(
            f"the Python package {error.name} is missing: the virtual board cannot run",
            hint="pip install 'approx-plugin[virtual-board]'",
        ) from None
    made, published = (
        run_bench(session.order, session.say, session.progress, session.directory if session.is_current() else None),
        load_published(),
    )
    directory = bench_output.folder(session.directory)
    bench_output.save(made, published, directory)
    text = "\n" + bench_text(made, published, details=len(made.boards) == 1)
    session.show(text, json.loads((directory / "bench.json").read_text(encoding="utf-8")))
    session.say(f"{directory}: bench.html, bench.txt (both with all layers), bench.json, bench.svg")


def explore(session: Session) -> None:
    """Search, and leave the front beside the project."""
    found = explore_front(session.order, session.say, session.progress)
    session.show(found.text, found.document)


def explain(session: Session) -> None:
    """Say which kernels were considered for a layer, and why one of them was taken."""
    # Late: nobody else needs it.
    from approx_plugin.explanation import document, text
    from approx_plugin.explanation import explain as explanation_of

    if session.request.layer is None:
        raise ProjectError("explain needs a layer", hint="its name or index, as in the report: layer=conv2d_2")
    session.up_to_date()
    made = explanation_of(lowered_again(session.order), session.board.name, session.request.layer)
    session.show(text(made), document(made))


def program(session: Session) -> None:
    """Put the project's program on the board."""
    require("program", session)
    session.up_to_date()
    files, stem = session.directory / FOLDER, session.spec.project.name
    if not all((files / f"{stem}{end}").is_file() for end in (".elf", ".hex")):
        generate_project(session)
    command = program_board(files, stem, session.board, session.request.probe)
    session.show(f"{session.board.name}: programmed ({command})", {"board": session.board.id, "command": command})


def compiledb(session: Session) -> None:
    """Write how every source is compiled, for clangd and other tools, into the project."""
    session.up_to_date()
    file = session.directory / compile_commands.FILE_NAME
    if file.exists() and not compile_commands.is_ours(file, session.directory):
        raise ProjectError("somebody else's file is in the way", where=file, hint="rename or move it")
    write_whole(file, compile_commands.compile_commands(session.directory).encode())
    session.show(f"{file}: written", {"file": str(file)})


def _host(session: Session) -> Host:
    """The user's project. Raises ProjectError where none is named."""
    into = session.order.into
    if into is None:
        raise ProjectError(
            "no project is named that a network could be in",
            where=session.spec.file,
            hint="write project: {into: ../firmware}, or into=../firmware on the command line",
        )
    return read_host(into, project_place(session.request, session.spec))


def status(session: Session) -> None:
    """Say what of the network is in the user's project, and what is not as it was put there."""
    host = _host(session)
    lacking = missing(host)
    lines = [f"{host.name} ({host.directory}): {host.machine.mcu or 'part not named'}, {' '.join(host.machine.flags)}"]
    lines += [f"  {line}" for line in lacking] or [f"  the network is in {host.folder}, complete"]
    lines += ["run `scons approx=1` to repair it"] if lacking else []
    session.show("\n".join(lines), {"project": str(host.directory), "folder": host.folder, "missing": list(lacking)})


def remove(session: Session) -> None:
    """Take the network out of the user's project, which is then as it was before; edited files of ours stay."""
    host = _host(session)
    with alone(host.directory, lambda: session.say(f"waiting for another run on {host.directory}")):
        done = take_out(host, session.request.force)
    lines = [f"{host.directory}: {len(done.removed)} files of the network removed"]
    for name, is_restored in sorted(done.restored.items()):
        what = "byte for byte as it was before" if is_restored else "without the network; it was edited since"
        lines.append(f"  {name}: {what}")
    lines += [f"  {path}: edited, and kept" for path in done.kept]
    if not done.removed and not done.restored:
        lines.append("  there was none")
    result = {"removed": list(done.removed), "kept": list(done.kept), "restored": dict(done.restored)}
    session.show("\n".join(lines), result)


def selftest(session: Session) -> None:
    """Make and build the project of microbenchmarks beside the project, for the same board."""
    _self_test(session)


def measure(session: Session) -> None:
    """Compare a real board's console with the virtual board's, of the project or of the self-test, and keep it."""
    from approx_plugin.measured.command import console_of
    from approx_plugin.measured.command import measure as measure_board

    console = console_of(session.request, session.board, session.say)
    if console.is_self_test:
        built, place = _self_test(session), session.directory
    else:
        session.up_to_date()
        place = session.directory
        built = build(place, "Release", session.place.build, session.request.workers)
    if built is None:
        raise ToolError(f"{COMPILER} was not found: there is no program to simulate", hint="./bootstrap installs it")
    measure_board(console, built, session.board, session.request, place, session.say)


def _self_test(session: Session) -> BuildResult | None:
    directory = selftest_project.folder(session.directory)
    request, objects = session.request, session.place.root / "selftest"
    return selftest_project.make(session.board, directory, objects, request.workers, request.force, session.say)


def clean(session: Session) -> None:
    """Remove the generated files (never the user's) and the tool's own folder for the project."""
    if session.directory.is_symlink():
        session.say(f"{session.directory} is a link: what lies behind it is left alone")
    else:
        database = session.directory / compile_commands.FILE_NAME
        if compile_commands.is_ours(database, session.directory):
            database.unlink()
        session.say(f"{session.directory}: {remove_generated(session.directory)} generated files removed")
    remove_generated(bench_output.folder(session.directory))
    remove_generated(selftest_project.folder(session.directory))
    remove_generated(front_folder(session.directory))
    session.place.remove()


VERBS: Mapping[str, Callable[[Session], None]] = MappingProxyType(
    {
        "generate": generate_if_needed,
        "run": run,
        "verify": verify,
        "report": report,
        "size": size,
        "prove": prove,
        "check": check,
        "cubeide": cubeide,
        "bench": bench,
        "measure": measure,
        "selftest": selftest,
        "inspect": inspect,
        "explore": explore,
        "explain": explain,
        "program": program,
        "compiledb": compiledb,
        "status": status,
        "remove": remove,
        "packs": packs,
        "clean": clean,
    }
)
