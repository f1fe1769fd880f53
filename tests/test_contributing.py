"""What CONTRIBUTING.md says is enough is enough: its examples are applied to a copy and built."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from fakes.pages import NOON, make_id
from release_kit import NO_MODELS
from test_imports import complaints

REPO = Path(__file__).parent.parent
TEXT = (REPO / "CONTRIBUTING.md").read_text(encoding="utf-8")
CAMPAIGN, RELEASE = "chile_2024", "ChileCrisisTikTok"
WALLET, RUT = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "12.345.678-5"


@dataclass(frozen=True)
class Change:
    """A hunk of a diff: the old lines stand in the file exactly once, the new ones replace them."""

    path: str
    old: str
    new: str


def new_files() -> dict[str, str]:
    """Path -> content of the examples that are new files."""
    blocks = re.findall(r"```python\n# (\S+)\n(.*?)```", TEXT, flags=re.DOTALL)
    return dict(blocks)


def changes() -> Iterator[Change]:
    for path, body in re.findall(r"```diff\n--- (\S+)\n(.*?)```", TEXT, flags=re.DOTALL):
        for hunk in body.split("@@\n")[1:]:
            lines = hunk.splitlines(keepends=True)
            old = "".join(line[1:] for line in lines if line[0] in " -")
            yield Change(path, old, "".join(line[1:] for line in lines if line[0] in " +"))


def apply(tree: Path) -> None:
    for path, text in new_files().items():
        target = tree / path
        assert not target.exists(), f"{path} exists: CONTRIBUTING.md needs another example"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    for change in changes():
        target = tree / change.path
        text = target.read_text(encoding="utf-8")
        assert text.count(change.old) == 1, f"{change.path} has changed: {change.old!r}"
        target.write_text(text.replace(change.old, change.new), encoding="utf-8")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with the examples applied; models and videos are linked."""
    tree = tmp_path_factory.mktemp("copy")
    heavy = {"models", "videos", "__pycache__"}
    for name in ("builder", "cards", "scripts", "tests"):
        shutil.copytree(REPO / name, tree / name, ignore=lambda _, names: heavy & set(names))
    (tree / "builder" / "models").symlink_to(REPO / "builder" / "models")
    for name in ("ecuador_crisis_tiktok.py", "pyproject.toml"):
        shutil.copy(REPO / name, tree / name)
    campaigns = tree / "builder" / "campaigns"
    shutil.copytree(campaigns / "ecuador_2024", campaigns / CAMPAIGN)
    (campaigns / CAMPAIGN / "paper.toml").unlink()
    apply(tree)
    return tree


def run(tree: Path, *arguments: str) -> str:
    """Run Python in the copy, which goes before the installed package."""
    env = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=tree, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_the_examples_build_a_release_that_passes(tree: Path, tmp_path: Path) -> None:
    said = f"¡Ya! Mi RUT es {RUT} y donen a {WALLET} para todos los vecinos!"
    video = {
        "id": make_id(),
        "create_time": NOON,
        "username": "inventada",
        "region_code": "CL",
        "video_description": "toque de queda #toquedequeda",
        "hashtag_names": ["toquedequeda"],
        "voice_to_text": said,
    }
    page = {"data": {"videos": [video], "has_more": False, "cursor": 1}, "error": {"code": "ok"}}
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "page.json").write_text(json.dumps(page))
    cues = "1\n00:00:00,000 --> 00:00:02,000\nhoy no hay clases en Quito\n"
    (pages / f"{make_id(NOON + 60)}.srt").write_text(cues)
    out = tmp_path / RELEASE
    build = (str(pages), "--work", str(tmp_path / "work"), "--out", str(out))
    skip = ("--campaign", CAMPAIGN, "--skip", ",".join(NO_MODELS))
    main = "import sys; from builder.cli import main; sys.exit(main())"
    run(tree, "-c", main, "regenerate", *build, *skip)
    manifest = json.loads((out / "MANIFEST.json").read_text())
    assert manifest["counts"]["exclaims"] == {"in": 2, "out": 2}
    assert manifest["sources"] == {"pages": 1, "subtitles": 1}
    videos = pl.read_parquet(out / "videos").sort(pl.col("transcript").str.len_chars())
    assert videos["transcript"][0] == "hoy no hay clases en Quito"
    row = videos.row(1, named=True)
    assert row["n_exclamation_marks"] == 2
    assert row["transcript"] == said.replace(RUT, "[RUT]").replace(WALLET, "[WALLET]")
    assert "n_exclamation_marks" in (out / "README.md").read_text(encoding="utf-8")
    report = json.loads((out / "validation.json").read_text())
    assert report["contract"]["verdict"] == "pass"


def test_the_examples_pass_the_tests_they_come_with_and_keep_the_house(tree: Path) -> None:
    named = [path for path in new_files() if path.startswith("tests/")]
    assert len(named) == 4
    assert complaints(tree) == []
    run(tree, "-m", "pytest", "-q", "-p", "no:cacheprovider", *named)


@pytest.mark.skipif(shutil.which("ruff") is None, reason="ruff is not on the path")
def test_the_examples_are_well_kept(tree: Path) -> None:
    new = list(new_files())
    for words in (["check"], ["format", "--check"]):
        done = subprocess.run(
            ["ruff", *words, "--no-cache", *new],
            cwd=tree,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_every_file_it_names_is_there() -> None:
    prose = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
    named = set(re.findall(r"`((?:builder|cards|scripts|tests|docs|\.ci)/[\w./-]+)`", prose))
    named |= set(re.findall(r"pytest (\S+\.py)", TEXT)) | {"CHANGELOG.md", "constraints.txt"}
    assert len(named) > 15
    assert [path for path in sorted(named) if not (REPO / path).exists()] == []
