"""Colours, sizes and the Vega-Lite configuration that all figures share.

The colours are those of the validation page: picked for contrast on light and dark paper and for
colour-blind eyes. A figure is drawn in the light ones; since each is used for one thing only, the
dark figure is the same drawing with every colour replaced by its partner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from builder.validate.plots import COLOURS, TONES

# Liberation Sans comes with vl-convert and is as wide as Arial and Helvetica: the text takes the
# same room in a reader's browser as in our PNG.
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"

TEXT, SOFT, GRID, PAPER = (COLOURS[name][0] for name in ("text", "soft", "grid", "paper"))
MAIN, ACCENT = COLOURS["main"][0], COLOURS["bad"][0]
LABEL_COLOURS = {name: COLOURS[tone][0] for name, tone in TONES.items()}
# light -> dark
DARK = dict(COLOURS.values())

SIZE, SMALL = 12, 11


@dataclass(frozen=True)
class Layout:
    """Room for a figure.

    Attributes:
        name: suffix of the file, empty for the ordinary one.
        width: of the whole figure, pixels.
        edge: around it.
        title: size of its title.
    """

    name: str
    width: int
    edge: int
    title: int

    @property
    def inner(self) -> int:
        """Width between the edges."""
        return self.width - 2 * self.edge

    @property
    def phone(self) -> bool:
        """Whether panels go below each other."""
        return self.width < 600


WIDE = Layout("", 820, 24, 19)
PHONE = Layout("phone", 380, 14, 17)
LAYOUTS = (WIDE, PHONE)


def config() -> dict[str, Any]:
    """`config` of every Vega-Lite specification."""
    return {
        "background": None,
        "font": FONT,
        "padding": {"left": 0, "top": 0, "right": 3, "bottom": 0},  # a line on the very edge
        "view": {"stroke": None},
        "concat": {"spacing": 10},
        "axis": {
            "labelColor": SOFT,
            "titleColor": SOFT,
            "labelFontSize": SMALL,
            "titleFontSize": SMALL,
            "titleFontWeight": 400,
            "domain": False,
            "ticks": False,
            "gridColor": GRID,
            "labelPadding": 6,
        },
        "title": {
            "color": TEXT,
            "fontSize": SIZE,
            "fontWeight": 600,
            "anchor": "start",
            "frame": "bounds",
            "offset": 8,
        },
        "text": {"color": TEXT, "fontSize": SIZE, "font": FONT},
        "bar": {"color": MAIN},
        "line": {"color": MAIN, "strokeWidth": 1.6},
        "area": {"color": MAIN},
    }
