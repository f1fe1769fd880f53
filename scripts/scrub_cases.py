"""Invented identifiers as people write, say and disguise them, and texts that must survive.

Disjoint sets of templates, fillers and carriers lie beside this file. Rules may be fitted to
`tune`, `pt_tune` and `heldout` (held out once, but its failures have been looked at since); `fresh`
and `pt_fresh` are not read while rules are written. `scripts/eval_scrub.py` and the tests draw from
them. A set plants the kinds it has carriers for; slots of harmless templates are keys of `_slot`.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from scrub_speech import TONGUES, group, words

from builder.release.scrub.checks import luhn
from builder.release.scrub.countries.br import is_cpf
from builder.release.scrub.countries.ec import is_cedula

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


class Cases:
    """One set of templates.

    Args:
        name: of the set.
        seed: same seed, same texts.
    """

    def __init__(self, name: str, seed: int = 1) -> None:
        path = Path(__file__).with_name(f"scrub_templates_{name}.toml")
        self.data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        self.rng = random.Random(f"{name} {seed}")
        self.language: str = self.data.get("language", "es")
        self.country: str = self.data.get("country", "EC")
        self.tongue = TONGUES[self.language]
        self.usernames: list[str] = self.data["words"]["usernames"]

    # ---- planted identifiers

    def planted(self, each: int) -> Iterator[Planted]:
        """`each` texts for every kind and every form it has."""
        for kind, makers in self._makers().items():
            for form in FORMS:
                if form in makers and kind in self.data["carriers"]:
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
            "phone": number(self._mobile, self._sizes("mobile")),
            "landline": number(self._landline, self._sizes("landline")),
            "short_landline": number(lambda: self._landline()[2:], [[7], [3, 4], [3, 2, 2]]),
            "abroad": {"written": self._abroad, "spoken": self._abroad_said},
            "cedula": number(self._cedula, [[10], [9, 1], [3, 3, 4], [2, 2, 2, 2, 2]]),
            "cpf": number(self._cpf, [[11], [3, 3, 3, 2], [9, 2]]),
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

    def _words(self, value: int) -> str:
        return words(value, self.tongue)

    def _figures(self, many: int) -> str:
        return "".join(self.rng.choice("0123456789") for _ in range(many))

    def _sizes(self, kind: str) -> list[list[int]]:
        sizes = {
            "EC mobile": [[10], [3, 3, 4], [2, 2, 2, 2, 2], [4, 3, 3], [4, 6], [2, 4, 4]],
            "EC landline": [[9], [2, 7], [2, 3, 4]],
            "BR mobile": [[11], [2, 5, 4], [2, 9], [2, 1, 4, 4]],
            "BR landline": [[10], [2, 4, 4], [2, 8]],
        }
        return sizes[f"{self.country} {kind}"]

    def _mobile(self) -> str:
        if self.country == "BR":
            return (
                self.rng.choice(["11", "21", "81", "71"])
                + "9"
                + self.rng.choice("6789")
                + self._figures(7)
            )
        return "09" + self.rng.choice("5689") + self._figures(7)

    def _cpf(self) -> str:
        body = self._figures(9)
        return next(f"{body}{last:02d}" for last in range(100) if is_cpf(f"{body}{last:02d}"))

    def _landline(self) -> str:
        if self.country == "BR":
            return self.rng.choice(["11", "21", "81"]) + self.rng.choice("2345") + self._figures(7)
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
        for part in groups:
            if style in ("double", "triple") and len(part) > 1:
                times = self.tongue.sums[len(part) - 2]
                spoken.append(f"{times} {self.tongue.units[int(part[0])]}")
            elif style == "figures_words" or (style == "mixed" and self.rng.random() < 0.5):
                spoken.append(part)
            elif part == "6" and self.language == "pt" and self.rng.random() < 0.5:
                spoken.append(self.tongue.six)
            else:
                spoken.append(group(part, self.tongue))
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
        return (
            f"{self.tongue.letters[self.rng.choice('abp')]} {self.said(self._figures(7), 'digits')}"
        )

    def _plate(self) -> str:
        letters = self.rng.choice("PGAHLMX") + "".join(self.rng.choice("BCFGKNTX") for _ in "12")
        if self.country == "BR":
            letters = "".join(self.rng.choice("BCFGKLPRX") for _ in "123")
            shape = self.rng.choice(["{l}{a}{k}{b}", "{l}-{c}", "{l} {c}", "{l}{c}"])
            parts = {"a": self._figures(1), "k": self.rng.choice("BCDEFGHJ"), "b": self._figures(2)}
            return shape.format(l=letters, c=self._figures(4), **parts)
        figures = str(self.rng.randint(2, 9)) + self._figures(self.rng.choice([2, 3]))
        return letters + self.rng.choice(["-", "", " ", ".", " - "]) + figures

    def _plate_sizes(self) -> int:
        return 3 if self.country == "BR" else self.rng.choice([2, 3])

    def _plate_said(self) -> str:
        letters = [self.rng.choice("pgahlmx")] + [self.rng.choice("bcfgkntx") for _ in "12"]
        figures = str(self.rng.randint(2, 9)) + self._figures(self._plate_sizes())
        said = (
            self._words(int(figures)) if self.rng.random() < 0.5 else self.said(figures, "digits")
        )
        form = self.rng.choice(["names", "letters", "dots", "figures"])
        if form == "names":
            return " ".join(self.tongue.letters[letter] for letter in letters) + " " + said
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
        number = self.rng.choice([self._words(self.rng.randint(11, 99)), self._figures(2), ""])
        point = self.tongue.point
        glue = self.rng.choice([f" {point} ", f" {self.tongue.underscore} ", " "])
        host = self.rng.choice(
            [f"gmail {point} com", f"hotmail {point} com", f"yahoo {point} es", "gmail.com"]
        )
        local = first + glue + last if glue.strip() else first
        return " ".join(f"{local} {number} arroba {host}".split())

    def _url(self) -> str:
        name = "".join(self._plain_name())
        return self.rng.choice(
            ["https://{n}.com/ayuda", "www.{n}.com.ec", "{n}.com", "tiktok.com/@{n}", "t.me/{n}"]
        ).format(n=name)

    def _url_said(self) -> str:
        name, end = "".join(self._plain_name()), "br" if self.country == "BR" else "ec"
        return self.rng.choice(
            [
                "{n} {p} com",
                "{n} {p} com {p} {end}",
                "tiktok {p} com barra {n}",
                "w w w {p} {n} {p} org",
                "facebook {p} com barra {n}",
            ]
        ).format(n=name, p=self.tongue.point, end=end)

    def _account(self) -> str:
        return self.rng.choice(["_", ".", ""]).join(self._plain_name()) + self._figures(2)

    def _account_said(self) -> str:
        first, last = self._plain_name()
        number = self.rng.choice([self._words(self.rng.randint(11, 99)), self._figures(2)])
        return self.rng.choice(
            [
                f"{first}{last} {number}",
                f"{first} {self.tongue.underscore} {last}",
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
        return (
            self.rng.randint(1, 28),
            self.rng.choice(self.tongue.months),
            self.rng.randint(1950, 2006),
        )

    def _birth(self) -> str:
        day, month, year = self._day()
        number = self.tongue.months.index(month) + 1
        return self.rng.choice(
            [
                f"{day} de {month} de {year}",
                f"{day:02d}/{number:02d}/{year}",
                f"{day}-{number}-{year}",
            ]
        )

    def _birth_said(self) -> str:
        day, month, year = self._day()
        of = self.rng.choice(["de", "del"] if self.language == "es" else ["de"])
        return f"{self._words(day)} de {month} {of} {self._words(year)}"

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
            figures = " ".join(self.tongue.units[int(digit)] for digit in self._figures(4))
            return f"menos {self._words(self.rng.randint(low, high))} punto {figures}"

        return f"latitud {part(1, 4)}, longitud {part(75, 81)}"

    def _address(self) -> str:
        first, last = (part.capitalize() for part in self._plain_name())
        n = self.rng.randint
        if self.language == "pt":
            return self.rng.choice(
                [
                    f"rua {last}, {n(10, 999)}",
                    f"avenida {first} {last} {n(100, 999)}",
                    f"quadra {n(1, 90)} lote {n(1, 40)}",
                    f"rua {first} {last} número {n(10, 999)}",
                    f"travessa {last} nº {n(10, 999)}",
                ]
            )
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
        if self.language == "pt":
            return self.rng.choice(
                [
                    f"rua {last} número {self._words(n(10, 999))}",
                    f"quadra {self._words(n(1, 90))} lote {self._words(n(1, 40))}",
                    f"avenida {last} número {n(100, 999)}",
                ]
            )
        return self.rng.choice(
            [
                f"manzana {self._words(n(1, 90))} villa {self._words(n(1, 40))}",
                f"calle {last} número {self._words(n(100, 999))}",
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
            "w": lambda: self._words(n(1, 12)),
            "ww": lambda: self._words(n(13, 99)),
            "www": lambda: self._words(n(101, 999)),
            "day": lambda: str(n(1, 28)),
            "month": lambda: self.rng.choice(self.tongue.months),
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
            return self.rng.choice([", ", " ", "... "]).join(self._words(value) for value in values)
        values = [n(1, 75) for _ in range(n(5, 9))]
        if "increasing" in name:
            values = sorted(set(values))
        shown = [self._words(value) if name.startswith("w") else str(value) for value in values]
        if self.rng.random() < 0.6:
            return ", ".join(shown[:-1]) + self.tongue.joint + shown[-1]
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
