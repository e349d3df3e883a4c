"""The CMSIS-NN call of every operator: compiled, run, and compared with `compute`; and the scratch that it plans.

The portable subset is called on the host, a real CMSIS-NN on the host (plain C) and on a simulated Cortex-M4 (its DSP
code, which is what uses the scratch buffer).
"""

from __future__ import annotations

import ctypes
import io
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
from c_dialect import C11
from elf import symbols as elf_symbols
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from layer_cases import STRATEGIES, Case, graph_of
from operator_cases import CONVOLUTIONS
from operator_cases import STRATEGIES as RUNTIME_CASES

from approx_plugin.errors import Location
from approx_plugin.kernels.cmsis_nn.call import CmsisCall
from approx_plugin.kernels.cmsis_nn.registry import SERVICES
from approx_plugin.library.provider import CmsisNn, resolve
from approx_plugin.model.operator import Operator
from approx_plugin.operators.registry import OPERATORS

RUNTIME = Path(__file__).resolve().parents[2] / "Middlewares/Approx"
CASES = {**STRATEGIES, **CONVOLUTIONS}
GUARD = 16
CASES_A_PROGRAM = 12
C_TYPES = {"int8": "int8_t", "int32": "int32_t"}

FEW: dict[str, Any] = {
    "max_examples": 3,
    "deadline": None,
    "derandomize": True,
    "phases": (Phase.generate,),  # Every example is a compilation: shrinking a failure would take very long.
    "suppress_health_check": list(HealthCheck),
}

EVERY_FUNCTION = tuple(
    f"arm_{name}"
    for name in [
        "avgpool_s8",
        "avgpool_s8_get_buffer_size",
        "convolve_wrapper_s8",
        "convolve_wrapper_s8_get_buffer_size",
        "depthwise_conv_wrapper_s8",
        "depthwise_conv_wrapper_s8_get_buffer_size",
        "elementwise_add_s8",
        "fully_connected_s8",
        "fully_connected_s8_get_buffer_size",
        "fully_connected_wrapper_s8",
        "max_pool_s8",
        "pad_s8",
        "softmax_s8",
    ]
)


class Machine(Protocol):
    def run(self, source: str, outputs: dict[str, int]) -> dict[str, bytes]:
        """Compile C `source`, call its `int32_t run(void)`, give the bytes of its arrays (name -> size)."""


def _library_path(library: CmsisNn, name: str) -> Path:
    some_name, some_path = next(iter(library.files.items()))
    return some_path.parents[len(Path(some_name).parts) - 1] / name


def _compile(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-4000:]


class Host:
    compiler: tuple[str, ...] = ("gcc", "-O1", "-fwrapv")
    link: tuple[str, ...] = ("-fPIC", "-shared")

    def __init__(self, library: CmsisNn, folder: Path) -> None:
        self.folder = folder
        self.includes = [f"-I{_library_path(library, name)}" for name in library.include_dirs]
        self.includes.append(f"-I{RUNTIME / 'Inc'}")
        self.objects: list[str] = []
        for source in (*(library.files[name] for name in library.sources), *sorted((RUNTIME / "Src").glob("*.c"))):
            built = folder / f"{len(self.objects)}.o"
            options = [option for option in self.link if option == "-fPIC"]
            _compile([*self.compiler, *options, "-w", *self.includes, "-c", str(source), "-o", str(built)])
            self.objects.append(str(built))
        self.count = 0

    def build(self, source: str) -> Path:
        self.count += 1
        text, built = self.folder / f"case_{self.count}.c", self.folder / f"case_{self.count}.bin"
        text.write_text(source)
        warnings = [C11, "-Wall", "-Wextra", "-Werror"]
        # CMSIS-NN's own structures take pointers to non-const multipliers, and its headers are not ours to warn about.
        includes = [option.replace("-I", "-isystem", 1) for option in self.includes]
        _compile([*self.compiler, *self.link, *warnings, *includes, str(text), *self.objects, "-o", str(built)])
        return built

    def run(self, source: str, outputs: dict[str, int]) -> dict[str, bytes]:
        program = ctypes.CDLL(str(self.build(source)))
        assert program.run() == 0
        return {name: bytes((ctypes.c_char * size).in_dll(program, name)) for name, size in outputs.items()}


