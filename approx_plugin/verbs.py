"""What can be done with a spec, one function a verb. Each makes sure first that the project is up to date."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from approx_plugin import digest
from approx_plugin.bench import output as bench_output
from approx_plugin.bench.published import load_published
from approx_plugin.bench.text import render as bench_text
from approx_plugin.boards.board import Board
from approx_plugin.build.build import build
from approx_plugin.build.check import check_project
from approx_plugin.build.emulator import run_in_emulator
from approx_plugin.build.emulator import verify as verify_run
from approx_plugin.build.headless import build_in_cubeide
from approx_plugin.errors import ProjectError, ToolError, VerificationError, raise_all
from approx_plugin.exploration.measurement import Progress, silent
from approx_plugin.inspection.command import inspect as inspect_model
from approx_plugin.laboratory.firmware import step_functions
from approx_plugin.legible import check_paths
from approx_plugin.merging.host import Host, read_host
from approx_plugin.merging.merge import missing, reinsert, take_out
from approx_plugin.merging.moving import board_of, host_of
from approx_plugin.pipeline import Say, generate, lowered_again
from approx_plugin.project.clean import remove_generated
from approx_plugin.project.lock import alone
from approx_plugin.proof.program import read_code
from approx_plugin.reference.vectors import TestVectors
from approx_plugin.report.size import size_text
from approx_plugin.request import Request
from approx_plugin.spec.order import Order, project_place
from approx_plugin.spec.spec import Spec
from approx_plugin.vectors import load
from approx_plugin.workplace import Workplace


@dataclass(frozen=True)
class Session:
    """An order with what every verb needs of it. say: told lines for the terminal."""

    order: Order
    place: Workplace
    say: Say
    progress: Progress = silent

    @classmethod
    def of(cls, request: Request, say: Say, progress: Progress = silent) -> Session:
        """Reads the spec."""
        check_paths(request)
        order = Order.of(request)
        check_paths(request, order.spec)
        place = Workplace.of(order.spec.file, order.spec.project.name, order.directory)
        if not place.is_beside(order.spec.file):
            say(f"{order.spec.file.parent} cannot be written to: working in {place.root.parent}")
        return cls(order, place, say, progress)

    @property
    def request(self) -> Request:
        """What the command line asks for."""
        return self.order.request

    @property
    def spec(self) -> Spec:
        """The approx.yaml."""
        return self.order.spec

    @property
    def board(self) -> Board:
        """The board; its mistakes are told when the project is brought up to date, with those of the other inputs."""
        return board_of(self.order, host_of(self.order))

    @property
    def directory(self) -> Path:
        """The project."""
        return self.order.directory

    def is_current(self) -> bool:
        """Whether the project is what its inputs make of it, and the network is in the user's own if it has to be."""
        inputs = digest.of_inputs(self.request, self.spec)
        if not digest.is_current(self.place.stamp, inputs, self.directory, strict=self.request.force):
            return False
        return self.order.into is None or not missing(read_host(self.order.into))

    def repair(self) -> None:
        """Give the user's build files back what a regeneration took from them: nothing has to be chosen for that."""
        if self.order.into is not None:
            for name in reinsert(read_host(self.order.into, project_place(self.request, self.spec))):
                self.say(f"{self.order.into}: settings of the network in {name} put back")

    def up_to_date(self) -> None:
        """Generate the project unless it is current."""
        self.repair()
        if not self.is_current():
            generate_project(self)

    def vectors(self) -> TestVectors:
        """Inputs and expected answers of the project, which is brought up to date first."""
        self.up_to_date()
        try:
            return load(self.place)
        except ToolError:
            generate_project(self)
            return load(self.place)


def generate_project(session: Session) -> None:
    """Make the project in any case; say what changed."""
    made = generate(session.order, session.say, session.progress)
    written = made.written
    session.say(
        f"{made.directory}: {len(written.written)} files written, {len(written.unchanged)} unchanged, "
        f"{len(written.removed)} removed"
    )


def generate_if_needed(session: Session) -> None:
    """Make the project, or say that it is up to date."""
    session.repair()
    if session.is_current():
        session.say(f"{session.directory} is up to date")
    else:
        generate_project(session)


def run(session: Session) -> None:
    """Run the project's stored vectors in the emulator and show its console."""
    vectors = session.vectors().part(0, max(1, session.spec.project.test_vectors))
    result = run_in_emulator(
        session.directory, session.board, vectors, session.place.build, workers=session.request.workers
    )
    session.say(result.raw.rstrip("\n"))
    verify_run(result, vectors)


