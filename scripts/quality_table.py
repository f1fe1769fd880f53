"""Measures an NLI model on gold labels and prints the quality table of the README.

    python scripts/quality_table.py [--model builder/models/mini_nli] [--data ../shared/data/text]
                                    [--write README.md]

Sentiment: the stage `builder/annotate/sentiment.py` as it runs in a build, on all of UMSAB-es val.
Entailment: the NLI engine on the held-out fifth of XNLI-es dev (`mini_nli_data.py`: the offline
model was never trained on it). Both through the `evaluate` measurements in `cards/`. The calibrated
column is two-fold: a temperature fitted on one half of the rows is measured on the other.

`--write` puts the table between the lines `<!-- quality-table -->` and `<!-- /quality-table -->`
of a Markdown file and leaves the rest as it is.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import evaluate
import numpy as np
from mini_nli_data import DATA, read_texts
from mini_nli_data import LABELS as XNLI_LABELS

from builder.annotate.nli.engine import NliEngine
from builder.annotate.sentiment import Sentiment
from builder.config.profile import NliTable
from builder.errors import BuilderError
from builder.measure.measurements import THRESHOLD
from builder.measure.nli_scorer import OFFLINE_MODEL
from builder.measure.scores import calibration_error, reliability
from builder.review.calibrate import apply_temperature, fit_temperature
from ecuador_crisis_tiktok import ENTAILMENT_LABELS, SENTIMENT_LABELS

ROOT = Path(__file__).resolve().parents[1]
START, END = "<!-- quality-table -->", "<!-- /quality-table -->"


def load_card(name: str) -> Any:
    """A measurement of this repository."""
    here = Path.cwd()
    os.chdir(ROOT)
    try:
        evaluate.config.HF_EVALUATE_OFFLINE = True
        return evaluate.load(f"cards/{name}")
    finally:
        os.chdir(here)


def two_fold_error(scores: np.ndarray, gold: np.ndarray) -> tuple[float, list[float]]:
    """Calibration error with temperatures fitted on the other half, and these temperatures."""
    half = np.random.default_rng(0).permutation(gold.size) % 2
    sure, right, found = np.empty(gold.size), np.empty(gold.size, bool), []
    for fold in (0, 1):
        temperature = fit_temperature(scores[half != fold], gold[half != fold])
        after = apply_temperature(scores[half == fold], temperature)
        sure[half == fold] = after.max(axis=1)
        right[half == fold] = after.argmax(axis=1) == gold[half == fold]
        found.append(temperature)
    return calibration_error(reliability(sure, right)), found


def sentiment_line(engine: NliEngine, tweets: list[tuple[str, str]]) -> dict[str, Any]:
    """Zero-shot sentiment of tweets."""
    stage = Sentiment(NliTable(model="given"), engine=engine)
    scores = np.array([row for row, _ in stage.scores([text for text, _ in tweets])])
    gold = [label for _, label in tweets]
    result: dict[str, Any] = load_card("sentiment_confidence").compute(
        labels=[SENTIMENT_LABELS[i] for i in scores.argmax(axis=1)],
        scores=scores.max(axis=1).tolist(),
        references=gold,
        threshold=THRESHOLD,
        precision=0.8,
    )
    truth = np.array([SENTIMENT_LABELS.index(label) for label in gold])
    return result | {"calibrated": two_fold_error(scores, truth)}


def entailment_line(engine: NliEngine, pairs: list[tuple[str, str, int]]) -> dict[str, Any]:
    """NLI on pairs."""
    premises, hypotheses = [p for p, _, _ in pairs], [h for _, h, _ in pairs]
    scores = engine.score(premises, hypotheses).astype(np.float64)
    gold = [XNLI_LABELS[label] for _, _, label in pairs]
    result: dict[str, Any] = load_card("nli_entailment").compute(
        premises=premises, hypotheses=hypotheses, references=gold, scores=scores
    )
    truth = np.array([ENTAILMENT_LABELS.index(label) for label in gold])
    result["high_confidence_share"] = float((scores.max(axis=1) >= THRESHOLD).mean())
    return result | {"calibrated": two_fold_error(scores, truth)}


def table(model: str, lines: dict[str, dict[str, Any]]) -> str:
    """The Markdown table."""
    head = (
        f"| measured on | rows | accuracy | macro-F1 | confidence ≥ {THRESHOLD:g} "
        "| calibration error | after temperature | Brier |\n"
        "|---|---:|---:|---:|---:|---:|---:|---:|"
    )
    rows = []
    for name, result in lines.items():
        after, temperatures = result["calibrated"]
        told = " / ".join(f"{t:.2f}" for t in temperatures)
        rows.append(
            f"| {name} | {result['gold_count']:,} | {result['accuracy']:.3f} "
            f"| {result['macro_f1']:.3f} | {result['high_confidence_share']:.1%} "
            f"| {result['expected_calibration_error']:.3f} | {after:.3f} (T {told}) "
            f"| {result['brier_score']:.3f} |"
        )
    return "\n".join([f"Model: `{model}`.", "", head, *rows])


def around(path: Path) -> tuple[str, str]:
    """What stands before and after the table of a Markdown file, with its two marks."""
    old = path.read_text(encoding="utf-8")
    if old.count(START) != 1 or old.count(END) != 1 or old.index(END) < old.index(START):
        raise SystemExit(f"{path} needs the line {START} and below it the line {END}, once each")
    return old[: old.index(START) + len(START)], old[old.index(END) :]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", default=str(OFFLINE_MODEL), help="folder or Hub name")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--limit", type=int, help="only so many rows of each, for a first look")
    parser.add_argument("--write", type=Path, metavar="FILE")
    asked = parser.parse_args()
    kept = around(asked.write) if asked.write else None
    texts = read_texts(asked.data)
    try:
        engine = NliEngine.load(asked.model)
    except BuilderError as error:
        raise SystemExit(f"error: {error}") from error
    lines = {
        "sentiment, zero-shot: UMSAB-es val (tweets)": sentiment_line(
            engine, texts.tweets_held_out[: asked.limit]
        ),
        "entailment: XNLI-es dev, held-out fifth": entailment_line(
            engine, texts.xnli_held_out[: asked.limit]
        ),
    }
    text = table(engine.model, lines)
    print(text)
    reach = lines["sentiment, zero-shot: UMSAB-es val (tweets)"]["precision_threshold"]
    if reach["threshold"] is None:
        print("\nNo confidence makes sentiment right in 8 of 10.")
    else:
        print(
            f"\nSentiment is right in 8 of 10 from a confidence of {reach['threshold']:.3f} "
            f"({reach['coverage']:.0%} of the tweets)."
        )
    if kept:
        asked.write.write_text(f"{kept[0]}\n{text}\n{kept[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
