"""The changelog of a release, written into its card while it is built.

The card is under the manifest's digest and validated with everything else, so it cannot be written
when the release is published: `regenerate --previous RELEASE` compares the new tables with the
earlier release, puts an entry on top of that release's own changelog, and only then is the card
hashed and the release validated.
"""

from __future__ import annotations

import re
from pathlib import Path

from builder.publish.diff import ReleaseDiff, compare, describe
from builder.publish.versions import NONE, too_small
from builder.release.manifest import Manifest

_SECTION = re.compile(r"^## Changelog\n+(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def changelog(previous: Path, staging: Path, ours: Manifest) -> tuple[str, ReleaseDiff]:
    """The entries, newest first, and the difference the first of them tells.

    Args:
        previous: the earlier release.
        staging: the new one, tables written.
        ours: what its manifest will be.
    """
    found = compare(previous, staging, ours)
    lines = [f"- `{config}`: {describe(one)}" for config, one in found.configs.items()
             if not (one.same_rows and one.same_schema)]  # fmt: skip
    if found.new_pseudonyms:
        lines.append("- The pseudonyms are new: rows cannot be joined with earlier versions.")
    if not lines:
        lines = ["- No row and no column differs; words about the data may."]
    size = "" if found.bump == NONE else f", a {found.bump} change"
    entry = f"### {ours.version}\n\nSince {found.old}{size}:\n\n" + "\n".join(lines)
    earlier = _entries(previous)
    if ours.version == found.old:  # built again: the entry of this version is replaced
        earlier = earlier.partition("\n### ")[2]
        earlier = f"### {earlier}" if earlier else ""
    return f"{entry}\n\n{earlier}".strip(), found


def bump_note(found: ReleaseDiff) -> str | None:
    """What to say when the campaign's version does not fit the difference."""
    if found.old is None or found.bump == NONE or not too_small(found.old, found.new, found.bump):
        return None
    return (
        f"since {found.old} there is a {found.bump} change, so {found.suggested} would fit; "
        f"the campaign file says {found.new}"
    )


def _entries(release: Path) -> str:
    try:
        text = (release / "README.md").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    found = _SECTION.search(text)
    return found.group(1).strip() if found else ""
