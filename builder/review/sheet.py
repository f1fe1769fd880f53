"""The reviewer's CSV and the design beside it.

The CSV is what annotators see: texts and blank columns, never the machine's answer (an answer that
is shown is an answer that is confirmed). The design, ``<name>.design.json``, holds what scoring
needs: the machine's answers, the strata and their sizes. It stays with whoever runs the review.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from builder.errors import ReleaseConflict, UnreadablePage, UsageProblem
from builder.run.store import write_atomic, write_json
from builder.sources.encoding import DAMAGED, decoded, utf8_blocks
from ecuador_crisis_tiktok import ENTAILMENT_LABELS, SENTIMENT_LABELS

T = TypeVar("T")
ANSWERS = {"sentiment": SENTIMENT_LABELS, "summary": ENTAILMENT_LABELS}
QUESTIONS = {
    "sentiment": "Sentiment of the text? negative, neutral or positive",
    "summary": "Does the text support the summary? entailment (all of it), neutral (some of it is "
    "not in the text) or contradiction (the text says otherwise)",
}
# what annotators type in Spanish, without accents
_SYNONYMS = {
    "negativo": "negative",
    "negativa": "negative",
    "neutro": "neutral",
    "neutra": "neutral",
    "positivo": "positive",
    "positiva": "positive",
    "implicacion": "entailment",
    "implica": "entailment",
    "entailed": "entailment",
    "contradiccion": "contradiction",
    "contradice": "contradiction",
    "contradicted": "contradiction",
}
ANNOTATOR = "annotator"
_FIXED = ("item", "task", "question", "text", "summary")
# What may begin a formula; some programs read full-width and small forms as the plain ones.
_SIGNS = "=+\\-@＝＋－＠﹦﹢﹣﹫−"
# What may end the cell before it: the start, every separator a spreadsheet may split at, whatever
# this file is separated by (a semicolon locale splits `hola;=1+1`). Quotes, spaces and characters
# nobody sees are trimmed by spreadsheets.
_FORMULA = re.compile(
    rf"(?:\A|[,;|\t\n\r\v\f\x00\x1c-\x1e\x85\u2028\u2029])"
    rf"[\s\"\x00-\x1f\x7f-\x9f\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]*"
    rf"(?=[{_SIGNS}])"
)


@dataclass(frozen=True)
class Item:
    """One row to review.

    Attributes:
        item: its key in the CSV, such as S0001; no spreadsheet takes it for a number.
        task: sentiment | summary.
        video_id: of the release.
        stratum: its stratum.
        machine: the label or verdict of the release.
        confidence: of that; null where it was not given.
    """

    item: str
    task: str
    video_id: str
    stratum: str
    machine: str
    confidence: float | None


@dataclass(frozen=True)
class Design:
    """How a sample was drawn.

    Attributes:
        release: name and version, for people.
        manifest_sha256: which bytes it was drawn from.
        seed: of the draw.
        dimensions: task -> what its strata are made of.
        strata: task -> stratum -> rows of the release.
        items: the sample, in the order of the CSV.
    """

    release: str
    manifest_sha256: str
    seed: int
    dimensions: dict[str, list[str]]
    strata: dict[str, dict[str, int]]
    items: list[Item]


def design_path(csv_path: Path) -> Path:
    """Where the design of a CSV lives."""
    return csv_path.with_name(f"{csv_path.stem}.design.json")


def refuse_filled(paths: Sequence[Path], *, replace: bool) -> None:
    """Refuse to overwrite files that may hold people's work.

    Raises:
        ReleaseConflict: one of them exists, and `replace` was not asked for.
    """
    for path in paths:
        if path.exists() and not replace:
            raise ReleaseConflict(
                "this file exists; it may hold answers",
                file=path,
                way_out="give another name, or --replace",
            )


def write_sheet(path: Path, design: Design, texts: list[tuple[str, str]], annotators: int) -> None:
    """Write the CSV (UTF-8 with a mark, so that spreadsheets read its accents) and the design.

    Args:
        path: of the CSV.
        design: the sample.
        texts: (text, summary) of every item.
        annotators: how many blank columns.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    columns = [f"{ANNOTATOR}_{number + 1}" for number in range(annotators)]
    writer.writerow([*_FIXED, *columns, "note"])
    for item, (text, summary) in zip(design.items, texts, strict=True):
        shown = [item.item, item.task, QUESTIONS[item.task], tame(text), tame(summary)]
        writer.writerow([*shown, *[""] * annotators, ""])
    write_atomic(path, buffer.getvalue().encode("utf-8-sig"))
    write_json(design_path(path), asdict(design))


