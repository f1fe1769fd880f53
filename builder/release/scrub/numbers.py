"""Numbers in a view: runs of figures are cut into candidates, and recognisers claim them.

`find_numbers` takes the plain view made by `builder.release.scrub.fold`, in which spoken numbers
are figures already. Only runs of whole figures count: no identifier starts or ends inside a figure
or a date. What a candidate is, a recogniser's `claims` says; nothing here knows a country.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

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
from builder.release.scrub.recogniser import Context, Recogniser

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
_LEAST, _MOST = 7, 19  # figures of a candidate
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
    asked = sorted((r for r in recognisers if r.claims), key=lambda r: r.turn)
    text = barred(text)
    for tokens in digit_groups(text):
        named = list(_claimed(tokens, text, asked, context))
        yield from named
        for recogniser in recognisers:
            for start, end in recogniser.leftovers(tokens, text) if recogniser.leftovers else ():
                if not any(first <= start and end <= last for _, first, last in named):
                    yield recogniser.kind, start, end


def _claimed(
    tokens: list[Token], text: str, asked: list[Recogniser], context: Context
) -> Iterator[Found]:
    # No identifier starts or ends inside a date: "2024-01-[09 2024-01-10]" is no phone.
    dates = [date.span() for date in _WHOLE_DATE.finditer(text, tokens[0][1], tokens[-1][2])]
    inside = {at for first, last in dates for at in range(first + 1, last)}

    def claimed_from(first: int) -> Iterator[tuple[Recogniser, Candidate, int, int]]:
        token, start, _ = tokens[first]
        if len(token) >= _OWN or start in inside:
            return
        before, digits = text[max(0, start - BEFORE) : start], ""
        for part, _, end in tokens[first:]:
            digits += part
            if len(digits) > _MOST:
                break
            if len(digits) >= _LEAST and end not in inside:
                said = text[start:end]
                if is_dates(said):
                    continue
                whole = start == tokens[0][1] and end == tokens[-1][2]
                candidate = Candidate(digits, said, before, text[end : end + AFTER], whole)
                if one := _claimer(candidate, asked, context):
                    yield one, candidate, start, end

    settled = 0  # where a number ends inside which no other begins
    for first, (token, begin, _) in enumerate(tokens):
        if begin < settled:
            continue
        # "en 2024, o sea, 4000 0000 …": a year begins nothing where what follows it is whole
        if is_year(token) and first + 1 < len(tokens) and any(claimed_from(first + 1)):
            continue
        for one, candidate, start, end in claimed_from(first):
            yield one.kind, start, end
            if one.settles and one.settles(candidate):
                settled = end
                break


def _claimer(candidate: Candidate, asked: list[Recogniser], context: Context) -> Recogniser | None:
    for recogniser in asked:
        if candidate.amount and not recogniser.reads_amounts:
            continue
        if recogniser.claims and recogniser.claims(candidate, context):
            return recogniser
    return None
