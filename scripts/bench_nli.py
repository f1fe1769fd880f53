"""Speed of our zero-shot sentiment against transformers' and sentence-transformers'.

One run, one machine, the same texts and the same checkpoint (the shape of xlm-roberta-large with
random weights: speed does not depend on their values; a small vocabulary, since an embedding
look-up costs nothing). The sides take turns, round by round, so that other load on the machine
meets all of them. Prints one line of JSON:

* `texts_per_s`, `cpu_s_per_text`: per side, by wall clock and by processor time (all threads),
* `speedup`, `speedup_cpu`: ours over each other side, by either clock,
* `peak_tops`: measured peak of square matrix products on this machine in float32, bfloat16, int8,
* `ours_tops`, `share_of_int8_peak`: what the encoder's matrix products reach over real tokens.

    python scripts/bench_nli.py                       # 3 rounds of 40 texts, about 8 minutes
    python scripts/bench_nli.py --texts 10 --rounds 1 --layers 4     # a quick look
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

SYLLABLES = (
    "la de que el en con por un es se no lo ra ta mos do na ción ver qui to gua ya sa".split()
)
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
TEMPLATE, LABELS = "El sentimiento de este texto es {}.", ["negativo", "neutral", "positivo"]


def make_texts(count: int, repeats: float, seed: int) -> list[str]:
    """Texts whose word counts are log-normal (median about 40 tokens, cut at 600), with repeats."""
    rng = random.Random(seed)
    fresh = max(1, round(count * (1 - repeats)))
    texts = []
    for _ in range(fresh):
        size = int(min(600, max(4, rng.lognormvariate(3.69, 0.95))))
        texts.append(" ".join("".join(rng.choices(SYLLABLES, k=2)) for _ in range(size)))
    texts += [rng.choice(texts) for _ in range(count - fresh)]
    rng.shuffle(texts)
    return texts


def make_checkpoint(folder: Path, layers: int) -> None:
    """Random weights in the shape of xlm-roberta-large, and a tokenizer of one token a word."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import (
        PreTrainedTokenizerFast,
        XLMRobertaConfig,
        XLMRobertaForSequenceClassification,
    )

    words = [a + b for a in SYLLABLES for b in SYLLABLES]
    words += [*TEMPLATE.replace("{}.", "").split(), *LABELS, "."]
    vocabulary = {w: i for i, w in enumerate(dict.fromkeys([*SPECIAL, *words]))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", bos_token="<s>",
        eos_token="</s>", cls_token="<s>", sep_token="</s>", model_max_length=512,
        model_input_names=["input_ids", "attention_mask"],
    ).save_pretrained(folder)  # fmt: skip
    names = dict(enumerate(("contradiction", "neutral", "entailment")))
    config = XLMRobertaConfig(
        hidden_size=1024, num_hidden_layers=layers, num_attention_heads=16, intermediate_size=4096,
        vocab_size=len(vocabulary), max_position_embeddings=514, type_vocab_size=1,
        layer_norm_eps=1e-5, pad_token_id=1, id2label=names,
        label2id={name: index for index, name in names.items()},
    )  # fmt: skip
    torch.manual_seed(0)
    XLMRobertaForSequenceClassification(config).save_pretrained(folder)


def peak_tops() -> dict[str, float]:
    """Best rate of a 2048 x 4096 x 4096 product in 10^12 operations a second, by type."""
    import torch

    rows, inner, columns = 2048, 4096, 4096
    products: dict[str, Callable[[], object]] = {}
    for name, kind in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        a, b = torch.randn(rows, inner, dtype=kind), torch.randn(inner, columns, dtype=kind)
        products[name] = lambda a=a, b=b: a @ b
    a8 = torch.randint(-127, 127, (rows, inner), dtype=torch.int8)
    b8 = torch.randint(-127, 127, (columns, inner), dtype=torch.int8).t()
    products["int8"] = lambda: torch._int_mm(a8, b8)
    found = {}
    for name, product in products.items():
        product()
        best = float("inf")
        for _ in range(8):
            started = time.perf_counter()
            product()
            best = min(best, time.perf_counter() - started)
        found[name] = round(2 * rows * inner * columns / best / 1e12, 3)
    return found


