"""Invented identifiers as people write, say and disguise them, and texts that must survive.

Two disjoint sets of templates, fillers and carriers lie beside this file: `tune` (rules may be
fitted to it) and `heldout` (never looked at while rules are written). `scripts/eval_scrub.py` and
the tests draw from them. Slots of harmless templates are the keys of `_slots`.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from builder.release.scrub.checks import luhn
from builder.release.scrub.countries.ec import is_cedula

UNITS = "cero uno dos tres cuatro cinco seis siete ocho nueve".split()
_TEENS = (
    "diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve veinte "
    "veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete veintiocho "
    "veintinueve"
).split()
_TENS = {
    3: "treinta",
    4: "cuarenta",
    5: "cincuenta",
    6: "sesenta",
    7: "setenta",
    8: "ochenta",
    9: "noventa",
}
_HUNDREDS = (
    "",
    "ciento",
    "doscientos",
    "trescientos",
    "cuatrocientos",
    "quinientos",
    "seiscientos",
    "setecientos",
    "ochocientos",
    "novecientos",
)
_MONTHS = (
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
).split()
_LETTERS = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        "a be ce de e efe ge hache i jota ka ele eme ene o pe cu erre ese te u ve uve equis ye "
        "zeta".split(),
        strict=True,
    )
)
FORMS = ("written", "spoken", "evasive")


class Planted(NamedTuple):
    """A text with one identifier: `secret` is how it stands in the text."""

    kind: str
    form: str
    text: str
    secret: str


class Harmless(NamedTuple):
    """A text in which nothing identifies anybody."""

    kind: str
    text: str


def words(value: int) -> str:
    """A whole number below a million, in Spanish words."""
    if value < 10:
        return UNITS[value]
    if value < 30:
        return _TEENS[value - 10]
    if value < 100:
        ten, unit = divmod(value, 10)
        return _TENS[ten] + (f" y {UNITS[unit]}" if unit else "")
    if value == 100:
        return "cien"
    if value < 1000:
        hundred, rest = divmod(value, 100)
        return _HUNDREDS[hundred] + (f" {words(rest)}" if rest else "")
    thousand, rest = divmod(value, 1000)
    head = "mil" if thousand == 1 else f"{words(thousand)} mil"
    return head + (f" {words(rest)}" if rest else "")


def _group(digits: str) -> str:
    """Figures as one number, leading noughts said."""
    bare = digits.lstrip("0")
    noughts = ["cero"] * (len(digits) - len(bare))
    return " ".join([*noughts, *([words(int(bare))] if bare else [])])


class Cases:
    """One set of templates.

    Args:
        name: `tune` or `heldout`.
        seed: same seed, same texts.
    """

    def __init__(self, name: str, seed: int = 1) -> None:
        path = Path(__file__).with_name(f"scrub_templates_{name}.toml")
        self.data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        self.rng = random.Random(f"{name} {seed}")
        self.usernames: list[str] = self.data["words"]["usernames"]

    # ---- planted identifiers

    def planted(self, each: int) -> Iterator[Planted]:
        """`each` texts for every kind and every form it has."""
        for kind, makers in self._makers().items():
            for form in FORMS:
                if form in makers:
                    for _ in range(each):
                        yield self._plant(kind, form, makers[form])

    def _plant(self, kind: str, form: str, make: Callable[[], str]) -> Planted:
        secret = make()
        carriers = self.data["carriers"]
        frames = carriers.get(f"{kind}_{form}", carriers[kind])
        return Planted(kind, form, self.rng.choice(frames).replace("{x}", secret), secret)

    def _makers(self) -> dict[str, dict[str, Callable[[], str]]]:
        def number(digits: Callable[[], str], sizes: list[list[int]]) -> dict[str, Any]:
            def written() -> str:
                return self._grouped(digits(), self.rng.choice(sizes))

            def evasive() -> str:
                return self._disguised(written())

            return {
                "written": written,
                "spoken": lambda: self.said(digits()),
                "evasive": evasive,
            }

        def text(
            written: Callable[[], str], spoken: Callable[[], str] | None = None
        ) -> dict[str, Any]:
            made: dict[str, Any] = {"written": written}
            made["evasive"] = lambda: self._disguised(written())
            return made | ({"spoken": spoken} if spoken else {})

        return {
            "phone": number(
                self._mobile, [[10], [3, 3, 4], [2, 2, 2, 2, 2], [4, 3, 3], [4, 6], [2, 4, 4]]
            ),
            "landline": number(self._landline, [[9], [2, 7], [2, 3, 4]]),
            "short_landline": number(lambda: self._landline()[2:], [[7], [3, 4], [3, 2, 2]]),
            "abroad": {"written": self._abroad, "spoken": self._abroad_said},
            "cedula": number(self._cedula, [[10], [9, 1], [3, 3, 4], [2, 2, 2, 2, 2]]),
            "ruc": number(lambda: self._cedula() + "001", [[13], [10, 3], [4, 3, 3, 3]]),
            "card": number(self._card, [[16], [4, 4, 4, 4]]),
            "account": number(lambda: "22" + self._figures(8), [[10], [5, 5], [3, 3, 4]]),
            "passport": text(self._passport, self._passport_said),
            "plate": text(self._plate, self._plate_said),
            "email": text(self._email, self._email_said),
            "url": text(self._url, self._url_said),
            "handle": text(lambda: "@" + self._account(), self._account_said),
            "username": text(lambda: self.rng.choice(self.usernames), self._username_said),
            "birth": {"written": self._birth, "spoken": self._birth_said},
            "coordinates": {"written": self._coordinates, "spoken": self._coordinates_said},
            "address": {"written": self._address, "spoken": self._address_said},
        }

    def _figures(self, many: int) -> str:
        return "".join(self.rng.choice("0123456789") for _ in range(many))

    def _mobile(self) -> str:
        return "09" + self.rng.choice("5689") + self._figures(7)

    def _landline(self) -> str:
        return "0" + self.rng.choice("234567") + self.rng.choice("23456") + self._figures(6)

    def _cedula(self) -> str:
        body = f"{self.rng.randint(1, 24):02d}{self.rng.choice('012345')}{self._figures(6)}"
        return str(next(body + last for last in "0123456789" if is_cedula(body + last)))

    def _card(self) -> str:
        body = self.rng.choice("45") + self._figures(14)
        return str(next(body + last for last in "0123456789" if luhn(body + last)))

    def _grouped(self, digits: str, sizes: list[int]) -> str:
        gap = str(self.rng.choice(self.data["written_gaps"]))
        parts, done = [], 0
        for size in sizes:
            parts.append(digits[done : done + size])
            done += size
        return gap.join(parts)

    def said(self, digits: str, style: str = "") -> str:
        """Figures as they are read out, with the set's gaps and fillers between."""
        style = style or self.rng.choice(self.data["phone_styles"])
        size = {"pairs": 2, "hundreds": 3, "thousands": 4, "figures_words": 2, "mixed": 2}
        step = size.get(style, 1)
        start = len(digits) % step
        groups = ([digits[:start]] if start else []) + [
            digits[at : at + step] for at in range(start, len(digits), step)
        ]
        if style in ("double", "triple"):
            many = 2 if style == "double" else 3
            joined: list[str] = []
            for digit in groups:
                if joined and set(joined[-1]) == {digit} and len(joined[-1]) < many:
                    joined[-1] += digit
                else:
                    joined.append(digit)
            groups = joined
        spoken = []
        for group in groups:
            if style in ("double", "triple") and len(group) > 1:
                spoken.append(("doble " if len(group) == 2 else "triple ") + UNITS[int(group[0])])
            elif style == "figures_words" or (style == "mixed" and self.rng.random() < 0.5):
                spoken.append(group)
            else:
                spoken.append(_group(group))
        gap = self.rng.choice(self.data["gaps"])
        text = spoken[0]
        for part in spoken[1:]:
            text += self.rng.choice(self.data["fillers"]) + gap + part
        return text

    def _abroad(self) -> str:
        body = self.rng.choice(["57 3" + self._figures(9), "51 9" + self._figures(8)])
        return self.rng.choice(["+", "00", "+", ""]) + body.replace(" ", self.rng.choice(["", " "]))

    def _abroad_said(self) -> str:
        code, body = self.rng.choice(
            [
                ("cincuenta y siete", "3" + self._figures(9)),
                ("cincuenta y uno", "9" + self._figures(8)),
            ]
        )
        return f"{self.rng.choice(['más ', 'cero cero ', ''])}{code} {self.said(body)}"

    def _passport(self) -> str:
        return self.rng.choice(["A", "AB", "P", ""]) + self._figures(7)

    def _passport_said(self) -> str:
        return f"{_LETTERS[self.rng.choice('abp')]} {self.said(self._figures(7), 'digits')}"

    def _plate(self) -> str:
        letters = self.rng.choice("PGAHLMX") + "".join(self.rng.choice("BCFGKNTX") for _ in "12")
        figures = str(self.rng.randint(2, 9)) + self._figures(self.rng.choice([2, 3]))
        return letters + self.rng.choice(["-", "", " ", ".", " - "]) + figures

    def _plate_said(self) -> str:
        letters = [self.rng.choice("pgahlmx")] + [self.rng.choice("bcfgkntx") for _ in "12"]
        figures = str(self.rng.randint(2, 9)) + self._figures(self.rng.choice([2, 3]))
        said = words(int(figures)) if self.rng.random() < 0.5 else self.said(figures, "digits")
        form = self.rng.choice(["names", "letters", "dots", "figures"])
        if form == "names":
            return " ".join(_LETTERS[letter] for letter in letters) + " " + said
        joint = {"letters": " ", "dots": ".", "figures": ""}[form]
        shown = joint.join(letters).upper()
        return f"{shown} {figures if form == 'figures' else said}"

    def _name(self) -> list[str]:
        return str(self.rng.choice(self.data["names"])).split()

    def _plain_name(self) -> list[str]:
        bare = str.maketrans("áéíóúñü", "aeiounu")
        return [part.translate(bare) for part in self._name()]

    def _email(self) -> str:
        name = self.rng.choice(["", ".", "_"]).join(self._plain_name())
        host = self.rng.choice(
            ["gmail.com", "hotmail.com", "yahoo.es", "outlook.com", "uce.edu.ec"]
        )
        shape = self.rng.choice(["{n}@{h}", "{n} @ {h}", "{n}[at]{h}", "{n}@{h}", "{n} {h}"])
        figures = self._figures(2)
        return shape.format(n=name + figures, h=host)

    def _email_said(self) -> str:
        first, last = self._name()
        number = self.rng.choice([words(self.rng.randint(11, 99)), self._figures(2), ""])
        glue = self.rng.choice([" punto ", " guion bajo ", " "])
        host = self.rng.choice(
            ["gmail punto com", "hotmail punto com", "yahoo punto es", "gmail.com"]
        )
        local = first + glue + last if glue.strip() else first
        return " ".join(f"{local} {number} arroba {host}".split())

    def _url(self) -> str:
        name = "".join(self._plain_name())
        return self.rng.choice(
            ["https://{n}.com/ayuda", "www.{n}.com.ec", "{n}.com", "tiktok.com/@{n}", "t.me/{n}"]
        ).format(n=name)

    def _url_said(self) -> str:
        name = "".join(self._plain_name())
        return self.rng.choice(
            [
                "{n} punto com",
                "{n} punto com punto ec",
                "tiktok punto com barra {n}",
                "w w w punto {n} punto org",
                "facebook punto com barra {n}",
            ]
        ).format(n=name)

    def _account(self) -> str:
        return self.rng.choice(["_", ".", ""]).join(self._plain_name()) + self._figures(2)

    def _account_said(self) -> str:
        first, last = self._plain_name()
        number = self.rng.choice([words(self.rng.randint(11, 99)), self._figures(2)])
        return self.rng.choice(
            [
                f"{first}{last} {number}",
                f"{first} guion bajo {last}",
                f"{first}{last}",
                f"{first}_{last}",
            ]
        )

    def _username_said(self) -> str:
        name = self.rng.choice([one for one in self.usernames if len(one) > 8])
        apart = re.sub(r"[._]+|(?<=[a-z])(?=\d)|(?<=\d)(?=[a-z])", " ", name)
        shape = self.rng.choice(["apart", "title", "joined", "hash"])
        if shape == "apart":
            return apart
        if shape == "title":
            return apart.title().replace(" ", self.rng.choice([" ", "-", "."]))
        squashed = re.sub(r"[._]", "", name)
        return squashed.upper() if shape == "joined" else "#" + squashed

    def _day(self) -> tuple[int, str, int]:
        return self.rng.randint(1, 28), self.rng.choice(_MONTHS), self.rng.randint(1950, 2006)

    def _birth(self) -> str:
        day, month, year = self._day()
        number = _MONTHS.index(month) + 1
        return self.rng.choice(
            [
                f"{day} de {month} de {year}",
                f"{day:02d}/{number:02d}/{year}",
                f"{day}-{number}-{year}",
            ]
        )

    def _birth_said(self) -> str:
        day, month, year = self._day()
        return f"{words(day)} de {month} {self.rng.choice(['de ', 'del '])}{words(year)}"

    def _coordinates(self) -> str:
        lat, lon = f"{self.rng.uniform(0.1, 4.9):.5f}", f"{self.rng.uniform(75, 81):.5f}"
        return self.rng.choice(
            [
                f"-{lat}, -{lon}",
                f"-{lat} -{lon}",
                f"{lat} S, {lon} W",
                f"2°{lat[2:4]}'33\" S 79°53'{lon[:2]}\" W",
            ]
        )

    def _coordinates_said(self) -> str:
        def part(low: int, high: int) -> str:
            figures = " ".join(UNITS[int(digit)] for digit in self._figures(4))
            return f"menos {words(self.rng.randint(low, high))} punto {figures}"

        return f"latitud {part(1, 4)}, longitud {part(75, 81)}"

    def _address(self) -> str:
        first, last = (part.capitalize() for part in self._plain_name())
        n = self.rng.randint
        return self.rng.choice(
            [
                f"calle {last} N{n(10, 60)}-{n(10, 99)} y {first}",
                f"mz {n(1, 90)} villa {n(1, 40)}",
                f"av. {first} {last} {n(100, 999)}",
                f"manzana {n(1, 90)} solar {n(1, 40)}",
                f"calle {last} #{n(100, 999)} y la {n(1, 30)}",
                f"carrera {n(1, 90)} # {n(1, 90)}-{n(1, 90)}",
            ]
        )

    def _address_said(self) -> str:
        last = self._plain_name()[1].capitalize()
        n = self.rng.randint
        return self.rng.choice(
            [
                f"manzana {words(n(1, 90))} villa {words(n(1, 40))}",
                f"calle {last} número {words(n(100, 999))}",
                f"avenida {last} número {n(100, 999)}",
            ]
        )

    def _disguised(self, written: str) -> str:
        way = self.rng.choice(self.data["evasions"])
        return disguise(written, way, self.rng)

    # ---- harmless texts

    def harmless(self, each: int) -> Iterator[Harmless]:
        """`each` texts of every kind."""
        for kind, templates in self.data["harmless"].items():
            for _ in range(each):
                template = self.rng.choice(templates)
                yield Harmless(kind, re.sub(r"\{(\w+)\}", self._slot, template))

    def _slot(self, match: re.Match[str]) -> str:
        n = self.rng.randint
        name = match[1]
        if name in ("count", "wincreasing", "increasing", "wrandom", "random"):
            return self._series(name)
        made = {
            "d": lambda: str(n(1, 9)),
            "dd": lambda: str(n(10, 99)),
            "dd2": lambda: str(n(10, 28)),
            "ddd": lambda: str(n(100, 999)),
            "dddd": lambda: str(n(1000, 9999)),
            "dddd5": lambda: f"{n(1, 99999):05d}",
            "k": lambda: f"{n(2, 999)}.{n(0, 999):03d}",
            "m": lambda: (
                f"{n(1, 90)}{(s := self.rng.choice('. ,'))}{n(0, 999):03d}{s}{n(0, 999):03d}"
            ),
            "w": lambda: words(n(1, 12)),
            "ww": lambda: words(n(13, 99)),
            "www": lambda: words(n(101, 999)),
            "day": lambda: str(n(1, 28)),
            "month": lambda: self.rng.choice(_MONTHS),
            "year": lambda: str(n(1980, 2024)),
            "hour": lambda: f"{n(0, 23):02d}",
            "min": lambda: f"{n(0, 59):02d}",
        }
        return made[name]()

    def _series(self, name: str) -> str:
        n = self.rng.randint
        if name == "count":
            up = list(range(1, n(7, 13)))
            values = up[::-1] if self.rng.random() < 0.3 else up
            return self.rng.choice([", ", " ", "... "]).join(words(value) for value in values)
        values = [n(1, 75) for _ in range(n(5, 9))]
        if "increasing" in name:
            values = sorted(set(values))
        shown = [words(value) if name.startswith("w") else str(value) for value in values]
        if self.rng.random() < 0.6:
            return ", ".join(shown[:-1]) + " y " + shown[-1]
        return ", ".join(shown)


