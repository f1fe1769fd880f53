"""Reading TikTok ids without ever passing through a float.

Ids exceed 2^53, so a float or a spreadsheet has already destroyed them; such ids are rejected, not
repaired. `id >> 32` is the creation time within two minutes for real ids.
"""

from __future__ import annotations

import re

from builder.errors import SpreadsheetDamage
from builder.sources.schema import ID_TIME_TOLERANCE, MAX_ID, id_time

ID_MISSING = "id_missing"
ID_SCIENTIFIC = "id_in_scientific_notation"
ID_FLOAT = "id_is_a_float"
ID_TOO_LARGE = "id_exceeds_int63"
ID_NOT_A_NUMBER = "id_is_not_a_number"
ID_TIME_MISMATCH = "id_does_not_match_creation_time"
ID_NOT_TIKTOK = "id_carries_no_plausible_time"
ID_ROUNDED = "id_was_rounded_by_a_spreadsheet"

_SCIENTIFIC = re.compile(r"\s*[+-]?\d+([.,]\d+)?[eE][+-]?\d+\s*")
_DECIMAL = re.compile(r"\s*[+-]?\d+[.,]\d*\s*")

# A spreadsheet keeps 15 digits: of the 19 of an id the last four become zeros.
ROUNDED_TO = 10_000

# TikTok's predecessor started in September 2016; nothing real carries a time outside this span.
EARLIEST, LATEST = 1_470_000_000, 2_100_000_000


def parse_id(value: object) -> tuple[int | None, str | None]:
    """Read one id.

    Args:
        value: what a JSON page or a CSV cell holds.

    Returns:
        (id, None), or (None, reason) when the value cannot be an undamaged id.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None, ID_MISSING
    if isinstance(value, bool):
        return None, ID_NOT_A_NUMBER
    if isinstance(value, float):
        # a JSON reader turns an integer of more than 64 bits into a float
        return None, ID_TOO_LARGE if value > MAX_ID else ID_FLOAT
    if isinstance(value, str):
        text = value.strip()
        if not (text.isascii() and text.isdigit()):
            if _SCIENTIFIC.fullmatch(text):
                return None, ID_SCIENTIFIC
            return None, ID_FLOAT if _DECIMAL.fullmatch(text) else ID_NOT_A_NUMBER
        if len(text) > 19:
            return None, ID_TOO_LARGE
        value = int(text)
    if not isinstance(value, int):
        return None, ID_NOT_A_NUMBER
    if value > MAX_ID:
        return None, ID_TOO_LARGE
    return (value, None) if value > 0 else (None, ID_NOT_A_NUMBER)


def rounded_by_a_float(video_id: int) -> bool:
    """Whether an id is what a floating-point number makes of one, as pandas, R and JavaScript do.

    Above 2^62 these know multiples of 1,024, or print the nearest number that ends in 000. One id
    in 500 is such a number by chance.
    """
    return video_id > 2**62 and (video_id % 1024 == 0 or video_id % 1000 == 0)


class FloatWatch:
    """Counts ids that a float may have made: by chance few, in a file of floats all.

    Attributes:
        seen, rounded: ids.
    """

    FEW = 4

    def __init__(self) -> None:
        self.seen = self.rounded = 0

    def add(self, video_id: int) -> None:
        """Look at one id."""
        self.seen += 1
        self.rounded += rounded_by_a_float(video_id)

    def judge(self, file: str) -> None:
        """Refuse the file where at least half of its ids are rounded.

        Raises:
            SpreadsheetDamage: telling how many.
        """
        if self.rounded >= self.FEW and self.rounded * 2 >= self.seen:
            raise SpreadsheetDamage(
                f"{self.rounded:,} of {self.seen:,} ids went through floating-point numbers",
                file=file,
                field="id",
                way_out="the last digits are lost for good: take the original again, and read ids "
                "as text (pandas: dtype=str; R: colClasses; JavaScript: BigInt)",
            )


def check_time(video_id: int, create_time: int | None) -> str | None:
    """Reason why an id cannot be real given its creation time (Unix seconds), or None."""
    carried = id_time(video_id)
    if create_time is not None:
        return ID_TIME_MISMATCH if abs(carried - create_time) > ID_TIME_TOLERANCE else None
    return None if EARLIEST <= carried <= LATEST else ID_NOT_TIKTOK
