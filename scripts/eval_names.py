"""Recall and restraint of the scrubbing of names, over made texts.

    python scripts/eval_names.py [--part heldout] [--texts 6000] [--show 20] [--write]

Prints one JSON line. Names, sentences and known names (places, gangs, media, institutions) of the
part are those the tagger was not trained on, and they are taken out of the lists it looks into:
what is measured is what it makes of a name nobody listed. In use the lists are whole.

* `full`, `first`, `last`: share of full names, of first names in a telling context and of surnames
  behind a title of which no word is left; `said`: first names in any context; `_bare`: the same in
  texts without capitals and full stops.
* `replaced`: share of other words that were replaced; `unlisted`: share of unlisted places, gangs,
  media and institutions that survive.
* `listed`: the same with the lists whole, as in use.
* `real`: share of words replaced in real texts of three languages (../shared/data/text) whose
  capitals show no name, and that were never trained on; hardly any of it is a name.
* `figures_…`: public figures of a campaign that are lost; `known`: listed names that survive.

--readme FILE puts them as a table between the lines <!-- names-table --> and <!-- /names-table -->;
with --kept those of the last --write, measuring nothing.
--write keeps the figures of the part heldout in builder/models/names/scores.json, which cards and
privacy reports quote.
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from names_texts import PARTS, Maker, is_plain, listed, part_of, real_texts
from train_names import common_words

from builder.config.campaign import Campaign
from builder.release.scrub.names.cues import PARTICLES
from builder.release.scrub.names.features import Lists
from builder.release.scrub.names.find import NameFinder
from builder.release.scrub.names.known import SECTIONS, Phrases, section
from builder.release.scrub.names.tagger import FOLDER, shipped
from builder.release.scrub.names.tokens import plain, tokens

GONE = ("full", "first", "last", "said")
SAID = (
    "En {} no pasó nada hoy.", "Según {}, todo está en calma.", "{} confirmó la noticia.",
    "Ayer hubo disparos cerca de {} y la gente corrió.", "hoy hablaron de {} todo el día",
)  # fmt: skip


def without(part: str) -> NameFinder:
    """A finder whose lists know nothing of a part."""
    kept = {kind: frozenset(map(plain, listed(kind, PARTS[:1]))) for kind in ("first", "last")}
    ours = shipped()
    tagger = copy.copy(ours)
    tagger.lists = Lists(kept["first"], kept["last"])
    phrases = [p for name in SECTIONS for p in section(name) if part_of(p) != part]
    return NameFinder(tagger=tagger, places=Phrases(phrases))


def measure(
    finder: NameFinder, part: str, texts: int, seed: int, nouns: dict[str, list[str]], show: int = 0
) -> dict[str, Any]:
    """Recall and restraint of a finder on made texts of one part."""
    maker = Maker(part, seed, nouns)
    gone: dict[str, list[bool]] = defaultdict(list)
    other = replaced = 0
    for _ in range(texts):
        made = maker.made()
        names = finder.find(made.text)
        hit = {at for name in names for at in range(name.start, name.end)}
        mine = set()
        cased = tokens(made.text)[1]
        for start, end, what in made.spans:
            words = [t for t in tokens(made.text[start:end])[0] if t.is_word]
            taken = [start + t.start in hit for t in words if plain(t.form) not in PARTICLES]
            if what in GONE:
                fine = all(taken)
                gone[what].append(fine)
                gone[f"{what}_{'cased' if cased else 'bare'}"].append(fine)
            elif what == "street":
                fine = True
            elif what != "public":
                fine = not any(taken)
                gone["word" if what == "word" else "unlisted"].append(fine)
            else:
                fine = True
            if what in (*GONE, "public", "street"):
                mine |= set(range(start, end))
            if not fine and show > 0:
                show -= 1
                print(f"{what}: {made.text[start:end]!r} in {made.text!r}", file=sys.stderr)
        for token in tokens(made.text)[0]:
            if token.is_word and token.start not in mine:
                other += 1
                if token.start in hit:
                    replaced += 1
                    if show > 0:
                        show -= 1
                        print(f"REPLACED {token.form!r} in {made.text!r}", file=sys.stderr)
    done: dict[str, Any] = {k: round(sum(v) / len(v), 4) for k, v in sorted(gone.items())}
    counts = {kind: len(gone[kind]) for kind in (*GONE, "unlisted") if gone[kind]}
    return done | {
        "replaced": round(replaced / max(other, 1), 4),
        "other_words": other,
        "n": counts,
    }


def false_finds(finder: NameFinder, show: int = 0) -> dict[str, Any]:
    """Words replaced in real texts whose capitals show no name, and that were never trained on."""
    done: dict[str, Any] = {}
    for language, texts in real_texts("heldout").items():
        for style in ("cased", "bare"):
            words = replaced = 0
            for text in filter(is_plain, texts):
                said = text if style == "cased" else re.sub(r"[.,;:!?¿¡…\"«»]", "", text).lower()
                names = finder.find(said)
                inside = [t for t in tokens(said)[0] if t.is_word]
                hit = [t for t in inside if any(n.start <= t.start < n.end for n in names)]
                words, replaced = words + len(inside), replaced + len(hit)
                if hit and show > 0:
                    show -= 1
                    print(f"FALSE {[t.form for t in hit]} in {said!r}", file=sys.stderr)
            done[f"{language}_{style}"] = round(replaced / max(words, 1), 5)
            done[f"{language}_words"] = words
    return done


def survival() -> dict[str, Any]:
    """Public figures of the embedded campaigns and listed names, in sentences, cased and bare."""
    done: dict[str, Any] = {}
    for name in ("ecuador_2024", "brasilia_2023"):
        campaign = Campaign.load(name)
        finder = NameFinder(campaign.figure_names, campaign.public_persons)
        left = [f.name for f in campaign.public_figures if not _survives(finder, f.name)]
        done[f"figures_{name}"] = {"of": len(campaign.public_figures), "lost": left}
    finder = NameFinder()
    listed = sorted({p for name in SECTIONS for p in section(name)})
    lost = [p for p in listed if not _survives(finder, p)]
    return done | {
        "known": {"of": len(listed), "survive": len(listed) - len(lost), "lost": lost[:20]}
    }


def _survives(finder: NameFinder, name: str) -> bool:
    for sentence in SAID:
        for said in (sentence.format(name), sentence.format(name).lower().replace(",", "")):
            at = said.lower().find(name.lower())
            if any(n.start < at + len(name) and n.end > at for n in finder.find(said)):
                return False
    return True


def table(scores: dict[str, Any]) -> str:
    """The Markdown table of the README."""
    listed, rows = scores["listed"], []
    for key, what in (
        ("full", "full names"),
        ("first", "first names in a telling context"),
        ("last", "surnames behind a title"),
    ):
        for form, text in (("cased", "as Whisper writes"), ("bare", "no capitals, no full stops")):
            share = (listed[f"{key}_{form}"], scores[f"{key}_{form}"])
            rows.append(f"| {what} found, {text} | {share[0]:.1%} | {share[1]:.1%} |")
    real = scores.get("real", {})
    for language, what in (("es", "Spanish"), ("pt", "Portuguese"), ("en", "English")):
        if real:
            cased, bare = real[f"{language}_cased"], real[f"{language}_bare"]
            rows.append(
                f"| words of real {what} sentences without names replaced, as written; "
                f"uncased | {cased:.2%}; {bare:.2%} | |"
            )
    rows.append(f"| other words replaced | {listed['replaced']:.2%} | {scores['replaced']:.2%} |")
    known = scores["known"]
    kept = f"{known['survive']:,} of {known['of']:,}"
    rows.append(f"| places, gangs, media, institutions kept | {kept} | {scores['unlisted']:.1%} |")
    head = "| names never trained on | lists whole, as in use | in no list |\n|---|---:|---:|"
    return "\n".join([head, *rows])


def put(path: Path, text: str) -> None:
    """Put a table between its marks in a Markdown file."""
    start, end = "<!-- names-table -->", "<!-- /names-table -->"
    old = path.read_text(encoding="utf-8")
    if old.count(start) != 1 or old.count(end) != 1:
        raise SystemExit(f"{path} needs the lines {start} and {end}, once each")
    before, after = old[: old.index(start) + len(start)], old[old.index(end) :]
    path.write_text(f"{before}\n{text}\n{after}", encoding="utf-8")


def main() -> None:
    """Print the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--part", choices=("tune", "heldout"), default="heldout")
    parser.add_argument("--texts", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=0, help="failures to print")
    parser.add_argument("--hunspell", type=Path, default=Path("/usr/share/hunspell"))
    parser.add_argument("--cache", type=Path, help="see train_names.py")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--readme", type=Path, metavar="FILE")
    parser.add_argument("--kept", action="store_true")
    asked = parser.parse_args()
    if asked.kept:
        put(asked.readme, table(json.loads((FOLDER / "scores.json").read_text(encoding="utf-8"))))
        return
    nouns = common_words(asked.hunspell, asked.cache)
    found = {"part": asked.part, "texts": asked.texts}
    about = (asked.part, asked.texts, asked.seed, nouns)
    found |= measure(without(asked.part), *about, asked.show) | survival()
    found["listed"] = measure(NameFinder(), *about)
    found["real"] = false_finds(NameFinder(), asked.show)
    print(json.dumps(found, ensure_ascii=False))
    if asked.write:
        text = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
        (FOLDER / "scores.json").write_text(text, encoding="utf-8")
    if asked.readme:
        put(asked.readme, table(found))


if __name__ == "__main__":
    main()
