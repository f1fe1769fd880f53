"""Speed of our zero-shot sentiment against transformers' and sentence-transformers'.

The same texts, the same checkpoint (the shape of xlm-roberta-large with random weights: speed does
not depend on their values; a small vocabulary, since an embedding look-up costs nothing), the same
number of threads. Every side runs in a process of its own: in one process CTranslate2 and torch
change each other's OpenMP settings, and the comparison means nothing. The sides take turns, round
by round, so that other load on the machine meets all of them. Prints one line of JSON:

* `texts_per_s`, `cpu_s_per_text`: per side, by wall clock and by processor time (all threads),
* `speedup`, `speedup_cpu`: each other side's time over ours, by either clock,
* `peak_tops`: measured peak of matrix products with these threads in float32, bfloat16, int8,
* `ours_tops`, `share_of_int8_peak`: what the encoder's matrix products reach over real tokens,
* `load`: load average before and after. On a machine busy with other work use `--threads 1`:
  torch's threads wait for each other, and two of them on two busy cores are slower than one,
  which flatters us.

    python scripts/bench_nli.py                       # a quiet machine: all cores
    python scripts/bench_nli.py --threads 1           # a busy one
    python scripts/bench_nli.py --texts 6 --rounds 1 --layers 4     # a quick look
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

SYLLABLES = (
    "la de que el en con por un es se no lo ra ta mos do na ción ver qui to gua ya sa".split()
)
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
SIDES = ["ours", "pipeline", "pipeline_batched", "cross_encoder"]
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


def peak_tops(threads: int) -> dict[str, float]:
    """Best rate of a matrix product in 10^12 operations a second, by type.

    The product is 2048 x 4096 x 4096; where even a small one is slow (int8 without the processor's
    instructions for it), the small one's rate is given.
    """
    import torch

    torch.set_num_threads(threads)

    def best_rate(kind: str, rows: int, inner: int, columns: int) -> tuple[float, float]:
        """(rate, seconds of the best run)."""
        product: Callable[[], object]
        if kind == "int8":
            a8 = torch.randint(-127, 127, (rows, inner), dtype=torch.int8)
            b8 = torch.randint(-127, 127, (columns, inner), dtype=torch.int8).t()
            product = partial(torch._int_mm, a8, b8)
        else:
            dtype = getattr(torch, kind)
            a, b = torch.randn(rows, inner, dtype=dtype), torch.randn(inner, columns, dtype=dtype)
            product = partial(torch.matmul, a, b)
        product()
        best = float("inf")
        for _ in range(8):
            started = time.perf_counter()
            product()
            best = min(best, time.perf_counter() - started)
        return 2 * rows * inner * columns / best / 1e12, best

    found = {}
    for kind in ("float32", "bfloat16", "int8"):
        rate, seconds = best_rate(kind, 256, 512, 512)
        if seconds < 0.05:  # the whole product is 512 times as much work
            rate, _ = best_rate(kind, 2048, 4096, 4096)
        found[kind] = round(rate, 4)
    return found


def encoder_operations(lengths: list[int], layers: int) -> float:
    """Operations of the encoder's matrix products (weights and attention) over real tokens."""
    weights = 4 * 1024 * 1024 + 2 * 1024 * 4096
    return float(sum(layers * (2 * weights * n + 4 * n * n * 1024) for n in lengths))


def run_side(
    name: str, folder: Path, texts: list[str], threads: int, batch: int
) -> dict[str, float]:
    """Load one side, warm it up, and time it on the texts (seconds by both clocks)."""
    hypotheses = [TEMPLATE.format(label) for label in LABELS]
    run: Callable[[list[str]], object]
    if name == "ours":
        from builder.annotate.nli.engine import NliEngine
        from builder.annotate.sentiment import Sentiment
        from builder.config.profile import NliTable, SentimentTable

        engine = NliEngine.load(
            folder, "ctranslate2", threads=threads, cache_dir=folder.parent / "cache"
        )
        # No second look at near ties: with random weights every text is one.
        table = SentimentTable(long="truncate", recheck=0)
        run = Sentiment(NliTable(model=str(folder)), table, engine=engine).scores
    else:
        import torch
        import transformers

        torch.set_num_threads(threads)
        transformers.logging.set_verbosity_error()
        if name == "cross_encoder":
            from sentence_transformers import CrossEncoder

            cross = CrossEncoder(str(folder), device="cpu", max_length=512)

            def run(texts: list[str]) -> object:
                pairs = [(text, hypothesis) for text in texts for hypothesis in hypotheses]
                return cross.predict(pairs, show_progress_bar=False)
        else:
            piped = transformers.pipeline(
                "zero-shot-classification", model=str(folder), dtype=torch.float32
            )
            options: dict[str, Any] = {"candidate_labels": LABELS, "hypothesis_template": TEMPLATE}
            if name == "pipeline_batched":
                options["batch_size"] = batch

            def run(texts: list[str]) -> object:
                return piped(texts, **options)

        torch.set_num_threads(threads)
    run(texts[:1])
    clock, processor = time.perf_counter(), time.process_time()
    run(texts)
    return {"wall": time.perf_counter() - clock, "cpu": time.process_time() - processor}


