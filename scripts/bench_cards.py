"""Time of the `evaluate` modules on a release of the paper's size, beside scikit-learn's metrics.

usage: python scripts/bench_cards.py        (in the folder of the repository; needs scikit-learn)

Prints one JSON line: seconds (best of three) for 51,479 rows of `sentiment_confidence` with
references, of `nli_entailment` with scores, and of scikit-learn's accuracy and macro-F1 alone.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable

import evaluate
import numpy as np
from sklearn.metrics import accuracy_score, f1_score

ROWS = 51_479


def best(call: Callable[[], object]) -> float:
    """Seconds of the fastest of three calls."""
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return round(min(seconds), 3)


def main() -> None:
    """See the module docstring."""
    dice = np.random.default_rng(0)
    labels = dice.choice(["negative", "neutral", "positive"], ROWS).tolist()
    gold = dice.choice(["negative", "neutral", "positive"], ROWS).tolist()
    scores = dice.uniform(1 / 3, 1, ROWS).tolist()
    pairs = dice.dirichlet([1, 1, 1], ROWS)
    sentiment = evaluate.load("cards/sentiment_confidence")
    entailment = evaluate.load("cards/nli_entailment")

    def sklearn() -> None:
        accuracy_score(gold, labels)
        f1_score(gold, labels, average="macro")

    result = {
        "bench": "cards",
        "rows": ROWS,
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "sentiment_confidence": best(
            lambda: sentiment.compute(labels=labels, scores=scores, references=gold)
        ),
        "nli_entailment": best(lambda: entailment.compute(scores=pairs)),
        "scikit_learn_accuracy_and_macro_f1": best(sklearn),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
