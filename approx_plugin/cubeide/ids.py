"""Names and numbers of the managed-build extension of STM32CubeIDE.

Everything that the IDE's plug-ins define (tool chain, tools, options, natures) is written down here once, as data; what
`cproject` writes and what `check` allows come from the same tables. Source of the ids: projects that STM32CubeMX 6.8 to
6.12 and STM32CubeIDE 1.9 to 1.16 wrote.
"""

from __future__ import annotations

import hashlib

MANAGED = "com.st.stm32cube.ide.mcu.gnu.managedbuild"
"""Prefix of nearly all ids."""

DEFAULTS_REVISION = "com.st.stm32cube.ide.common.services.build.inputs.revA.1.0.6"
"""Revision of the `defaults` record; it has `DEFAULTS_FIELDS` fields."""

DEFAULTS_FIELDS = 28

TOOLCHAIN_OPTIONS = (
    "option.target_mcu",
    "option.target_cpuid",
    "option.target_coreid",
    "option.fpu",
    "option.floatabi",
    "option.target_board",
    "option.defaults",
)
"""The options of the tool chain that every project has; without one of them the IDE cannot set up its build."""

CPU_CLOCK = "com.st.stm32cube.ide.mcu.debug.option.cpuclock"
"""Core clock in MHz: what the IDE's trace configuration starts from."""

TOOLS = {
    "tool.assembler": "MCU GCC Assembler",
    "tool.c.compiler": "MCU GCC Compiler",
    "tool.cpp.compiler": "MCU G++ Compiler",
    "tool.c.linker": "MCU GCC Linker",
    "tool.cpp.linker": "MCU G++ Linker",
    "tool.archiver": "MCU GCC Archiver",
    "tool.size": "MCU Size",
    "tool.objdump.listfile": "MCU Output Converter list file",
    "tool.objcopy.hex": "MCU Output Converter Hex",
    "tool.objcopy.binary": "MCU Output Converter Binary",
    "tool.objcopy.verilog": "MCU Output Converter Verilog",
    "tool.objcopy.srec": "MCU Output Converter Motorola S-rec",
    "tool.objcopy.symbolsrec": "MCU Output Converter Motorola S-rec with symbols",
}
"""The 13 tools of the tool chain, in the order in which the IDE writes them, with their titles."""

TITLES = {
    "option.target_mcu": "MCU",
    "option.target_cpuid": "CPU",
    "option.target_coreid": "Core",
    "option.fpu": "Floating-point unit",
    "option.floatabi": "Floating-point ABI",
    "option.target_board": "Board",
    "option.defaults": "Defaults",
    "option.debuglevel": "Debug level",
    "option.optimization.level": "Optimization level",
    "option.definedsymbols": "Define symbols (-D)",
    "option.includepaths": "Include paths (-I)",
    "option.languagestandard": "Language standard",
    "option.warnings.extra": "Enable extra warning flags (-Wextra)",
    "option.script": "Linker Script (-T)",
}
"""Titles of the options, by the part of the id behind the tool's."""

PARSERS = {
    "org.eclipse.cdt.core.ELF": "org.eclipse.cdt.core.BinaryParser",
    "org.eclipse.cdt.core.GASErrorParser": "org.eclipse.cdt.core.ErrorParser",
    "org.eclipse.cdt.core.GmakeErrorParser": "org.eclipse.cdt.core.ErrorParser",
    "org.eclipse.cdt.core.GLDErrorParser": "org.eclipse.cdt.core.ErrorParser",
    "org.eclipse.cdt.core.CWDLocator": "org.eclipse.cdt.core.ErrorParser",
    "org.eclipse.cdt.core.GCCErrorParser": "org.eclipse.cdt.core.ErrorParser",
}
"""Extensions of a configuration, with the extension points that they plug into."""

BUILDERS = {
    "org.eclipse.cdt.managedbuilder.core.genmakebuilder": "clean,full,incremental,",
    "org.eclipse.cdt.managedbuilder.core.ScannerConfigBuilder": "full,incremental,",
}
"""Build commands of `.project`, with what triggers them."""

