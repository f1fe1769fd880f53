"""What figures say, and how they write numbers and days, in the reader's language."""

from __future__ import annotations

import datetime as dt
import tomllib
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

Language = Literal["en", "es"]
LANGUAGES: tuple[str, ...] = get_args(Language)


class Words:
    """The texts of one language, from `texts/<language>.toml`.

    Args:
        language: `en` or `es`.
    """

    def __init__(self, language: Language = "en") -> None:
        file = resources.files("builder.analyze.figures") / "texts" / f"{language}.toml"
        self._texts: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        self.language = language

    @property
    def locale(self) -> str:
        """The d3 locale of axes."""
        return str(self._texts["locale"])

    @property
    def percent_sign(self) -> str:
        """What follows a percentage."""
        return str(self._texts["percent"]).replace("{}", "")

    def __call__(self, text: str, /, **fields: Any) -> str:
        """The text under a dotted key, filled in."""
        found: Any = self._texts
        for part in text.split("."):
            found = found[part]
        return str(found).format(**fields)

    def section(self, key: str) -> dict[str, str]:
        """All texts of a section, such as `metrics`."""
        return dict(self._texts[key])

    def number(self, value: float, decimals: int = 0) -> str:
        """Thousands apart, in the language's marks."""
        text = f"{value:,.{decimals}f}"
        swap = {",": self._texts["thousands"], ".": self._texts["decimal"]}
        return "".join(swap.get(char, char) for char in text)

    def share(self, value: float) -> str:
        """A share as a percentage: one decimal under 10 %, none above but for rounding to 100."""
        percent = 100 * value
        fine = 0 < percent < 10 or 99 <= percent < 100
        return str(self._texts["percent"]).format(self.number(percent, 1 if fine else 0))

    def day(self, day: dt.date) -> str:
        """A day of the year, short."""
        month = self._texts["months"][day.month - 1]
        return str(self._texts["date"]).format(day=day.day, month=month)

    def window(self, first: dt.date, last: dt.date) -> str:
        """From one day to another, with years."""
        if first == last:
            return f"{self.day(first)} {first.year}"
        start = self.day(first) if first.year == last.year else f"{self.day(first)} {first.year}"
        return f"{start} – {self.day(last)} {last.year}"

    def axis_number(self) -> str:
        """Vega expression of an axis label: 20k, 1.5M (20 mil, 1,5 M)."""
        million, thousand = self._texts["million"], self._texts["thousand"]
        return (
            f"abs(datum.value) >= 1e6 ? format(datum.value / 1e6, '~r') + '{million}' : "
            f"abs(datum.value) >= 1e3 ? format(datum.value / 1e3, '~r') + '{thousand}' : "
            "format(datum.value, '~r')"
        )


@cache
def words(language: Language) -> Words:
    """The texts of a language, read once."""
    return Words(language)
