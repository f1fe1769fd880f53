"""Recall and restraint of the text scrubber over invented texts (scripts/scrub_cases.py).

usage: python scripts/eval_scrub.py [--sets NAME …] [--each 200] [--seed 1] [--show KIND]

Prints one JSON line. For each set of templates: `recall`, the share of planted identifiers of which
nothing as long as half of them is left, by form (written, spoken, evasive) and by kind and form;
and `changed`, the share of harmless texts in which anything was replaced, over all and by kind.
`gate` is the share of all those texts that the vectorised gate lets through.
"""

from __future__ import annotations

import argparse
import json
import sys
import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import Any

import polars as pl

sys.path.insert(0, str(Path(__file__).parent))

from scrub_cases import Cases, Planted

from builder.config.campaign import Campaign
from builder.release.scrub.scrubber import Scrubber


def core(text: str) -> str:
    """Letters and figures only, as a reader sees them."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(char for char in plain if char.isalnum())


def is_gone(planted: Planted, scrubbed: str) -> bool:
    """Whether no stretch of the identifier as long as half of it is left (four signs at least)."""
    if planted.secret in scrubbed:
        return False
    secret, left = core(planted.secret), core(scrubbed)
    if planted.kind in ("coordinates", "birth", "address"):
        secret = "".join(core(part) for part in planted.secret.split()[-3:])
    if not secret:
        return True  # signs that no reader of plain text could put together
    size = max(min(4, len(secret)), len(secret) // 2)
    return not any(secret[at : at + size] in left for at in range(len(secret) - size + 1))


def scrubber_for(cases: Cases) -> Scrubber:
    """Ecuador's, as its campaign says; or that of a campaign about Brazil."""
    if cases.country == "EC":
        return Scrubber.of(Campaign.load("ecuador_2024"), cases.usernames)
    return Scrubber(
        country=cases.country,
        neighbours=["EC", "PE", "CO"],
        languages=["pt", "es"],
        usernames=cases.usernames,
    )


def evaluate(name: str, each: int, seed: int, show: str = "") -> dict[str, Any]:
    """Recall and restraint over one set."""
    cases = Cases(name, seed)
    scrubber = scrubber_for(cases)
    planted, harmless = list(cases.planted(each)), list(cases.harmless(each))
    scrubbed = scrubber.scrub_column(pl.Series([one.text for one in planted]))["text"]
    hits: dict[str, list[bool]] = defaultdict(list)
    for one, left in zip(planted, scrubbed, strict=True):
        gone = is_gone(one, left)
        hits[one.form].append(gone)
        hits[f"{one.kind} {one.form}"].append(gone)
        if not gone and show in (one.kind, "all", one.form, f"{one.kind}/{one.form}"):
            print(f"LEFT {one.kind}/{one.form}: {one.text!r} -> {left!r}", file=sys.stderr)
    kept = scrubber.scrub_column(pl.Series([one.text for one in harmless]))["text"]
    changed: dict[str, list[bool]] = defaultdict(list)
    for text, left in zip(harmless, kept, strict=True):
        for key in ("all", text.kind):
            changed[key].append(left != text.text)
        if left != text.text and show in (text.kind, "all", "harmless"):
            print(f"CHANGED {text.kind}: {text.text!r} -> {left!r}", file=sys.stderr)
    texts = pl.Series([one.text for one in planted] + [one.text for one in harmless])
    return {
        "planted": len(planted),
        "harmless": len(harmless),
        "recall": {key: round(sum(v) / len(v), 3) for key, v in hits.items()},
        "changed": {key: round(sum(v) / len(v), 3) for key, v in changed.items()},
        "gate": round(float(scrubber.may_identify(texts).mean()), 3),  # type: ignore[arg-type]
    }


def main() -> None:
    """Print the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--sets", nargs="+", default=["tune", "pt_tune", "heldout", "fresh", "pt_fresh"]
    )
    parser.add_argument("--each", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", default="", help="a kind or form whose failures are printed")
    options = parser.parse_args()
    found = {s: evaluate(s, options.each, options.seed, options.show) for s in options.sets}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
