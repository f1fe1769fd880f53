"""Made texts with names in them, for training and measuring the tagger of names.

Names come from Faker's lists and from names_own.toml; they are parted by a hash of their letters
into train, tune and heldout, and so are the sentences of names_templates.toml (those held out are
written apart). Real sentences of ../shared/data/text fill the space between, and their "él", "una
mujer" or "um homem" gives way to a name.
"""

from __future__ import annotations

import importlib
import random
import re
import tomllib
import zlib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from mini_nli_data import DATA, held_out_prompts, read_rows

from builder.release.scrub.names.known import known_persons, section
from builder.release.scrub.names.tokens import plain

HERE = Path(__file__).parent
LOCALES = "es_ES es_MX es_CO es_CL es_AR pt_BR pt_PT".split()
PARTS = ("train", "tune", "heldout")
WORDS = tomllib.loads((HERE / "names_words.toml").read_text(encoding="utf-8"))
NO_NAME = frozenset(plain(word) for word in WORDS["no_name"].split())
LATIN = ("de", "del", "de la", "da", "dos", "de los")


def part_of(word: str) -> str:
    """train, tune or heldout, by the letters alone: a name is always on the same side."""
    bucket = zlib.crc32(plain(word).encode()) % 10
    return "heldout" if bucket == 0 else "tune" if bucket == 1 else "train"


def own(kind: str) -> list[str]:
    """The names written by hand."""
    table = tomllib.loads((HERE / "names_own.toml").read_text(encoding="utf-8"))
    return str(table[kind]).split()


@cache
def all_names() -> dict[str, tuple[str, ...]]:
    """first and last names, sorted."""
    found: dict[str, set[str]] = {"first": set(own("first")), "last": set(own("last"))}
    for locale in LOCALES:
        provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        for kind, fields in (
            ("first", ("first_names", "first_names_male", "first_names_female")),
            ("last", ("last_names",)),
        ):
            for name in fields:
                values = getattr(provider, name, None)
                if values is not None and not isinstance(values, property):
                    found[kind] |= {str(value) for value in values}
    return {
        kind: tuple(sorted(n for n in names if len(n) > 2 and plain(n) not in NO_NAME))
        for kind, names in found.items()
    }


def listed(kind: str, parts: tuple[str, ...] = PARTS) -> list[str]:
    """Words of first or last names that the tagger may look up, sorted; of the names of parts."""
    return sorted(
        {
            word
            for name in all_names()[kind]
            if part_of(name) in parts
            for word in name.split()
            if len(word) > 2 and word[0].isupper() and plain(word) not in NO_NAME
        }
    )


@dataclass
class Word:
    """A word of a made text: its letters, what it is (O, B, I), and what it stands for."""

    form: str
    label: str = "O"
    what: str = ""


@dataclass
class Made:
    """A text: `spans` are (start, end, what) of names that must go and of those that must stay."""

    text: str
    spans: list[tuple[int, int, str]] = field(default_factory=list)


