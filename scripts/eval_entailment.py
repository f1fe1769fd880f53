"""How the entailment stage judges texts of several sentences, beside one pair for the whole text.

usage: python scripts/eval_entailment.py [--model mini_nli] [--texts 260]

Prints one JSON line. Texts are four premises of XNLI-es (the fifth of its prompts that no model of
ours was trained on) in random order. Hypotheses: each of the four as it stands (`own sentence`), a
premise of another text (`foreign sentence`), and XNLI's own hypothesis about one of them, with its
gold label. The rule that decides a sentence (`annotate/grid.py`) was chosen on half of these
prompts; `accuracy` is told for both halves. Needs the evaluation sets, which are not shipped.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterable

import polars as pl
from mini_nli_data import DATA, held_out_prompts, read_rows

from builder.annotate.entailment import Entailment
from builder.config.profile import EntailmentTable, NliTable
from ecuador_crisis_tiktok import ENTAILMENT_LABELS as LABELS

SEED = 20240109


def judged(stage: Entailment, pairs: Iterable[tuple[str, str]]) -> list[str]:
    """The stage's verdict on each (text, summary)."""
    texts, summaries = zip(*pairs, strict=True)
    frame = pl.DataFrame({"id": range(len(texts)), "text": texts, "summary": summaries})
    return stage(frame)["entailment"].to_list()


def share(verdicts: list[str], wanted: str) -> float:
    """Share of one verdict."""
    return round(verdicts.count(wanted) / len(verdicts), 3)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="mini_nli")
    parser.add_argument("--texts", type=int, default=260, help="texts of each half")
    options = parser.parse_args()
    rows = read_rows(DATA, "xnli-es-dev.tsv")
    held = sorted(held_out_prompts(rows))
    rng = random.Random(SEED)
    rng.shuffle(held)
    halves = {"rule chosen on": set(held[::2]), "held out": set(held[1::2])}
    nli = NliTable(model=options.model)
    stages = {
        "stage": Entailment(nli),
        "sentences, bare model": Entailment(nli, EntailmentTable(word_for_word=False)),
        "whole text, bare model": Entailment(
            nli, EntailmentTable(granularity="window", word_for_word=False)
        ),
    }
    result: dict[str, dict[str, dict[str, float]]] = {}
    for half, prompts in halves.items():
        mine = [row for row in rows if row["promptID"] in prompts]
        rng.shuffle(mine)
        premises = [row["sentence1"] for row in mine]
        gold, own, foreign = [], [], []
        for row in mine[: options.texts]:
            parts = [*rng.sample(premises, 3), row["sentence1"]]
            rng.shuffle(parts)
            text = " ".join(parts)
            gold.append((text, row["sentence2"], row["gold_label"]))
            own.append((text, rng.choice(parts)))
            foreign.append((text, rng.choice([p for p in premises if p not in parts])))
        result[half] = {}
        for name, stage in stages.items():
            verdicts = judged(stage, ((text, said) for text, said, _ in gold))
            right = sum(v == label for v, (_, _, label) in zip(verdicts, gold, strict=True))
            entailed = [
                v for v, (_, _, label) in zip(verdicts, gold, strict=True) if label == LABELS[0]
            ]
            ours = judged(stage, own)
            result[half][name] = {
                "texts": len(gold),
                "accuracy": round(right / len(gold), 3),
                "entailed called contradicted": share(entailed, "contradiction"),
                "own sentence entailed": share(ours, "entailment"),
                "own sentence contradicted": share(ours, "contradiction"),
                "foreign sentence entailed": share(judged(stage, foreign), "entailment"),
            }
    print(json.dumps({"model": stages["stage"].engine.model, **result}, ensure_ascii=False))


if __name__ == "__main__":
    main()
