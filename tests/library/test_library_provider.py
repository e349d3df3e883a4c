"""Which files of which CMSIS-NN go into a project."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Optional

import pytest

from approx_plugin import __version__
from approx_plugin.errors import Location, SpecError
from approx_plugin.library.provider import LIBRARY, SUBSET, CmsisNn, resolve
from approx_plugin.resources import resource_root

WHERE = Location("approx.yaml", 7, 11)
FUNCTIONS = (
    "arm_avgpool_s8",
    "arm_avgpool_s8_get_buffer_size",
    "arm_convolve_wrapper_s8",
    "arm_convolve_wrapper_s8_get_buffer_size",
    "arm_depthwise_conv_wrapper_s8",
    "arm_depthwise_conv_wrapper_s8_get_buffer_size",
    "arm_elementwise_add_s8",
    "arm_fully_connected_per_channel_s8",
    "arm_fully_connected_s8",
    "arm_fully_connected_s8_get_buffer_size",
    "arm_fully_connected_wrapper_s8",
    "arm_max_pool_s8",
    "arm_pad_s8",
    "arm_softmax_s8",
)

# A library in small, with every way in which a file can need another one.
TREE = {
    "LICENSE": "the licence",
    "Include/arm_nn_types.h": "typedef int status;\n",
    "Include/Internal/arm_deep.h": "#define DEEP 1\n",
    "Include/arm_nnfunctions.h": """
/* $Date:        27 March 2026
 * $Revision:    V.19.1.0 */
#include "arm_nn_types.h"
#include "Internal/arm_deep.h"
status arm_a_s8(const int *x,
                int y);
status arm_b_s8(void);
typedef status (*arm_callback)(int);
""",
    "Include/arm_support.h": """
#include <stdint.h>
#ifdef _MSC_VER
    #include "intrin.h"
#endif
#define LATER(x) \\
    arm_by_macro(x)
int arm_by_macro(int x);
int arm_by_inline(int x);
int arm_elsewhere(void);
extern const int arm_table[4];
__STATIC_INLINE int helper(int x)
{
    if (x) { return 1; }
    return arm_by_inline(x);
}
static inline int unused(int x)
{
    return arm_elsewhere();
}
""",
    "Source/A/arm_a_s8.c": """
