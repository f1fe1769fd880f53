"""Speed of our zero-shot sentiment against transformers' and sentence-transformers'.

The same texts, the same checkpoint (the shape of xlm-roberta-large with random weights: speed does
not depend on their values; a small vocabulary, since an embedding look-up costs nothing), the same
number of threads. Every side runs in a process of its own: in one process CTranslate2 and torch
change each other's OpenMP settings, and the comparison means nothing. The sides take turns, round
by round, so that other load on the machine meets all of them. Prints one line of JSON:

* `chosen`, `pairs_per_s_measured`: the back end that `backend = "auto"` takes on this machine, and
  what it was chosen by (`builder/annotate/nli/backends/choice.py`),
* `back_ends`: texts a second of each of our back ends that is installed, in the same rounds,
* `over_ctranslate2`: CTranslate2's time over the chosen one's,
* `texts_per_s`, `cpu_s_per_text`: per side, by wall clock and by processor time (all threads),
* `speedup`, `speedup_cpu`: each other side's time over the chosen one's, by either clock,
* `peak_tops`: measured peak of matrix products with these threads, by library and type; int8 in
  OpenVINO (oneDNN) is what AMX gives, `torch._int_mm` need not be,
* `ours_tops`, `share_of_peak`: what the encoder's matrix products reach over real tokens, and its
  share of the highest of these peaks,
* `load`: load average before and after. On a machine busy with other work use `--threads 1`:
  torch's threads wait for each other, and two of them on two busy cores are slower than one,
  which flatters us.

    python scripts/bench_nli.py                       # a quiet machine: all cores
    python scripts/bench_nli.py --threads 1           # a busy one
    python scripts/bench_nli.py --texts 6 --rounds 1 --layers 4     # a quick look
    python scripts/bench_nli.py --only-ours                         # no torch
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench_nli_made import HIDDEN, INNER, LABELS, TEMPLATE, make_checkpoint, make_texts
from bench_nli_peak import peak_tops

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

OURS = ["ctranslate2", "openvino"]
OTHERS = ["pipeline", "pipeline_batched", "cross_encoder"]


def encoder_operations(lengths: list[int], layers: int) -> float:
    """Operations of the encoder's matrix products (weights and attention) over real tokens."""
    weights = 4 * HIDDEN * HIDDEN + 2 * HIDDEN * INNER
    return float(sum(layers * (2 * weights * n + 4 * n * n * HIDDEN) for n in lengths))


def run_side(
    name: str, folder: Path, texts: list[str], threads: int, batch: int
) -> dict[str, float]:
    """Load one side, warm it up, and time it on the texts (seconds by both clocks)."""
    hypotheses = [TEMPLATE.format(label) for label in LABELS]
    run: Callable[[list[str]], object]
    if name in OURS:
        from builder.annotate.nli.engine import NliEngine
        from builder.annotate.nli.opening import Wanted
        from builder.annotate.sentiment import Sentiment
        from builder.config.profile import NliTable, SentimentTable

        wanted: Wanted = "openvino" if name == "openvino" else "ctranslate2"
        engine = NliEngine.load(folder, wanted, threads=threads, cache_dir=folder.parent / "cache")
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


def choice(folder: Path) -> dict[str, Any]:
    """The back end "auto" takes for this checkpoint on this machine, and what it measured."""
    from builder.annotate.nli.engine import NliEngine

    cache = folder.parent / "cache"
    backend = NliEngine.load(folder, "auto", cache_dir=cache).backend
    kept = [json.loads(file.read_text()) for file in cache.glob("nli/backend-*.json")]
    rates = kept[0]["pairs_per_second"] if kept else {}
    return {"chosen": backend.kind, "made_with": backend.made_with, "measured": rates}


def in_process(arguments: list[str]) -> dict[str, Any]:
    """Run this script with the arguments in a new process; the last line it prints is JSON."""
    command = [sys.executable, __file__, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
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
    parser.add_argument("--only-ours", action="store_true", help="our back ends; needs no torch")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    texts = make_texts(args.texts, args.repeats, args.seed)
    if args.side == "peak":
        print(json.dumps(peak_tops(args.threads)))
        return
    if args.side == "choice":
        print(json.dumps(choice(args.folder)))
        return
    if args.side:
        print(json.dumps(run_side(args.side, args.folder, texts, args.threads, args.batch)))
        return

    from builder.annotate.nli.pairs import PairEncoder

    ours = [name for name in OURS if name == "ctranslate2" or find_spec(name)]
    torch = find_spec("torch") and find_spec("transformers") and not args.only_ours
    others = OTHERS if torch else []
    sides = [*ours, *others]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "large"
        make_checkpoint(folder, args.layers)
        taken = in_process(["--side", "choice", "--folder", str(folder)])
        print(f"chosen: {taken}", file=sys.stderr, flush=True)
        wall, cpu = dict.fromkeys(sides, 0.0), dict.fromkeys(sides, 0.0)
        before = os.getloadavg()
        fixed = ["--texts", args.texts, "--repeats", args.repeats, "--batch", args.batch]
        fixed += ["--threads", args.threads, "--folder", folder]
        for number in range(args.rounds):
            turn = number % len(sides)
            for name in sides[turn:] + sides[:turn]:
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
        # torch is no side of ours here: it is what the others run on
        chosen = taken["chosen"] if taken["chosen"] in wall else "ctranslate2"
        tops = operations / wall[chosen] / 1e12
        lengths, count = sorted(encoder.lengths(every)), len(every)
        result = {
            "shape": f"xlm-roberta-large, {args.layers} layers, random weights",
            "chosen": taken["chosen"],
            "made_with": taken["made_with"],
            "pairs_per_s_measured": taken["measured"],
            "back_ends": {name: round(count / wall[name], 3) for name in ours},
            "over_ctranslate2": round(wall["ctranslate2"] / wall[chosen], 3),
            "texts": count,
            "tokens_median": lengths[count // 2],
            "tokens_mean": round(sum(lengths) / count, 1),
            "tokens_max": lengths[-1],
            "repeats": round(1 - len(once) / count, 3),
            "threads": args.threads,
            "texts_per_s": {name: round(count / wall[name], 3) for name in sides},
            "pairs_per_s": {name: round(3 * count / wall[name], 3) for name in sides},
            "cpu_s_per_text": {name: round(cpu[name] / count, 4) for name in sides},
            "speedup": {name: round(wall[name] / wall[chosen], 2) for name in others},
            "speedup_cpu": {name: round(cpu[name] / cpu[chosen], 2) for name in others},
            "peak_tops": peaks,
            "ours_tops": round(tops, 3),
            "share_of_peak": round(tops / max(peaks.values()), 3) if peaks else None,
            "cores": os.cpu_count(),
            "load": [round(before[0], 1), round(os.getloadavg()[0], 1)],
        }
        print(json.dumps(result))


if __name__ == "__main__":
    main()
