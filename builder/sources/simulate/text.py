"""The invented texts of a synthetic campaign: captions, transcripts, names and fake identifiers.

Words and templates live in `words.toml`; names of public figures and search terms come
from the campaign. A transcript is three to six sentences of one topic, so that topic models and
n-grams find something. All identifiers are made up: handles start with ``sim_``, addresses are
under example.com/.org (RFC 2606), telephone and cédula numbers are random digits of valid form.
"""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from builder.config.campaign import Campaign
from builder.sources.simulate.dice import Dice

_WORDS: dict[str, Any] = tomllib.loads(
    Path(__file__).with_name("words.toml").read_text(encoding="utf-8")
)
OTHER_TAGS: tuple[str, ...] = tuple(_WORDS["other_tags"])
NEAR_EMPTY: tuple[str, ...] = tuple(_WORDS["near_empty"])
REGIONS_ABROAD: tuple[str, ...] = tuple(_WORDS["regions_abroad"])

Kind = Literal["handle", "phone", "cedula", "url", "email"]
KINDS: tuple[Kind, ...] = ("handle", "phone", "cedula", "url", "email")

IDENTIFIER_PATTERNS: dict[Kind, re.Pattern[str]] = {
    # Each finds exactly the identifiers `Texts.identifier` makes, and nothing else in our texts.
    "handle": re.compile(r"(?<![\w.])@sim_\w+"),
    "phone": re.compile(r"(?:\+593[ ]?|\b0)9[89](?:[ -]?\d){7}\b"),
    "cedula": re.compile(r"\b(?:0[1-9]|1\d|2[0-4])[0-5]\d{6}-?\d\b"),
    "url": re.compile(r"https://example\.(?:com|org)/\S+|www\.example\.(?:com|org)/\S+"),
    "email": re.compile(r"\bsim\.\w+\.\d+@example\.(?:com|org)"),
}

_Topic = tuple[list[list[str]], list[list[int]]]

_VARIANTS = 96  # renderings of one template
_CAPTIONS = 512  # nine bits choose one
_SENTENCE_WORDS = range(7, 20)  # three to six of them make 21 to 114 words
_POPULAR = 200  # sounds that many videos repeat
_SENTENCES = (3, 3, 4, 4, 4, 5, 5, 6)
_AUTHOR_PRIME = 9_999_991


class Texts:
    """Every text of one campaign and seed.

    Args:
        campaign: supplies `public_figures` and `keywords`.
        seed: the run's seed; authors' names and popular sounds depend on it.

    Attributes:
        captions: 512 captions without hashtags.
        terms: the campaign's search terms.
        popular: 200 transcripts of sounds that many videos repeat.
    """

    def __init__(self, campaign: Campaign, seed: int) -> None:
        dice = Dice(seed, 0, 1)
        # Figures without an official handle are left out: the sentences are about office holders.
        figures = tuple(figure.name for figure in campaign.public_figures if figure.handles)
        self._banks, self.captions = _banks(figures or ("el gobierno",))
        self._topics = [
            position
            for position, topic in enumerate(_WORDS["topics"].values())
            for _ in range(topic["weight"])
        ]
        self.terms = [keyword.term for keyword in campaign.keywords]
        self.popular = [self.transcript(dice.word(), dice.word()) for _ in range(_POPULAR)]
        self._author_offset = dice.one(_AUTHOR_PRIME)

    def transcript(self, topic: int, bits: int) -> str:
        """A transcript of 21 to 114 words.

        Args:
            topic: any integer; topics have the weights of `words.toml`.
            bits: 64 random bits that choose length and sentences.
        """
        bank, orders = self._banks[self._topics[topic % len(self._topics)]]
        order = orders[bits >> 3 & 63]
        length = _SENTENCES[bits & 7]
        return " ".join(
            [
                (sentences := bank[order[i % len(order)]])[(bits >> 9 * i + 9) % len(sentences)]
                for i in range(length)
            ]
        )

    def author(self, rank: int) -> str:
        """The invented username of the author of that rank, such as ``sim_maria_4821k``.

        Different ranks below 9,999,991 have different names.
        """
        number = (rank * 7_919 + self._author_offset) % _AUTHOR_PRIME
        given = _WORDS["given"]
        return f"sim_{given[number % len(given)]}_{number}{'abcdefghjkmnpqrstuvwxyz'[rank % 23]}"

    def identifier(self, kind: Kind, dice: Dice) -> str:
        """A sentence that holds one invented identifier of that kind and no other."""
        if kind == "handle":
            value = "@" + self.author(dice.one(_AUTHOR_PRIME))
        elif kind == "phone":
            value = _phone(dice)
        elif kind == "cedula":
            value = _cedula(dice)
        else:
            site = ("example.com", "example.org")[dice.one(2)]
            number = dice.one(100_000)
            if kind == "email":
                value = f"sim.{_WORDS['given'][dice.one(len(_WORDS['given']))]}.{number}@{site}"
            else:
                value = f"{('https://', 'www.')[dice.one(2)]}{site}/sim/{number}"
        templates: list[str] = _WORDS["identifiers"][kind]
        return templates[dice.one(len(templates))].format(value)


