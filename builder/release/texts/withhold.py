"""Texts on their way out: scrubbed, and withheld where something is left or the scrubber fails.

No single text ends a build: whatever happens to it is a reason beside its video.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from builder.config.campaign import Campaign
from builder.release.scrub.scrubber import Scrubber
from builder.release.texts.residue import with_paths, with_raw_ids, with_words

IDENTIFIER = "withheld_identifier"  # something is left that must not leave
SCRUBBER = "withheld_scrubber_failed"  # nobody knows what is left
SEGMENTS = "segments_withheld_identifier"
STATUS = "withheld"


@dataclass(frozen=True)
class Cleaned:
    """A column of texts after the scrubber.

    Attributes:
        text: String; null where the text was null or is withheld.
        kinds: List(String): what was replaced.
        withheld: String: why a text is withheld; null where it is not.
    """

    text: pl.Series
    kinds: pl.Series
    withheld: pl.Series


class Cleaner:
    """Scrubs columns of texts with the campaign's rules and usernames.

    Args:
        campaign: its countries, public figures and terms.
        usernames: those that may stand in no text, lower case.
        ids: every raw id of the campaign (Int64); None takes anything shaped like one.
    """

    def __init__(
        self, campaign: Campaign, usernames: Collection[str], ids: pl.Series | None = None
    ) -> None:
        self.scrubber = Scrubber.of(campaign, usernames)
        self._usernames, self._ids = frozenset(usernames), ids

    def clean(self, texts: pl.Series) -> Cleaned:
        """Scrub a String column and withhold what must not leave."""
        scrubbed = scrub_safely(self.scrubber, texts)
        left = self.left_in(scrubbed["text"])
        failed = scrubbed["failed"]
        why = (
            pl.when(failed)
            .then(pl.lit(SCRUBBER))
            .when(left & ~failed)
            .then(pl.lit(IDENTIFIER))
            .otherwise(None)
        )
        withheld = pl.select(why.alias("why")).to_series()
        text = pl.select(pl.when(withheld.is_null()).then(scrubbed["text"])).to_series()
        return Cleaned(text, scrubbed["kinds"].fill_null([]), withheld)

    def left_in(self, texts: pl.Series) -> pl.Series:
        """Which scrubbed texts the contract would refuse.

        What the scrubber would still replace is not asked for: scrubbed twice is scrubbed once.
        """
        return (
            with_raw_ids(texts, self._ids) | with_words(texts, self._usernames) | with_paths(texts)
        )

    def dirty_segments(self, segments: pl.Series, whole: pl.Series) -> pl.Series:
        """Which lists of segments hold an identifier in one of them, or in all of them joined.

        A segment is read alone: what a sentence around it excuses stands there without excuse.

        Args:
            segments: List(Struct) with a field `text`.
            whole: String, scrubbed: the text the segments should add up to; it is not read again.
        """
        texts = segments.list.eval(pl.element().struct.field("text"))
        joined = texts.list.join(" ", ignore_nulls=True)
        same = _bare(joined).eq_missing(_bare(whole))
        joined = pl.select(pl.when(~same).then(joined).alias("joined")).to_series()
        rows = texts.alias("text").to_frame().with_row_index("row").explode("text")
        rows = rows.drop_nulls("text")
        alone = rows.filter(self._refused(rows["text"]))["row"].unique()
        dirty = self._refused(joined)
        return dirty.scatter(alone, True)

    def _refused(self, texts: pl.Series) -> pl.Series:
        scrubbed = scrub_safely(self.scrubber, texts)
        found = (scrubbed["kinds"].list.len() > 0).fill_null(False) | scrubbed["failed"]
        return found | self.left_in(texts)


def scrub_safely(scrubber: Scrubber, texts: pl.Series) -> pl.DataFrame:
    """`Scrubber.scrub_column` with a column `failed` (Boolean); a failure concerns its text only.

    A failed text comes back as null, with no kinds.
    """
    texts = texts.cast(pl.String).alias("text")
    try:
        return scrubber.scrub_column(texts).with_columns(failed=pl.lit(False))
    except Exception:  # noqa: BLE001 - one text broke it, in whatever way: find out which
        distinct = texts.drop_nulls().unique().to_list()
        answers = [_one(scrubber, text) for text in distinct]
    found = pl.DataFrame(
        [(text, *answer) for text, answer in zip(distinct, answers, strict=True)],
        schema={
            "text": pl.String,
            "scrubbed": pl.String,
            "kinds": pl.List(pl.String),
            "failed": pl.Boolean,
        },
        orient="row",
    )
    joined = texts.to_frame().join(found, on="text", how="left", maintain_order="left")
    return joined.select(
        text="scrubbed",
        kinds=pl.col("kinds").fill_null(pl.lit([], pl.List(pl.String))),
        failed=pl.col("failed").fill_null(False),
    )


def mark_withheld(frame: pl.DataFrame, name: str, why: pl.Series) -> pl.DataFrame:
    """What else changes where a text is withheld: its status and reason, and what judged it.

    Args:
        frame: wide rows.
        name: column of the text: ``whisper_text``, ``api_text`` or ``summary``.
        why: the reason of each row; null where nothing is withheld.
    """
    gone = pl.lit(why.is_not_null())
    view = name.removesuffix("_text")
    if name == "summary":
        view = "summary"
        verdict = ("entailment", "entailment_confidence", "entailment_model", "entailment_status")
        # a verdict stands only beside what it judges
        frame = frame.with_columns(pl.when(~gone).then(pl.col(c)).alias(c) for c in verdict)
    changes = {f"{view}_status": pl.lit(STATUS), f"{view}_reason": pl.lit(why)}
    return frame.with_columns(
        pl.when(gone).then(value).otherwise(pl.col(column)).alias(column)
        for column, value in changes.items()
        if column in frame.columns
    )


def _bare(texts: pl.Series) -> pl.Series:
    return texts.str.replace_all(r"\s+", "")


def _one(scrubber: Scrubber, text: str) -> tuple[str | None, list[str], bool]:
    try:
        result = scrubber.scrub(text)
    except Exception:  # noqa: BLE001 - whatever breaks it, the text is withheld
        return None, [], True
    return result.text, list(result.kinds), False
