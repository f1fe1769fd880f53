"""What a recogniser is, and what it is told about the campaign.

A recogniser finds one kind of identifier in a *view* (`builder.release.scrub.fold`). It is one
object in one file; kinds, tags, the vectorised gate and Presidio's analyzer derive from the list
of the loaded ones (`builder.release.scrub.registry`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field

from builder.release.scrub.candidates import SEVEN_FIGURES, Candidate, Token
from builder.release.scrub.spoken import number_words

Span = tuple[int, int]  # start, end in the view
# A pattern the vectorised gate looks for; or a cheap one and, where it is found, a costly one
# ("" asks the costly one by itself).
Hint = str | tuple[str, str]
FIGURE = "[0-9]"  # the cheapest of all
SIZES = range(7, 20)  # how many figures a candidate has


@dataclass(frozen=True)
class PhonePlan:
    """How a country's national telephone numbers are written; every pattern reads figures only.

    Attributes:
        code: the country's calling code, without plus.
        certain: fullmatch: a phone however it is grouped.
        grouped: fullmatch: a phone unless commas separate its groups.
        mobile: fullmatch: a mobile without trunk prefix; believed where nothing speaks against it.
    """

    code: str
    certain: re.Pattern[str]
    grouped: re.Pattern[str]
    mobile: re.Pattern[str]


@dataclass(frozen=True)
class Context:
    """What a recogniser may know besides the view.

    Attributes:
        allowed_handles, usernames: lower-case names without @.
        country: ISO 3166 code of the campaign's country; "" if it names none. A recogniser of
            another country (a neighbour) asks for a cue or a check digit.
        plan: the country's telephone numbers, if its module gives them.
        abroad: those of its neighbours.
        languages: ISO 639-1 codes the campaign's people speak.
        respelled: usernames without separators, looked for in other spellings too.
    """

    allowed_handles: Set[str] = frozenset()
    usernames: frozenset[str] = frozenset()
    country: str = ""
    plan: PhonePlan | None = None
    abroad: tuple[PhonePlan, ...] = ()
    languages: tuple[str, ...] = ("es",)
    respelled: frozenset[str] = frozenset()

    def is_listed(self, before: str) -> bool:
        """Whether what stands before a number announces a list, a game or a count."""
        return number_words(self.languages).is_listed(before)


@dataclass(frozen=True)
class Recogniser:
    """One kind of identifier.

    Attributes:
        kind: its name in reports; the tag is the same in capitals.
        order: precedence where findings overlap, lowest first; one `order` per kind.
        hints: patterns the vectorised gate looks for: each finding needs one of them in its text.
            Shared by Python's and Rust's regular expressions: no look-around.
        find: view, context -> spans.
        claims: for kinds made of figures: tells whether a candidate number is one. Candidates are
            cut by `builder.release.scrub.numbers`; the first recogniser to claim one gets it.
        turn: who is asked first about a candidate, lowest first.
        sizes: how many figures a candidate has that it is asked about.
        reads_amounts: asked about figures written like amounts ("1.234.567") too.
        leftovers: tokens of a run of figures, and its view -> spans; findings that lie wholly
            inside a claimed number are dropped.
        settles: tells whether a claimed number is so surely whole that no other begins inside it.
    """

    kind: str
    order: int
    hints: tuple[Hint, ...]
    find: Callable[[str, Context], Iterable[Span]] | None = None
    claims: Callable[[Candidate, Context], bool] | None = None
    turn: int = 50
    sizes: range = SIZES
    reads_amounts: bool = False
    leftovers: Callable[[list[Token], str], Iterable[Span]] | None = None
    settles: Callable[[Candidate], bool] | None = None

    @property
    def tag(self) -> str:
        """What stands in a scrubbed text."""
        return f"[{self.kind.upper()}]"

    @property
    def is_number(self) -> bool:
        """Whether it is made of figures: of such findings that overlap the longest is taken."""
        return self.claims is not None


def number(
    kind: str,
    order: int,
    claims: Callable[[Candidate, Context], bool],
    turn: int,
    *,
    sizes: range = SIZES,
    find: Callable[[str, Context], Iterable[Span]] | None = None,
    leftovers: Callable[[list[Token], str], Iterable[Span]] | None = None,
) -> Recogniser:
    """A recogniser of numbers of seven figures or more, which judges amounts by itself."""
    return Recogniser(
        kind,
        order,
        ((FIGURE, SEVEN_FIGURES),),
        find,
        claims,
        turn,
        sizes,
        reads_amounts=True,
        leftovers=leftovers,
    )


@dataclass(frozen=True)
class Country:
    """A country's module: its recognisers and its telephone numbers.

    Attributes:
        code: ISO 3166, capitals.
        recognisers: of identifiers that only this country gives out.
        plan: its telephone numbers, for campaigns at home there.
    """

    code: str
    recognisers: tuple[Recogniser, ...] = field(default=())
    plan: PhonePlan | None = None
