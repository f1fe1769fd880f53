"""What differs between two releases: rows by their key, columns, size; what version it means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

import ecuador_crisis_tiktok as schema
from builder.publish.versions import MAJOR, MINOR, NONE, PATCH, next_version
from builder.release.manifest import Manifest

# config -> what names a row
KEYS = {
    **dict.fromkeys(schema.FEATURES, ("video_id",)),
    "transcripts": ("video_id", "source"),
    "keywords": ("term",),
    "events": ("key",),
}


@dataclass
class ConfigDiff:
    """One config: rows (before, after, added, removed, changed), columns, bytes of its files.

    Attributes:
        retyped: column -> "old type -> new type".
        fields: column -> rows in which it has another value.
    """

    before: int = 0
    after: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    columns_added: list[str] = field(default_factory=list)
    columns_removed: list[str] = field(default_factory=list)
    retyped: dict[str, str] = field(default_factory=dict)
    fields: dict[str, int] = field(default_factory=dict)
    bytes_before: int = 0
    bytes_after: int = 0

    @property
    def same_rows(self) -> bool:
        """No row came, went or changed."""
        return not (self.added or self.removed or self.changed)

    @property
    def same_schema(self) -> bool:
        """The columns are the same."""
        return not (self.columns_added or self.columns_removed or self.retyped)


@dataclass
class ReleaseDiff:
    """Two releases compared.

    Attributes:
        old, new: their versions; `old` is None when there was none.
        configs: config -> what differs in it.
        files_added, files_removed, files_changed: paths, Parquet files included.
        new_pseudonyms: ids were made with another key, so no row can be matched.
        bump: none, patch, minor or major: what the difference means for the version.
        suggested: the version that would be right.
    """

    old: str | None
    new: str
    configs: dict[str, ConfigDiff] = field(default_factory=dict)
    configs_added: list[str] = field(default_factory=list)
    configs_removed: list[str] = field(default_factory=list)
    files_added: list[str] = field(default_factory=list)
    files_removed: list[str] = field(default_factory=list)
    files_changed: list[str] = field(default_factory=list)
    new_pseudonyms: bool = False
    bump: str = NONE
    suggested: str = ""

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)

    def lines(self) -> list[str]:
        """For the terminal."""
        lines = [f"{self.old or 'nothing published'} -> {self.new}"]
        for config, found in self.configs.items():
            lines.append(f"  {config}: {describe(found)}")
        if self.new_pseudonyms:
            lines.append("  the pseudonyms were made with another key: no row can be matched")
        others = [
            f"{len(paths)} file(s) {what}"
            for what, paths in (
                ("added", self.files_added),
                ("removed", self.files_removed),
                ("changed", self.files_changed),
            )
            if paths
        ]
        lines.append(f"  files: {', '.join(others) or 'the same, byte for byte'}")
        if self.old is not None:
            lines.append(f"  that is a {self.bump} change; suggested version: {self.suggested}")
        return lines


def describe(found: ConfigDiff) -> str:
    """A config's difference in words."""
    parts = [
        f"{count:,} row{'' if count == 1 else 's'} {what}"
        for what, count in (
            ("added", found.added),
            ("removed", found.removed),
            ("changed", found.changed),
        )
        if count
    ]
    if found.fields:
        most = sorted(found.fields.items(), key=lambda item: (-item[1], item[0]))
        parts.append("in " + ", ".join(f"`{name}` {count:,}" for name, count in most[:5]))
    parts += [f"column `{name}` added" for name in found.columns_added]
    parts += [f"column `{name}` removed" for name in found.columns_removed]
    parts += [f"column `{name}` {change}" for name, change in found.retyped.items()]
    told = ", ".join(parts) or "no row differs"
    return f"{told} ({found.after:,} rows, {_size(found.bytes_after - found.bytes_before)})"


def compare(old: Path, new: Path, after: Manifest | None = None) -> ReleaseDiff:
    """Compare two release folders.

    Args:
        old: the earlier one.
        new: the later one.
        after: its manifest, while that is not written yet.

    Raises:
        UsageProblem: one of them is not a release.
        ManifestProblem: a manifest cannot be used.
    """
    before, after = Manifest.read(old), after or Manifest.read(new)
    found = ReleaseDiff(before.version, after.version)
    listed = [{p: f.sha256 for p, f in m.files.items()} for m in (before, after)]
    found.files_added = sorted(set(listed[1]) - set(listed[0]))
    found.files_removed = sorted(set(listed[0]) - set(listed[1]))
    both = set(listed[0]) & set(listed[1])
    found.files_changed = sorted(path for path in both if listed[0][path] != listed[1][path])
    configs = [_configs(files) for files in listed]
    found.configs_added = sorted(set(configs[1]) - set(configs[0]))
    found.configs_removed = sorted(set(configs[0]) - set(configs[1]))
    found.new_pseudonyms = bool(
        before.key_check and after.key_check and before.key_check != after.key_check
    )
    for config in sorted({*configs[0], *configs[1]}, key=_order):
        paths = [
            [folder / path for path in files.get(config, [])]
            for folder, files in zip((old, new), configs, strict=True)
        ]
        found.configs[config] = _config(config, paths[0], paths[1])
    found.bump = _bump(found)
    found.suggested = next_version(before.version, found.bump)
    return found


