"""The checklist for a project that STM32CubeIDE shall import: everything that can be seen without the IDE."""

from __future__ import annotations

from pathlib import Path

from approx_plugin.build.check_build import check_configuration
from approx_plugin.cubeide.check_format import check_cproject, check_description, check_first_node
from approx_plugin.cubeide.finding import Finding
from approx_plugin.cubeide.managed import parse, read_managed
from approx_plugin.errors import ProjectError


def check_project(path: Path) -> tuple[Finding, ...]:
    """All findings in the project in the directory `path`, each once; none for a good project. Raises nothing."""
    findings: list[Finding] = []
    roots = {}
    for name in (".project", ".cproject"):
        try:
            roots[name] = parse(path / name)
        except ProjectError as error:
            findings.append(Finding("readable", name, error.what))
    if ".project" in roots:
        findings.extend(check_description(roots[".project"], path))
    if ".cproject" in roots:
        findings.extend(check_first_node((path / ".cproject").read_text(encoding="utf-8", errors="replace")))
        project = roots[".project"].findtext("name", "").strip() if ".project" in roots else ""
        findings.extend(check_cproject(roots[".cproject"], project))
    if len(roots) == 2:
        try:
            managed = read_managed(path)
            for configuration in managed.configurations:
                findings.extend(check_configuration(managed, configuration, path))
        except (ProjectError, OSError) as error:
            findings.append(Finding("readable", ".cproject", str(error)))
    return tuple(dict.fromkeys(findings))
