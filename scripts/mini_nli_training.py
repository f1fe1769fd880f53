"""What scripts/train_mini_nli.py does in one round: batches, losses, the loop, quick scores."""

from __future__ import annotations

import json
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mini_nli_data import LABELS, SENTIMENT, TEMPLATE, Texts
from mini_nli_pairs import Frames, feeling_texts, generated, natural_pairs, noisy
from torch.nn import functional as F

ENTAILMENT, CONTRADICTION = 0, 2
BATCH, TWEETS = 32, 12  # pairs in an NLI batch; tweets, with three hypotheses each, in the other
Pair = tuple[str, str, int]
# (token ids, label) or, of tweets, (token ids of the first of three pairs, label, all three)
Row = tuple[Any, ...]


@dataclass
class Round:
    """How long and on what; every seed runs a round from the same start, then they are averaged."""

    number: int
    epochs: float  # over the NLI pairs
    lr: float  # of the last layer
    head_lr: float
    tweet_share: float  # of the batches
    generated: int  # made-up pairs per epoch
    xnli_copies: int = 1  # XNLI is small and nearest to the questions asked
    until: float = 1.0  # leave the round at this part of its steps, the learning rate still up
    frozen: int = 4  # first layers kept as they are
    decay: float = 0.9  # of the learning rate from layer to layer down
    smoothing: float = 0.05
    average: float = 0.995  # running average of the weights


