"""Invented raw rows and stage results for tests of the wide row."""

from __future__ import annotations

from typing import Any

import polars as pl

from builder.pipeline.annotate import Annotated
from builder.pipeline.plan import PLAN
from builder.sources.schema import RAW_SCHEMA

LONG = "una frase bastante larga que cualquiera entiende sin problema"
SHORT = "hola"
RAW = {name: dtype for name, dtype in RAW_SCHEMA.items() if name not in ("role", "position")}


def raw(*rows: dict[str, Any]) -> pl.DataFrame:
    full = [{"id": number, **row} for number, row in enumerate(rows, start=1)]
    return pl.DataFrame(full, schema=RAW)


def result(stage: str, *rows: dict[str, Any]) -> pl.DataFrame:
    schema: dict[str, Any] = {"id": pl.Int64}
    adds = PLAN.step(stage).adds
    schema |= {name: column.dtype for name, column in adds.columns.items()}
    if adds.views:
        schema["source"] = pl.String
    return pl.DataFrame(list(rows), schema=schema)


def wide_rows(frame: pl.DataFrame, results: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Raw rows joined with results by the plan's columns and the default rules."""
    return PLAN.joiner()(frame, results)


def found(results: dict[str, pl.DataFrame] | None = None) -> Annotated:
    """Results of stages as the pipeline hands them to `anonymize`."""
    tables = results or {}
    digests = {name: frame.write_json() for name, frame in tables.items()}
    return Annotated(PLAN.joiner(), digests=digests, results=lambda name, raw: tables[name])
