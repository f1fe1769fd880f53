"""Trains the tagger of names: builder/models/names/{weights.npz,first.txt,last.txt}.

    pip install -e . Faker==40.63.0 wordfreq==3.1.1 spylls==0.1.7 scipy
    apt-get install hunspell-es hunspell-pt-br hunspell-en-us
    python scripts/train_names.py [--texts 60000] [--epochs 4]

A few minutes on one CPU. Texts are made anew for each epoch (names_texts.py); no name and no
sentence of the tune and heldout parts is among them. Lists of names and of places are hidden half
of the time, so that the tagger learns what a name looks like and not which are listed.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
from names_texts import PARTS, Made, Maker, all_names, listed, real_sentences
from scipy import sparse

from builder.release.scrub.names.features import (
    FLAGS,
    PIECES,
    Kind,
    Lists,
    flags_of,
    lexicon_key,
    pieces_of,
)
from builder.release.scrub.names.known import known
from builder.release.scrub.names.reading import read
from builder.release.scrub.names.tagger import FOLDER, REACH
from builder.release.scrub.names.tokens import plain, tokens

SIZE, HIDDEN = 32, 64
NAMES = {"full", "first", "said", "last", "public"}
LABEL = {"O": 0, "B": 1, "I": 2}
SCALE = 256


def common_words(hunspell: Path, cache: Path | None) -> dict[str, list[str]]:
    """Language -> common words, most used first, that a dictionary has in lower case."""
    if cache and cache.is_file():
        found = json.loads(cache.read_text(encoding="utf-8"))
        return {language: found[language] for language in ("es", "pt", "en")}
    from spylls.hunspell import Dictionary
    from wordfreq import top_n_list

    done = {}
    for language, name, size in (
        ("es", "es_EC", 45_000),
        ("pt", "pt_BR", 30_000),
        ("en", "en_US", 5_000),
    ):
        book = Dictionary.from_files(str(hunspell / name))
        words = [w for w in top_n_list(language, size) if w.isalpha()]
        done[language] = [w for w in words if (len(w) > 1 or w in "aeouyé") and book.lookup(w)]
    if cache:
        cache.write_text(json.dumps(done, ensure_ascii=False), encoding="utf-8")
    return done


def rarer_words(hunspell: Path, cache: Path | None) -> dict[str, list[str]]:
    """Language -> words less common than `common_words`, of any that a dictionary has."""
    if cache and (kept := cache.with_suffix(".rare.json")).is_file():
        return dict(json.loads(kept.read_text(encoding="utf-8")))
    from spylls.hunspell import Dictionary
    from wordfreq import top_n_list

    done = {}
    for language, name, start, end in (
        ("es", "es_EC", 45_000, 160_000),
        ("pt", "pt_BR", 30_000, 110_000),
        ("en", "en_US", 5_000, 45_000),
    ):
        book = Dictionary.from_files(str(hunspell / name))
        words = [w for w in top_n_list(language, end)[start:] if w.isalpha() and len(w) > 2]
        done[language] = [w for w in words if book.lookup(w)]
    if cache:
        kept.write_text(json.dumps(done, ensure_ascii=False), encoding="utf-8")
    return done


def lexicon_of(
    common: dict[str, list[str]], rarer: dict[str, list[str]]
) -> tuple[np.ndarray[Any, Any], int]:
    """Keys of all common words, sorted; behind them those of rarer ones; how many are common.

    Rarer words share one row: that a language has them tells enough. Names are not among them.
    """
    words = {w for some in common.values() for w in some}
    names = {plain(w) for some in all_names().values() for n in some for w in n.split()}
    for sentences in real_sentences("train").values():
        for text in sentences:
            words |= {
                t.form for t in tokens(text)[0]
                if t.is_word and t.form.islower() and plain(t.form) not in names
            }  # fmt: skip
    keys = {lexicon_key(w) for w in words}
    # what a name of the heldout part would be, nobody may know here
    listed_words = {plain(w) for kind in ("first", "last") for w in listed(kind, PARTS[:2])}
    more = {w for some in rarer.values() for w in some if plain(w) not in listed_words}
    rare = {lexicon_key(w) for w in more} - keys
    return np.array(sorted(keys) + sorted(rare), np.uint32), len(keys)


class Rows:
    """Feature rows of every kind of word met, as a growing sparse table."""

    def __init__(self, lexicon: np.ndarray[Any, Any], common: int, lists: Lists) -> None:
        self.lexicon = {int(key): min(row, common) for row, key in enumerate(lexicon)}
        self.lists = lists
        self.known: dict[tuple[Kind, bool], int] = {}
        self.words: list[int] = [-1]
        self.pieces: list[list[int]] = [[]]
        self.flags: list[list[int]] = [[]]

    def row(self, kind: Kind, hidden: bool) -> int:
        found = self.known.get((kind, hidden))
        if found is None:
            word = self.lexicon.get(lexicon_key(kind.form.lower()))
            if word is None:
                word = self.lexicon.get(lexicon_key(plain(kind.form)))
            word = -1 if hidden or word is None else word
            found = self.known[kind, hidden] = len(self.words)
            self.words.append(word)
            self.pieces.append(pieces_of(kind.form))
            self.flags.append(flags_of(kind, word >= 0, self.lists))
        return found


def labels_of(made: Made, starts: list[int]) -> list[int]:
    """0, 1, 2 for every word of a made text."""
    found = [0] * len(starts)
    for start, end, what in made.spans:
        if what in NAMES:
            inside = [at for at, place in enumerate(starts) if start <= place < end]
            for at in inside:
                found[at] = 1 if at == inside[0] else 2
    return found


def encoded(made: list[Made], rows: Rows, rng: random.Random) -> tuple[Any, Any]:
    """Rows and labels of texts, with empty places between them."""
    found, labels = [0] * REACH, [-1] * REACH
    for one in made:
        reading = read(one.text, known())
        if not reading.words:
            continue
        target = labels_of(one, [word.start for word in reading.words])
        listed, shown = rng.random() < 0.5, rng.random() < 0.7
        for kind, label in zip(reading.kinds, target, strict=True):
            hidden = label == 0 and rng.random() < 0.04
            found.append(rows.row(kind._replace(listed=listed, known=kind.known and shown), hidden))
        labels += target
        found += [0] * REACH
        labels += [-1] * REACH
    return np.array(found), np.array(labels)


class Network:
    """The network in floating point, with its gradients written out."""

    def __init__(self, words: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)

        def normal(scale: float, *shape: int) -> Any:
            return np.asarray(rng.normal(0, scale, shape), np.float32)

        self.p = {
            "words": normal(0.02, words, SIZE),
            "pieces": normal(0.1, PIECES, SIZE),
            "flags": normal(0.2, len(FLAGS), SIZE),
            "window": normal(0.08, (2 * REACH + 1) * SIZE, HIDDEN),
            "hidden_bias": np.full(HIDDEN, 0.1, np.float32),
            "out": normal(0.2, HIDDEN, 3),
            "out_bias": np.array([1.0, 0.0, 0.0], np.float32),
        }
        self.m = {k: np.zeros_like(v) for k, v in self.p.items()}
        self.v = {k: np.zeros_like(v) for k, v in self.p.items()}
        self.steps = 0

    def step(self, rows: Rows, ids: Any, labels: Any, rate: float) -> float:
        """One step on a batch; the loss."""
        p = self.p
        unique, at = np.unique(ids, return_inverse=True)
        tables = {}
        for name, width in (("words", len(p["words"])), ("pieces", PIECES), ("flags", len(FLAGS))):
            if name == "words":
                some = [[w] if (w := rows.words[u]) >= 0 else [] for u in unique]
            else:
                some = [getattr(rows, name)[u] for u in unique]
            sizes = np.array([len(s) for s in some])
            columns = np.concatenate([np.array(s, np.int64) for s in some])
            weight = np.repeat(
                1 / np.maximum(sizes, 1) if name == "pieces" else np.ones(len(some)), sizes
            )
            indptr = np.concatenate([[0], np.cumsum(sizes)])
            tables[name] = sparse.csr_matrix(
                (weight.astype(np.float32), columns, indptr), (len(some), width)
            )
        vectors = sum(table @ p[name] for name, table in tables.items())[at]
        count = len(ids) - 2 * REACH
        places = range(2 * REACH + 1)
        seen = np.concatenate([vectors[k : k + count] for k in places], axis=1)
        before = seen @ p["window"] + p["hidden_bias"]
        hidden = np.maximum(before, 0)
        out = hidden @ p["out"] + p["out_bias"]
        gold = labels[REACH : REACH + count]
        real = gold >= 0
        out -= out.max(axis=1, keepdims=True)
        share = np.exp(out)
        share /= share.sum(axis=1, keepdims=True)
        target = np.where(real, gold, 0)
        loss = -np.log(share[np.arange(count), target] + 1e-9)[real].mean()
        share[np.arange(count), target] -= 1
        share[~real] = 0
        back = (share / real.sum()).astype(np.float32)
        g = {"out": hidden.T @ back, "out_bias": back.sum(axis=0)}
        down = (back @ p["out"].T) * (before > 0)
        g["window"], g["hidden_bias"] = seen.T @ down, down.sum(axis=0)
        up = down @ p["window"].T
        whole = np.zeros((len(ids), SIZE), np.float32)
        for k in places:
            whole[k : k + count] += up[:, k * SIZE : (k + 1) * SIZE]
        order = sparse.csr_matrix(
            (np.ones(len(ids), np.float32), at, np.arange(len(ids) + 1)), (len(ids), len(unique))
        )
        each = order.T @ whole
        self.steps += 1
        for name, table in tables.items():
            grad = table.T.tocsr() @ each
            touched = np.unique(table.indices)
            part = grad[touched]
            self.v[name][touched] += part**2
            p[name][touched] -= rate * 25 * part / (np.sqrt(self.v[name][touched]) + 1e-6) * 0.1
        for name, grad in g.items():
            self.m[name] = 0.9 * self.m[name] + 0.1 * grad
            self.v[name] = 0.999 * self.v[name] + 0.001 * grad**2
            one, two = 1 - 0.9**self.steps, 1 - 0.999**self.steps
            p[name] -= rate * (self.m[name] / one) / (np.sqrt(self.v[name] / two) + 1e-8)
        return float(loss)

    def whole(self, lexicon: np.ndarray[Any, Any], bias: int) -> dict[str, Any]:
        """The weights as whole numbers."""

        def round_to(values: Any, kind: Any) -> Any:
            top = np.iinfo(kind)
            return np.clip(np.rint(values * SCALE), top.min, top.max).astype(kind)

        done = {name: round_to(values, np.int16) for name, values in self.p.items()}
        done["window"] = done["window"].reshape(2 * REACH + 1, SIZE, HIDDEN)
        return done | {"lexicon": lexicon, "bias": np.int64(bias)}


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--texts", type=int, default=60_000, help="made for each epoch")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--hunspell", type=Path, default=Path("/usr/share/hunspell"))
    parser.add_argument("--cache", type=Path, help="keeps the common words between runs")
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--bias", type=int, default=-128, help="added to 'no name', in 256ths")
    asked = parser.parse_args()
    common = common_words(asked.hunspell, asked.cache)
    rarer = rarer_words(asked.hunspell, asked.cache)
    lexicon, size = lexicon_of(common, rarer)
    first, last = (frozenset(map(plain, listed(kind, PARTS[:1]))) for kind in ("first", "last"))
    rows = Rows(lexicon, size, Lists(first, last))
    net, rng = Network(size + 1), random.Random(0)
    nouns = {language: [*common[language], *rarer[language]] for language in common}
    batch, started = 400, time.time()
    steps = asked.epochs * (asked.texts // batch)
    for epoch in range(asked.epochs):
        maker = Maker("train", epoch, nouns)
        losses = []
        for _ in range(asked.texts // batch):
            ids, labels = encoded([maker.made() for _ in range(batch)], rows, rng)
            rate = 3e-3 * (1 - net.steps / steps) + 1e-4
            losses.append(net.step(rows, ids, labels, rate))
        print(
            f"epoch {epoch} loss {np.mean(losses[-40:]):.4f} {time.time() - started:.0f} s",
            flush=True,
        )
        asked.out.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(asked.out / "weights.npz", **net.whole(lexicon, asked.bias))
    for kind in ("first", "last"):
        words = listed(kind)
        (asked.out / f"{kind}.txt").write_text("\n".join(words) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
