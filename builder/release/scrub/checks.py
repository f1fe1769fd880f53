"""Check digits that several recognisers share."""

from __future__ import annotations

from collections.abc import Sequence


def luhn(digits: str) -> bool:
    """Tell whether a digit string passes the Luhn check (ISO/IEC 7812)."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def weighted(digits: str, weights: Sequence[int]) -> int:
    """Sum of digit times weight, as far as the weights reach."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))
