"""The text of `.cproject`: the managed build of both configurations, in the form that STM32CubeIDE itself writes.

What makes the IDE refuse or half-load the file is known from Eclipse CDT's sources: the first node must be the
processing instruction with the file version, the root's children must be `storageModule` elements, and a configuration
must name a tool chain that the IDE's plug-ins define. `check` looks for each of these.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from approx_plugin.cubeide import ids
from approx_plugin.cubeide.markup import element, render
from approx_plugin.cubeide.settings import (
    CONFIGURATIONS,
    FAST_FOLDER,
    SOURCE_FOLDERS,
    Configuration,
    Settings,
)

HEADER = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<?fileVersion 4.0.0?>'
"""The declaration, and the processing instruction that has to be the document's first node."""

_EXECUTABLE = "org.eclipse.cdt.build.core.buildArtefactType.exe"
_ARTEFACT = "org.eclipse.cdt.build.core.buildArtefactType"
_BUILD_TYPE = "org.eclipse.cdt.build.core.buildType"
_SETTINGS = "org.eclipse.cdt.core.settings"


def cproject_text(settings: Settings) -> str:
    """The whole file. The same settings give the same bytes."""
    builds = [_Build(settings, configuration) for configuration in CONFIGURATIONS]
    contents: dict[str, tuple[dict[str, str], list[Element]]] = {
        _SETTINGS: ({}, [build.cconfiguration() for build in builds]),
        "cdtBuildSystem": (
            {"version": "4.0.0"},
            [
                element(
                    "project",
                    {"id": f"{settings.name}.null.{ids.number(settings.name, 'project')}", "name": settings.name},
                )
            ],
        ),
        "refreshScope": (
            {"versionNumber": "2"},
            [
                element(
                    "configuration",
                    {"configurationName": configuration.name},
                    element("resource", {"resourceType": "PROJECT", "workspacePath": f"/{settings.name}"}),
                )
                for configuration in CONFIGURATIONS
            ],
        ),
        "scannerConfiguration": (
            {},
            [_autodiscovery(), *(build.scanner() for build in builds)],
        ),
    }
    modules = []
    for module in ids.STORAGE_MODULES:
        attributes, children = contents.get(module, ({}, []))
        modules.append(element("storageModule", {"moduleId": module, **attributes}, *children))
    root = element("cproject", {"storage_type_id": "org.eclipse.cdt.core.XmlProjectDescriptionStorage"}, *modules)
    return HEADER + render(root)


def defaults_record(settings: Settings, configuration: Configuration) -> str:
    """The `defaults` option: what the IDE's project services read back when they regenerate a project.

    It repeats the other options, so it must agree with them. The symbol DEBUG is left out: the IDE adds it by itself.
    """
    fields = [
        ids.DEFAULTS_REVISION,
        configuration.name,
        "true" if configuration.kind == "debug" else "false",
        "Executable",
        f"{ids.MANAGED}.option.toolchain.value.workspace",
        settings.board.printed_name,
        "0",
        "0",
        "arm-none-eabi-",
        "${gnu_tools_for_stm32_compiler_path}",
        " | ".join(f"../{folder}" for folder in settings.include_dirs),
        "",
        "",
        " | ".join(settings.symbols),
        "",
        " | ".join(reversed(SOURCE_FOLDERS)),
        "",
        "",
        linker_script_value(settings),
        "true",
        "NonSecure",
        "",
        "secure_nsclib.o",
        "",
        "None",
        "",
        "",
        "",
    ]
    assert len(fields) == ids.DEFAULTS_FIELDS
    return " || ".join(fields)


def linker_script_value(settings: Settings) -> str:
    """The linker script as an Eclipse path that holds wherever the project lies."""
    return f"${{workspace_loc:/${{ProjName}}/{settings.linker_script}}}"


def _autodiscovery(enabled: bool = True) -> Element:
    return element(
        "autodiscovery",
        {"enabled": str(enabled).lower(), "problemReportingEnabled": "true", "selectedProfileId": ""},
    )


def _list_values(values: tuple[str, ...]) -> list[Element]:
    return [element("listOptionValue", {"builtIn": "false", "value": value}) for value in values]


