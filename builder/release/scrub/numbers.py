"""Numbers in a view: runs of figures are cut into candidates, and recognisers claim them.

`find_numbers` takes the plain view made by `builder.release.scrub.fold`, in which spoken numbers
are figures already. Only runs of whole figures count: no identifier starts or ends inside a figure
or a date. What a candidate is, a recogniser's `claims` says; nothing here knows a country.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from builder.release.scrub.candidates import (
    AFTER,
    BEFORE,
    DATE,
    Candidate,
    Token,
    figures,
    is_dates,
    is_year,
)
from builder.release.scrub.fold import BREAK
from builder.release.scrub.recogniser import SIZES, Context, Recogniser

Found = tuple[str, int, int]  # kind, start, end in the view

_SEP = r"(?:[\s.,\-/()\[\]{}<>«»\\^`&_~|*\x02:;'\"#=+]{1,8}|\s?[xX×]\s?)"
_GROUP = re.compile(rf"[0-9]+(?:{_SEP}[0-9]+)*")
_DIGITS = re.compile("[0-9]+")
_WHOLE_DATE = re.compile(rf"(?<![\d\-/.]){DATE}(?![\-/.]?\d)")
# The time of a day, and a case of a court ("17294-2023-00331"): no identifier reaches across.
_BARRIER = re.compile(
    r"(?<![\d:])(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?![\d:])"
    r"|(?<![\d\-])\d{4,5}[A-Z]?\s?-\s?(?:19|20)\d\d\s?-\s?\d{4,7}(?![\s\-]*\d)"
    r"|(?<!\d)(?:19|20)\d\d\s?-\s?\d{3,6}\s?-\s?[A-Z]"
    r"|(?<!\d)\d{2,5}\s?-\s?(?:19|20)\d\d\s?-\s?[A-Z]{2,}"
)
_LEAST, _MOST = SIZES.start, SIZES.stop - 1
_OWN = 17  # a token this long starts no candidate: it is an id of its own


def digit_groups(text: str) -> Iterator[list[Token]]:
    """Runs of seven figures or more with nothing but separators between them, as tokens."""
    for group in _GROUP.finditer(text):
        tokens = [
            (token.group(), token.start(), token.end())
            for token in _DIGITS.finditer(text, group.start(), group.end())
        ]
        if sum(len(token) for token, _, _ in tokens) >= _LEAST:
            yield tokens


def barred(text: str) -> str:
    """The view with the separators inside times and case numbers made impassable."""
    if ":" not in text and "-" not in text:
        return text
    return _BARRIER.sub(lambda found: re.sub(r"[^0-9A-Z]", BREAK, found.group()), text)


def find_numbers(text: str, recognisers: Sequence[Recogniser], context: Context) -> Iterator[Found]:
    """Yield (kind, start, end) of every run of whole figures that a recogniser claims."""
    if figures(text) < _LEAST:
        return
    claiming = sorted((r for r in recognisers if r.claims), key=lambda r: r.turn)
    asked = [[r for r in claiming if size in r.sizes] for size in range(SIZES.stop)]
    text = barred(text)
    for tokens in digit_groups(text):
        named = list(_claimed(tokens, text, asked, context))
        yield from named
        firsts = [first for _, first, _ in named]  # in order
        reach = list(accumulate((last for _, _, last in named), max))
        for recogniser in recognisers:
            for start, end in recogniser.leftovers(tokens, text) if recogniser.leftovers else ():
                at = bisect_right(firsts, start)
                if not at or reach[at - 1] < end:
                    yield recogniser.kind, start, end


class _Claims:
    """What is claimed in one run of figures, start by start.

    What a recogniser says of a start depends on no more than the figures of the longest identifier
    and what stands around them. Text that repeats itself is asked once, however long it is.
    """

    def __init__(
        self, tokens: list[Token], text: str, asked: list[list[Recogniser]], context: Context
    ) -> None:
        self._tokens, self._text, self._asked, self._context = tokens, text, asked, context
        # No identifier starts or ends inside a date: "2024-01-[09 2024-01-10]" is no phone.
        dates = [date.span() for date in _WHOLE_DATE.finditer(text, tokens[0][1], tokens[-1][2])]
        self._inside = {at for first, last in dates for at in range(first + 1, last)}
        self._known: dict[tuple[str, str], tuple[str, int, int] | None] = {}

    def at(self, first: int) -> tuple[str, int, int] | None:
        """The longest claim that begins with a token: kind, end, where the next may begin."""
        token, start, _ = self._tokens[first]
        if len(token) >= _OWN or start in self._inside:
            return None
        last, size = first, len(token)
        while last + 1 < len(self._tokens) and size + len(self._tokens[last + 1][0]) <= _MOST:
            last += 1
            size += len(self._tokens[last][0])
        if size < _LEAST:
            return None
        reach = self._tokens[last][2]
        if (
            first == 0
            or last + 1 == len(self._tokens)
            or not self._inside.isdisjoint(end for _, _, end in self._tokens[first : last + 1])
        ):
            return self._ask(first, last)
        around = (self._text[max(0, start - BEFORE) : start], self._text[start : reach + AFTER])
        if around not in self._known:
            found = self._ask(first, last)
            self._known[around] = found and (found[0], found[1] - start, found[2] - start)
        known = self._known[around]
        return known and (known[0], known[1] + start, known[2] + start)

    def _ask(self, first: int, last: int) -> tuple[str, int, int] | None:
        tokens, text = self._tokens, self._text
        start, digits, found = tokens[first][1], "", None
        before = text[max(0, start - BEFORE) : start]
        for part, _, end in tokens[first : last + 1]:
            digits += part
            if len(digits) < _LEAST or end in self._inside:
                continue
            said = text[start:end]
            if is_dates(said):
                continue
            whole = start == tokens[0][1] and end == tokens[-1][2]
            candidate = Candidate(digits, said, before, text[end : end + AFTER], whole)
            if one := _claimer(candidate, self._asked[len(digits)], self._context):
                if one.settles and one.settles(candidate):
                    return one.kind, end, end
                found = one.kind, end, start
        return found


def _claimed(
    tokens: list[Token], text: str, asked: list[list[Recogniser]], context: Context
) -> Iterator[Found]:
    claims = _Claims(tokens, text, asked, context)
    settled = 0  # where a number ends inside which no other begins
    for first, (token, start, _) in enumerate(tokens):
        if start < settled:
            continue
        # "en 2024, o sea, 4000 0000 …": a year begins nothing where what follows it is whole
        if is_year(token) and first + 1 < len(tokens) and claims.at(first + 1):
            continue
        if found := claims.at(first):
            kind, end, settled = found
            yield kind, start, end


def _claimer(candidate: Candidate, asked: list[Recogniser], context: Context) -> Recogniser | None:
    for recogniser in asked:
        if candidate.amount and not recogniser.reads_amounts:
            continue
        if recogniser.claims and recogniser.claims(candidate, context):
            return recogniser
    return None