def first_release(new: Path) -> ReleaseDiff:
    """The difference to nothing."""
    after = Manifest.read(new)
    found = ReleaseDiff(None, after.version, files_added=sorted(after.files))
    for config, paths in _configs(after.files).items():
        found.configs[config] = _config(config, [], [new / path for path in paths])
    found.suggested = after.version
    return found


def _configs(files: Iterable[str]) -> dict[str, list[str]]:
    """Config -> its Parquet files, in order."""
    found: dict[str, list[str]] = {}
    for path in sorted(files):
        if path.endswith(".parquet") and "/" in path:
            found.setdefault(path.split("/")[0], []).append(path)
    return dict(sorted(found.items(), key=lambda item: _order(item[0])))


def _order(config: str) -> tuple[int, str]:
    known = list(schema.FEATURES)
    return (known.index(config) if config in known else len(known), config)


def _config(config: str, old: list[Path], new: list[Path]) -> ConfigDiff:
    found = ConfigDiff(
        before=_rows(old), after=_rows(new), bytes_before=_bytes(old), bytes_after=_bytes(new)
    )
    if not old or not new:
        found.added, found.removed = found.after, found.before
        return found
    types = [_types(paths) for paths in (old, new)]
    found.columns_added = [name for name in types[1] if name not in types[0]]
    found.columns_removed = [name for name in types[0] if name not in types[1]]
    common = [name for name in types[1] if name in types[0]]
    found.retyped = {
        name: f"{types[0][name]} -> {types[1][name]}"
        for name in common
        if types[0][name] != types[1][name]
    }
    if [p.read_bytes() for p in old] == [p.read_bytes() for p in new]:
        return found
    key = [name for name in KEYS.get(config, ()) if name in common]
    if not key:
        found.added, found.removed = found.after, found.before
        return found
    told = [name for name in common if name not in key and name not in found.retyped]
    frames = [_hashed(paths, key, told) for paths in (old, new)]
    joined = frames[0].join(frames[1], on=key, how="inner", suffix=".new")
    found.added, found.removed = found.after - joined.height, found.before - joined.height
    differing = {name: joined[name] != joined[f"{name}.new"] for name in told}
    found.fields = {name: count for name, is_ in differing.items() if (count := int(is_.sum()))}
    if found.fields:
        found.changed = int(
            pl.DataFrame(differing).select(pl.any_horizontal(pl.all())).sum().item()
        )
    return found


def _hashed(paths: list[Path], key: list[str], columns: list[str]) -> pl.DataFrame:
    """The key as it is and 64 bits of every value: five million rows stay small in memory."""
    lazy = pl.scan_parquet(paths, glob=False)
    return lazy.select(
        *key, *(pl.struct(name).struct.json_encode().hash(0).alias(name) for name in columns)
    ).collect(engine="streaming")


def _types(paths: list[Path]) -> dict[str, str]:
    return {name: str(kind) for name, kind in pl.read_parquet_schema(paths[0]).items()}


def _rows(paths: list[Path]) -> int:
    return sum(pq.read_metadata(path).num_rows for path in paths)


def _bytes(paths: list[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


def _size(size: int) -> str:
    sign, size = ("-" if size < 0 else "+"), abs(size)
    return f"{sign}{size / 1e6:,.1f} MB" if size >= 1e5 else f"{sign}{size:,} bytes"


def _bump(found: ReleaseDiff) -> str:
    configs: Mapping[str, ConfigDiff] = found.configs
    if (
        found.configs_removed
        or found.new_pseudonyms
        or any(c.columns_removed or c.retyped for c in configs.values())
    ):
        return MAJOR
    if found.configs_added or any(not (c.same_rows and c.same_schema) for c in configs.values()):
        return MINOR
    if found.files_added or found.files_removed or found.files_changed:
        return PATCH
    return NONE
