"""What `ecuador-crisis cards` prints: the folders of the `evaluate` modules."""

from __future__ import annotations

from importlib import resources


def run_cards() -> list[str]:
    """One line a module: its name, and the folder that `evaluate.load` takes."""
    folder = resources.files("cards")
    modules = sorted(
        entry.name for entry in folder.iterdir() if (entry / f"{entry.name}.py").is_file()
    )
    lines = [f"{name}: {folder / name}" for name in modules]
    return [*lines, "In Python: evaluate.load(FOLDER).compute(…); each folder's README.md says how"]