#include "arm_nnfunctions.h"
#include "arm_support.h"
#include "beside.h"
// arm_in_comment(1)
static int local(int x)
{
    return LATER(x) + helper(x);
}
/* arm_in_comment(); */
__attribute__((optimize("no-unroll-loops")))
status arm_a_s8(const int *x,
                int y)
{
#if defined(ARM_MATH_MVEI)
    return arm_vector(y);
#else
    return local(y) + arm_table[y] + sizeof("arm_in_string()");
#endif
}
""",
    "Source/A/beside.h": '#pragma once\n#include "further.h"\n',
    "Source/A/further.h": "#pragma once\n",
    "Source/A/unrelated.h": "#pragma once\n",
    "Source/B/arm_by_macro.c": "int arm_by_macro(int x) {\n    return x;\n}\n",
    "Source/B/arm_by_inline.c": "int arm_by_inline(int x)\n{\n    return x;\n}\n",
    "Source/B/arm_vector.c": "int arm_vector(int x)\n{\n    return x;\n}\n",
    "Source/B/arm_tables.c": "const int arm_table[4] = {1, 2, 3, 4};\n",
    "Source/B/arm_in_comment.c": "int arm_in_comment(int x)\n{\n    return x;\n}\n",
    "Source/B/arm_in_string.c": "int arm_in_string(int x)\n{\n    return x;\n}\n",
    "Source/B/arm_b_s8.c": '#include "arm_nnfunctions.h"\nstatus arm_b_s8(void)\n{\n    return 0;\n}\n',
    "README.md": "not needed",
}

Plant = Callable[[Mapping[str, Optional[str]]], Path]


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """A directory with TREE, changed: path -> text, None removes."""

    def made(changes: Mapping[str, str | None]) -> Path:
        root = tmp_path / "library"
        for name, text in {**TREE, **changes}.items():
            if text is not None:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
        return root

    return made


HEADERS = [
    "Include/Internal/arm_deep.h",
    "Include/arm_nn_types.h",
    "Include/arm_nnfunctions.h",
    "Include/arm_support.h",
]


def test_closure_follows_macros_inline_functions_tables_and_all_branches(plant: Plant) -> None:
    root = plant({})
    found = resolve(["arm_a_s8"], root, WHERE)
    assert list(found.files) == [
        *HEADERS,
        "LICENSE",
        "Source/A/arm_a_s8.c",
        "Source/A/beside.h",
        "Source/A/further.h",
        "Source/B/arm_by_inline.c",
        "Source/B/arm_by_macro.c",
        "Source/B/arm_tables.c",
        "Source/B/arm_vector.c",
    ]
    assert all(path == root / name for name, path in found.files.items())
    assert found.sources == tuple(name for name in found.files if name.endswith(".c"))
    assert (found.provider, found.is_baseline, found.include_dirs) == (LIBRARY, True, ("Include",))


def test_one_function_takes_one_file(plant: Plant) -> None:
    found = resolve(["arm_b_s8", "arm_b_s8"], plant({}), WHERE)
    assert found.sources == ("Source/B/arm_b_s8.c",)
    assert found.functions == ("arm_b_s8",)


def test_no_function_takes_headers_only(plant: Plant) -> None:
    assert list(resolve([], plant({}), WHERE).files) == [*HEADERS, "LICENSE"]


@pytest.mark.parametrize("place", ["", "NN", "CMSIS-NN", "CMSIS/NN", "Drivers/CMSIS/NN"])
def test_found_in_the_trees_that_people_have(plant: Plant, tmp_path: Path, place: str) -> None:
    parent = tmp_path / "parent"
    shutil.copytree(plant({}), parent / place)
    found = resolve(["arm_b_s8"], parent, WHERE)
    assert found.files["Source/B/arm_b_s8.c"] == parent / place / "Source/B/arm_b_s8.c"


@pytest.mark.parametrize(
    "changes, version",
    [
        ({}, "arm_nnfunctions.h 19.1.0 of 27 March 2026"),
        ({"ARM.CMSIS-NN.pdsc": '<releases><release version="7.0.0" date="x"/><release version="6.0.0"/>'}, "7.0.0"),
        ({"ARM.CMSIS-NN.pdsc": '<release version="0.0.0">'}, "arm_nnfunctions.h 19.1.0 of 27 March 2026"),
        ({"Include/arm_nnfunctions.h": "/* $Revision: 3.1 $ */\n"}, "arm_nnfunctions.h 3.1"),
        ({"Include/arm_nnfunctions.h": "/* nothing */\n"}, "unknown"),
    ],
)
def test_version(plant: Plant, changes: dict[str, str | None], version: str) -> None:
    assert resolve(["arm_b_s8"], plant(changes), WHERE).version == version


def test_licence_above_the_library_counts_up_to_what_was_named(plant: Plant, tmp_path: Path) -> None:
    root = plant({"LICENSE": None})
    tree = tmp_path / "tree"
    shutil.copytree(root, tree / "CMSIS/NN")
    (tmp_path / "LICENSE").write_text("somebody else's", encoding="utf-8")
    assert "LICENSE" not in resolve(["arm_b_s8"], tree, WHERE).files
    (tree / "CMSIS/LICENSE.txt").write_text("the licence", encoding="utf-8")
    assert resolve(["arm_b_s8"], tree, WHERE).files["LICENSE"] == tree / "CMSIS/LICENSE.txt"


def refused(functions: list[str], directory: Path | None) -> SpecError:
    with pytest.raises(SpecError) as caught:
        resolve(functions, directory, WHERE)
    error = caught.value
    assert error.where == WHERE
    assert "github.com/ARM-software/CMSIS-NN" in error.hint
    return error


def test_refuses_a_directory_that_is_not_there(tmp_path: Path) -> None:
    error = refused(["arm_a_s8"], tmp_path / "nowhere")
    assert "nowhere" in error.what and "no such directory" in error.why


def test_refuses_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert "a file" in refused(["arm_a_s8"], tmp_path / "file").why


def test_refuses_a_directory_without_the_library(tmp_path: Path) -> None:
    error = refused(["arm_a_s8"], tmp_path)
    assert "holds no CMSIS-NN" in error.what
    assert "Include/arm_nnfunctions.h" in error.why and "CMSIS/NN" in error.why


def test_refuses_an_old_library_and_lists_what_it_lacks(plant: Plant) -> None:
    error = refused(["arm_z_s8", "arm_b_s8", "arm_y_s8"], plant({}))
    assert "lacks arm_y_s8, arm_z_s8" in error.what and "19.1.0" in error.what
    assert "arm_b_s8" not in error.what
    assert "older than CMSIS-NN 7" in error.why


def test_a_prototype_is_no_definition(plant: Plant) -> None:
    assert "lacks arm_b_s8" in refused(["arm_b_s8"], plant({"Source/B/arm_b_s8.c": None})).what


def test_refuses_headers_without_sources(plant: Plant) -> None:
    changes = {name: None for name in TREE if name.startswith("Source/")}
    assert "Source/ holds no functions" in refused(["arm_b_s8"], plant(changes)).why


def test_refuses_a_library_with_a_hole(plant: Plant) -> None:
    changes = {"Source/B/arm_by_inline.c": None, "Source/B/arm_by_macro.c": None}
    error = refused(["arm_a_s8"], plant(changes))
    assert "not complete: arm_by_inline, arm_by_macro undefined" in error.what


def test_a_hole_elsewhere_does_not_matter(plant: Plant) -> None:
    assert resolve(["arm_b_s8"], plant({"Source/B/arm_by_inline.c": None}), WHERE).sources


@pytest.mark.parametrize("name", ["Source/B/arm_b_s8.c", "Include/arm_nnfunctions.h"])
def test_refuses_a_library_that_includes_what_it_lacks(plant: Plant, name: str) -> None:
    error = refused(["arm_b_s8"], plant({name: '#include "arm_math.h"\n' + TREE[name]}))
    assert f"arm_math.h (in {name})" in error.what


def test_an_include_never_leads_out_of_the_library(plant: Plant, tmp_path: Path) -> None:
    (tmp_path / "secret.h").write_text("", encoding="utf-8")
    changes = {"Source/B/arm_b_s8.c": '#include "../../../secret.h"\n' + TREE["Source/B/arm_b_s8.c"]}
    assert "secret.h" in refused(["arm_b_s8"], plant(changes)).what


def test_subset_without_a_directory() -> None:
    found = resolve(FUNCTIONS, None, WHERE)
    home = resource_root() / "Middlewares" / "CMSIS-NN"
    assert (found.provider, found.version, found.is_baseline) == (SUBSET, __version__, False)
    assert set(found.files) == {
        p.relative_to(home).as_posix() for p in home.rglob("*") if p.is_file() and p.suffix in (".c", ".h", ".md")
    }


def test_subset_takes_only_what_is_needed() -> None:
    found = resolve(["arm_softmax_s8"], None, WHERE)
    assert [n for n in found.files if n.startswith("Source/")] == ["Source/fixed_point.h", "Source/softmax_s8.c"]


def test_subset_says_which_functions_it_lacks() -> None:
    error = refused(["arm_svdf_s8", "arm_softmax_s8"], None)
    assert "portable subset" in error.what and "lacks arm_svdf_s8" in error.what


def test_a_copy_of_the_subset_is_not_taken_for_the_library(tmp_path: Path) -> None:
    shutil.copytree(resource_root() / "Middlewares" / "CMSIS-NN", tmp_path / "copy")
    found = resolve(["arm_softmax_s8"], tmp_path / "copy", WHERE)
    assert (found.provider, found.version) == (SUBSET, "unknown")


def test_library_brings_its_licence_and_no_float(cmsis_nn: Path) -> None:
    found = resolve(FUNCTIONS, cmsis_nn, WHERE)
    assert found.provider == LIBRARY
    assert "LICENSE" in found.files
    assert not [name for name in found.sources if "_f16" in name or "_f32" in name]
    assert found.version != "unknown"


@pytest.mark.skipif(not shutil.which("arm-none-eabi-gcc"), reason="needs arm-none-eabi-gcc")
@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m33"])
@pytest.mark.parametrize("provider", [LIBRARY, SUBSET])
def test_every_function_links_with_its_files_alone(
    provider: str, core: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Copied as into a project, so that includes find nothing but what is copied."""
    directory = request.getfixturevalue("cmsis_nn") if provider == LIBRARY else None
    gcc = ("arm-none-eabi-gcc", f"-mcpu={core}", "-mthumb")
    whole = resolve(FUNCTIONS, directory, WHERE)
    copied(whole, tmp_path)
    compiling = [*gcc, "-O2", "-ffunction-sections", "-fdata-sections", "-c"]
    compiling += [f"-I{tmp_path / d}" for d in whole.include_dirs]
    processes = [
        subprocess.run([*compiling, name, "-o", object_of(name)], cwd=tmp_path, capture_output=True, check=False)
        for name in whole.sources
    ]
    assert [p.stderr.decode() for p in processes if p.returncode] == []
    for function in FUNCTIONS:
        objects = [object_of(name) for name in resolve([function], directory, WHERE).sources]
        linking = [*gcc, "-nostartfiles", "-Wl,--gc-sections", f"-Wl,--entry={function}", *objects, "-o", "out.elf"]
        done = subprocess.run(linking, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0 and "warning" not in done.stderr, f"{function}\n{done.stderr}"
        symbols = subprocess.run(
            ["arm-none-eabi-nm", "out.elf"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert f" T {function}\n" in symbols.stdout


def copied(library: CmsisNn, folder: Path) -> None:
    for name, path in library.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / name)


def object_of(name: str) -> str:
    return name.replace("/", "_") + ".o"
