"""Are 20 planted topics found? Ours beside BERTopic's default pipeline on the same embedding.

    python scripts/eval_topics.py [--half heldout] [--documents 2000] [--seed 1] [--cache DIR]

Normalised mutual information of found and planted topics (1: the same, 0: nothing in common), of
made transcripts (`topics_corpus`). Both sides get the same vectors and the same texts. BERTopic
(extra `bench`) runs its defaults: UMAP, HDBSCAN, c-TF-IDF; what it calls outliers is a topic of its
own in the count, `nmi_assigned` leaves these texts out. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.metrics import normalized_mutual_info_score
from topics_corpus import corpus

from builder.analyze.topics.embedding import Embed, keyed
from builder.analyze.topics.model import find_topics
from builder.analyze.topics.texts import Texts
from builder.analyze.vectors import vectors_of
from builder.release.scrub.scrubber import Scrubber
from builder.run.local import run_stage
from builder.run.store import Store
from builder.validate.release import Tables


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
        started = time.monotonic()
        done, report = run_stage(Embed(), texts, store)
        rate = report.computed / max(time.monotonic() - started, 1e-9)
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
    rates = {"texts_embedded": report.computed, "texts_a_second": round(rate, 2)}
    print(json.dumps({**about, **rates, "found": found}))


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
