"""How many rows of a sample fall to each stratum."""

from __future__ import annotations


def allocate(sizes: dict[str, int], rows: int, *, least: int) -> dict[str, int]:
    """How many rows to draw from each stratum: its share, at least `least`, at most all it has.

    Proportional allocation by largest remainders after the minimum is served (Cochran 1977,
    section 5.3).

    Args:
        sizes: stratum -> rows it has.
        rows: wanted in all.
        least: the minimum of a stratum that has so many; 2 where a variance is wanted.

    Returns:
        stratum -> rows to draw; their sum is min(rows, rows there are), or more where the minimum
        asks for more.
    """
    drawn = {name: min(least, size) for name, size in sizes.items()}
    total = sum(sizes.values())
    left = min(rows, total) - sum(drawn.values())
    while left > 0:
        # whoever is furthest below its proportional share comes next; ties by name
        name = max(
            (name for name in sizes if drawn[name] < sizes[name]),
            key=lambda name: (rows * sizes[name] / total - drawn[name], name),
        )
        drawn[name] += 1
        left -= 1
    return drawn


def largest(sizes: dict[str, int], most: int) -> dict[str, int]:
    """The `most` largest strata (ties by name), for a sample too small to see them all."""
    return dict(sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:most])