class CortexM4(Host):
    compiler = ("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-O2", "-fwrapv")
    link = ("-nostartfiles", "-Wl,--entry=run,--no-warn-rwx-segments,-Ttext=0x8000000,-Tdata=0x20000000")

    def run(self, source: str, outputs: dict[str, int]) -> dict[str, bytes]:
        from elftools.elf.elffile import ELFFile
        from unicorn import UC_ARCH_ARM, UC_MODE_MCLASS, UC_MODE_THUMB, arm_const
        from unicorn.unicorn_py3.unicorn import Uc

        elf = ELFFile(io.BytesIO(self.build(source).read_bytes()))
        core = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
        core.ctl_set_cpu_model(arm_const.UC_CPU_ARM_CORTEX_M4)
        for start in (0x08000000, 0x20000000, 0x30000000):
            core.mem_map(start, 1 << 21)
        for segment in elf.iter_segments("PT_LOAD"):
            core.mem_write(segment["p_vaddr"], segment.data())
        symbols = elf_symbols(elf)
        leave = 0x30000000
        core.reg_write(arm_const.UC_ARM_REG_SP, 0x30000000 + (1 << 20))
        core.reg_write(arm_const.UC_ARM_REG_LR, leave | 1)
        core.emu_start(symbols["run"] | 1, leave)
        assert core.reg_read(arm_const.UC_ARM_REG_R0) == 0
        return {name: bytes(core.mem_read(symbols[name], size)) for name, size in outputs.items()}


