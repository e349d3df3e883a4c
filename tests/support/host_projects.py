"""Projects as STM32CubeMX and STM32CubeIDE make them, in the forms that differ between versions and between people.

Written for these tests, after what several versions write; nothing of ST's is in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

_M = "com.st.stm32cube.ide.mcu.gnu.managedbuild"


@dataclass(frozen=True)
class Style:
    """newline: of the build files; scanner: attributes of newer versions; title: of the compiler; cpp: a C++ project.

    entries: source folders, each with what it leaves out behind a !, None for no element. includes: of the application,
    None for no such option, () for one without values. extra: text behind the root's folderInfo. toolchain: a pinned
    compiler. symbols: defined ones.
    """

    newline: str = "\n"
    scanner: bool = True
    entries: tuple[str, ...] | None = ("Core", "Drivers")
    includes: tuple[str, ...] | None = ("../Core/Inc", "../Drivers/BSP")
    title: str = "MCU GCC Compiler"
    cpp: bool = False
    extra: str = ""
    toolchain: str = ""
    symbols: tuple[str, ...] = ("USE_HAL_DRIVER", "STM32L4R5xx")
    mcu: str = "STM32L4R5ZITx"
    fpu: str = "fpv4-sp-d16"
    revision: str = "1.0.6"


def _option(tail: str, number: int, style: Style, **attributes: str) -> str:
    shown = {"useByScannerDiscovery": "false"} if style.scanner else {}
    shown = {**shown, **attributes}
    text = "".join(f' {key}="{value}"' for key, value in sorted(shown.items()))
    return f'<option id="{_M}.{tail}.{number}" name="An option" superClass="{_M}.{tail}"{text}'


def _list(tail: str, number: int, style: Style, kind: str, values: tuple[str, ...]) -> list[str]:
    empty = {"IS_BUILTIN_EMPTY": "false", "IS_VALUE_EMPTY": str(not values).lower()} if style.scanner else {}
    head = _option(tail, number, style, valueType=kind, **empty)
    if not values:
        return [f"{head}/>"]
    return [f"{head}>", *(f'\t<listOptionValue builtIn="false" value="{value}"/>' for value in values), "</option>"]


def _compiler(tool: str, number: int, style: Style, level: str) -> list[str]:
    name = f"tool.{tool}.compiler"
    lines = [
        _option(
            f"{name}.option.optimization.level",
            number + 1,
            style,
            value=f"{_M}.{name}.option.optimization.level.value.{level}",
            valueType="enumerated",
        )
        + "/>",
        *_list(f"{name}.option.definedsymbols", number + 2, style, "definedSymbols", style.symbols),
    ]
    if style.includes is not None:
        lines += _list(f"{name}.option.includepaths", number + 3, style, "includePath", style.includes)
    suffix = "input.c" if tool == "c" else "input.cpp"
    lines.append(f'<inputType id="{_M}.{name}.{suffix}.{number + 4}" superClass="{_M}.{name}.{suffix}"/>')
    title = style.title if tool == "c" else "MCU G++ Compiler"
    head = f'<tool id="{_M}.{name}.{number}" name="{title}" superClass="{_M}.{name}">'
    return [head, *(f"\t{line}" for line in lines), "</tool>"]


def _configuration(kind: str, number: int, style: Style) -> list[str]:
    identity = f"{_M}.config.exe.{kind}.{number}"
    name = kind.capitalize()
    script = "${workspace_loc:/${ProjName}/APP_FLASH.ld}"
    options = [
        ("option.target_mcu", {"value": style.mcu, "valueType": "string"}),
        ("option.fpu", {"value": f"{_M}.option.fpu.value.{style.fpu}", "valueType": "enumerated"}),
        ("option.floatabi", {"value": f"{_M}.option.floatabi.value.hard", "valueType": "enumerated"}),
        ("option.defaults", {"value": f"com.st.revA.{style.revision} || {name} || Core || ", "valueType": "string"}),
    ]
    lines = [_option(tail, number + i, style, **attributes) + "/>" for i, (tail, attributes) in enumerate(options, 1)]
    if style.toolchain:
        pinned = "com.st.stm32cube.ide.mcu.option.internal.toolchain.version"
        lines.append(f'<option id="{pinned}.{number}" superClass="{pinned}" value="{style.toolchain}"/>')
    level = "og" if kind == "debug" else "os"
    lines += [
        f'<builder buildPath="${{workspace_loc:/app}}/{name}" id="{_M}.builder.{number}" superClass="{_M}.builder"/>',
        f'<tool id="{_M}.tool.assembler.{number}" name="MCU GCC Assembler" superClass="{_M}.tool.assembler"/>',
        *_compiler("c", number + 100, style, level),
        *(_compiler("cpp", number + 200, style, level) if style.cpp else ()),
        f'<tool id="{_M}.tool.c.linker.{number}" name="MCU GCC Linker" superClass="{_M}.tool.c.linker">',
        "\t" + _option("tool.c.linker.option.script", number + 50, style, value=script, valueType="string") + "/>",
        "</tool>",
    ]
    tab = "\t" * 7
    body = [f"{tab}{line}" for line in lines]
    entries: list[str] = []
    if style.entries is not None:
        entries.append("\t\t\t\t\t<sourceEntries>")
        for entry in style.entries:
            folder, _, excluding = entry.partition("!")
            left_out = f'excluding="{excluding}" ' if excluding else ""
            attributes = f'{left_out}flags="VALUE_WORKSPACE_PATH|RESOLVED" kind="sourcePath" name="{folder}"'
            entries.append(f"\t\t\t\t\t\t<entry {attributes}/>")
        entries.append("\t\t\t\t\t</sourceEntries>")
    extra = style.extra.replace("KIND", kind).replace("NUMBER", str(number))
    return [
        f'\t\t<cconfiguration id="{identity}">',
        f'\t\t\t<storageModule id="{identity}" moduleId="org.eclipse.cdt.core.settings" name="{name}">',
        "\t\t\t\t<externalSettings/>",
        "\t\t\t</storageModule>",
        '\t\t\t<storageModule moduleId="cdtBuildSystem" version="4.0.0">',
        f'\t\t\t\t<configuration artifactName="${{ProjName}}" id="{identity}" name="{name}" '
        f'parent="{_M}.config.exe.{kind}">',
        f'\t\t\t\t\t<folderInfo id="{identity}." name="/" resourcePath="">',
        f'\t\t\t\t\t\t<toolChain id="{_M}.toolchain.exe.{kind}.{number}" name="MCU ARM GCC" '
        f'superClass="{_M}.toolchain.exe.{kind}">',
        *body,
        "\t\t\t\t\t\t</toolChain>",
        "\t\t\t\t\t</folderInfo>",
        *([extra] if extra else ()),
        *entries,
        "\t\t\t\t</configuration>",
        "\t\t\t</storageModule>",
        "\t\t</cconfiguration>",
    ]


def cproject(style: Style) -> bytes:
    """A .cproject."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>',
        '<?fileVersion 4.0.0?><cproject storage_type_id="org.eclipse.cdt.core.XmlProjectDescriptionStorage">',
        '\t<storageModule moduleId="org.eclipse.cdt.core.settings">',
        *_configuration("debug", 1000, style),
        *_configuration("release", 2000, style),
        "\t</storageModule>",
        '\t<storageModule moduleId="cdtBuildSystem" version="4.0.0">',
        '\t\t<project id="app.null.7" name="app"/>',
        "\t</storageModule>",
        "</cproject>",
    ]
    return style.newline.join(lines).encode()


