"""No pattern of the scrubber runs away: what is tried for a text does not explode with its length.

Each compiled pattern meets the words it is made of, followed by long runs of what it repeats.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import signal
from collections.abc import Iterator
from types import FrameType

import pytest

from builder.release import scrub

FILLERS = ("A", "a", "1", " ", "-", ".", "\x01", "A ", "a ", "1 ", "A-", "1.", "B1", "de ", "@a")
LENGTH = 400  # characters; a pattern asked about what stands before a number sees 80
SECONDS = 5.0


def inside(value: object) -> Iterator[re.Pattern[str]]:
    """The patterns in a module's variable, which may hold several."""
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        yield value
    elif isinstance(value, dict):
        yield from inside(tuple(value.values()))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from inside(item)


def patterns() -> list[tuple[str, re.Pattern[str]]]:
    found: dict[tuple[str, int], tuple[str, re.Pattern[str]]] = {}
    for module in pkgutil.walk_packages(scrub.__path__, f"{scrub.__name__}."):
        for name, value in vars(importlib.import_module(module.name)).items():
            for pattern in inside(value):
                where = f"{module.name.rsplit('.', 1)[1]}.{name}"
                found.setdefault((pattern.pattern, pattern.flags), (where, pattern))
    return list(found.values())


def hostile(pattern: re.Pattern[str]) -> Iterator[str]:
    words = sorted(set(re.findall(r"[a-z]{3,}", pattern.pattern)))
    for word in ("", *words[:: max(len(words) // 12, 1)]):
        for filler in FILLERS:
            run = filler * (LENGTH // len(filler))
            yield f"{word} {run}"
            yield f"{word}{run}!"
            yield f"{word} {run} b é "


def too_long(number: int, frame: FrameType | None) -> None:
    raise TimeoutError


@pytest.mark.parametrize(("name", "pattern"), [pytest.param(*p, id=p[0]) for p in patterns()])
def test_a_pattern_ends_soon(name: str, pattern: re.Pattern[str]) -> None:
    before = signal.signal(signal.SIGALRM, too_long)  # the engine of `re` listens to signals
    try:
        for text in hostile(pattern):
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
            pattern.search(text)
            signal.setitimer(signal.ITIMER_REAL, 0)
    except TimeoutError:
        pytest.fail(f"{name} runs away on {text[:24]!r}…")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