def read_design(path: Path) -> Design:
    """Read a design.

    Raises:
        UsageProblem: missing, or not a design.
    """
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        items = [Item(**item) for item in data.pop("items")]
        return Design(items=items, **data)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UsageProblem(
            f"cannot read the design of this review ({type(error).__name__})",
            file=path,
            way_out="keep the .design.json that `review` wrote beside the CSV, or name it with "
            "--design",
        ) from error


def read_sheet(path: Path, design: Design) -> dict[str, dict[str, str]]:
    """Read a filled CSV as spreadsheets save it; see `read_rows`.

    Args:
        path: the CSV.
        design: the sample it belongs to.

    Returns:
        annotator column -> item -> answer; blank answers and columns without any are left out.

    Raises:
        UsageProblem: not such a CSV, an item that is not of this sample, the same item twice, or an
            answer outside the closed list; the row is named.
    """
    rows = read_rows(path)
    columns = [name for name in rows[0] if name and name.casefold().startswith(ANNOTATOR)]
    if "item" not in rows[0] or not columns:
        raise UsageProblem(
            f"a reviewed CSV has a column item and columns {ANNOTATOR}_…",
            file=path,
            way_out="keep the header of the file that `review` wrote",
        )
    tasks = {item.item: item.task for item in design.items}
    answers: dict[str, dict[str, str]] = {}
    seen: set[str] = set()
    for number, row in enumerate(rows, start=2):
        item = (row["item"] or "").strip()
        if not item and not any(row[column] for column in columns):
            continue
        if item not in tasks or item in seen:
            problem = "this item is in the file twice" if item in seen else "an unknown item"
            raise UsageProblem(
                f"{problem}: {item[:40]!r}",
                file=path,
                row=number,
                field="item",
                way_out="do not edit the column item; score a file with the design it came with",
            )
        seen.add(item)
        for column in columns:
            answer = _answer(row[column], tasks[item], path, number, column)
            if answer:
                answers.setdefault(column, {})[item] = answer
    return answers


def read_rows(path: Path) -> list[dict[str, str | None]]:
    """Rows of a CSV as spreadsheets save it (comma, semicolon or tab; UTF-8, UTF-16 or Latin-1).

    Raises:
        UsageProblem: it cannot be read, or has no rows.
    """
    try:
        raw = path.read_bytes()
        utf8 = b"".join(utf8_blocks([raw], path.name))  # Excel's "Unicode text" is UTF-16
        text, _ = decoded(utf8, path.name, None)
    except OSError as error:
        raise UsageProblem("cannot read this file", file=path) from error
    except UnreadablePage as error:
        raise UsageProblem(error.problem, file=path, way_out="save it as CSV, UTF-8") from error
    text = DAMAGED.sub("\ufffd", text).removeprefix("\ufeff")
    if text.startswith("sep="):  # a line of Excel's own
        text = text.partition("\n")[2]
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))
    if not rows:
        raise UsageProblem("this file has no rows", file=path)
    return rows


def _answer(given: str | None, task: str, path: Path, row: int, column: str) -> str:
    plain = unicodedata.normalize("NFKD", (given or "").strip().casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    answer = _SYNONYMS.get(plain, plain)
    if answer and answer not in ANSWERS[task]:
        raise UsageProblem(
            f"unknown answer {(given or '')[:40]!r}",
            file=path,
            row=row,
            field=column,
            way_out=f"answers to {task}: {', '.join(ANSWERS[task])}, or blank",
        )
    return answer


def tame(value: T) -> T | str:
    """A value for a CSV that no spreadsheet takes for a formula (OWASP, "CSV Injection").

    An apostrophe goes before every sign that could begin a formula: at the start of the text, and
    after every character at which a spreadsheet may split it. What is tame stays as it is. A tab or
    a line's end at the start is itself a way in, so such a text begins with an apostrophe too.
    """
    if not isinstance(value, str):
        return value
    tamed = _FORMULA.sub(r"\g<0>'", value)
    return f"'{tamed}" if tamed.startswith(("\t", "\r", "\n")) else tamed
