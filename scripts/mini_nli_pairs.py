"""Training pairs for the small NLI model that are made, not collected: made-up events in Spanish,
Portuguese and English with one fact changed, negations and changed numbers and names in natural
sentences, summaries of made-up transcripts, and talk with a clear feeling. All seeded.
"""

from __future__ import annotations

import random
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

FRAMES = Path(__file__).with_name("mini_nli_frames.toml")
ENTAILMENT, NEUTRAL, CONTRADICTION = range(3)
NOT_CHANGED = {"event", "site"}  # another event does not contradict the first
SLOT = re.compile(r"\{(\w+)\}")
NUMBERS = {
    "es": "dos tres cuatro cinco seis siete ocho nueve diez once doce".split(),
    "pt": "dois três quatro cinco seis sete oito nove dez onze doze".split(),
    "en": "two three four five six seven eight nine ten eleven twelve".split(),
}
FILLERS = {
    "es": [
        "Hola amigos, bienvenidos a mi canal.",
        "Síganme para más noticias.",
        "No olviden compartir este video.",
        "Los leo en los comentarios.",
        "Buenas noches, Ecuador.",
        "Última hora 🚨",
        "#ecuador #noticias",
        "Dios nos cuide a todos 🙏",
        "Bueno, como les decía,",
        "Y eso no es todo.",
    ],
    "pt": ["Oi, pessoal.", "Sigam para mais notícias.", "Compartilhem este vídeo.", "Urgente 🚨"],
    "en": ["Hi everyone.", "Follow for more.", "Share this video.", "Breaking news 🚨", "#news"],
}


class Pair(NamedTuple):
    premise: str
    hypothesis: str
    label: int


class Frames:
    """The frames and word lists; fills slots."""

    def __init__(self, path: Path = FRAMES) -> None:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        self.words: dict[str, dict[str, list[str]]] = data["words"]
        self.feeling: dict[str, list[str]] = data["feeling"]
        self.by_language: dict[str, list[dict[str, Any]]] = {
            language: [] for language in self.words
        }
        for frame in data["frame"]:
            self.by_language[frame["lang"]].append(frame)

    def values(self, language: str, rng: random.Random) -> dict[str, str]:
        """A value and another value for every slot; numbers as digits."""
        chosen = {}
        for slot, words in self.words[language].items():
            chosen[slot], chosen[slot + "2"] = rng.sample(words, 2)
        top = rng.choice([12, 12, 60, 400])
        first, second = rng.sample(range(2, top + 1), 2)
        return chosen | {"n": str(first), "n2": str(second)}


def fill(template: str, values: dict[str, str], language: str, rng: random.Random) -> str:
    """Put the values in; small numbers sometimes as words; first letter upper case."""

    def value(match: re.Match[str]) -> str:
        text = values[match[1]]
        if match[1].startswith("n") and text.isdigit() and int(text) <= 12 and rng.random() < 0.5:
            return NUMBERS[language][int(text) - 2]
        return text

    text = SLOT.sub(value, template)
    for full, short in (("de el ", "del "), ("a el ", "al ")) if language == "es" else ():
        text = re.sub(rf"\b{full}", short, text)
    return text[:1].upper() + text[1:]


def changed(
    template: str, said: str, values: dict[str, str], rng: random.Random
) -> dict[str, str] | None:
    """The values with one slot that both texts use set to something else; None: no such slot."""
    here, there = set(SLOT.findall(template)), set(SLOT.findall(said))
    free = [s for s in sorted(here & there) if not s.endswith("2") and s + "2" not in there | here]
    free = [s for s in free if s not in NOT_CHANGED]
    if not free:
        return None
    slot = rng.choice(free)
    return values | {slot: values[slot + "2"]}


def _other(frames: Frames, language: str, frame: dict[str, Any], rng: random.Random) -> str:
    """Something about another event altogether."""
    other = rng.choice([f for f in frames.by_language[language] if f is not frame])
    return fill(rng.choice(other["yes"]), frames.values(language, rng), language, rng)


def event_pairs(frames: Frames, language: str, rng: random.Random) -> Iterator[Pair]:
    """One event: a true statement, the same with a fact changed, a denial, and open ones."""
    frame = rng.choice(frames.by_language[language])
    values = frames.values(language, rng)
    said = rng.choice(frame["say"])
    premise = fill(said, values, language, rng)
    yes = rng.choice([t for t in frame["yes"] if set(SLOT.findall(t)) <= set(SLOT.findall(said))])
    yield Pair(premise, fill(yes, values, language, rng), ENTAILMENT)
    swapped = changed(yes, said, values, rng)
    if swapped:
        yield Pair(premise, fill(yes, swapped, language, rng), CONTRADICTION)
    kind = rng.random()
    if kind < 0.5:
        yield Pair(premise, fill(rng.choice(frame["no"]), values, language, rng), CONTRADICTION)
    if kind > 0.3:
        yield Pair(premise, fill(rng.choice(frame["maybe"]), values, language, rng), NEUTRAL)
    if kind > 0.8:
        yield Pair(premise, _other(frames, language, frame, rng), NEUTRAL)