_OWN_FOLDER = f"""\
\t\t\t\t\t<folderInfo id="{_M}.config.exe.KIND.NUMBER.77" name="/" resourcePath="Core">
\t\t\t\t\t\t<toolChain id="{_M}.toolchain.exe.KIND.NUMBER7" name="MCU ARM GCC" superClass="{_M}.toolchain.exe.KIND">
\t\t\t\t\t\t\t<tool id="{_M}.tool.c.compiler.NUMBER7" name="c" superClass="{_M}.tool.c.compiler.NUMBERC">
\t\t\t\t\t\t\t\t<option id="{_M}.x.NUMBER7" superClass="{_M}.tool.c.compiler.option.includepaths">
\t\t\t\t\t\t\t\t\t<listOptionValue builtIn="false" value="../Core/Inc"/>
\t\t\t\t\t\t\t\t\t<listOptionValue builtIn="false" value="../Drivers/BSP"/>
\t\t\t\t\t\t\t\t</option>
\t\t\t\t\t\t\t</tool>
\t\t\t\t\t\t</toolChain>
\t\t\t\t\t</folderInfo>"""

_CURRENT = Style()
STYLES: Mapping[str, Style] = {
    "current": _CURRENT,
    "windows": replace(_CURRENT, newline="\r\n", title="MCU/MPU GCC Compiler"),
    "old": replace(_CURRENT, scanner=False, revision="1.0.3"),
    "no entries": replace(_CURRENT, entries=None),
    "root entry": replace(_CURRENT, entries=("!Debug|Release",)),
    "middlewares compiled": replace(_CURRENT, entries=("Core", "Drivers", "Middlewares")),
    "middlewares without ours": replace(_CURRENT, entries=("Core", "Drivers", "Middlewares!Approx")),
    "entries after ours": replace(_CURRENT, entries=("Core", "Drivers", "Utilities")),
    "C++": replace(_CURRENT, cpp=True),
    "no include paths": replace(_CURRENT, includes=None),
    "empty include paths": replace(_CURRENT, includes=()),
    "own settings of Core": replace(_CURRENT, extra=_OWN_FOLDER.replace("NUMBERC", "NUMBER")),
    "U5": replace(
        _CURRENT, mcu="STM32U575ZITxQ", fpu="fpv5-sp-d16", symbols=("USE_HAL_DRIVER", "STM32U575xx"), revision="1.0.5"
    ),
}
"""What has been seen in projects of CubeMX 6.0 to 6.12 and CubeIDE 1.3 to 1.16."""

