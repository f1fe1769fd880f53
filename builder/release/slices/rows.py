"""Raw rows of a slice in, rows that may be released out.

One object decides for the whole campaign what may leave; it can be pickled and called elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import polars as pl

from builder.annotate.joined import Joiner
from builder.config.campaign import Campaign
from builder.config.profile import NamesTable
from builder.release.hashtags import (
    TagNames,
    allowed_hashtags,
    distinctive_usernames,
    known_usernames,
    matched_terms,
    normalised,
    shared_usernames,
)
from builder.release.pseudonym import Key
from builder.release.scrub.names.choose import finder_of
from builder.release.texts.notes import public_name
from builder.release.texts.persons import PERSON, Persons, rosters
from builder.release.texts.withhold import SEGMENTS, Cleaned, Cleaner, mark_withheld
from builder.sources.ingest import Ingested
from builder.sources.schema import LABELS

Counts = dict[str, Any]
# Raw rows, and stage -> its stored results about them.
Slice = tuple[pl.DataFrame, Mapping[str, pl.DataFrame]]


class Rows:
    """What is decided once for the whole campaign; called with one slice after the other.

    Args:
        campaign: its privacy settings, public figures and terms.
        ingested: the videos.
        joiner: joins results to raw rows.
        key: makes the pseudonyms.
        names: how names of private persons are found.
    """

    def __init__(
        self,
        campaign: Campaign,
        ingested: Ingested,
        joiner: Joiner,
        key: Key,
        names: NamesTable,
    ) -> None:
        self.campaign, self.joiner, self.key = campaign, joiner, key
        usernames = known_usernames(ingested.parts)
        shared = shared_usernames(ingested.parts, campaign, usernames)
        raw = campaign.privacy.id_policy == "raw"
        ids = (
            [] if raw else [pl.read_parquet(p, columns=["id"], glob=False) for p in ingested.parts]
        )
        known = pl.concat([pl.DataFrame(schema={"id": pl.Int64}), *ids])["id"]
        self.cleaner = Cleaner(campaign, distinctive_usernames(usernames, shared), known)
        finder = finder_of(names, campaign)
        self.persons = Persons(finder, self.cleaner) if finder else None
        allowed, self.folded = allowed_hashtags(
            ingested.parts,
            campaign,
            usernames - shared,
            self.cleaner.scrubber,
            TagNames(campaign) if finder else None,
        )
        self.allowed = pl.Series(sorted(allowed), dtype=pl.String)

    def __call__(self, piece: Slice) -> tuple[pl.DataFrame, Counts]:
        """The rows without anything private but `id`, and what was replaced and withheld."""
        raw, results = piece
        frame = self._identity(self.joiner(raw, results))
        tags = normalised(pl.col("hashtags"))
        frame = frame.with_columns(
            matched_terms(raw, self.campaign),
            hashtags=tags.list.eval(
                pl.element().filter(pl.element().is_in(self.allowed.implode()))
            ),
        )
        scrubbed: dict[str, dict[str, int]] = {}
        texts: dict[str, int] = {}
        withheld: Counter[str] = Counter()
        people = rosters(frame.height)
        for name in self.joiner.texts:
            clean = self.cleaner.clean(frame[name])
            named = self.persons.column(clean, people) if self.persons else None
            whole, clean = clean, named.clean if named else clean
            found = Counter(clean.kinds.explode().drop_nulls().to_list())
            scrubbed[name] = dict(sorted(found.items()))
            texts[name] = int((clean.kinds.list.len() > 0).sum())
            withheld.update(clean.withheld.drop_nulls().to_list())
            if name == "whisper_text":
                plain = frame["segments"]
                if self.persons and named:
                    plain = self.persons.segments(plain, whole, named, people)
                segments, dirty = self._segments(plain, clean)
                frame = frame.with_columns(segments.alias("segments"))
                withheld.update({SEGMENTS: dirty} if dirty else {})
            frame = mark_withheld(frame.with_columns(clean.text.alias(name)), name, clean.withheld)
        for name in (*self.joiner.reasons, *LABELS):
            if name not in frame.columns:
                continue
            told = self.cleaner.clean(frame[name])
            text = told.text if name in LABELS else told.text.fill_null(told.withheld)
            frame = frame.with_columns(text.alias(name))
        models = [name for name in frame.columns if name.endswith("_model")]
        frame = frame.with_columns(_public(frame[name]) for name in models)
        private = ("username", "description", "create_time", "upstream_sentiment", "usable_text")
        frame = frame.drop([c for c in private if c in frame.columns])
        counts = {
            "rows": frame.height,
            "scrubbed": scrubbed,
            "scrubbed_texts": texts,
            "withheld": dict(withheld),
            "folded": self.folded,
        }
        return frame, counts

    def _segments(self, segments: pl.Series, text: Cleaned) -> tuple[pl.Series, int]:
        """The segments that may be released, and how many lists are withheld for one of theirs.

        An identifier can straddle segments: where one was found in the text, none is released.
        Names of persons are replaced in them as in the text.
        """
        found = text.kinds.list.eval(pl.element().filter(pl.element() != PERSON)).list.len()
        touched = (found > 0) | text.withheld.is_not_null()
        fine = pl.select(pl.when(~touched).then(segments).alias("segments")).to_series()
        dirty = self.cleaner.dirty_segments(fine, text.text)
        kept = pl.select(pl.when(~dirty).then(fine).alias("segments")).to_series()
        return kept, int(dirty.sum())

    def _identity(self, frame: pl.DataFrame) -> pl.DataFrame:
        privacy = self.campaign.privacy
        ids = frame["id"].to_list()
        released = [str(i) for i in ids] if privacy.id_policy == "raw" else self.key.pseudonyms(ids)
        time = pl.from_epoch("create_time", time_unit="s").dt.replace_time_zone("UTC")
        columns = [
            pl.Series("video_id", released, dtype=pl.String),
            time.dt.date().alias("date"),
        ]
        if privacy.date_resolution in ("hour", "second"):
            unit = "1h" if privacy.date_resolution == "hour" else "1s"
            columns.append(time.dt.truncate(unit).dt.cast_time_unit("ms").alias("published_at"))
        if privacy.author_pseudonym:
            authors = [
                None if name is None else self.key.pseudonym(f"author:{name}")
                for name in frame["username"].to_list()
            ]
            columns.append(pl.Series("author_id", authors, dtype=pl.String))
        return frame.with_columns(columns)


def _public(models: pl.Series) -> pl.Series:
    """Names of models without the folders they lie in."""
    names = {name: public_name(name) for name in models.drop_nulls().unique().to_list()}
    return models.replace(names) if names else models