# ---- disguises

_CJK = str.maketrans("0123456789", "〇一二三四五六七八九")
_CYRILLIC = str.maketrans("aeopcxABEKMHOPCTX", "аеорсхАВЕКМНОРСТХ")
_GREEK = str.maketrans("oviABEZHIKMNOPTYX", "ονιΑΒΕΖΗΙΚΜΝΟΡΤΥΧ")


def _shift(zero: str) -> dict[int, str]:
    return {ord("0") + value: chr(ord(zero) + value) for value in range(10)}


def _letters(upper: str, lower: str = "") -> dict[int, str]:
    table = {ord("A") + at: chr(ord(upper) + at) for at in range(26)}
    first = ord(lower or upper)
    return table | {ord("a") + at: chr(first + at) for at in range(26)}


_WIDE = {code: chr(code + 0xFEE0) for code in range(0x21, 0x7F)}
_MAPS: dict[str, Any] = {
    "cjk": _CJK,
    "fullwidth": _WIDE,
    "arabic": _shift("٠"),
    "devanagari": _shift("०"),
    "bengali": _shift("০"),
    "math": _shift("𝟎") | _letters("𝐀", "𝐚"),
    "bold": _shift("𝟬") | _letters("𝗔", "𝗮"),
    "circled": {ord(d): c for d, c in zip("0123456789", "⓪①②③④⑤⑥⑦⑧⑨", strict=True)}
    | _letters("Ⓐ", "ⓐ"),
    "dingbat": {ord(d): c for d, c in zip("0123456789", "⓿❶❷❸❹❺❻❼❽❾", strict=True)} | _letters("🅐"),
    "parenthesised": {ord("0"): "0"} | {ord("1") + at: chr(ord("⑴") + at) for at in range(9)},
    "cyrillic": _CYRILLIC,
    "greek": _GREEK,
    "letters": str.maketrans("01", "Ol"),
}
_MARKS = {
    "zero_width": "\u200b",
    "soft_hyphen": "\u00ad",
    "joiner": "\u2060",
    "combining": "\u0336",
    "underline": "\u0332",
}


def disguise(written: str, way: str, rng: random.Random) -> str:
    """The same to a reader, other characters to a program."""
    if way in _MARKS:
        return "".join(
            char + (_MARKS[way] if char.isalnum() and rng.random() < 0.6 else "")
            for char in written
        )
    if way == "keycap":
        return "".join(char + "\ufe0f\u20e3" if char.isdigit() else char for char in written)
    return written.translate(_MAPS[way])
