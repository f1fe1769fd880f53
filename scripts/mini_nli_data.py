"""Reads ../shared/data/text for the small NLI model and cuts it into training and held-out parts.

Held out, never trained on: 20 % of XNLI-es dev, whole prompts (a premise and its three hypotheses
stay together, so no held-out premise was ever seen), 17 of the 83 prompts of every genre, drawn
with seed 2024; and all of UMSAB-es val.
"""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass, field
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "text"
LABELS = ["entailment", "neutral", "contradiction"]
TEMPLATE = "El sentimiento de este texto es {}."
SENTIMENT = {"negative": "negativo", "neutral": "neutral", "positive": "positivo"}
INFERES = {"ent": "entailment", "neutral": "neutral", "cnt": "contradiction"}
SPLIT_SEED = 2024


@dataclass
class Texts:
    """Pairs are (premise, hypothesis, label id); tweets are (text, label name)."""

    inferes: list[tuple[str, str, int]]
    unrelated: list[tuple[str, str, int]]  # InferES pairs put together by a machine: all neutral
    xnli: list[tuple[str, str, int]]
    xnli_held_out: list[tuple[str, str, int]]
    xnli_genres: list[str]  # of the held-out pairs
    tweets: list[tuple[str, str]]
    tweets_held_out: list[tuple[str, str]]
    inferes_held_out: list[tuple[str, str, int]] = field(default_factory=list)  # tuning only


def read_rows(folder: Path, name: str) -> list[dict[str, str]]:
    path = folder / name
    if not path.is_file():
        raise SystemExit(
            f"{path} is absent. The texts belong next to the repository as ../shared/data/text "
            "(SOURCES.tsv there says where each file comes from); or give --data DIR."
        )
    with path.open(encoding="utf-8", newline="") as lines:
        if path.suffix == ".csv":
            return list(csv.DictReader(lines))
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def read_texts(folder: Path = DATA) -> Texts:
    """All parts; stops with a plain message when a file is absent."""
    inferes: dict[bool, list[tuple[str, str, int]]] = {True: [], False: []}
    for r in read_rows(folder, "inferes_train.csv"):
        pair = (r["Premise"].strip(), r["Hypothesis"].strip(), LABELS.index(INFERES[r["Label"]]))
        inferes[r["Anno_Type"] == "Automated"].append(pair)
    xnli = read_rows(folder, "xnli-es-dev.tsv")
    held = held_out_prompts(xnli)
    pairs: dict[bool, list[tuple[str, str, int]]] = {True: [], False: []}
    for r in xnli:
        pair = (r["sentence1"], r["sentence2"], LABELS.index(r["gold_label"]))
        pairs[r["promptID"] in held].append(pair)
    return Texts(
        inferes=inferes[False],
        unrelated=inferes[True],
        xnli=pairs[False],
        xnli_held_out=pairs[True],
        xnli_genres=[r["genre"] for r in xnli if r["promptID"] in held],
        tweets=[(r["text"], r["label"]) for r in read_rows(folder, "umsab-es-train.tsv")],
        tweets_held_out=[(r["text"], r["label"]) for r in read_rows(folder, "umsab-es-val.tsv")],
    )


def held_out_prompts(xnli: list[dict[str, str]]) -> set[str]:
    """20 % of the prompts of each genre; the same whatever the order of the file."""
    rng, held = random.Random(SPLIT_SEED), set()
    for genre in sorted({r["genre"] for r in xnli}):
        prompts = sorted({r["promptID"] for r in xnli if r["genre"] == genre})
        held |= set(rng.sample(prompts, round(len(prompts) / 5)))
    return held