def in_process(arguments: list[str]) -> dict[str, float]:
    """Run this script with the arguments in a new process; the last line it prints is JSON."""
    command = [sys.executable, __file__, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main() -> None:
    """Orchestrate, or (with --side) be one side."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=int, default=40, help="texts in a round (3 pairs each)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--repeats", type=float, default=0.15, help="share of repeated texts")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=16, help="batch size of the batched pipeline")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    texts = make_texts(args.texts, args.repeats, args.seed)
    if args.side == "peak":
        print(json.dumps(peak_tops(args.threads)))
        return
    if args.side:
        print(json.dumps(run_side(args.side, args.folder, texts, args.threads, args.batch)))
        return

    from builder.annotate.nli.convert import cached
    from builder.annotate.nli.pairs import PairEncoder

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "large"
        make_checkpoint(folder, args.layers)
        cached(folder, cache_dir=Path(scratch) / "cache")
        wall, cpu = dict.fromkeys(SIDES, 0.0), dict.fromkeys(SIDES, 0.0)
        before = os.getloadavg()
        fixed = ["--texts", args.texts, "--repeats", args.repeats, "--batch", args.batch]
        fixed += ["--threads", args.threads, "--folder", folder]
        for number in range(args.rounds):
            turn = number % len(SIDES)
            for name in SIDES[turn:] + SIDES[:turn]:
                own = ["--side", name, "--seed", args.seed + number]
                took = in_process([str(value) for value in fixed + own])
                wall[name] += took["wall"]
                cpu[name] += took["cpu"]
                spent = f"{took['wall']:.1f} s, {took['cpu']:.1f} s of processor time"
                print(f"round {number + 1}, {name}: {spent}", file=sys.stderr, flush=True)
        peaks = in_process(["--side", "peak", "--threads", str(args.threads)])
        encoder = PairEncoder(folder, window=512, segments=False)
        rounds = [make_texts(args.texts, args.repeats, args.seed + r) for r in range(args.rounds)]
        every = [text for one in rounds for text in one]
        once = [text for one in rounds for text in dict.fromkeys(one)]
        hypotheses = [TEMPLATE.format(label) for label in LABELS]
        pairs = encoder.encode([(text, hypothesis) for text in once for hypothesis in hypotheses])
        operations = encoder_operations([len(pair.ids) for pair in pairs], args.layers)
        tops = operations / wall["ours"] / 1e12
        lengths, count = sorted(encoder.lengths(every)), len(every)
        others = [name for name in SIDES if name != "ours"]
        result = {
            "shape": f"xlm-roberta-large, {args.layers} layers, random weights",
            "texts": count,
            "tokens_median": lengths[count // 2],
            "tokens_mean": round(sum(lengths) / count, 1),
            "tokens_max": lengths[-1],
            "repeats": round(1 - len(once) / count, 3),
            "threads": args.threads,
            "texts_per_s": {name: round(count / wall[name], 3) for name in SIDES},
            "pairs_per_s": {name: round(3 * count / wall[name], 3) for name in SIDES},
            "cpu_s_per_text": {name: round(cpu[name] / count, 4) for name in SIDES},
            "speedup": {name: round(wall[name] / wall["ours"], 2) for name in others},
            "speedup_cpu": {name: round(cpu[name] / cpu["ours"], 2) for name in others},
            "peak_tops": peaks,
            "ours_tops": round(tops, 3),
            "share_of_int8_peak": round(tops / peaks["int8"], 3),
            "cores": os.cpu_count(),
            "load": [round(before[0], 1), round(os.getloadavg()[0], 1)],
        }
        print(json.dumps(result))


if __name__ == "__main__":
    main()
