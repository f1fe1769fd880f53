"""The invented texts of a synthetic campaign: captions, transcripts, names and fake identifiers.

Words and templates are data: `words/<language>.toml` by the campaign's language (Spanish where
there is none), table by table replaced by the campaign's own ``words.toml``; names of public
figures and search terms come from the campaign. A transcript is three to six sentences of one
topic, so that topic models and n-grams find something. All identifiers are made up: handles start
with ``sim_``, addresses are under example.com/.org (RFC 2606), national and telephone numbers are
random digits of valid form (`builder.sources.simulate.people`).
"""

from __future__ import annotations

import json
import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from builder.config.campaign import Campaign
from builder.sources.simulate.dice import Dice
from builder.sources.simulate.people import people_of

_FOLDER = Path(__file__).with_name("words")
_FALLBACK = "es"

_HANDLE = re.compile(r"(?<![\w.])@sim_\w+")
_URL = re.compile(r"https://example\.(?:com|org)/\S+|www\.example\.(?:com|org)/\S+")
_EMAIL = re.compile(r"\bsim\.\w+\.\d+@example\.(?:com|org)")


def words_of(campaign: Campaign) -> dict[str, Any]:
    """The words of a campaign's simulation: of its language, its own tables in their place."""
    return {**_words(campaign.language), **campaign.words}


@lru_cache(maxsize=8)
def _words(language: str) -> dict[str, Any]:
    path = _FOLDER / f"{language}.toml"
    if not path.is_file():
        path = _FOLDER / f"{_FALLBACK}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def kinds_of(country: str) -> tuple[str, ...]:
    """The kinds of identifier planted in a campaign of that country, in turn."""
    national = people_of(country).kind
    return ("handle", "phone", *([national] if national else []), "url", "email")


def identifier_patterns(country: str) -> dict[str, re.Pattern[str]]:
    """Per kind what finds exactly the identifiers that `Texts.identifier` makes."""
    people = people_of(country)
    found = {"handle": _HANDLE, "phone": people.phone_pattern, "url": _URL, "email": _EMAIL}
    if people.national_pattern is not None:
        found[people.kind] = people.national_pattern
    return {kind: found[kind] for kind in kinds_of(country)}


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
        words: see `words_of`.
        kinds: see `kinds_of`.
        captions: 512 captions without hashtags.
        terms: the campaign's search terms.
        popular: 200 transcripts of sounds that many videos repeat.
    """

    def __init__(self, campaign: Campaign, seed: int) -> None:
        dice = Dice(seed, 0, 1)
        # Figures without an official handle are left out: the sentences are about office holders.
        figures = tuple(figure.name for figure in campaign.public_figures if figure.handles)
        self.words, self.kinds = words_of(campaign), kinds_of(campaign.country)
        self._people = people_of(campaign.country)
        self._banks, self.captions = _banks(
            figures or (self.words["fallback_figure"],), json.dumps(self.words)
        )
        self._topics = [
            position
            for position, topic in enumerate(self.words["topics"].values())
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
        given = self.words["given"]
        return f"sim_{given[number % len(given)]}_{number}{'abcdefghjkmnpqrstuvwxyz'[rank % 23]}"

    def identifier(self, kind: str, dice: Dice) -> str:
        """A sentence that holds one invented identifier of that kind and no other."""
        if kind == "handle":
            value = "@" + self.author(dice.one(_AUTHOR_PRIME))
        elif kind == "phone":
            value = self._people.phone(dice)
        elif kind == self._people.kind and self._people.national:
            value = self._people.national(dice)
        else:
            site = ("example.com", "example.org")[dice.one(2)]
            number = dice.one(100_000)
            if kind == "email":
                given = self.words["given"]
                value = f"sim.{given[dice.one(len(given))]}.{number}@{site}"
            else:
                value = f"{('https://', 'www.')[dice.one(2)]}{site}/sim/{number}"
        templates: list[str] = self.words["identifiers"][kind]
        return templates[dice.one(len(templates))].format(value)


@lru_cache(maxsize=8)
def _banks(figures: tuple[str, ...], words_json: str) -> tuple[list[_Topic], list[str]]:
    """Per topic the sentences of each template and 64 orders of these; and captions.

    The same for every seed.
    """
    words: dict[str, Any] = json.loads(words_json)
    dice, slots = Dice(0), {**words["slots"], "figure": list(figures)}
    joins: dict[str, str] = words.get("joins", {})
    topics: list[_Topic] = []
    for topic in words["topics"].values():
        bank = [
            [f"{sentence}." for sentence in found]
            for template in topic["templates"]
            if (found := _rendered([template], slots, dice, _SENTENCE_WORDS, _VARIANTS, joins))
        ]
        topics.append((bank, [_shuffled(len(bank), dice) for _ in range(64)]))
    captions = _rendered(
        words["captions"]["templates"], slots, dice, range(1, 30), _CAPTIONS, joins
    )
    emoji = words["emoji"]
    return topics, [
        captions[i % len(captions)] + emoji[dice.one(len(emoji))] for i in range(_CAPTIONS)
    ]


def _rendered(
    templates: list[str],
    slots: dict[str, list[str]],
    dice: Dice,
    words: range,
    most: int,
    joins: dict[str, str],
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
        sentence = template.format_map(filled)
        for apart, joined in joins.items():
            sentence = sentence.replace(apart, joined)
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
