"""The documents name every command, route, setting and alarm, and none that does not exist."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import typer.main

from adweir.model.operation_metrics import OperationMetric
from adweir.pipeline.workflows import WORKFLOWS
from adweir.reporting.chosen import SEGMENTS
from adweir.reporting.dimensions import DIMENSIONS
from adweir.reporting.filters import FILTERS
from adweir.reporting.formats import FORMATS
from adweir.reporting.records import DATA_TYPES
from adweir.reporting.relative import RELATIVE, Before
from adweir.reporting.report_names import METRICS, SHORT_NAMES
from adweir.runtime.settings import Settings
from ops.cli import app
from support import grants
from support.described import Described
from support.documents import DOCUMENTS, all_code, code, rows
from support.template import ROOT, template

COMMANDS = typer.main.get_command(app)


def commands() -> set[str]:
    context = typer.Context(COMMANDS)
    return set(COMMANDS.list_commands(context))  # type: ignore[attr-defined]


def test_every_command_is_documented_and_every_documented_one_exists() -> None:
    table = {
        name for cells in rows("operations.md", "On one machine") for name in re.findall(r"`adweir ([a-z-]+)", cells[0])
    }
    shown = re.findall(r"\badweir(?: --home \S+| --stack \S+)* ([a-z][a-z-]*)", all_code())

    assert table == commands()
    assert set(shown) - commands() == set()


def test_every_workflow_is_documented() -> None:
    assert [code(cells[0])[0] for cells in rows("api.md", "Workflows")] == list(WORKFLOWS)


def test_every_metric_dimension_filter_and_format_of_a_report_is_documented() -> None:
    table = {cells[0]: code(cells[1]) for cells in rows("api.md", "Reports")}

    assert table == {
        "metrics": list(METRICS),
        "dimensions": list(DIMENSIONS),
        "short names": list(SHORT_NAMES),
        "segments, and filters of `retrieve`": list(FILTERS),
        "formats": list(FORMATS),
    }


def test_every_option_word_and_segment_of_a_report_is_documented() -> None:
    options = {name: cells[1] for cells in rows("api.md", "Report options") for name in code(cells[0])}

    assert set(code(options["time_range"])) >= {*RELATIVE} - {
        "last_14_days",
        "last_28_days",
        "last_30_days",
        "last_90_days",
    }
    assert set(SEGMENTS) <= set(code(options["segments"]))
    assert set(Before) <= set(code(options["compare"]))
    assert {"order", "limit", "limit_per", "names"} <= set(options)


def test_every_data_type_is_documented() -> None:
    documented = [name for cells in rows("api.md", "Data types") for name in code(cells[1])]

    assert sorted(documented) == sorted(DATA_TYPES)


def test_every_make_target_is_documented_and_every_documented_one_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*?## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = set(re.findall(r"\bmake ([a-z]+(?:-[a-z]+)*)", all_code()))

    assert targets - shown == set()
    assert shown - targets == set()


def test_given_make_help_when_shown_then_no_line_is_wider_than_a_terminal() -> None:
    targets = re.findall(r"^([a-z-]+):.*?## (.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert [line for name, about in targets if len(line := f"  make {name:<9} {about}") > 80] == []


def test_every_route_is_documented_with_its_scope(described: Described) -> None:
    operations = {f"{each.method} {each.path}": scope_of(each.spec) for each in described.operations}
    keyed = {
        code(cells[0])[0]: cells[1]
        for heading in ("Clients and credentials", "Pulling", "Reading", "Campaigns across platforms", "Operating")
        for cells in rows("api.md", heading)
    }
    public = {call: "" for cells in rows("api.md", "Without a key") for call in code(cells[0])}

    assert keyed | public == operations


def scope_of(spec: Mapping[str, Any]) -> str:
    """The scope that an operation asks of a key; "" for a public one."""
    return next((scope for rule in spec.get("security", []) for scope in rule["key"]), "")


def test_every_parameter_is_documented_with_its_default() -> None:
    parameters = template().source["Parameters"]
    table = {code(cells[0])[0]: cells[1] for cells in rows("settings.md", "The template's parameters")}

    assert set(table) == set(parameters)
    for name, shown in table.items():
        default = str(parameters[name].get("Default", ""))
        if default.startswith("cron("):
            assert cron_in_words(default) == shown, name
        else:
            assert shown.strip("`") == default, name


def cron_in_words(cron: str) -> str:
    """`cron(30 5 * * ? *)` → 05:30."""
    minute, hour, _, _, day, _ = cron.removeprefix("cron(").removesuffix(")").split()
    if hour == "*":
        return f"minute {minute}"
    return f"{'Sunday ' if day == 'SUN' else ''}{int(hour):02}:{int(minute):02}"


def test_every_setting_is_documented() -> None:
    table = [
        name
        for cells in rows("settings.md", "What the functions read from their environment")
        for name in code(cells[0])
    ]

    assert sorted(table) == sorted(name.upper() for name in Settings.model_fields)


def test_every_metric_of_ours_is_documented() -> None:
    assert [name for cells in rows("operations.md", "Metrics") for name in code(cells[0])] == list(OperationMetric)


def test_every_alarm_names_the_section_that_helps_and_that_section_names_the_alarm() -> None:
    """A section's paragraphs begin with the alarms that they are about, then a colon."""
    chapter = (ROOT / "docs/operations.md").read_text().partition("\n## What to do when an alarm rings\n")[2]
    sections = dict(part.split("\n", 1) for part in chapter.partition("\n## ")[0].split("\n### ")[1:])
    about = {
        title: [name for names in re.findall(r"(?m)^((?:`[^`]+`(?:, )?)+):", text) for name in code(names)]
        for title, text in sections.items()
    }
    named = {
        name: alarm["AlarmDescription"].partition(" Help: docs/operations.md, ")[2]
        for name, alarm in template().of("AWS::CloudWatch::Alarm").items()
    }

    for name, title in named.items():
        assert any(fnmatchcase(name, pattern) for pattern in about[title]), f"{name} is not in the section {title!r}"
    for title, patterns in about.items():
        for pattern in patterns:
            assert any(fnmatchcase(name, pattern) for name in named if named[name] == title), pattern
        assert re.findall(r"(?m)^- \*\*(\w+)\*\*", sections[title]) == ["Look", "Do", "Over"], title


def test_what_each_function_may_do_is_documented_as_the_template_grants_it() -> None:
    said = {}
    for function, may_read, may_change in rows("security.md", "What each function may do"):
        said[code(function)[0]] = (set(code(may_read)), set(code(may_change)))
    stolen = [name for cells in rows("security.md", "If a role's credentials were stolen") for name in code(cells[0])]

    names = {logical: resource["Properties"]["CodeUri"].split("/")[1] for logical, resource in functions().items()}
    granted_to: dict[str, tuple[set[str], set[str]]] = {name: (set(), set()) for name in names.values()}
    for grant in grants.granted():
        granted_to[names[f"{grant.function}Function"]][grants.changes(grant)].add(grants.shown(grant.resource))
    assert said == granted_to
    assert sorted(stolen) == sorted(names.values())


def functions() -> dict[str, Any]:
    resources = template().source["Resources"].items()
    return {name: about for name, about in resources if about["Type"] == "AWS::Serverless::Function"}


def test_every_file_that_a_document_links_to_exists() -> None:
    for path in [*DOCUMENTS, ROOT / "ARCHITECTURE.md", ROOT / "tests/README.md"]:
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
            assert (path.parent / Path(target)).exists(), f"{path.name}: {target}"
