"""What no released text may hold: raw ids, usernames, paths, and what the scrubber still replaces.

One home for two readers: `anonymize` withholds a text in which something is left, and the contract
refuses a release in which something is. What the first lets through the second finds nothing in.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from pathlib import Path

import polars as pl

import ecuador_crisis_tiktok as schema
from builder.config.campaign import Campaign
from builder.sources.ids import EARLIEST, LATEST

# Whole numbers of the length of an id. A known id is found whatever stands around it. What is only
# shaped like one must not touch hex digits: digests hold long runs of digits by chance.
_RUN = r"[0-9]{17,}"
_ALONE = r"(?:^|[^0-9a-f])[0-9]{17,19}(?:$|[^0-9a-f])"
WORD = r"[\p{L}\p{N}_.]+"
# The absolute paths of a machine: POSIX of two steps or more, Windows, UNC, file://, home (~).
# No look-around: Rust's regular expressions have none.
PATH = (
    r"(?:^|[\s\"'(=`\[{,;@>|])/(?:[\p{L}\p{N}_.+-]+/)+[\p{L}\p{N}_.+~-]*"
    r"|(?:^|[\s\"'(=`\[{,;@>|:])/(?:home|Users|root|mnt|Volumes|tmp)/"
    r"|(?:^|[^\p{L}\p{N}])[A-Za-z]:(?:\\+|/)[\p{L}\p{N}_.]"
    r"|\\\\[\p{L}\p{N}_.-]+\\+[\p{L}\p{N}_.$-]"
    r"|\bfile:/"
    r"|(?:^|[\s\"'(=`])~[\p{L}\p{N}_.-]*[/\\][\p{L}\p{N}_.]"
)
_ROOT = Path(__file__).parents[3]
_SOURCES = ("*.py", "*.jinja", "*.toml", "*.csv", "*.json", "*.md")
_FIGURES = re.compile(r"[\d._]+")
_WORDS = re.compile(r"[\w.]+")


def with_raw_ids(texts: pl.Series, ids: pl.Series | None) -> pl.Series:
    """Which texts hold a raw id: one of `ids`, or without them anything shaped like one.

    Args:
        texts: String.
        ids: Int64, or None.

    Returns:
        Boolean, false for null.
    """
    pattern = _ALONE if ids is None else _RUN
    hits = texts.str.contains(pattern).fill_null(False)
    if not hits.any():
        return hits
    run = pl.element().str.extract(f"({_RUN})").cast(pl.Int64, strict=False)
    numbers = pl.col("text").str.extract_all(pattern).list.eval(run)
    known = (
        (pl.element() // 2**32).is_between(EARLIEST, LATEST)
        if ids is None
        else pl.element().is_in(ids.implode())
    )
    frame = texts.alias("text").to_frame().with_columns(hit=hits)
    found = frame.select(
        pl.when("hit").then(numbers.list.eval(known.fill_null(False)).list.any()).alias("found")
    )
    return found["found"].fill_null(False)


def with_words(texts: pl.Series, names: Collection[str]) -> pl.Series:
    """Which texts hold one of `names` (lower case) as a word, whatever stands around it."""
    if not names:
        return pl.repeat(False, texts.len(), dtype=pl.Boolean, eager=True)
    words = (
        texts.alias("text")
        .to_frame()
        .with_row_index("row")
        .with_columns(word=pl.col("text").str.to_lowercase().str.extract_all(WORD))
        .explode("word")
        .drop_nulls("word")
    )
    distinct = words["word"].unique().to_list()
    known = [word for word in distinct if word in names or word.strip(".") in names]
    rows = words.filter(pl.col("word").is_in(known))["row"].unique()
    return pl.Series([False] * texts.len(), dtype=pl.Boolean).scatter(rows, True)


def with_paths(texts: pl.Series) -> pl.Series:
    """Which texts hold an absolute path of a machine."""
    # nearly no text has a stroke, and without one there is no path: a hundredth of the time
    may = texts.str.contains(r"[/\\]").fill_null(False)
    rows = may.arg_true()
    return may.scatter(rows, texts.gather(rows).str.contains(PATH)) if rows.len() else may


@cache
def package_words() -> frozenset[str]:
    """Every word this package's own files are written with, lower case.

    They are public: one of them in a file that we write is our word, also where somebody calls
    himself `video_id`.
    """
    words: set[str] = set()
    files = [Path(schema.__file__)]
    for folder in ("builder", "cards"):
        for pattern in _SOURCES:
            files += sorted((_ROOT / folder).rglob(pattern))
    for path in files:
        if path.is_file() and "sample" not in path.relative_to(_ROOT).parts:
            words |= words_of(path.read_text(encoding="utf-8", errors="replace"))
    return frozenset(words)


def campaign_words(campaign: Campaign) -> frozenset[str]:
    """Every word of a campaign file, lower case."""
    return frozenset(words_of(campaign.model_dump_json())) | words_of(campaign.version)


def words_of(text: str) -> set[str]:
    """The words of a text, lower case, with and without the dots around them."""
    found = {word.lower() for word in _WORDS.findall(text)}
    return found | {word.strip(".") for word in found}


def is_figure(word: str) -> bool:
    """Whether a word is made of figures, dots and underscores: a number of a report."""
    return _FIGURES.fullmatch(word) is not None
