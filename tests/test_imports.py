"""The house stays a house: data runs left to right, and so do the imports.

Read from the sources, not from what happens to be loaded: imports inside functions and under
TYPE_CHECKING count, and so does `importlib.import_module("…")`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPO = Path(__file__).parent.parent

# The order a video takes through the package. A room may use what is made to its left, never what
# uses it: then a reader who knows the left half can read any room, and a change on the right can
# break nothing on the left. The first row is the ground, which every room stands on.
GROUND = ("errors", "config", "run")
ROOMS = (
    *GROUND,
    *("sources", "media", "annotate", "release", "measure", "validate", "review"),
    *("analyze", "publish", "pipeline", "commands", "cli"),
)

# Outside of the package: who may import what of it. `cards` are measures that `evaluate` loads
# from a folder; they stay thin. Scripts may use everything, and nothing imports a script.
CARDS_MAY_IMPORT = ("builder.errors", "builder.annotate", "builder.measure")
SCHEMA = "ecuador_crisis_tiktok"
SCHEMA_MAY_IMPORT = {"datasets", "pyarrow", *sys.stdlib_module_names}

# What one person can keep in the head: "about a dozen".
MOST_MODULES = 13


def modules_of(tree: Path) -> dict[str, Path]:
    """Every module of the three folders and the schema: dotted name -> file."""
    files = [file for top in ("builder", "cards", "scripts") for file in (tree / top).rglob("*.py")]
    named = {}
    for file in [*files, tree / f"{SCHEMA}.py"]:
        if file.exists():
            parts = file.relative_to(tree).with_suffix("").parts
            named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return named


def imports_of(module: str, file: Path) -> Iterator[tuple[str, str | None, int]]:
    """(module named, name taken from it or None, line) of every import anywhere in one file."""
    package = module.split(".") if file.stem == "__init__" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None, node.lineno
        elif isinstance(node, ast.ImportFrom):
            near = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*near, *([node.module] if node.module else [])])
            for alias in node.names:
                yield base, alias.name, node.lineno
        elif isinstance(node, ast.Call) and (named := imported_by_call(node)):
            yield named, None, node.lineno


def imported_by_call(node: ast.Call) -> str | None:
    """The module of `importlib.import_module("…")` where it is written out."""
    if ast.unparse(node.func).split(".")[-1] not in ("import_module", "__import__"):
        return None
    return str(node.args[0].value) if node.args and isinstance(node.args[0], ast.Constant) else None


def graph_of(modules: dict[str, Path]) -> dict[str, dict[str, int]]:
    """Importing module -> imported module -> line. Modules of other projects are kept by name."""
    graph: dict[str, dict[str, int]] = {}
    for module, file in modules.items():
        seen = graph.setdefault(module, {})
        for base, name, line in imports_of(module, file):
            # A script is imported by its bare name from a script beside it.
            beside = f"scripts.{base}" if module.startswith("scripts.") else base
            base = beside if beside in modules else base
            target = f"{base}.{name}" if name and f"{base}.{name}" in modules else base
            if target != module:
                seen.setdefault(target, line)
    return graph


def room_of(module: str) -> str:
    """`builder.annotate.nli.engine` -> `annotate`; a whole other package is its own room."""
    return module.split(".")[1] if module.startswith("builder.") else module.split(".")[0]


def may_import(module: str, target: str) -> bool:
    """Whether the order allows it. Only asked about modules of this repository."""
    room, wanted = room_of(module), room_of(target)
    if target == "builder" or module == "builder":
        return True
    if target.startswith(("cards", "scripts")):
        return module.split(".")[0] == target.split(".")[0]
    if module.startswith("cards"):
        return target == SCHEMA or target.startswith(CARDS_MAY_IMPORT)
    if module.startswith("scripts"):
        return True
    if target == SCHEMA:
        return room != "errors"
    return wanted in ROOMS and ROOMS.index(wanted) <= ROOMS.index(room)


def complaints(tree: Path) -> list[str]:
    """What is wrong with a tree, one line each, with file and line of the import."""
    modules = modules_of(tree)
    graph = graph_of(modules)
    found = []
    for module, targets in sorted(graph.items()):
        where = modules[module].relative_to(tree).as_posix()
        if module.startswith("builder.") and room_of(module) not in ROOMS:
            found.append(f"{where}: the room {room_of(module)} is not in the order of the rooms")
            continue
        for target, line in sorted(targets.items()):
            if target in modules and not may_import(module, target):
                found.append(f"{where}:{line}: {module} imports {target}, which is on its right")
            if module == SCHEMA and target.split(".")[0] not in SCHEMA_MAY_IMPORT:
                found.append(
                    f"{where}:{line}: the schema imports {target}, so it cannot stand alone"
                )
    try:
        TopologicalSorter(
            {module: [t for t in targets if t in modules] for module, targets in graph.items()}
        ).prepare()
    except CycleError as error:
        found.append("a circle of imports: " + " <- ".join(error.args[1]))
    folders: dict[Path, int] = {}
    for file in modules.values():
        inside = file.parent != tree and file.relative_to(tree).parts[0] != "scripts"
        if inside and file.stem != "__init__":
            folders[file.parent] = folders.get(file.parent, 0) + 1
    found += [
        f"{folder.relative_to(tree).as_posix()}: {count} modules in one room; make a sub-room"
        for folder, count in sorted(folders.items())
        if count > MOST_MODULES
    ]
    return found


def test_imports_run_left_to_right_without_a_circle() -> None:
    assert complaints(REPO) == []


def test_the_walk_sees_the_package() -> None:
    """Guards the test above: an empty walk would be content with anything."""
    graph = graph_of(modules_of(REPO))
    assert len(graph) > 100
    assert {room_of(m) for m in graph if m.startswith("builder.")} <= set(ROOMS)
    assert sum(len(targets) for targets in graph.values()) > 300


def made_up(tree: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    return tree


@pytest.mark.parametrize(
    ("files", "told"),
    [
        pytest.param(
            {
                "builder/media/a.py": "from builder.media.b import x",
                "builder/media/b.py": "from builder.media import c",
                "builder/media/c.py": "def f():\n    import builder.media.a",
            },
            "a circle of imports",
            id="circle through a function",
        ),
        pytest.param(
            {
                "builder/sources/a.py": "from typing import TYPE_CHECKING\n"
                "if TYPE_CHECKING:\n    from builder.release.b import B",
                "builder/release/b.py": "",
            },
            "builder/sources/a.py:3: builder.sources.a imports builder.release.b",
            id="to the right, for types only",
        ),
        pytest.param(
            {"builder/config/a.py": "from ..run import b", "builder/run/b.py": ""},
            "builder.config.a imports builder.run.b",
            id="config stands on errors alone, written as a relative import",
        ),
        pytest.param(
            {
                "builder/release/a.py": "import importlib\nimportlib.import_module('cards.b')",
                "cards/b.py": "",
            },
            "builder.release.a imports cards.b",
            id="the package never needs a card",
        ),
        pytest.param(
            {"cards/a.py": "import builder.validate.b", "builder/validate/b.py": ""},
            "cards.a imports builder.validate.b",
            id="a card knows the measures only",
        ),
        pytest.param(
            {"builder/media/a.py": "import scripts.b", "scripts/b.py": ""},
            "builder.media.a imports scripts.b",
            id="nothing imports a script",
        ),
        pytest.param({"builder/attic/a.py": ""}, "the room attic", id="a room of no order"),
        pytest.param(
            {f"builder/media/m{n}.py": "" for n in range(MOST_MODULES + 1)},
            f"builder/media: {MOST_MODULES + 1} modules",
            id="a crowded room",
        ),
        pytest.param(
            {f"{SCHEMA}.py": "import polars"}, "the schema imports polars", id="the schema alone"
        ),
    ],
)
def test_a_tree_that_breaks_the_rule_is_told(
    tmp_path: Path, files: dict[str, str], told: str
) -> None:
    found = complaints(made_up(tmp_path, files))
    assert len(found) == 1, found
    assert told in found[0]


def test_a_tree_that_keeps_the_rule_is_not(tmp_path: Path) -> None:
    files = {
        "builder/errors.py": "",
        "builder/config/a.py": "import polars\nfrom builder.errors import E",
        "builder/run/a.py": "from builder.config import a",
        "builder/measure/a.py": "from builder.annotate.nli.b import x",
        "builder/annotate/nli/b.py": f"import {SCHEMA}",
        "builder/commands/a.py": "from builder.measure import a",
        "cards/a.py": f"from builder.measure.a import m\nfrom {SCHEMA} import L",
        "scripts/b.py": "from builder.commands.a import run\nimport c",
        "scripts/c.py": "",
        f"{SCHEMA}.py": "import datasets\nimport pyarrow.parquet",
    }
    assert complaints(made_up(tmp_path, files)) == []


def test_test_files_have_names_of_their_own() -> None:
    """Test folders are no packages, so pytest can only tell two test files apart by their names."""
    places: dict[str, list[str]] = {}
    for file in sorted((REPO / "tests").rglob("*.py")):
        places.setdefault(file.name, []).append(file.relative_to(REPO).as_posix())
    doubled = {
        k: v for k, v in places.items() if len(v) > 1 and k not in ("conftest.py", "__init__.py")
    }
    assert doubled == {}
