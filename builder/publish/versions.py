"""Semantic versions of a release: what a difference means for whoever builds on the data.

major: something that worked breaks (a column or config is gone or has another type, or the
pseudonyms are others, so joins with the earlier release fail). minor: rows came, went or changed,
or a column was added. patch: the tables are the same, only words about them differ.
"""

from __future__ import annotations

from builder.publish.problems import PublishRefused

NONE, PATCH, MINOR, MAJOR = "no", "patch", "minor", "major"


def parsed(version: str) -> tuple[int, int, int]:
    """Three numbers.

    Raises:
        PublishRefused: it is no version such as 1.2.3.
    """
    parts = version.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        raise PublishRefused(
            f"{version!r} is no version such as 1.2.3",
            field="version",
            way_out='state version = "1.2.3" in the campaign file and build again',
        )
    return int(parts[0]), int(parts[1]), int(parts[2])


def next_version(version: str, bump: str) -> str:
    """The version after a change of that size; below 1.0.0 a major change is a minor one."""
    major, minor, patch = parsed(version)
    if bump == MAJOR and major:
        return f"{major + 1}.0.0"
    if bump in (MAJOR, MINOR):
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + 1}" if bump == PATCH else version


def too_small(old: str, new: str, bump: str) -> bool:
    """Whether the new version is lower than the difference asks for."""
    return parsed(new) < parsed(next_version(old, bump))


def check_bump(old: str, new: str) -> None:
    """Refuse another content under a version that was published, or an older version.

    Raises:
        PublishRefused: `new` is not after `old`.
    """
    if parsed(new) > parsed(old):
        return
    told = "is published already, with other bytes" if new == old else f"is older than {old}"
    raise PublishRefused(
        f"version {new} {told}",
        field="version",
        way_out="raise `version` in the campaign file, build again with `--previous` (it writes "
        "the changelog), and publish that; `ecuador-crisis diff OLD NEW` says which version fits",
    )
