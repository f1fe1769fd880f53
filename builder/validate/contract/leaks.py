"""Nothing private in the bytes of a release: raw ids, usernames, paths, handles, phone numbers.

Every text cell of every config and every other file is read, once for all rules. With the work
folder at hand the campaign's own ids and usernames are looked for, each of them; without it
anything shaped like a raw id is. The text scrubber is run again: what it would still replace is a
leak. U+FFFD, the mark of a lost character, is looked for on the same walk.

Words of this package, of the campaign file and of the models' names are ours wherever we write
them, also where an author calls himself `video_id` or `1.0.0`. In what people said and in hashtags
nothing is ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from builder.config.campaign import Campaign
from builder.config.citation import bibtex
from builder.release.hashtags import distinctive_usernames, known_usernames, shared_usernames
from builder.release.scrub.names.choose import offline_finder, revision
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
from builder.sources.encoding import REPLACEMENT
from builder.validate.contract.again import FindsIdentifiers, FindsNames, spread
from builder.validate.contract.check import MAX_NAMED, Check, Problem
from builder.validate.contract.texts import Texts, plain, released_texts
from builder.validate.release import Release

_SCRUBBED = {("transcripts", "text"), ("transcripts", "segments"), ("summaries", "summary")}
# Segments are pieces of the text that is read; alone they lack what tells a name.
_NAMED = {("transcripts", "text"), ("summaries", "summary")}
# What the card is full of itself: "SHA-256" reads like a plate, a file's name like a link.
_OF_THE_CARD = {"url", "plate", "username"}
_Reader = Callable[[pl.Series], pl.Series]
LONGEST_LINE = 100_000
_WAY_OUT = "do not publish; build the release again and report this as a bug of the package"
_PATH_WAY_OUT = "build the release again from this version; no file may name a folder of a machine"
_LOST_WAY_OUT = (
    "a source was read in the wrong encoding, or arrived damaged: take the original file; then "
    "build the release again"
)


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


@dataclass(frozen=True)
class Leak:
    """Cells of one column in which something is left.

    Attributes:
        file: a config, or a released file.
        column: of the config; ``line`` for a file.
        rows: in the config, from 0.
        texts: what stands there, String. Private: for withholding it, never for telling it.
    """

    file: str
    column: str
    rows: list[int]
    texts: pl.Series


def check_leaks(
    release: Release, campaign: Campaign | None, private: Private | None
) -> Iterator[Check]:
    """Seven checks: lost characters, raw ids, usernames, paths, what the scrubber knows, names."""
    with _private_rules(release, campaign, private) as private_rules:
        rules = [_characters(), *private_rules]
        for rule, texts, hits in _walk(release, rules):
            for problem, count in rule.told(texts, hits):
                rule.check.fail(problem, count)
    yield from (rule.check for rule in rules)
    yield _card(release, campaign)


def leaks(release: Release, campaign: Campaign | None, private: Private | None) -> Iterator[Leak]:
    """Where something private is left, cell by cell; see `check_leaks`."""
    with _private_rules(release, campaign, private) as rules:
        for _, texts, hits in _walk(release, rules):
            found = texts.values.filter(hits)
            yield Leak(texts.file, texts.column, texts.rows_of(found), found)


@dataclass
class _Rule:
    """What is looked for, and how it is told.

    Attributes:
        check: its result.
        find: which of the distinct texts break it (Boolean); None where it does not apply.
        what: of a count of texts, "…(s) with a raw id"; empty tells every row by itself.
        way_out: what to do.
        kinds: says what was found in a text, where there is something to say.
    """

    check: Check
    find: Callable[[Texts], pl.Series | None]
    what: str
    way_out: str
    kinds: Callable[[str], str] = str

    def told(self, texts: Texts, hits: pl.Series) -> Iterator[tuple[Problem, int]]:
        """Problems and how many places each stands for; never the text itself."""
        found = texts.values.filter(hits)
        rows = texts.rows_of(found)
        if self.what:
            value = f"{found.len()} {self.what}"
            row = str(rows[0]) if rows else ""
            yield Problem(texts.file, row, texts.column, value, self.way_out), found.len()
            return
        named = texts.rows.filter(pl.col("text").is_in(found.implode())).unique(
            "row", keep="first", maintain_order=True
        )
        for row, text in named.head(MAX_NAMED).iter_rows():
            place = str(texts.start + row)
            yield Problem(texts.file, place, texts.column, self.kinds(text), self.way_out), 1
        if named.height > MAX_NAMED:
            rest = Problem(texts.file, "", texts.column, "and more rows", self.way_out)
            yield rest, named.height - MAX_NAMED


def _walk(release: Release, rules: list[_Rule]) -> Iterator[tuple[_Rule, Texts, pl.Series]]:
    """(rule, texts, hits) for all that breaks a rule."""
    wanted = [rule for rule in rules if rule.check.verdict != "not applicable"]
    for texts in released_texts(release):
        for rule in wanted:
            hits = rule.find(texts)
            if hits is not None and hits.any():
                yield rule, texts, hits


@contextmanager
def _private_rules(
    release: Release, campaign: Campaign | None, private: Private | None
) -> Iterator[list[_Rule]]:
    scrubber = _scrubber(release, campaign)
    finder = offline_finder(campaign) if campaign else None
    readers: list[_Reader] = [FindsIdentifiers(scrubber)]
    readers += [FindsNames(finder)] if finder else []
    shared, reading = spread(*readers, texts=release.manifest.rows.get("transcripts", 0))
    with shared:
        yield [
            _raw_ids(release, private),
            _usernames(release, campaign, private),
            _paths(),
            _identifiers(scrubber, reading[0]),
            _names(release, reading[1] if finder else None),
        ]


def _characters() -> _Rule:
    def find(texts: Texts) -> pl.Series:
        return texts.values.str.contains(REPLACEMENT, literal=True)

    check = Check("no text holds U+FFFD, the mark of a lost character")
    return _Rule(check, find, "", _LOST_WAY_OUT, lambda _: "U+FFFD")


def _raw_ids(release: Release, private: Private | None) -> _Rule:
    how = "each of the campaign's ids" if private else "anything shaped like one"
    check = Check("no raw TikTok id anywhere in the release", note=f"looked for: {how}")
    if release.manifest.privacy.id_policy == "raw":
        check.verdict, check.note = "not applicable", "the campaign releases raw ids"
    ids = private.ids if private else None
    return _Rule(
        check, lambda texts: with_raw_ids(texts.values, ids), "text(s) with a raw id", _WAY_OUT
    )


def _usernames(release: Release, campaign: Campaign | None, private: Private | None) -> _Rule:
    check = Check("no username of the campaign anywhere in the release")
    names = private.usernames if private else frozenset()
    others = names
    if private is None:
        check.verdict = "not applicable"
        check.note = "needs the work folder (--work); handles are looked for below in any case"
    else:
        ours = own_words(release, campaign)
        others = frozenset(name for name in names if name not in ours and not is_figure(name))

    def find(texts: Texts) -> pl.Series:
        return with_words(texts.values, others if texts.ours else names)

    return _Rule(check, find, "text(s) with a username", _WAY_OUT)


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
        manifest.names.model if manifest.names else "",
    ]
    words = package_words() | words_of(" ".join(told))
    return frozenset(words | (campaign_words(campaign) if campaign else set()))


def _paths() -> _Rule:
    check = Check("no absolute path of a machine anywhere in the release")
    what = "text(s) with an absolute path"
    return _Rule(check, lambda texts: with_paths(texts.values), what, _PATH_WAY_OUT)


def _scrubber(release: Release, campaign: Campaign | None) -> Scrubber:
    if campaign:
        return Scrubber.of(campaign)
    told = release.manifest.scrub_countries
    loaded = told.loaded if told else []
    return Scrubber(country=loaded[0] if loaded else "", neighbours=loaded[1:])


def _names(release: Release, reader: _Reader | None) -> _Rule:
    check = Check("no name of a private person is found in released transcripts and summaries")
    names = release.manifest.names
    if not release.manifest.names_scrubbed or names is None:
        check.verdict, check.note = "not applicable", "names were not looked for in this release"
    elif reader is None:
        check.verdict = "not applicable"
        check.note = "needs the campaign file, which lists public persons (--campaign)"
    elif names.tagger != revision():
        check.verdict = "not applicable"
        check.note = "another version of the tagger made it; it finds other names"

    def find(texts: Texts) -> pl.Series | None:
        if reader is None or check.verdict == "not applicable":
            return None
        return reader(texts.values) if (texts.file, texts.column) in _NAMED else None

    return _Rule(check, find, "text(s) with a name", _WAY_OUT)


def _identifiers(scrubber: Scrubber, reader: _Reader) -> _Rule:
    check = Check("the scrubber finds nothing left to replace in released texts")

    def find(texts: Texts) -> pl.Series | None:
        return reader(texts.values) if (texts.file, texts.column) in _SCRUBBED else None

    def kinds(text: str) -> str:
        again = scrub_safely(scrubber, pl.Series([text]))
        return ", ".join(sorted(set(again["kinds"][0]))) or "the scrubber fails on this text"

    return _Rule(check, find, "", _WAY_OUT, kinds)


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
            if len(line) > LONGEST_LINE:
                value = f"{len(line):,} characters: nobody here writes such a line"
                check.fail(Problem(name, str(number + 1), "line", value, _WAY_OUT))
                continue
            for text in allowed:
                line = line.replace(text, " ") if text in line else line
            line = _REVISION.sub(" ", line)
            kinds = {kind for cell in _cells(plain(line)) for kind in scrubber.scrub(cell).kinds}
            kinds -= _OF_THE_CARD
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


def _cells(line: str) -> list[str]:
    """A line of the card; of a table each cell by itself: counts side by side are no number."""
    return line.split("|") if line.startswith("|") else [line]


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
