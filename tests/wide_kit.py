"""Invented raw rows and stage results for tests of the wide row."""

from __future__ import annotations

from typing import Any

import polars as pl

from builder.annotate.joined import ROW_STAGES
from builder.sources.schema import RAW_SCHEMA

LONG = "una frase bastante larga que cualquiera entiende sin problema"
SHORT = "hola"
RAW = {name: dtype for name, dtype in RAW_SCHEMA.items() if name not in ("role", "position")}


def raw(*rows: dict[str, Any]) -> pl.DataFrame:
    full = [{"id": number, **row} for number, row in enumerate(rows, start=1)]
    return pl.DataFrame(full, schema=RAW)


def result(stage: str, *rows: dict[str, Any]) -> pl.DataFrame:
    schema: dict[str, Any] = {"id": pl.Int64}
    schema |= {name: dtype for name, (_, dtype) in ROW_STAGES[stage].items()}
    return pl.DataFrame(list(rows), schema=schema)
