"""How many examples a property test looks at: a part of them where every commit waits for it."""

from __future__ import annotations

import os

FULL = os.environ.get("ECUADOR_CRISIS_EXAMPLES") == "full"


def examples(full: int) -> int:
    """`full` in the second step of the tests (`scripts/test --slow`), a quarter of it in the first.

    Not below 10: a test that looks at less can hardly fail.
    """
    return full if FULL else min(full, max(10, full // 4))
