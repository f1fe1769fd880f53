"""Reading text the way an attacker's reader would: one plain view, mapped back to the original.

Detection never looks at raw text. It looks at a *view*: compatibility-decomposed, without
accents, zero-width characters, keycaps or variation selectors, with look-alike letters, digits,
dots and at-signs brought to ASCII. `builder.release.scrub.spoken` then writes spoken digits ("cero
nueve nueve…") as figures. Every character of the view knows which original character it came from,
so a span found in the view can be cut out of the original and the rest stays byte-identical.

Sources: Unicode Standard Annex 15 (NFKD) and the Unicode character database as shipped with
Python; the look-alike table is a hand-made subset of Unicode Technical Standard 39 (confusables)
for Cyrillic and Greek. Nothing is downloaded.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

SPOKEN = "\x02"  # put before a figure that was a word; the fold removes real control characters
BREAK = "\x03"  # parts two numbers that are no figures of one identifier
MASK = "\x01"  # stands for a tag written by an earlier pass: no recognizer may match it

_LOOKALIKES = str.maketrans(
    {
        source: group[0]
        for group in (
            "AАΑ BВΒ CСᏟ EЕΕ GԌ HНΗ IІΙ JЈ KКΚ MМΜ NΝ OОΟ PРΡ QԚ SЅ TТΤ WԜ XХΧ YҮΥ ZΖ aаαɑ cсϲ dԁ "
            "eе gɡ hһ iіιı jјϳȷ kкκ lӏ mм nп oоοσ pрρ qԛ sѕ tтτ uυ vѵν wԝ xхχ yуγ "
            ".。۔､•·∙⋅‧・∘ -‐‑‒–—―−⁓⹀゠ |∣ǀ｜ "
            "0〇零 1一壱壹 2二贰貳弐 3三叁參ЗзӠ 4四肆Ч 5五伍 6六陆陸б 7七柒 8八捌 9九玖 "
            "oօο uս hһհ nոռ gց qզ bЬь yү aᴀ bʙ cᴄ dᴅ eᴇ gɢ hʜ iɪ jᴊ kᴋ lʟ mᴍ nɴ oᴏ pᴘ rʀ tᴛ uᴜ vᴠ "
            "wᴡ yʏ zᴢ xχ kκ bβ eε tτ"
        ).split()
        for source in group[1:]
    }
)
for _at in range(26):  # squared and circled white letters, which Unicode does not decompose
    for _first in ("🅐", "🅰", "🄰"):
        _LOOKALIKES[ord(_first) + _at] = chr(ord("A") + _at)
_GAPS = frozenset("ªº°")  # ordinal marks would fold to letters and look like the figure 0
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u2800")  # blank letters: no category says so


class Folded(NamedTuple):
    """A plain view of a text.

    ``text`` is the view; ``starts[i]`` and ``ends[i]`` bound the original characters behind
    ``text[i]``. Both are None when view and original agree position by position.
    """

    text: str
    starts: list[int] | None
    ends: list[int] | None

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Map the view span [start, end) (start < end) to the original text."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def _fold_char(char: str) -> str:
    """Return what one character reads as: '' if invisible, a blank for emoji, else plain text."""
    code = ord(char)
    if 0x20 <= code < 0x7F or char in "\t\n\r":
        return char
    if char == "🔟":
        return "10"
    if char in _GAPS:
        return " "
    mapped = char.translate(_LOOKALIKES)
    if mapped != char:
        return mapped
    category = unicodedata.category(char)
    if category in ("Mn", "Me", "Cf") or char in _INVISIBLE:
        return ""
    if category == "Cc":
        return " " if char in "\x0b\x0c\x1c\x1d\x1e\x1f\x85" else ""
    if category in ("Zs", "Zl", "Zp"):
        return " "
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    plain = "".join(
        part
        for part in unicodedata.normalize("NFKD", char)
        if unicodedata.category(part) not in ("Mn", "Me", "Cf")
    ).translate(_LOOKALIKES)
    if not plain:
        return " " if category[0] in "PSZ" else ""  # a lone spacing accent
    # A symbol with no plain reading (emoji, box drawing) separates words as a blank does.
    return " " if plain == char and category[0] == "S" else plain


class _FoldTable(dict[str, str]):
    """Remembers the fold of every character met; at most one entry per code point."""

    def __missing__(self, char: str) -> str:
        folded = self[char] = _fold_char(char)
        return folded


_TABLE = _FoldTable()
# 0 written as O, 1 as l or I: only in tokens of nothing else, with figures at least as many as
# letters unless it is long, so "l0s" and plates such as PIO-123 are left alone.
_ALIKE = r"(?=[OoIl]*[0-9])[0-9OoIl]++(?![^\W_xX]|[xX][^0-9OoIl])"
_LETTER_DIGITS = re.compile(rf"(?<![^\W_]){_ALIKE}(?:(?:[\s.\-/:;,'\"#=]{{1,3}}|[xX]){_ALIKE})*+")
_LONG = 9  # signs that are no word of O and l, though most of them are
_AS_DIGITS = str.maketrans("OoIl", "0011")


def _letters_to_digits(match: re.Match[str]) -> str:
    token = match.group()
    figures = sum(char.isdigit() for char in token)
    letters = sum(char in "OoIl" for char in token)
    long = figures >= 4 and letters + figures >= _LONG
    if not letters or figures < 2 or (figures < letters and not long):
        return token
    return token.translate(_AS_DIGITS)


def fold(text: str) -> Folded:
    """Fold `text` (any str) into its plain view; never raises."""
    starts: list[int] | None = None
    ends: list[int] | None = None
    if text.isascii() and text.isprintable():
        view = text
    else:
        parts = [_TABLE[char] for char in text]
        view = "".join(parts)
        if len(view) != len(text) or "" in parts:  # else every part is one character
            starts, ends = [], []
            for index, part in enumerate(parts):
                if part:
                    starts.extend([index] * len(part))
                    ends.extend([index + 1] * len(part))
                elif ends:  # an invisible mark belongs to the character it follows
                    last = starts[-1]
                    for back in range(len(ends) - 1, -1, -1):
                        if starts[back] != last:
                            break
                        ends[back] = index + 1
    return Folded(_LETTER_DIGITS.sub(_letters_to_digits, view), starts, ends)
