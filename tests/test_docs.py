"""The documentation of the commands is complete and cannot disagree with `--help`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from builder.cli import app
from builder.config.campaign_fields import OTHER_FILES, fields
from builder.pipeline.plan import PLAN

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "commands.md"
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
OPTIONS = [
    (name, option)
    for name, command in COMMANDS.items()
    for parameter in command.params
    for option in (*parameter.opts, *parameter.secondary_opts)
    if option.startswith("--")
]


def section(name: str) -> str:
    """What the page says about a command."""
    found = re.search(
        rf"^## {name}\n(.*?)(?=^##? |\Z)",
        PAGE.read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    assert found, f"docs/commands.md does not document {name}; run scripts/make_docs.py"
    return found.group(1)


def helped(*arguments: str) -> str:
    result = CliRunner().invoke(app, [*arguments, "--help"], prog_name="ecuador-crisis")
    assert result.exit_code == 0
    return result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name: str) -> None:
    assert f"ecuador-crisis {name}" in section(name)


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_every_option_is_documented(name: str, option: str) -> None:
    line = re.search(rf"^\s+{option}\b.*(?:\n {{20,}}.*)*", section(name), re.MULTILINE)
    assert line, f"{option} of {name} is missing; run scripts/make_docs.py"
    assert re.search(r"[A-Z<].*[a-z]", line.group().split(option, 1)[1]), "it has no description"


def test_every_field_of_a_campaign_is_documented() -> None:
    page = (ROOT / "docs" / "campaign.md").read_text(encoding="utf-8")
    for field in fields():
        if field.path in OTHER_FILES:
            continue
        assert field.meaning, f"{field.path} is not in the docstring of its model"
        row = re.search(rf"^\| `{field.name}` \| .* \|$", page, re.MULTILINE)
        assert row, f"{field.path} is missing; run scripts/make_docs.py"
    assert "`paper.toml` | optional" in page


def test_every_stage_is_documented() -> None:
    page = PAGE.read_text(encoding="utf-8")
    stages = re.findall(r"^\| `(\w+)` \|", page[page.index("# Stages") :], re.MULTILINE)
    assert stages == list(PLAN.names)


def test_no_command_is_documented_that_does_not_exist() -> None:
    documented = re.findall(r"^## (\S+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert documented == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_an_example_that_parses(name: str) -> None:
    text = " ".join(helped(name).split())
    found = re.search(rf"Example: ecuador-crisis ({name}\b.*?) (?:Options|Arguments):", text)
    assert found, f"{name} --help has no example"
    words = found.group(1).split()
    command = COMMANDS[name]
    command.make_context(name, words[1:])  # raises on an option or argument that does not exist


def test_the_help_of_the_program_has_an_example_and_all_commands() -> None:
    text = helped()
    assert "Example: ecuador-crisis" in text and "--debug" in text
    assert all(re.search(rf"^\s+{name}\b", text, re.MULTILINE) for name in COMMANDS)


def test_making_the_page_again_changes_nothing(tmp_path: Path) -> None:
    """Whatever the width of the terminal and the language it is run in."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "make_docs.py"), "--check"],
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "47", "NO_COLOR": "", "LC_ALL": "C", "FORCE_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, "run scripts/make_docs.py: " + done.stderr[-500:]


def test_the_readmes_commands_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    used = set(re.findall(r"ecuador-crisis ([a-z-]+)", readme))
    assert used <= set(COMMANDS), used - set(COMMANDS)
    for line in re.findall(r"^(?:\$ )?ecuador-crisis .*$", readme, re.MULTILINE):
        name = line.removeprefix("$ ").split()[1]
        for option in re.findall(r"--[a-z-]+", line):
            assert (name, option) in OPTIONS or option == "--debug", line
    for script in re.findall(r"scripts/[\w.]+", readme):
        assert (ROOT / script).is_file(), script