class Batcher:
    """Turns texts into length-sorted batches of token ids."""

    def __init__(self, tokenizer: Any, max_tokens: int) -> None:
        self.tokenizer, self.max_tokens = tokenizer, max_tokens
        tokenizer.enable_truncation(max_tokens)  # longest first

    def encode(self, pairs: list[tuple[str, str]]) -> list[list[int]]:
        return [e.ids for e in self.tokenizer.encode_batch(pairs)]

    @staticmethod
    def pad(rows: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        width = -(-max(map(len, rows)) // 8) * 8
        ids = torch.ones(len(rows), width, dtype=torch.long)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.tensor(row)
        return ids, (ids != 1).long()

    def grouped(self, rows: list[Row], size: int, rng: random.Random) -> list[list[Row]]:
        """Batches of rows of about the same length, in random order."""
        rows = sorted(rows, key=lambda r: len(r[0]) * (1 + 0.2 * rng.random()))
        batches = [rows[i : i + size] for i in range(0, len(rows), size)]
        rng.shuffle(batches)
        return batches


def logits_of(model: Any, batcher: Batcher, pairs: list[tuple[str, str]]) -> torch.Tensor:
    rows = batcher.encode(pairs)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    out = torch.empty(len(rows), len(LABELS))
    model.eval()
    with torch.inference_mode():
        for i in range(0, len(order), 64):
            ids, mask = batcher.pad([rows[j] for j in order[i : i + 64]])
            with torch.autocast("cpu", torch.bfloat16):
                out[order[i : i + 64]] = model(ids, attention_mask=mask).logits.float()
    return out


def scores(model: Any, batcher: Batcher, texts: Texts) -> dict[str, float]:
    """Accuracy on the held-out pairs, zero-shot macro-F1 on the held-out tweets."""
    result = {}
    for name in ("xnli_held_out", "inferes_held_out"):
        pairs = getattr(texts, name)
        if pairs:
            found = logits_of(model, batcher, [p[:2] for p in pairs]).argmax(1)
            gold = torch.tensor([p[2] for p in pairs])
            result[name] = round((found == gold).float().mean().item(), 4)
    asked = [(t, h) for t, _ in texts.tweets_held_out for h in hypotheses()]
    found = logits_of(model, batcher, asked)[:, ENTAILMENT].view(-1, 3).argmax(1).tolist()
    gold = [list(SENTIMENT).index(label) for _, label in texts.tweets_held_out]
    f1 = []
    for k in range(3):
        hit = sum(f == g == k for f, g in zip(found, gold, strict=True))
        f1.append(2 * hit / max(1, found.count(k) + gold.count(k)))
    return result | {"sentiment_macro_f1": round(sum(f1) / 3, 4)}


def hypotheses() -> list[str]:
    return [TEMPLATE.format(word) for word in SENTIMENT.values()]


def nli_batches(texts: Texts, plan: Round, seed: int, batcher: Batcher) -> list[list[Row]]:
    """Fresh generated pairs every epoch."""
    rng = random.Random(seed)
    real = texts.inferes + texts.xnli * plan.xnli_copies
    real += rng.sample(texts.unrelated, len(texts.unrelated) // 4)
    pairs: list[Pair] = [(noisy_some(p, rng), noisy_some(h, rng), y) for p, h, y in real]
    sentences = [
        p for p, _, _ in dict.fromkeys((p, "", 0) for p, _, _ in texts.inferes + texts.xnli)
    ]
    natural = list(natural_pairs(sentences, rng))
    pairs += rng.sample(natural, min(len(natural), plan.generated // 5))
    pairs += generated(plan.generated, seed)
    rows = zip(batcher.encode([p[:2] for p in pairs]), [p[2] for p in pairs], strict=True)
    return batcher.grouped(list(rows), BATCH, rng)


def noisy_some(text: str, rng: random.Random) -> str:
    return noisy(text, rng) if rng.random() < 0.15 else text


def tweet_batches(texts: Texts, seed: int, batcher: Batcher) -> list[list[Row]]:
    """Rows of (ids of the premise with the first hypothesis, label, all three)."""
    rng = random.Random(seed)
    tweets = [(noisy(t, rng) if rng.random() < 0.3 else t, label) for t, label in texts.tweets]
    tweets += feeling_texts(Frames(), len(tweets) // 8, rng)
    rows = []
    for text, label in tweets:
        three = batcher.encode([(text, h) for h in hypotheses()])
        rows.append((three[0], list(SENTIMENT).index(label), three))
    return batcher.grouped(rows, TWEETS, rng)


def nli_loss(model: Any, batcher: Batcher, batch: list[Row], smoothing: float) -> torch.Tensor:
    ids, mask = batcher.pad([row[0] for row in batch])
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(ids, attention_mask=mask).logits
    gold = torch.tensor([row[1] for row in batch])
    return F.cross_entropy(logits.float(), gold, label_smoothing=smoothing)


def tweet_loss(model: Any, batcher: Batcher, batch: list[Row], smoothing: float) -> torch.Tensor:
    """The label among the three entailment logits; plus a little of the plain NLI reading."""
    ids, mask = batcher.pad([ids for row in batch for ids in row[2]])
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(ids, attention_mask=mask).logits.float()
    gold = torch.tensor([row[1] for row in batch])
    chosen = logits[:, ENTAILMENT].view(-1, 3)
    loss = F.cross_entropy(chosen, gold, label_smoothing=2 * smoothing)
    pair_gold = torch.full((len(batch), 3), CONTRADICTION)
    pair_gold[torch.arange(len(batch)), gold] = ENTAILMENT
    return loss + 0.3 * F.cross_entropy(logits, pair_gold.view(-1), label_smoothing=4 * smoothing)


def parameter_groups(model: Any, plan: Round) -> list[dict[str, Any]]:
    """Embeddings and first layers frozen; the learning rate shrinks from layer to layer down."""
    groups, layers = [], model.config.num_hidden_layers
    for name, parameter in model.named_parameters():
        parameter.requires_grad = not name.startswith("bert.embeddings")
        rate = plan.head_lr if name.startswith("classifier") else plan.lr
        if name.startswith("bert.encoder.layer."):
            layer = int(name.split(".")[3])
            parameter.requires_grad = layer >= plan.frozen
            rate *= plan.decay ** (layers - 1 - layer)
        decay = 0.01 if parameter.ndim > 1 else 0.0
        if parameter.requires_grad:
            groups.append({"params": [parameter], "lr": rate, "weight_decay": decay, "peak": rate})
    return groups


class Supply:
    """Hands out batches of both kinds, making new epochs as the old run out."""

    def __init__(self, texts: Texts, plan: Round, seed: int, batcher: Batcher) -> None:
        self.texts, self.plan, self.seed, self.batcher = texts, plan, seed, batcher
        self.left: dict[str, list[list[Row]]] = {"nli": [], "tweets": []}
        self.epochs = {"nli": 0, "tweets": 0}

    def next(self, kind: str) -> list[Row]:
        if not self.left[kind]:
            seed = (self.seed + 100 * (self.plan.number - 1)) * 1000 + self.epochs[kind]
            self.left[kind] = (
                tweet_batches(self.texts, seed, self.batcher)
                if kind == "tweets"
                else nli_batches(self.texts, self.plan, seed, self.batcher)
            )
            self.epochs[kind] += 1
        return self.left[kind].pop()


def train(
    model: Any, batcher: Batcher, texts: Texts, plan: Round, seed: int, keep_at: Path, tune: bool
) -> dict[str, torch.Tensor]:
    """One round of one seed; returns the averaged weights and keeps them at six points."""
    optimizer = torch.optim.AdamW(parameter_groups(model, plan), betas=(0.9, 0.98), fused=True)
    average = {k: v.detach().clone() for k, v in model.state_dict().items()}
    learnt = {k: p for k, p in model.named_parameters() if p.requires_grad}
    supply = Supply(texts, plan, seed, batcher)
    per_epoch = len(nli_batches(texts, plan, seed, batcher))
    total = int(per_epoch * plan.epochs / (1 - plan.tweet_share))
    rng, seen, started = random.Random(seed), [], time.time()
    last = int(total * plan.until)
    for step in range(last):
        heat = min(1, (step + 1) / (0.06 * total)) * max(0.02, 1 - step / total)
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * heat
        model.train()
        if rng.random() < plan.tweet_share:
            loss = tweet_loss(model, batcher, supply.next("tweets"), plan.smoothing)
        else:
            loss = nli_loss(model, batcher, supply.next("nli"), plan.smoothing)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(list(learnt.values()), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        seen.append(loss.item())
        new = 1 - min(plan.average, (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_([average[k] for k in learnt], list(learnt.values()), new)
        if (step + 1) % 50 == 0 or step + 1 == last:
            pace = (time.time() - started) / (step + 1)
            print(
                f"round {plan.number} seed {seed} step {step + 1}/{last} "
                f"loss {np.mean(seen[-50:]):.3f} {pace:.2f} s/step "
                f"left {pace * (last - step - 1) / 60:.1f} min",
                file=sys.stderr,
                flush=True,
            )
        if (step + 1) % (total // 6) == 0 or step + 1 == last:
            torch.save(average, keep_at)
            if tune:
                current = {k: v.clone() for k, v in model.state_dict().items()}
                model.load_state_dict(average)
                print(step + 1, json.dumps(scores(model, batcher, texts)), flush=True)
                model.load_state_dict(current)
    return average
