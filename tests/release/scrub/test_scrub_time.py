"""Scrubbing takes time in proportion to the text, whatever is repeated in it.

Bursts of short pieces that every finder has a reason to look at; what is compared is the CPU time
of a text and of one twice as long, so that a slow or busy machine does not matter.
"""

from __future__ import annotations

import random
import time
from itertools import product

import pytest

from builder.release.scrub.scrubber import Scrubber

SCRUBBER = Scrubber(
    country="EC",
    neighbours=["PE", "CO", "BR"],
    languages=["es", "pt"],
    usernames=["wilmerquishpe99", "rosa_guaman2"],
    allowed_terms=["ECU 911"],
)
PIECES = (
    "1", "9", "0 ", "7 3 ", "12", "2024", "+", "+593", "00", "1.234", "uno ", "dos, ", "y ", "mil ",
    "cien ", "doble ", "meia ", "eh ", "a ", "o ", "O", "l1", "@", "@a", "arroba ", "punto ",
    "com ", "gmail ", "guion ", "[", "]", "(at)", "(", "x", ":", "/", "-", ".", ",", "°", "_", "#",
    "www.", "://",
    "calle ", "mz ", "placa ", "be ce ", "GSK ", "EC12", "nací ", "menos ", "latitud ", "cuenta ",
    "como ", "llama al ", "cédula ", "caso ", "wilmer", "é", "\u0301", "①", "\x01", "ECU 911 ",
    "[PHONE]",
)  # fmt: skip
TAILS = ("", "arroba 1234567", "@gmail.com", " gmail punto com")
SIZE = 32_000


def bursts(many: int, seed: int) -> list[str]:
    """Some units of one to six characters, and of two or three pieces."""
    rng = random.Random(seed)
    pairs = rng.sample(list(product(PIECES, repeat=2)), many)
    return [*rng.sample(PIECES, many // 2), *("".join(pair) for pair in pairs)]


def seconds(unit: str, size: int, tail: str) -> float:
    text = (unit * (size // len(unit) + 1))[:size] + tail
    started = time.process_time()
    SCRUBBER.scrub(text)
    return time.process_time() - started


def grows_no_faster(unit: str, tail: str, size: int) -> bool:
    """Twice the text, about twice the time; what takes under a second is quick enough."""
    for _ in range(3):  # a busy machine is asked again
        long = seconds(unit, size, tail)
        if long < 0.7 or long < 3 * seconds(unit, size // 2, tail) + 0.3:
            return True
    return False


@pytest.mark.parametrize(
    "unit", ["1 ", "1]", "1", "a 1 ", "-1.234 1,000", "@ab ", "llama al ", *bursts(4, 1)]
)
def test_twice_the_burst_takes_twice_the_time(unit: str) -> None:
    SCRUBBER.scrub("hola 0991234567")  # the engine is built
    assert grows_no_faster(unit, " gmail punto com", SIZE // 2)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_no_burst_of_many_takes_more(seed: int) -> None:
    SCRUBBER.scrub("hola 0991234567")
    for unit in bursts(30, seed):
        for tail in TAILS:
            assert grows_no_faster(unit, tail, SIZE), (unit, tail)