@lru_cache(maxsize=8)
def _banks(figures: tuple[str, ...]) -> tuple[list[_Topic], list[str]]:
    """Per topic the sentences of each template and 64 orders of these; and captions.

    The same for every seed.
    """
    dice, slots = Dice(0), {**_WORDS["slots"], "figure": list(figures)}
    topics: list[_Topic] = []
    for topic in _WORDS["topics"].values():
        bank = [
            [f"{sentence}." for sentence in found]
            for template in topic["templates"]
            if (found := _rendered([template], slots, dice, _SENTENCE_WORDS, _VARIANTS))
        ]
        topics.append((bank, [_shuffled(len(bank), dice) for _ in range(64)]))
    captions = _rendered(_WORDS["captions"]["templates"], slots, dice, range(1, 30), _CAPTIONS)
    emoji = _WORDS["emoji"]
    return topics, [
        captions[i % len(captions)] + emoji[dice.one(len(emoji))] for i in range(_CAPTIONS)
    ]


def _rendered(
    templates: list[str], slots: dict[str, list[str]], dice: Dice, words: range, most: int
) -> list[str]:
    """Fill the templates' slots; different results of an allowed number of words, up to `most`."""
    found: dict[str, None] = {}
    for _ in range(2 * most):
        bits = dice.word()
        template, filled = templates[bits % len(templates)], {}
        for slot, values in slots.items():
            if "{" + slot + "}" in template:
                bits >>= 8
                filled[slot] = values[bits % len(values)]
        sentence = template.format_map(filled).replace(" a el ", " al ").replace(" de el ", " del ")
        if len(sentence.split()) in words:
            found[sentence[0].upper() + sentence[1:]] = None
        if len(found) == most:
            break
    return list(found)


def _shuffled(n: int, dice: Dice) -> list[int]:
    return [i for _, i in sorted((dice.word(), i) for i in range(n))]


def spoken(text: str) -> str:
    """The same words as the Research API's `voice_to_text` writes them: no case, no stops."""
    return text.replace(".", "").replace(",", "").lower()


def cedula_check_digit(nine: str) -> int:
    """Check digit of an Ecuadorian cédula: modulus 10 over its first nine digits."""
    doubled = [int(digit) * (2 - i % 2) for i, digit in enumerate(nine)]
    return -sum(value - 9 if value > 9 else value for value in doubled) % 10


def _phone(dice: Dice) -> str:
    """Ecuadorian mobile number: 9, then 8 or 9 (prefixes in use), then seven random digits."""
    rest = f"{980_000_000 + dice.one(20_000_000):09d}"
    form = dice.one(5)
    if form == 0:
        return "0" + rest
    if form == 1:
        return f"0{rest[:2]} {rest[2:5]} {rest[5:]}"
    if form == 2:
        return f"0{rest[:2]}-{rest[2:5]}-{rest[5:]}"
    if form == 3:
        return "+593" + rest
    return f"+593 {rest[:2]} {rest[2:5]} {rest[5:]}"


def _cedula(dice: Dice) -> str:
    """Province 01-24, third digit 0-5, six random digits, check digit; sometimes with a dash."""
    nine = f"{1 + dice.one(24):02d}{dice.one(6)}{dice.one(1_000_000):06d}"
    return f"{nine}{'-' if dice.one(3) == 0 else ''}{cedula_check_digit(nine)}"