REQUIRED_NATURES = (
    "com.st.stm32cube.ide.mcu.MCUProjectNature",
    "org.eclipse.cdt.core.cnature",
    "org.eclipse.cdt.managedbuilder.core.managedBuildNature",
    "org.eclipse.cdt.managedbuilder.core.ScannerConfigNature",
)
"""Without one of these the IDE does not take the project for one of its own."""

NATURES = (
    "com.st.stm32cube.ide.mcu.MCUProjectNature",
    "org.eclipse.cdt.core.cnature",
    "com.st.stm32cube.ide.mcu.MCUCubeIdeServicesRevAev2ProjectNature",
    "com.st.stm32cube.ide.mcu.MCUAdvancedStructureProjectNature",
    "{security}",
    "com.st.stm32cube.ide.mcu.MCUSingleCpuProjectNature",
    "com.st.stm32cube.ide.mcu.MCURootProjectNature",
    "org.eclipse.cdt.managedbuilder.core.managedBuildNature",
    "org.eclipse.cdt.managedbuilder.core.ScannerConfigNature",
)
"""Natures in the order of the IDE. `{security}` stands for those of `SECURITY_NATURES`."""

CUBE_NATURE = "com.st.stm32cube.ide.mcu.MCUCubeProjectNature"
"""Opens the device configuration tool; belongs only into a project with an .ioc file."""

SECURITY_NATURES = dict.fromkeys(
    ("STM32H5", "STM32L5", "STM32U5"),
    (
        "com.st.stm32cube.ide.mcu.MCUEndUserDisabledTrustZoneProjectNature",
        "com.st.stm32cube.ide.mcu.MCUNonSecureProjectNature",
    ),
)
"""Series whose parts have TrustZone: switched off here, as it is on a part that comes from the factory."""

STORAGE_MODULES = (
    "org.eclipse.cdt.core.settings",
    "org.eclipse.cdt.core.pathentry",
    "cdtBuildSystem",
    "org.eclipse.cdt.core.LanguageSettingsProviders",
    "org.eclipse.cdt.make.core.buildtargets",
    "refreshScope",
    "scannerConfiguration",
)
"""Modules of a .cproject, in the order in which the IDE writes them."""

_TOOL_OPTIONS = {
    "tool.assembler": ("debuglevel", "definedsymbols", "includepaths", "otherflags"),
    "tool.c.compiler": (
        "debuglevel",
        "optimization.level",
        "definedsymbols",
        "includepaths",
        "otherflags",
        "languagestandard",
        "warnings.extra",
        "warnings.pedantic",
        "warnings.conversion",
    ),
    "tool.c.linker": ("script", "libraries", "directories", "otherflags", "systemcalls"),
}
_TOOL_OPTIONS["tool.cpp.compiler"] = _TOOL_OPTIONS["tool.c.compiler"]
_TOOL_OPTIONS["tool.cpp.linker"] = _TOOL_OPTIONS["tool.c.linker"]

SUPER_CLASSES = frozenset(
    [CPU_CLOCK]
    + [f"{MANAGED}.{tail}" for tail in (*TOOLCHAIN_OPTIONS, *TOOLS)]
    + [f"{MANAGED}.{tool}.option.{option}" for tool, options in _TOOL_OPTIONS.items() for option in options]
    + [
        f"{MANAGED}.{tail}"
        for tail in (
            "toolchain.exe.debug",
            "toolchain.exe.release",
            "targetplatform",
            "builder",
            "option.toolchain",
            "option.nanoprintffloat",
            "option.nanoscanffloat",
            "option.converthex",
            "option.convertbinary",
            "option.runtimelibrary_c",
            "tool.assembler.input",
            "tool.c.compiler.input.c",
            "tool.cpp.compiler.input.cpp",
            "tool.c.linker.input",
            "tool.cpp.linker.input",
        )
    ]
)
"""Extension elements that a `superClass` may name. One that is not known leaves a configuration without tools."""


def number(*parts: str) -> str:
    """A stable number below 2^31 for an id: the same parts give the same number on every run and machine."""
    digest = hashlib.sha1("\0".join(parts).encode(), usedforsecurity=False).digest()
    return str(int.from_bytes(digest[:8], "big") % 2_000_000_000)
