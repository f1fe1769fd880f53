"""Invented national numbers and telephones, in the forms of a campaign's country.

The digits are random and the check digits right, so that the scrubber has to work for them. A
country is one entry of `PEOPLE`; for others there is no national number, and telephones are those
that North America's plan reserves for fiction (555-01XX).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from builder.sources.simulate.dice import Dice


@dataclass(frozen=True)
class People:
    """A country's numbers.

    Attributes:
        phone, national: draw one; `national` is None where we know none.
        phone_pattern, national_pattern: find exactly these, and nothing else in our texts.
        kind: what the national number is called: the key of its templates in the words, and
            `identifier_<kind>` in SIMULATION.json.
    """

    phone: Callable[[Dice], str]
    phone_pattern: re.Pattern[str]
    kind: str = ""
    national: Callable[[Dice], str] | None = None
    national_pattern: re.Pattern[str] | None = None


def cedula_check_digit(nine: str) -> int:
    """Check digit of an Ecuadorian cédula: modulus 10 over its first nine digits."""
    doubled = [int(digit) * (2 - i % 2) for i, digit in enumerate(nine)]
    return -sum(value - 9 if value > 9 else value for value in doubled) % 10


def cpf_check_digits(nine: str) -> str:
    """The two check digits of a Brazilian CPF: modulus 11, weights 10 to 2, then 11 to 2."""
    digits = nine
    for first in (10, 11):
        weighted = zip(range(first, 1, -1), digits, strict=True)
        rest = sum(weight * int(digit) for weight, digit in weighted) % 11
        digits += str(0 if rest < 2 else 11 - rest)
    return digits[9:]


def _phone_ec(dice: Dice) -> str:
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


def _cedula_ec(dice: Dice) -> str:
    """Province 01-24, third digit 0-5, six random digits, check digit; sometimes with a dash."""
    nine = f"{1 + dice.one(24):02d}{dice.one(6)}{dice.one(1_000_000):06d}"
    return f"{nine}{'-' if dice.one(3) == 0 else ''}{cedula_check_digit(nine)}"


def _phone_br(dice: Dice) -> str:
    """Brazilian mobile number of area 61: 9, then 8 or 9, then seven random digits."""
    rest = f"{980_000_000 + dice.one(20_000_000):09d}"
    area, dashed = "61", f"{rest[:5]}-{rest[5:]}"
    return (f"{area}{rest}", f"({area}) {dashed}", f"{area} {dashed}", f"+55 {area} {dashed}")[
        dice.one(4)
    ]


def _cpf(dice: Dice) -> str:
    """Nine random digits and the check digits, with or without dots."""
    nine = f"{1 + dice.one(999_999_998):09d}"
    number = nine + cpf_check_digits(nine)
    dotted = f"{number[:3]}.{number[3:6]}.{number[6:9]}-{number[9:]}"
    return (number, dotted)[dice.one(2)]


def _phone_fiction(dice: Dice) -> str:
    return f"+1 {(202, 303, 415, 617)[dice.one(4)]} 555 01{dice.one(100):02d}"


PEOPLE = {
    "EC": People(
        _phone_ec,
        re.compile(r"(?:\+593[ ]?|\b0)9[89](?:[ -]?\d){7}\b"),
        "cedula",
        _cedula_ec,
        re.compile(r"\b(?:0[1-9]|1\d|2[0-4])[0-5]\d{6}-?\d\b"),
    ),
    "BR": People(
        _phone_br,
        re.compile(r"(?:(?:\+55 )?\(?\b61\)? 9\d{4}-\d{4}\b|\b619[89]\d{7}\b)"),
        "cpf",
        _cpf,
        re.compile(
            r"(?i:(?<=CPF )|(?<=CPF é )|(?<=CPF número ))(?:\d{11}|\d{3}\.?\d{3}\.?\d{3}-?\d\d)\b"
        ),
    ),
}
FICTION = People(_phone_fiction, re.compile(r"\+1 \d{3} 555 01\d\d\b"))


def people_of(country: str) -> People:
    """The numbers of a country (ISO 3166)."""
    return PEOPLE.get(country, FICTION)
