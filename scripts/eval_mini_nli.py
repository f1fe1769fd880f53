"""Scores the small NLI model as it ships: ctranslate2, tokenizers, safetensors and numpy, no torch.

    python scripts/eval_mini_nli.py [--model builder/models/mini_nli] [--data ../shared/data/text]
                                    [--write]

Prints one line of JSON: accuracy on the held-out fifth of XNLI-es dev (also by genre), zero-shot
macro-F1 on all of UMSAB-es val, accuracy on generated probes (a true statement, then the same with
the place, number or name changed or denied; words never used in training), milliseconds for a
40-token pair on one thread, and bytes. `--write` also puts that into scores.json of the model.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from mini_nli_data import DATA, LABELS, SENTIMENT, TEMPLATE, read_texts
from mini_nli_probes import OTHER_LANGUAGES, probes
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from builder.run.ct2 import open_encoder

MODEL = Path(__file__).resolve().parents[1] / "builder" / "models" / "mini_nli"


class Model:
    """The shipped folder, loaded for one thread."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "ct2" / "model.bin").is_file():
            raise SystemExit(
                f"no model in {folder}: there is no ct2/model.bin. It comes with the "
                "repository; scripts/train_mini_nli.py makes it anew"
            )
        self.folder = folder
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(256, strategy="longest_first")
        self.encoder = open_encoder(folder / "ct2", inter_threads=1)
        self.head = load_file(folder / "head.safetensors")
        names = json.loads((folder / "config.json").read_text(encoding="utf-8"))["id2label"]
        self.labels = [names[str(i)] for i in range(len(names))]

    def logits(self, pairs: list[tuple[str, str]]) -> np.ndarray:
        """One row of logits per pair, columns in the checkpoint's order of labels."""
        rows = [e.ids for e in self.tokenizer.encode_batch(pairs)]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        out = np.empty((len(rows), len(self.labels)), np.float32)
        for at in range(0, len(order), 32):
            part = order[at : at + 32]
            hidden = self.encoder.forward_batch([rows[i] for i in part]).last_hidden_state
            out[part] = self._classify(np.array(hidden)[:, 0])
        return out

    def _classify(self, first: np.ndarray) -> np.ndarray:
        head = self.head
        pooled = np.tanh(first @ head["pooler.dense.weight"].T + head["pooler.dense.bias"])
        logits: np.ndarray = pooled @ head["classifier.weight"].T + head["classifier.bias"]
        return logits

    def predict(self, pairs: list[tuple[str, str]]) -> list[str]:
        return [self.labels[i] for i in self.logits(pairs).argmax(1)]


def probe_scores(model: Model) -> dict[str, Any]:
    asked = probes()
    found = model.predict([(p, h) for _, p, h, _ in asked])
    result: dict[str, Any] = {"pairs": len(asked)}
    right = [f == label for f, (*_, label) in zip(found, asked, strict=True)]
    result["accuracy"] = round(float(np.mean(right)), 4)
    for kind in sorted({k for k, *_ in asked}):
        result[kind] = round(
            float(np.mean([r for r, a in zip(right, asked, strict=True) if a[0] == kind])), 4
        )
    false = [
        f
        for f, (kind, *_) in zip(found, asked, strict=True)
        if kind.startswith(("changed", "denied"))
    ]
    result["false_taken_as_entailed"] = round(false.count("entailment") / len(false), 4)
    return result


def other_languages(model: Model) -> dict[str, float]:
    """Accuracy on a few written pairs per language: a smoke test, no measurement."""
    result = {}
    for language, pairs in OTHER_LANGUAGES.items():
        found = model.predict([p[:2] for p in pairs])
        right = [f == p[2] for f, p in zip(found, pairs, strict=True)]
        result[language] = round(float(np.mean(right)), 4)
    return result


def macro_f1(found: list[str], gold: list[str]) -> float:
    each = []
    for label in sorted(set(gold)):
        hit = sum(f == g == label for f, g in zip(found, gold, strict=True))
        each.append(2 * hit / (found.count(label) + gold.count(label)))
    return float(np.mean(each))


def zero_shot(model: Model, tweets: list[tuple[str, str]]) -> dict[str, float]:
    """As transformers' zero-shot pipeline: the largest of the labels' entailment logits."""
    asked = [(text, TEMPLATE.format(word)) for text, _ in tweets for word in SENTIMENT.values()]
    chosen = model.logits(asked)[:, model.labels.index("entailment")].reshape(-1, len(SENTIMENT))
    found = [list(SENTIMENT)[i] for i in chosen.argmax(1)]
    gold = [label for _, label in tweets]
    right = float(np.mean([f == g for f, g in zip(found, gold, strict=True)]))
    return {
        "macro_f1": round(macro_f1(found, gold), 4),
        "accuracy": round(right, 4),
        "tweets": len(gold),
    }


def speed(model: Model) -> dict[str, float]:
    """Milliseconds of one 40-token pair on one thread, tokenising and head included: median by the
    clock, and of processor time, which does not count waiting for other programs.
    """
    premise = (
        "La policía detuvo anoche a cuatro hombres armados en el centro de la ciudad de Guayaquil"
    )
    pair = (premise + " y los llevó a la cárcel", "Cuatro hombres fueron detenidos en Guayaquil.")
    size = len(model.tokenizer.encode(*pair).ids)
    if not 38 <= size <= 44:
        raise SystemExit(f"the timing pair has {size} tokens, not about 40: adapt its text")
    clock, processor = [], []
    for _ in range(100):
        starts = time.perf_counter(), time.process_time()
        model.logits([pair])
        clock.append(time.perf_counter() - starts[0])
        processor.append(time.process_time() - starts[1])
    medians = (round(1000 * float(np.median(times)), 2) for times in (clock, processor))
    return dict(zip(("clock", "processor"), medians, strict=True))


def evaluate(folder: Path, data: Path) -> dict[str, Any]:
    texts, model = read_texts(data), Model(folder)
    found = model.predict([p[:2] for p in texts.xnli_held_out])
    gold = [LABELS[p[2]] for p in texts.xnli_held_out]
    right = np.array([f == g for f, g in zip(found, gold, strict=True)])
    genres = np.array(texts.xnli_genres)
    size = sum(
        f.stat().st_size for f in folder.rglob("*") if f.is_file() and f.name != "scores.json"
    )
    return {
        "xnli_es_held_out": {
            "accuracy": round(float(right.mean()), 4),
            "macro_f1": round(macro_f1(found, gold), 4),
            "pairs": len(gold),
            "by_genre": {
                g: round(float(right[genres == g].mean()), 4) for g in sorted(set(genres))
            },
        },
        "umsab_es_val_zero_shot": zero_shot(model, texts.tweets_held_out),
        "probes": probe_scores(model),
        "probes_other_languages": other_languages(model),
        "ms_per_40_token_pair": speed(model),
        "bytes": size,
        "compute_type": model.encoder.compute_type,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--write", action="store_true", help="also into scores.json of the model")
    args = parser.parse_args()
    line = json.dumps(evaluate(args.model, args.data), ensure_ascii=False)
    if args.write:
        (args.model / "scores.json").write_text(line + "\n", encoding="utf-8")
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
