"""The least a MANIFEST.json must say."""

from __future__ import annotations

from typing import Any


def smallest() -> dict[str, Any]:
    """Required keys only, of an invented release."""
    return {
        "name": "Invented",
        "version": "1.0.0",
        "campaign": "invented",
        "window": {"start": "2024-01-01", "end": "2024-01-31"},
        "synthetic": True,
        "files": {},
    }