def encoder_operations(lengths: list[int], layers: int) -> float:
    """Operations of the encoder's matrix products (weights and attention) over real tokens."""
    weights = 4 * 1024 * 1024 + 2 * 1024 * 4096
    return float(sum(layers * (2 * weights * n + 4 * n * n * 1024) for n in lengths))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=int, default=40, help="texts in a round (3 pairs each)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--repeats", type=float, default=0.15, help="share of repeated texts")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=16, help="batch size of the batched pipeline")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")

    import torch
    import transformers
    from sentence_transformers import CrossEncoder
    from transformers import pipeline

    from builder.annotate.cpu import cores
    from builder.annotate.nli import NliEngine
    from builder.annotate.profile import NliTable
    from builder.annotate.sentiment import Sentiment

    # As many threads as ours, whatever the environment says: no side is held back.
    torch.set_num_threads(cores())
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "large"
        make_checkpoint(folder, args.layers)
        engine = NliEngine.load(folder, "ctranslate2", cache_dir=Path(scratch) / "cache")
        stage = Sentiment(NliTable(model=str(folder)), engine=engine)
        # No second look at near ties: with random weights every text is one.
        stage.table = stage.table.model_copy(update={"long": "truncate", "recheck": 0.0})
        piped = pipeline("zero-shot-classification", model=str(folder), dtype=torch.float32)
        cross = CrossEncoder(str(folder), device="cpu", max_length=512)
        options = {"candidate_labels": LABELS, "hypothesis_template": TEMPLATE}
        hypotheses = [TEMPLATE.format(label) for label in LABELS]
        sides: dict[str, Callable[[list[str]], object]] = {
            "ours": stage.scores,
            "pipeline": lambda texts: piped(texts, **options),
            "pipeline_batched": lambda texts: piped(texts, batch_size=args.batch, **options),
            "cross_encoder": lambda texts: cross.predict(
                [(text, hypothesis) for text in texts for hypothesis in hypotheses],
                show_progress_bar=False,
            ),
        }
        rounds = [make_texts(args.texts, args.repeats, args.seed + r) for r in range(args.rounds)]
        for run in sides.values():
            run(rounds[0][:2])
        wall, cpu = dict.fromkeys(sides, 0.0), dict.fromkeys(sides, 0.0)
        for number, texts in enumerate(rounds):
            names = list(sides)
            for name in names[number % len(names) :] + names[: number % len(names)]:
                clock, processor = time.perf_counter(), time.process_time()
                sides[name](texts)
                wall[name] += time.perf_counter() - clock
                cpu[name] += time.process_time() - processor
                spent = f"{wall[name]:.1f} s, {cpu[name]:.1f} s of processor time"
                print(f"round {number + 1}, {name}: {spent} so far", file=sys.stderr, flush=True)
        peaks = peak_tops()
        every = [text for texts in rounds for text in texts]
        lengths = [min(n, 512) for n in engine.pairs.lengths(every)]
        ours = [text for texts in rounds for text in dict.fromkeys(texts)]
        pairs = [
            len(pair.ids)
            for pair in engine.pairs.encode([(t, h) for t in ours for h in hypotheses])
        ]
        tops = encoder_operations(pairs, args.layers) / wall["ours"] / 1e12
        count = len(every)
        result = {
            "shape": f"xlm-roberta-large, {args.layers} layers, random weights",
            "texts": count,
            "tokens_median": sorted(lengths)[count // 2],
            "tokens_max": max(lengths),
            "repeats": round(1 - len(ours) / count, 3),
            "texts_per_s": {name: round(count / wall[name], 3) for name in sides},
            "pairs_per_s": {name: round(3 * count / wall[name], 3) for name in sides},
            "cpu_s_per_text": {name: round(cpu[name] / count, 4) for name in sides},
            "speedup": {n: round(wall[n] / wall["ours"], 2) for n in sides if n != "ours"},
            "speedup_cpu": {n: round(cpu[n] / cpu["ours"], 2) for n in sides if n != "ours"},
            "peak_tops": peaks,
            "ours_tops": round(tops, 3),
            "share_of_int8_peak": round(tops / peaks["int8"], 3),
            "cores": os.cpu_count(),
            "load": [round(value, 1) for value in os.getloadavg()],
            "machine": platform.machine(),
            "torch_threads": torch.get_num_threads(),
        }
        print(json.dumps(result))


if __name__ == "__main__":
    main()
