"""Nothing private in the bytes of a release: raw ids, usernames, paths, handles, phone numbers.

Every text cell of every config and every other file is read. With the work folder at hand the
campaign's own ids and usernames are looked for, each of them; without it anything shaped like a raw
id is. The text scrubber is run again: what it would still replace is a leak.

Words of this package, of the campaign file and of the models' names are ours wherever we write
them, also where an author calls himself `video_id` or `1.0.0`. In what people said and in hashtags
nothing is ours.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

import ecuador_crisis_tiktok as schema
from builder.config.campaign import Campaign
from builder.config.citation import bibtex
from builder.release.hashtags import distinctive_usernames, known_usernames, shared_usernames
from builder.release.scrub.scrubber import Scrubber
from builder.release.texts.residue import (
    campaign_words,
    is_figure,
    package_words,
    with_paths,
    with_raw_ids,
    with_words,
    words_of,
)
from builder.release.texts.withhold import scrub_safely
from builder.validate.contract.check import Check, Problem
from builder.validate.contract.hidden import TEXTS
from builder.validate.release import Release

_SCRUBBED = {"transcripts": ("text", "segments"), "summaries": ("summary",), "videos": ()}
# What people said and wrote: there no word is ours.
_FREE = {
    ("transcripts", "text"),
    ("transcripts", "segments"),
    ("summaries", "summary"),
    ("metadata", "hashtags"),
}
# What the card is full of itself: "SHA-256" reads like a plate, a file's name like a link.
_OF_THE_CARD = {"url", "plate", "username"}
_WAY_OUT = "do not publish; build the release again and report this as a bug of the package"
_PATH_WAY_OUT = "build the release again from this version; no file may name a folder of a machine"
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass
class Private:
    """What must not appear, from the work folder.

    Attributes:
        ids: every raw id (Int64, sorted).
        usernames: every username that is distinctive enough to be looked for as a bare word.
    """

    ids: pl.Series
    usernames: frozenset[str]

    @classmethod
    def of(cls, parts: Iterable[Path], campaign: Campaign) -> Private:
        """From the ingest parts."""
        paths = list(parts)
        ids = pl.concat([pl.read_parquet(path, columns=["id"], glob=False)["id"] for path in paths])
        usernames = known_usernames(paths)
        shared = shared_usernames(paths, campaign, usernames)
        return cls(ids.sort(), distinctive_usernames(usernames, shared))


def check_leaks(
    release: Release, campaign: Campaign | None, private: Private | None
) -> Iterator[Check]:
    """Five checks: raw ids, usernames, paths, and what the scrubber knows in texts and card."""
    yield _raw_ids(release, private)
    yield _usernames(release, campaign, private)
    yield _paths(release)
    yield _identifiers(release, campaign)
    yield _card(release, campaign)


@dataclass
class _Texts:
    """Distinct texts of one column (or of one file's lines), and where each of them stands."""

    file: str
    column: str
    values: pl.Series
    rows: pl.DataFrame
    start: int

    @property
    def ours(self) -> bool:
        """Whether the words are the package's, not people's."""
        return (self.file, self.column) not in _FREE

    def row_of(self, hits: pl.Series) -> str:
        """Number of the first row that holds one of `hits`."""
        found = self.rows.filter(pl.col("text").is_in(hits.implode()))["row"].min()
        return "" if found is None else str(self.start + int(found))  # type: ignore[arg-type]


def _texts(release: Release) -> Iterator[_Texts]:
    """Everything released, as texts."""
    for config in schema.FEATURES:
        if config == "videos":
            continue  # its cells are those of the other configs; the joins prove it
        start = 0
        for frame in release.batches(config):
            for column in frame.columns:
                values = _as_text(frame[column])
                if values is not None:
                    yield _of(config, column, values, start)
            start += frame.height
    for path in sorted(release.folder.rglob("*")):
        name = path.relative_to(release.folder).as_posix()
        if path.suffix.lower() in TEXTS and path.is_file():
            lines = _plain(path.read_text(encoding="utf-8", errors="replace")).split("\n")
            yield _of(name, "line", pl.Series(lines, dtype=pl.String), 1)


def _plain(text: str) -> str:
    """A file's text as it reads once HTML, JSON and Unicode have said it in other characters."""
    if "\\u" in text:
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return unicodedata.normalize("NFKC", html.unescape(text) if "&" in text else text)


def _as_text(values: pl.Series) -> pl.Series | None:
    """A column as texts or lists of texts; None when it can hold neither a name nor an id."""
    if values.dtype == pl.Int64:
        big = values.to_frame("n").select(pl.when(pl.col("n") > 2**53).then(pl.col("n")))["n"]
        return big.cast(pl.String) if big.count() else None
    if isinstance(values.dtype, pl.List):
        inner = values.dtype.inner
        if isinstance(inner, pl.Struct):
            return values.list.eval(pl.element().struct.field("text"))
        return values if inner == pl.String else None
    return values if values.dtype == pl.String else None


def _of(file: str, column: str, values: pl.Series, start: int) -> _Texts:
    rows = values.alias("text").to_frame().with_row_index("row")
    if isinstance(values.dtype, pl.List):
        rows = rows.explode("text")
    rows = rows.drop_nulls("text")
    return _Texts(file, column, rows["text"].unique(), rows, start)


def _report(check: Check, texts: _Texts, hits: pl.Series, what: str, way_out: str) -> None:
    found = texts.values.filter(hits)
    if found.len():
        value = f"{found.len()} {what}"
        check.fail(
            Problem(texts.file, texts.row_of(found), texts.column, value, way_out), found.len()
        )


def _raw_ids(release: Release, private: Private | None) -> Check:
    how = "each of the campaign's ids" if private else "anything shaped like one"
    check = Check("no raw TikTok id anywhere in the release", note=f"looked for: {how}")
    if release.manifest.privacy.id_policy == "raw":
        check.verdict, check.note = "not applicable", "the campaign releases raw ids"
        return check
    for texts in _texts(release):
        hits = with_raw_ids(texts.values, private.ids if private else None)
        _report(check, texts, hits, "text(s) with a raw id", _WAY_OUT)
    return check


def _usernames(release: Release, campaign: Campaign | None, private: Private | None) -> Check:
    check = Check("no username of the campaign anywhere in the release")
    if private is None:
        check.verdict = "not applicable"
        check.note = "needs the work folder (--work); handles are looked for below in any case"
        return check
    ours = own_words(release, campaign)
    others = frozenset(n for n in private.usernames if n not in ours and not is_figure(n))
    for texts in _texts(release):
        names: Collection[str] = others if texts.ours else private.usernames
        hits = with_words(texts.values, names)
        _report(check, texts, hits, "text(s) with a username", _WAY_OUT)
    return check


# "mini_nli@8d5074e68aec": the revision of a model, no handle
_REVISION = re.compile(r"@(?:sha256:)?[0-9a-f]{12}(?![\w.])")


def own_words(release: Release, campaign: Campaign | None) -> frozenset[str]:
    """The words with which this package, the campaign file and the models are described."""
    manifest = release.manifest
    told = [
        manifest.name,
        manifest.version,
        manifest.campaign,
        manifest.code_version,
        manifest.schema_version,
        manifest.profile or "",
        manifest.instruction_set or "",
        *manifest.models.values(),
    ]
    words = package_words() | words_of(" ".join(told))
    return frozenset(words | (campaign_words(campaign) if campaign else set()))


def _paths(release: Release) -> Check:
    check = Check("no absolute path of a machine anywhere in the release")
    for texts in _texts(release):
        hits = with_paths(texts.values)
        _report(check, texts, hits, "text(s) with an absolute path", _PATH_WAY_OUT)
    return check


def _scrubber(release: Release, campaign: Campaign | None) -> Scrubber:
    if campaign:
        return Scrubber.of(campaign)
    told = release.manifest.scrub_countries
    loaded = told.loaded if told else []
    return Scrubber(country=loaded[0] if loaded else "", neighbours=loaded[1:])


def _identifiers(release: Release, campaign: Campaign | None) -> Check:
    check = Check("the scrubber finds nothing left to replace in released texts")
    scrubber = _scrubber(release, campaign)
    for config, columns in _SCRUBBED.items():
        for column in columns:
            start = 0
            for frame in release.batches(config, [column]):
                for row, kinds in _left(scrubber, frame[column]):
                    value = ", ".join(sorted(set(kinds))) or "the scrubber fails on this text"
                    check.fail(Problem(config, str(start + row), column, value, _WAY_OUT))
                start += frame.height
    return check


def _card(release: Release, campaign: Campaign | None) -> Check:
    check = Check("the card and the notes name nobody: no handle, number or address of their own")
    if campaign is None:
        check.verdict = "not applicable"
        check.note = "needs the campaign file, whose own words may stand there (--campaign)"
        return check
    scrubber = _scrubber(release, campaign)
    entry = bibtex(campaign, synthetic=release.manifest.synthetic).splitlines()[:1]  # @misc{…
    own = _strings([campaign.model_dump(mode="json"), entry])
    allowed = sorted(own, key=len, reverse=True)
    lines = {"README.md": _body(release), "MANIFEST.json": release.manifest.notes}
    for name, texts in lines.items():
        for number, line in enumerate(texts):
            for text in allowed:
                line = line.replace(text, " ") if text in line else line
            line = _REVISION.sub(" ", line)
            kinds = set(scrubber.scrub(_plain(line)).kinds) - _OF_THE_CARD
            if release.manifest.privacy.id_policy == "raw":
                kinds -= {"id"}  # the campaign releases them: the card's example row has one
            if kinds:
                value = ", ".join(sorted(kinds))
                check.fail(Problem(name, str(number + 1), "line", value, _WAY_OUT))
    return check


def _body(release: Release) -> list[str]:
    """The card's lines; those of its YAML, which is checked against the schema, blank."""
    path = release.folder / "README.md"
    lines = path.read_text(encoding="utf-8").split("\n") if path.is_file() else []
    end = lines.index("---", 1) if lines.count("---") > 1 else 0
    return ["" if number <= end else line for number, line in enumerate(lines)]


def _strings(value: object) -> set[str]:
    """Every text of four characters or more in nested tables, and its lines."""
    if isinstance(value, str):
        whole = {value, value.strip(), *value.splitlines()}
        return {text for text in whole if len(text) >= 4}
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return set().union(*(_strings(item) for item in value)) if value else set()
    return set()


def _left(scrubber: Scrubber, values: pl.Series) -> list[tuple[int, list[str]]]:
    """(row, kinds) of everything the scrubber would still replace in a column."""
    texts = _as_text(values)
    if texts is None:
        return []
    rows = texts.alias("text").to_frame().with_row_index("row")
    if isinstance(texts.dtype, pl.List):
        rows = rows.explode("text")
    found = scrub_safely(scrubber, rows["text"])
    kinds, failed = found["kinds"], found["failed"]
    left = rows.select("row", kinds=kinds).filter((kinds.list.len() > 0) | failed)
    return list(left.iter_rows())