LINKER = """\
/* MEMORY { RAM (xrw) : ORIGIN = 0, LENGTH = 1K } in a comment */
ENTRY(Reset_Handler)
_estack = ORIGIN(RAM) + LENGTH(RAM);
_Min_Heap_Size = 0x200;
_Min_Stack_Size = 0x400;
MEMORY
{
  RAM\t(xrw)\t: ORIGIN = 0x20000000,\tLENGTH = 96K
  RAM2 (xrw) : ORIGIN = 0x10000000, LENGTH = 64K
  FLASH (rx) : ORIGIN = 0x8000000, LENGTH = 2048K - 16K
}
SECTIONS
{
  .isr_vector : { KEEP(*(.isr_vector)) } >FLASH
  .text : { *(.text) *(.text*) } >FLASH
  .rodata : { *(.rodata) *(.rodata*) } >FLASH
  .ARM : { __exidx_start = .; *(.ARM.exidx*) __exidx_end = .; } >FLASH
  _sidata = LOADADDR(.data);
  .data : { . = ALIGN(4); _sdata = .; *(.data) *(.data*) . = ALIGN(4); _edata = .; } >RAM AT> FLASH
  .bss : { . = ALIGN(4); _sbss = .; *(.bss) *(.bss*) *(COMMON) . = ALIGN(4); _ebss = .; } >RAM
  ._user_heap_stack : { . = ALIGN(8); end = .; . = . + _Min_Heap_Size + _Min_Stack_Size; . = ALIGN(8); } >RAM
}
"""

_STARTUP = """\
  .syntax unified
  .thumb
  .section .isr_vector,"a",%progbits
  .word _estack
  .word Reset_Handler
  .section .text.Reset_Handler,"ax",%progbits
  .global Reset_Handler
  .type Reset_Handler, %function
Reset_Handler:
  ldr r0, =0xE000ED88
  ldr r1, [r0]
  orr r1, r1, #0xF00000
  str r1, [r0]
  dsb
  isb
  ldr r0, =_sdata
  ldr r1, =_edata
  ldr r2, =_sidata
1: cmp r0, r1
  ittt lo
  ldrlo r3, [r2], #4
  strlo r3, [r0], #4
  blo 1b
  ldr r0, =_sbss
  ldr r1, =_ebss
  movs r2, #0
2: cmp r0, r1
  itt lo
  strlo r2, [r0], #4
  blo 2b
  bl main
3: b 3b
  .size Reset_Handler, .-Reset_Handler
"""

MAIN = """\
#include "main.h"
/* USER CODE BEGIN Includes */
/* USER CODE END Includes */

static volatile int samples[32];

int main(void)
{
    HAL_Init();
    /* USER CODE BEGIN 2 */
    /* USER CODE END 2 */
    for (;;) {
        samples[0]++;
        /* USER CODE BEGIN 3 */
        /* USER CODE END 3 */
    }
}
"""