class _Build:
    """One configuration on its way into XML. Ids are derived from the project's name and the element's place."""

    def __init__(self, settings: Settings, configuration: Configuration) -> None:
        self.settings, self.configuration = settings, configuration
        self.id = self._id(f"config.exe.{configuration.kind}")

    def _id(self, tail: str, folder: str = "") -> str:
        return self._full_id(f"{ids.MANAGED}.{tail}", folder)

    def _full_id(self, super_class: str, folder: str = "") -> str:
        return f"{super_class}.{ids.number(self.settings.name, self.configuration.name, folder, super_class)}"

    def cconfiguration(self) -> Element:
        """The `cconfiguration` element."""
        extensions = [element("extension", {"id": key, "point": point}) for key, point in ids.PARSERS.items()]
        kind = self.configuration.kind
        properties = f"{_ARTEFACT}={_EXECUTABLE},{_BUILD_TYPE}={_BUILD_TYPE}.{kind}"
        return element(
            "cconfiguration",
            {"id": self.id},
            element(
                "storageModule",
                {
                    "buildSystemId": "org.eclipse.cdt.managedbuilder.core.configurationDataProvider",
                    "id": self.id,
                    "moduleId": _SETTINGS,
                    "name": self.configuration.name,
                },
                element("externalSettings"),
                element("extensions", None, *extensions),
            ),
            element(
                "storageModule",
                {"moduleId": "cdtBuildSystem", "version": "4.0.0"},
                element(
                    "configuration",
                    {
                        "artifactExtension": "elf",
                        "artifactName": "${ProjName}",
                        "buildArtefactType": _EXECUTABLE,
                        "buildProperties": properties,
                        "cleanCommand": "rm -rf",
                        "description": "",
                        "id": self.id,
                        "name": self.configuration.name,
                        "parent": f"{ids.MANAGED}.config.exe.{kind}",
                    },
                    self._root_folder(),
                    self._fast_folder(),
                    element("sourceEntries", None, *(self._source_entry(name) for name in SOURCE_FOLDERS)),
                ),
            ),
            element("storageModule", {"moduleId": "org.eclipse.cdt.core.externalSettings"}),
        )

    def scanner(self) -> Element:
        """The discovery record of the C compiler: names of elements of this file."""
        instance = ";".join((self.id, f"{self.id}.", self._id("tool.c.compiler"), self._id("tool.c.compiler.input.c")))
        return element("scannerConfigBuildInfo", {"instanceId": instance}, _autodiscovery(enabled=False))

    @staticmethod
    def _source_entry(name: str) -> Element:
        return element("entry", {"flags": "VALUE_WORKSPACE_PATH|RESOLVED", "kind": "sourcePath", "name": name})

    def _root_folder(self) -> Element:
        toolchain = f"toolchain.exe.{self.configuration.kind}"
        build_path = f"${{workspace_loc:/{self.settings.name}}}/{self.configuration.name}"
        return element(
            "folderInfo",
            {"id": f"{self.id}.", "name": "/", "resourcePath": ""},
            element(
                "toolChain",
                {"id": self._id(toolchain), "name": "MCU ARM GCC", "superClass": f"{ids.MANAGED}.{toolchain}"},
                *self._toolchain_options(),
                element(
                    "targetPlatform",
                    {
                        "archList": "all",
                        "binaryParser": "org.eclipse.cdt.core.ELF",
                        "id": self._id("targetplatform"),
                        "isAbstract": "false",
                        "osList": "all",
                        "superClass": f"{ids.MANAGED}.targetplatform",
                    },
                ),
                element(
                    "builder",
                    {
                        "buildPath": build_path,
                        "id": self._id("builder"),
                        "keepEnvironmentInBuildfile": "false",
                        "managedBuildOn": "true",
                        "name": "Gnu Make Builder",
                        "parallelBuildOn": "true",
                        "parallelizationNumber": "optimal",
                        "superClass": f"{ids.MANAGED}.builder",
                    },
                ),
                *(
                    element(
                        "tool",
                        {"id": self._id(tool), "name": title, "superClass": f"{ids.MANAGED}.{tool}"},
                        *self._tool_content(tool),
                    )
                    for tool, title in ids.TOOLS.items()
                ),
            ),
        )

    def _fast_folder(self) -> Element:
        """The override for `FAST_FOLDER`: everything is inherited but the C compiler's optimisation.

        As the IDE writes it: the tool chain's super class is the extension's, options and tools have their
        counterparts in the root folder as super classes, an overridden option has the extension's again.
        """
        folder = FAST_FOLDER
        toolchain = f"toolchain.exe.{self.configuration.kind}"
        options = []
        for name, title in self._toolchain_titles().items():
            parent = self._full_id(name)
            options.append(
                element(
                    "option",
                    {"id": f"{self._full_id(parent, folder)}", "name": title, "superClass": parent},
                )
            )
        tools = []
        for tool, title in ids.TOOLS.items():
            content: list[Element] = []
            if tool == "tool.c.compiler":
                content = [
                    self._choice(tool, "optimization.level", self.settings.fast, folder),
                    self._input_type(tool, "input.c", folder),
                ]
            tools.append(
                element("tool", {"id": self._id(tool, folder), "name": title, "superClass": self._id(tool)}, *content)
            )
        return element(
            "folderInfo",
            {"id": f"{self.id}.{ids.number(self.id, folder)}", "name": "/", "resourcePath": folder},
            element(
                "toolChain",
                {
                    "id": self._id(toolchain, folder),
                    "name": "MCU ARM GCC",
                    "superClass": f"{ids.MANAGED}.{toolchain}",
                    "unusedChildren": "",
                },
                *options,
                *tools,
            ),
        )

    @staticmethod
    def _toolchain_titles() -> dict[str, str]:
        titles = {f"{ids.MANAGED}.{name}": ids.TITLES[name] for name in ids.TOOLCHAIN_OPTIONS}
        titles[ids.CPU_CLOCK] = "Cpu clock frequence"
        return titles

    def _toolchain_options(self) -> list[Element]:
        board = self.settings.board
        values = {
            "option.target_mcu": board.mcu,
            "option.target_cpuid": "0",
            "option.target_coreid": "0",
            "option.fpu": f"{ids.MANAGED}.option.fpu.value.{board.fpu or 'none'}",
            "option.floatabi": f"{ids.MANAGED}.option.floatabi.value.{board.float_abi}",
            "option.target_board": board.printed_name,
            "option.defaults": defaults_record(self.settings, self.configuration),
        }
        by_super_class = {f"{ids.MANAGED}.{name}": value for name, value in values.items()}
        by_super_class[ids.CPU_CLOCK] = str(board.clock_hz // 1_000_000)
        discovered = {f"{ids.MANAGED}.option.{name}" for name in ("target_mcu", "fpu", "floatabi")}
        enumerated = {f"{ids.MANAGED}.option.{name}" for name in ("fpu", "floatabi")}
        return [
            element(
                "option",
                {
                    "id": self._full_id(super_class),
                    "name": title,
                    "superClass": super_class,
                    "useByScannerDiscovery": str(super_class in discovered).lower(),
                    "value": by_super_class[super_class],
                    "valueType": "enumerated" if super_class in enumerated else "string",
                },
            )
            for super_class, title in self._toolchain_titles().items()
        ]

    def _tool_content(self, tool: str) -> list[Element]:
        configuration, settings = self.configuration, self.settings
        symbols = (*configuration.symbols, *settings.symbols)
        includes = tuple(f"../{folder}" for folder in settings.include_dirs)
        if tool == "tool.assembler":
            return [
                self._choice(tool, "debuglevel", configuration.debug_level),
                self._list(tool, "definedsymbols", "definedSymbols", symbols),
                self._list(tool, "includepaths", "includePath", includes),
                self._input_type(tool, "input"),
            ]
        if tool == "tool.c.compiler":
            return [
                self._choice(tool, "debuglevel", configuration.debug_level),
                self._choice(tool, "optimization.level", configuration.optimization),
                self._list(tool, "definedsymbols", "definedSymbols", symbols),
                self._list(tool, "includepaths", "includePath", includes),
                self._choice(tool, "languagestandard", "gnu17"),
                self._value(tool, "warnings.extra", "true", "boolean"),
                self._input_type(tool, "input.c"),
            ]
        if tool == "tool.cpp.compiler":
            return [
                self._choice(tool, "debuglevel", configuration.debug_level),
                self._choice(tool, "optimization.level", configuration.optimization),
            ]
        if tool == "tool.c.linker":
            inputs = self._input_type(tool, "input")
            inputs.append(element("additionalInput", {"kind": "additionalinputdependency", "paths": "$(USER_OBJS)"}))
            inputs.append(element("additionalInput", {"kind": "additionalinput", "paths": "$(LIBS)"}))
            return [self._value(tool, "script", linker_script_value(settings), "string"), inputs]
        return []

    def _option(self, tool: str, name: str, folder: str, attributes: dict[str, str]) -> Element:
        tail = f"{tool}.option.{name}"
        return element(
            "option",
            {
                "id": self._id(tail, folder),
                "name": ids.TITLES[f"option.{name}"],
                "superClass": f"{ids.MANAGED}.{tail}",
                "useByScannerDiscovery": str(name == "languagestandard").lower(),
                **attributes,
            },
        )

    def _value(self, tool: str, name: str, value: str, kind: str, folder: str = "") -> Element:
        return self._option(tool, name, folder, {"value": value, "valueType": kind})

    def _choice(self, tool: str, name: str, value: str, folder: str = "") -> Element:
        return self._value(tool, name, f"{ids.MANAGED}.{tool}.option.{name}.value.{value}", "enumerated", folder)

    def _list(self, tool: str, name: str, kind: str, values: tuple[str, ...]) -> Element:
        option = self._option(
            tool, name, "", {"IS_BUILTIN_EMPTY": "false", "IS_VALUE_EMPTY": str(not values).lower(), "valueType": kind}
        )
        option.extend(_list_values(values))
        return option

    def _input_type(self, tool: str, tail: str, folder: str = "") -> Element:
        name = f"{tool}.{tail}"
        return element("inputType", {"id": self._id(name, folder), "superClass": f"{ids.MANAGED}.{name}"})