def summary_pairs(frames: Frames, language: str, rng: random.Random) -> Iterator[Pair]:
    """A transcript of two to four events; summaries: true, with a false fact, unrelated."""
    chosen = rng.sample(frames.by_language[language], rng.randint(2, 4))
    parts, told = [], []
    for frame in chosen:
        values, said = frames.values(language, rng), rng.choice(frame["say"])
        sentence = fill(said, values, language, rng)
        parts.append(sentence)
        told.append((frame, values, said, sentence))
        if rng.random() < 0.5:
            parts.append(rng.choice(FILLERS[language]))
    transcript = " ".join(([rng.choice(FILLERS[language])] if rng.random() < 0.5 else []) + parts)
    frame, values, said, sentence = rng.choice(told)
    fits = [t for t in frame["yes"] if set(SLOT.findall(t)) <= set(SLOT.findall(said))]
    summary = sentence if rng.random() < 0.3 else fill(rng.choice(fits), values, language, rng)
    yield Pair(transcript, summary, ENTAILMENT)
    template = said if rng.random() < 0.4 else rng.choice(fits)
    swapped = changed(template, said, values, rng)
    if swapped:
        yield Pair(transcript, fill(template, swapped, language, rng), CONTRADICTION)
    elif rng.random() < 0.7:
        yield Pair(transcript, fill(rng.choice(frame["no"]), values, language, rng), CONTRADICTION)
    absent = [f for f in frames.by_language[language] if f not in chosen]
    source = rng.choice(absent) if absent else frame
    open_text = rng.choice(source["yes"] if absent and rng.random() < 0.4 else frame["maybe"])
    yield Pair(transcript, fill(open_text, frames.values(language, rng), language, rng), NEUTRAL)


VERB = re.compile(
    r"(?<!\bno )(?<!\bque )\b(es|son|fue|fueron|era|eran|está|están|estaba|ha|han|había"
    r"|tiene|tienen|tenía|puede|pueden|hay|hubo|existe|existen|permite|quiere|sabe|va|van|hace|hizo|dijo)\b"
)
NUMBER = re.compile(r"(?<![\w.,])\d{1,4}(?![\w.,]*\d)")
NAME = re.compile(r"(?<=[a-záéíóúñ,] )[A-ZÁÉÍÓÚ][a-záéíóúñ]{3,}(?: [A-ZÁÉÍÓÚ][a-záéíóúñ]{3,})?")


def natural_pairs(sentences: list[str], rng: random.Random) -> Iterator[Pair]:
    """From real sentences: the sentence itself, its denial, a number or a name changed."""
    names = sorted({m for s in sentences for m in NAME.findall(s)})
    for sentence in sentences:
        if not 25 < len(sentence) < 260:
            continue
        made = []
        verbs = list(VERB.finditer(sentence))
        if len(verbs) == 1 and " no " not in f" {sentence.lower()} ":
            at = verbs[0].start()
            made.append((sentence[:at] + "no " + sentence[at:], True))
        number = NUMBER.search(sentence)
        if number:
            old = int(number[0])
            new = rng.choice([old + rng.randint(1, 30), max(2, old // 2), old * 2 + 1, old + 1])
            made.append((sentence[: number.start()] + str(new) + sentence[number.end() :], False))
        name = NAME.search(sentence)
        if name:
            swap = rng.choice([n for n in rng.sample(names, 4) if n != name[0]])
            made.append((sentence[: name.start()] + swap + sentence[name.end() :], False))
        if not made:
            continue
        other, denial = rng.choice(made)
        turn = rng.random()
        if turn < 0.35:
            yield Pair(sentence, noisy(sentence, rng), ENTAILMENT)
            yield Pair(sentence, other, CONTRADICTION)
        elif turn < 0.7:
            yield Pair(other, noisy(other, rng), ENTAILMENT)  # "no" in a true hypothesis
            yield Pair(other, sentence, CONTRADICTION)
        elif not denial:
            yield Pair(sentence, other, CONTRADICTION)
        else:
            yield Pair(rng.choice(sentences), other, NEUTRAL)


def noisy(text: str, rng: random.Random) -> str:
    """As people type: accents or capitals gone, an emoji or a hashtag at the end."""
    if rng.random() < 0.3:
        marks = (c for c in unicodedata.normalize("NFD", text) if c != "\u0301")
        text = unicodedata.normalize("NFC", "".join(marks))
    if rng.random() < 0.25:
        text = text.lower()
    if rng.random() < 0.1:
        text = text.upper()
    if rng.random() < 0.2:
        text = text.rstrip(".")
    if rng.random() < 0.1:
        text += rng.choice([" 🚨", " #ecuador", " #fyp", " 🇪🇨", " 👀"])
    return text


def feeling_texts(frames: Frames, count: int, rng: random.Random) -> list[tuple[str, str]]:
    """Made-up talk with its label: (text, negative | neutral | positive)."""
    made = []
    for _ in range(count):
        label = rng.choice(["negative", "neutral", "positive"])
        cores = rng.sample(frames.feeling[label], rng.choice([1, 1, 2]))
        text = f"{rng.choice(frames.feeling['open'])} {', '.join(cores)}."
        text = f"{text} {rng.choice(frames.feeling['close'])}".strip()
        made.append((noisy(text, rng), label))
    return made


def generated(count: int, seed: int) -> list[Pair]:
    """About `count` pairs about made-up events: 70 % Spanish, 15 % Portuguese, 15 % English."""
    frames, rng = Frames(), random.Random(seed)
    pairs: list[Pair] = []
    while len(pairs) < count:
        language = rng.choices(["es", "pt", "en"], [70, 15, 15])[0]
        make = event_pairs if rng.random() < 0.65 else summary_pairs
        for premise, hypothesis, label in make(frames, language, rng):
            pairs.append(Pair(noisy(premise, rng), noisy(hypothesis, rng), label))
    return pairs[:count]