CALLING_MAIN = (
    MAIN.replace("BEGIN Includes */\n", 'BEGIN Includes */\n#include "approx_app.h"\n')
    .replace("BEGIN 2 */\n", "BEGIN 2 */\n    MX_APPROX_Init();\n")
    .replace("BEGIN 3 */\n", "BEGIN 3 */\n        MX_APPROX_Process();\n")
)
"""What the person writes."""

IOC = """\
#MicroXplorer Configuration settings - do not modify
Mcu.Family=STM32L4
Mcu.Name=STM32L4R5Z(G-I)Tx
Mcu.UserName=STM32L4R5ZITx
RCC.HCLKFreq_Value=120000000
"""

_PROJECT = """\
<?xml version="1.0" encoding="UTF-8"?>
<projectDescription>
	<name>app</name>
	<natures>
		<nature>com.st.stm32cube.ide.mcu.MCUProjectNature</nature>
		<nature>org.eclipse.cdt.core.cnature</nature>
	</natures>
</projectDescription>
"""

CMAKE = """\
cmake_minimum_required(VERSION 3.22)
set(CMAKE_PROJECT_NAME app)
include("cmake/gcc-arm-none-eabi.cmake")
project(${CMAKE_PROJECT_NAME})
enable_language(C ASM)
add_executable(${CMAKE_PROJECT_NAME})
target_sources(${CMAKE_PROJECT_NAME} PRIVATE Core/Src/main.c Drivers/BSP/hal.c Core/Startup/startup.s)
target_include_directories(${CMAKE_PROJECT_NAME} PRIVATE Core/Inc Drivers/BSP)
target_compile_definitions(${CMAKE_PROJECT_NAME} PRIVATE USE_HAL_DRIVER STM32L4R5xx)
target_link_libraries(${CMAKE_PROJECT_NAME} m)
"""

TOOLCHAIN = """\
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_ASM_COMPILER ${CMAKE_C_COMPILER})
set(CMAKE_EXECUTABLE_SUFFIX_C ".elf")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(TARGET_FLAGS "-mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard ")
set(CMAKE_C_FLAGS "${CMAKE_C_FLAGS} ${TARGET_FLAGS} -Wall -fdata-sections -ffunction-sections")
set(CMAKE_C_FLAGS_DEBUG "-O0 -g3")
set(CMAKE_ASM_FLAGS "${CMAKE_C_FLAGS} -x assembler-with-cpp -MMD -MP")
set(CMAKE_EXE_LINKER_FLAGS "${TARGET_FLAGS} -T \\"${CMAKE_SOURCE_DIR}/APP_FLASH.ld\\" --specs=nano.specs")
set(CMAKE_EXE_LINKER_FLAGS "${CMAKE_EXE_LINKER_FLAGS} --specs=nosys.specs -Wl,-Map=app.map -Wl,--gc-sections")
"""


def common() -> dict[str, bytes]:
    """What both kinds of project have."""
    texts = {
        "app.ioc": IOC,
        ".mxproject": "[PreviousLibFiles]\nLibFiles=\n",
        "APP_FLASH.ld": LINKER,
        "Core/Startup/startup.s": _STARTUP,
        "Core/Inc/main.h": "void HAL_Init(void);\n",
        "Core/Src/main.c": MAIN,
        "Drivers/BSP/hal.h": "void HAL_Init(void);\n",
        "Drivers/BSP/hal.c": '#include "hal.h"\nstatic volatile int port = 3;\nvoid HAL_Init(void) { port = 1; }\n',
    }
    return {path: text.encode() for path, text in texts.items()}


def cube_project(style: Style = _CURRENT) -> dict[str, bytes]:
    """All files of a CubeIDE project."""
    return {**common(), ".project": _PROJECT.encode(), ".cproject": cproject(style)}


def cmake_project(newline: str = "\n") -> dict[str, bytes]:
    """All files of a CMake project of CubeMX's."""
    return {
        **common(),
        "CMakeLists.txt": CMAKE.replace("\n", newline).encode(),
        "cmake/gcc-arm-none-eabi.cmake": TOOLCHAIN.encode(),
    }


def put(files: Mapping[str, bytes], directory: Path) -> Path:
    """Write them."""
    for path, content in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(content)
    return directory
