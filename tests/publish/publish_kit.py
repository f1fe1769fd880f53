"""What the tests of `publish` share: a repository, a token, and releases that were changed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from release_kit import NAME, read_json, sign

from builder.validate.whole import validate, write_reports

TOKEN = "hf_" + "inventedToken" * 3
REPO = f"sim_lab/{NAME}"


def set_manifest(release: Path, **keys: Any) -> Path:
    """Change keys of MANIFEST.json, and let the report be about it."""
    manifest = read_json(release / "MANIFEST.json") | keys
    (release / "MANIFEST.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")
    report = validate(release)
    write_reports(report, release / "validation.json", release / "validation.html")
    return release


def bumped(release: Path, version: str) -> Path:
    """The same data under another version: manifest and card say so."""
    old = read_json(release / "MANIFEST.json")["version"]
    card = release / "README.md"
    card.write_text(card.read_text(encoding="utf-8").replace(old, version), encoding="utf-8")
    sign(release)
    return set_manifest(release, version=version)


def kill_times() -> int:
    """How often the upload is killed: 100 times, fewer while one works on the test."""
    return int(os.environ.get("ECUADOR_CRISIS_KILLS", "100"))