class Maker:
    """Makes texts of one part.

    Args:
        part: train, tune or heldout: whose names, sentences and known names are used.
        seed: of its own random numbers.
        nouns: language -> common words.
    """

    def __init__(self, part: str, seed: int, nouns: dict[str, list[str]]) -> None:
        self.part, self.rng, self.nouns = part, random.Random(f"{part} {seed}"), nouns
        names = all_names()
        self.first = [n for n in names["first"] if part_of(n) == part]
        self.last = [n for n in names["last"] if part_of(n) == part]
        ours = {"first": own("first"), "last": own("last")}
        self.own_first = [n for n in ours["first"] if part_of(n) == part and len(n) > 2]
        self.own_last = [n for n in ours["last"] if part_of(n) == part and len(n) > 2]
        table = tomllib.loads((HERE / "names_templates.toml").read_text(encoding="utf-8"))
        side = "heldout" if part == "heldout" else "train"
        self.templates = {}
        for language, lines in table[side].items():
            kept = [line for line in lines.split("\n") if line.strip()]
            if part != "heldout":
                tune = {line for line in kept if zlib.crc32(line.encode()) % 8 == 0}
                kept = [line for line in kept if (line in tune) == (part == "tune")]
            self.templates[language] = kept
        self.known = {}
        for slot, name in (
            ("place", "places"), ("gang", "gangs"), ("media", "media"), ("org", "institutions"),
        ):  # fmt: skip
            phrases = section(name)
            self.known[slot] = (
                phrases
                if part == "train"
                else [p for p in phrases if part_of(p) == part] or phrases
            )
        self.real = real_sentences(part)

    def first_name(self) -> str:
        pool = self.own_first if self.rng.random() < 0.35 and self.own_first else self.first
        name = self.rng.choice(pool)
        if self.rng.random() < 0.2 and " " not in name:
            name += " " + self.rng.choice(self.first)
        return name

    def last_name(self) -> str:
        pool = self.own_last if self.rng.random() < 0.45 and self.own_last else self.last
        return self.rng.choice(pool)

    def full_name(self, language: str) -> str:
        rng = self.rng
        names = [self.first_name()]
        if rng.random() < 0.07:
            names.append(rng.choice(LATIN))
        names.append(self.last_name())
        if rng.random() < 0.45:
            if language == "pt" and rng.random() < 0.4:
                names.append(rng.choice(("da", "de", "dos", "do")))
            names.append(self.last_name())
        return " ".join(names)

    def fill(self, slot: str, language: str) -> list[Word]:
        rng = self.rng
        if slot == "full":
            return person(self.full_name(language), "full")
        if slot in ("first", "said"):
            return person(self.first_name(), slot)
        if slot == "last":
            return person(self.last_name(), "last")
        if slot == "street":
            name = self.full_name(language) if rng.random() < 0.6 else self.last_name()
            kind = rng.choice(WORDS.get(language, WORDS["es"])["street"])
            return [Word(w, what="street") for w in f"{kind} {name}".split()]
        if slot == "public":
            return person(rng.choice(known_persons()), "public")
        if slot in self.known:
            return [Word(w, what=slot) for w in rng.choice(self.known[slot]).split()]
        if slot == "month":
            return [Word(rng.choice(WORDS.get(language, WORDS["es"])["month"]))]
        if slot == "word":
            return [Word(rng.choice(WORDS.get(language, WORDS["es"])["word"]), what="word")]
        words = self.nouns[language]
        word = words[int(len(words) * rng.random() ** 1.6)]
        return [Word(word.capitalize() if slot == "Noun" else word)]

    def sentence(self, language: str) -> list[Word]:
        template = self.rng.choice(self.templates[language])
        while True:  # the innermost choice first
            chosen = re.sub(
                r"\(([^()]*)\)", lambda m: self.rng.choice(m[1].split("|")), template, count=1
            )
            if chosen == template:
                break
            template = chosen
        return self.filled(template, language)

    def filled(self, template: str, language: str) -> list[Word]:
        words: list[Word] = []
        for piece in re.split(r"(\{\w+\})", template):
            if piece.startswith("{"):
                made = self.fill(piece[1:-1], language)
                if words and not words[-1].form.endswith(" "):
                    words[-1].form += made[0].form
                    words[-1].label, words[-1].what = made[0].label, made[0].what
                    made = made[1:]
                words += [Word(w.form + " ", w.label, w.what) for w in made]
                if words and words[-1].form.endswith(" "):
                    words[-1].form = words[-1].form[:-1]
            else:
                words += [Word(w) for w in re.findall(r"\S+\s*|\s+", piece)]
        return [word for word in words if word.form]

    def anywhere(self, language: str) -> list[Word]:
        """A name somewhere in a real sentence, so that its letters have to tell."""
        slot = self.rng.choices(
            ("full", "said", "place", "org", "media", "gang", "public", "street", "last"),
            (52, 12, 10, 5, 3, 4, 4, 6, 4),
        )[0]
        words = self.rng.choice(self.real[language]).split()
        at = self.rng.randrange(len(words) + 1)
        taken = self.rng.choice((0, 0, 1, 2))
        return self.filled(
            " ".join([*words[:at], f"{{{slot}}}", *words[at + taken :]]).strip(), language
        )

    def made(self) -> Made:
        """One text."""
        rng = self.rng
        language = "es" if rng.random() < 0.8 else "pt"
        if self.part == "train" and rng.random() < 0.12:
            language = "en"  # words of it stand in Spanish texts, and whole texts are of it
        sentences = []
        for _ in range(rng.choice((1, 1, 2, 2, 3, 4))):
            if self.part == "train" and rng.random() < 0.4:
                sentences.append(self.anywhere(language))
            elif language == "en" or rng.random() < 0.35:
                sentences.append(self.filled(rng.choice(self.real[language]), language))
            else:
                sentences.append(self.sentence(language))
        style = rng.choices(
            ("cased", "bare", "unstopped", "small", "capitals", "headline"), (42, 41, 6, 7, 2, 2)
        )[0]
        return written(sentences, style, rng)


def person(name: str, what: str) -> list[Word]:
    """The words of a name."""
    return [Word(w, "I" if at else "B", what) for at, w in enumerate(name.split())]


_EDGE = re.compile(r"[^\w'’-]+")