def verify(session: Session) -> None:
    """Run the firmware over verify.images inputs in the emulator; outputs and every layer must equal the reference."""
    vectors = session.vectors().part(0, session.spec.verify_images)
    result = run_in_emulator(
        session.directory, session.board, vectors, session.place.build, workers=session.request.workers
    )
    verify_run(result, vectors)
    assert session.board.emulator is not None
    session.say(
        f"verified: {result.passed} of {result.vectors} inputs bit-exact, output and all {len(result.layers)} layers, "
        f"in QEMU ({session.board.emulator.machine}, {session.board.core})"
    )


def report(session: Session) -> None:
    """Print the project's report."""
    session.up_to_date()
    session.say((session.directory / "report.txt").read_text(encoding="utf-8").rstrip("\n"))


def size(session: Session) -> None:
    """Print flash and RAM by section, library and layer."""
    session.up_to_date()
    built = build(session.directory, "Release", session.place.build, session.request.workers)
    session.say(size_text(built.size, session.board))


def check(session: Session) -> None:
    """Check the project as STM32CubeIDE would see it, and build both configurations from its project files alone."""
    session.up_to_date()
    found = check_project(session.directory)
    raise_all(ProjectError(f"{f.message} [{f.rule}]", where=session.directory / f.file) for f in found)
    session.say("project files: no finding")
    for configuration in ("Debug", "Release"):
        built = build(session.directory, configuration, session.place.build, session.request.workers)
        session.say(
            f"{configuration}: {built.size.flash_bytes:,} B flash, {built.size.ram_bytes:,} B RAM, "
            f"{len(built.warnings)} warnings"
        )


def prove(session: Session) -> None:
    """Prove from the built program, layer by layer, that it computes the network for every input.

    Raises VerificationError where it does not.
    """
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
    refuted = [proof for proof in proofs if proof.verdict == REFUTED]
    if refuted:
        raise VerificationError(
            f"{', '.join(proof.name for proof in refuted)} of the built program computes something else",
            where=built.elf,
            why="; ".join(f"{proof.name}: {proof.why}" for proof in refuted),
            hint="please report it, with the model and approx.yaml",
        )
    count = sum(proof.verdict == PROVED for proof in proofs)
    session.say(f"{count} of {len(proofs)} layers are proved for all inputs; `verify` samples the others")


def cubeide(session: Session) -> None:
    """Import and build the project in an installed STM32CubeIDE, without its window."""
    session.up_to_date()
    made = build_in_cubeide(session.directory)
    session.say(f"{made.program}: built {', '.join(made.configurations)}")


def inspect(session: Session) -> None:
    """Say what is in the spec's model, what of it is supported, and which boards hold it."""
    inspect_model(session.spec.model, session.say)


def bench(session: Session) -> None:
    """Simulate exact CMSIS-NN, our exact kernels and the spec's design side by side, on virtual boards."""
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
    made, published = run_bench(session.order, session.say, session.progress), load_published()
    session.say("\n" + bench_text(made, published, details=len(made.boards) == 1))
    directory = bench_output.folder(session.directory)
    bench_output.save(made, published, directory)
    session.say(f"{directory}: bench.txt (with all layers), bench.json, bench.svg")


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
    session.say(
        f"{host.name} ({host.directory}): {host.machine.mcu or 'part not named'}, {' '.join(host.machine.flags)}"
    )
    for line in lacking:
        session.say(f"  {line}")
    session.say("run `scons approx=1` to repair it" if lacking else f"  the network is in {host.folder}, complete")


def remove(session: Session) -> None:
    """Take the network out of the user's project, which is then as it was before; edited files of ours stay."""
    host = _host(session)
    with alone(host.directory, lambda: session.say(f"waiting for another run on {host.directory}")):
        done = take_out(host, session.request.force)
    session.say(f"{host.directory}: {len(done.removed)} files of the network removed")
    for name, is_restored in sorted(done.restored.items()):
        what = "byte for byte as it was before" if is_restored else "without the network; it was edited since"
        session.say(f"  {name}: {what}")
    for path in done.kept:
        session.say(f"  {path}: edited, and kept")
    if not done.removed and not done.restored:
        session.say("  there was none")


def clean(session: Session) -> None:
    """Remove the generated files (never the user's) and the tool's own folder for the project."""
    if session.directory.is_symlink():
        session.say(f"{session.directory} is a link: what lies behind it is left alone")
    else:
        session.say(f"{session.directory}: {remove_generated(session.directory)} generated files removed")
    remove_generated(bench_output.folder(session.directory))
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
        "inspect": inspect,
        "status": status,
        "remove": remove,
        "clean": clean,
    }
)