@pytest.fixture(scope="module", params=["subset-host", "library-host", "library-cortex-m4"])
def machine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    provider, _, core = request.param.partition("-")
    directory = request.getfixturevalue("cmsis_nn") if provider == "library" else None
    kind = Host
    if core == "cortex-m4":
        pytest.importorskip("unicorn", reason="needs unicorn")
        kind = CortexM4
    if shutil.which(kind.compiler[0]) is None:
        pytest.skip(f"needs {kind.compiler[0]}")
    return kind(resolve(EVERY_FUNCTION, directory, Location("test")), tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def library_on_host(cmsis_nn: Path, tmp_path_factory: pytest.TempPathFactory) -> Host:
    return Host(resolve(EVERY_FUNCTION, cmsis_nn, Location("test")), tmp_path_factory.mktemp("sizes"))


def array(c_type: str, name: str, data: Any) -> str:
    values = ", ".join(str(v) if v > -(2**31) else "(-2147483647 - 1)" for v in data.reshape(-1).tolist())
    return f"static const {c_type} {name}[] = {{{values}}};\n"


def layer_text(prefix: str, operator: Operator, inputs: list[Any]) -> str:
    """A function that runs the call on the inputs and leaves `<prefix>_output`, and `<prefix>_scratch` with guards."""
    call = SERVICES[operator.kind].call(operator)
    names = {constant.name: f"{prefix}_{constant.name}" for constant in call.constants}
    text = "".join(array(C_TYPES[c.data.dtype.name], names[c.name], c.data) for c in call.constants)
    text += "".join(array("int8_t", f"{prefix}_input_{i}", values) for i, values in enumerate(inputs))
    text += (
        f"static int32_t {prefix}_call(const int8_t *input, const int8_t *input_2, int8_t *output,\n"
        f"    const cmsis_nn_context *context)\n{{\n(void)input_2;\n(void)context;\n{call.body.format_map(names)}\n}}\n"
        f"int8_t {prefix}_output[{operator.output.elements}];\n"
        f"int64_t {prefix}_scratch[{scratch_words(call)}];\n"
        f"static int32_t {prefix}(void)\n{{\n"
        f"memset({prefix}_scratch, 0x5A, sizeof {prefix}_scratch);\n"
        f"const cmsis_nn_context context = {{.buf = {prefix}_scratch, .size = {call.context_bytes}}};\n"
        f"if ({call.context_size} > {call.context_bytes}) return 99;\n"
        f"return {prefix}_call({prefix}_input_0, {prefix}_input_{len(inputs) - 1}, {prefix}_output, &context);\n}}\n"
    )
    return text


def scratch_words(call: CmsisCall) -> int:
    return (call.context_bytes + GUARD + 7) // 8


def steps(graph_case: Case) -> list[tuple[Operator, list[Any], Any]]:
    """Every operator with its inputs and its output, for the case's first input."""
    graph = graph_of(graph_case.content)
    values = {graph.input: graph_case.inputs[:1]}
    found = []
    for operator in graph.operators:
        inputs = [values[tensor.index] for tensor in operator.inputs]
        values[operator.output.index] = operator.compute(inputs)
        found.append((operator, inputs, values[operator.output.index]))
    return found


@pytest.mark.parametrize("kind", list(CASES))
def test_the_call_computes_the_layer(machine: Machine, kind: str) -> None:
    @settings(**FEW)
    @given(st.lists(CASES[kind], min_size=CASES_A_PROGRAM, max_size=CASES_A_PROGRAM))
    def check(cases: list[Case]) -> None:
        layers = {f"layer_{i}": step for i, step in enumerate(s for case in cases for s in steps(case))}
        headers = ("stdint.h", "string.h", "arm_nnfunctions.h", "approx_runtime.h")
        source = "".join(f"#include <{header}>\n" for header in headers) + "int32_t run(void);\n"
        source += "".join(layer_text(name, operator, inputs) for name, (operator, inputs, _) in layers.items())
        calls = "".join(f"if ({name}() != 0) return {i + 1};\n" for i, name in enumerate(layers))
        source += f"int32_t run(void)\n{{\n{calls}return 0;\n}}\n"
        sizes = {f"{name}_output": operator.output.elements for name, (operator, _, _) in layers.items()}
        sizes |= {f"{n}_scratch": 8 * scratch_words(SERVICES[step[0].kind].call(step[0])) for n, step in layers.items()}
        found = machine.run(source, sizes)
        for name, (operator, _, expected) in layers.items():
            got = np.frombuffer(found[f"{name}_output"], dtype=np.int8)
            np.testing.assert_array_equal(got, expected.reshape(-1), err_msg=f"{operator}")
            unused = found[f"{name}_scratch"][SERVICES[operator.kind].call(operator).context_bytes :]
            assert set(unused) == {0x5A}, "written behind the planned scratch"

    check()


@pytest.mark.parametrize("kind", list(CASES))
def test_planned_scratch_is_what_the_library_wants_with_dsp(kind: str, library_on_host: Host) -> None:
    """The library has its sizes for cores with DSP as functions for the host as well."""

    @settings(**FEW)
    @given(st.lists(CASES[kind], min_size=40, max_size=40))
    def check(cases: list[Case]) -> None:
        calls = [
            SERVICES[operator.kind].call(operator) for case in cases for operator in graph_of(case.content).operators
        ]
        wanted = [re.sub(r"_get_buffer_size\(", "_get_buffer_size_dsp(", call.context_size) for call in calls]
        lines = "".join(f"sizes[{i}] = {size};\n" for i, size in enumerate(wanted))
        source = "#include <stdint.h>\n#include <arm_nnfunctions.h>\nint32_t run(void);\n"
        source += f"int32_t sizes[{len(calls)}];\nint32_t run(void)\n{{\n{lines}return 0;\n}}\n"
        found = np.frombuffer(library_on_host.run(source, {"sizes": 4 * len(calls)})["sizes"], dtype=np.int32)
        assert found.tolist() == [call.context_bytes for call in calls]

    check()


def test_every_kind_has_cases() -> None:
    kinds = {name.upper().replace("2D", "_2D") for name in STRATEGIES} | set(RUNTIME_CASES)
    # Views have no code; the cases of others hold these as well.
    views, within = (
        {"RESHAPE", "SQUEEZE", "EXPAND_DIMS"},
        {"SPLIT_V", "UNPACK", "PACK", "SPACE_TO_BATCH_ND", "SVDF_TIME"},
    )
    assert set(OPERATORS) - kinds == views | within, "give other operators cases in operator_cases.py"