def written(sentences: list[list[Word]], style: str, rng: random.Random) -> Made:
    """Sentences as one text in a way of writing."""
    text = ""
    spans: list[list[object]] = []
    for words in sentences:
        start = True
        text += " " if text else ""
        for word in words:
            form = word.form
            if style in ("bare", "unstopped"):
                form = re.sub(r"[.,;:!?¿¡…\"«»]", "", form)
            if style in ("bare", "small"):
                form = form.lower()
            elif style == "capitals":
                form = form.upper()
            elif style == "headline" and rng.random() < 0.9:
                form = form[:1].upper() + form[1:]
            elif start or (not word.label and rng.random() < 0.01):
                form = re.sub(r"[^\W\d_]", lambda m: m[0].upper(), form, count=1)
            start = False
            at = len(text)
            text += form
            if word.label == "B" or (word.what and word.label == "O"):
                if word.label == "O" and spans and spans[-1][2] == word.what and spans[-1][1] == at:
                    spans[-1][1] = len(text)
                else:
                    spans.append([at, len(text), word.what])
            elif word.label == "I" and spans:
                spans[-1][1] = len(text)
    found = []
    for start_at, end, what in spans:
        said = text[int(str(start_at)) : int(str(end))]
        lead = len(said) - len(re.sub(r"^[^\w]+", "", said))
        tail = len(re.sub(r"[^\w]+$", "", said))
        found.append((int(str(start_at)) + lead, int(str(start_at)) + tail, str(what)))
    return Made(text, found)


_ES = re.compile(
    r"(?<![\w])(?:(?:[Ee]l|[Uu]n) (?:hombre|niño|chico|joven|tipo)|(?:[Ll]a|[Uu]na) "
    r"(?:mujer|niña|chica|joven|señora)|Él|Ella|(?<=con )(?:él|ella)|(?<=a )(?:él|ella)|"
    r"(?<=de )(?:él|ella)|(?<=que )(?:él|ella))(?![\w])"
)
_PT = re.compile(
    r"(?<![\w])(?:(?:[Oo]|[Uu]m) (?:homem|menino|garoto|rapaz|cara|jovem)|(?:[Aa]|[Uu]ma) "
    r"(?:mulher|menina|garota|moça|jovem))(?![\w])"
)


_EN = re.compile(r"(?<![\w])(?:A|a|The|the) (?:man|woman|boy|girl|lady|kid)(?![\w])")


@cache
def real_texts(part: str) -> dict[str, list[str]]:
    """Language -> real sentences as they are, sorted.

    `heldout` has those that the NLI model holds out (a fifth of XNLI, all of UMSAB-es val) and a
    fifth of SICK-BR; `train` and `tune` have the rest.
    """
    xnli = read_rows(DATA, "xnli-es-dev.tsv")
    held = held_out_prompts(xnli)
    rows: list[tuple[str, bool, tuple[str, ...]]] = [  # language, held out, texts
        ("es", r["promptID"] in held, (r["sentence1"], r["sentence2"])) for r in xnli
    ]
    for name, kept in (("umsab-es-val.tsv", True), ("umsab-es-train.tsv", False)):
        rows += [
            ("es", kept, (r["text"].replace("@user", "").strip(),)) for r in read_rows(DATA, name)
        ]
    rows += [
        ("es", False, (r["Premise"], r["Hypothesis"])) for r in read_rows(DATA, "inferes_train.csv")
    ]
    for r in read_rows(DATA, "sick-br-train.tsv"):
        for language in ("pt", "en"):
            texts = tuple(f"{r[f'{side}_{language}']}." for side in ("premise", "hypothesis"))
            kept = zlib.crc32(texts[0].encode()) % 5 == 0
            rows.append((language, kept, texts))
    found: dict[str, set[str]] = {"es": set(), "pt": set(), "en": set()}
    for language, kept, texts in rows:
        if kept == (part == "heldout"):
            found[language] |= set(texts)
    return {language: sorted(texts) for language, texts in found.items()}


def is_plain(text: str) -> bool:
    """Whether a text shows no name by its capitals, and nothing that is no sentence."""
    if re.search(r"[{}()|<>\[\]@#]|http", text) or len(text.split()) > 45:
        return False
    return not re.search(r"(?<=[\wáéíóúñ,;] )[A-ZÁÉÍÓÚÑ]", text)


@cache
def real_sentences(part: str) -> dict[str, list[str]]:
    """Real sentences as templates, of one part; what has other names than ours is left out."""
    done: dict[str, list[str]] = {}
    for language, pattern in (("es", _ES), ("pt", _PT), ("en", _EN)):
        plainly: list[str] = []
        slotted: list[str] = []
        for text in filter(is_plain, real_texts(part)[language]):
            made = pattern.sub(
                lambda m: "{full}" if zlib.crc32(m.string.encode()) % 2 else "{said}", text
            )
            (slotted if made != text else plainly).append(made)
        done[language] = plainly[: len(slotted) * 3 if language == "pt" else None] + slotted
    return done
