"""The authors' public CSVs -> raw rows.

Two files are known: ``data/ecuador.csv`` (``id, whisper_voice_to_text``) and
``data/March2025_Github.csv`` (id, number of frames, duration in seconds, sentiment label, AI
summary; exact header unknown). Columns are therefore matched by aliases. What a file does not hold
is null, never zero. These files give no publication time; the id carries it within two minutes.
"""

from __future__ import annotations

import codecs
import csv
import math
import re
from collections.abc import Iterator
from typing import Any

from builder.errors import MissingColumn, SpreadsheetDamage, UnreadablePage
from builder.sources.encoding import DAMAGED, REPLACEMENT, WINDOWS, encoding_of, utf8_blocks
from builder.sources.files import SourceFile, read_blocks
from builder.sources.ids import (
    ID_FLOAT,
    ID_SCIENTIFIC,
    ROUNDED_TO,
    FloatWatch,
    check_time,
    parse_id,
)
from builder.sources.readers.api_pages import TEXT_DAMAGED, encoding_notes
from builder.sources.rows import Block, RowProblem
from builder.sources.schema import COUNTS, ROLE_CSV, id_time

BLOCK_ROWS = 20_000

# raw column -> header names that mean it, normalised (lower case, words joined by _)
ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("id", "video_id", "videoid", "tiktok_id", "tiktokid", "id_video"),
    "whisper_text": (
        "whisper_voice_to_text",
        "whisper_transcript",
        "whisper_transcription",
        "whisper_text",
        "whisper",
        "transcript",
        "transcription",
    ),
    "voice_to_text": ("voice_to_text", "api_voice_to_text", "api_transcript"),
    "n_frames": ("number_of_frames", "num_frames", "n_frames", "nframes", "frames", "frame_count"),
    "duration_seconds": (
        "duration_in_seconds",
        "duration_seconds",
        "duration_s",
        "duration_sec",
        "duration",
        "video_duration",
        "seconds",
        "length_in_seconds",
    ),
    "upstream_sentiment": ("sentiment_label", "sentiment", "label", "sentiment_analysis"),
    "upstream_summary": ("ai_summary", "summary", "llm_summary", "summary_ai", "ai_summaries"),
    "synthetic": ("synthetic",),
    "region_code": ("region_code",),
    **{column: (column,) for column in COUNTS},
}
# a header that contains one of these means the column, when no alias fits exactly
_HINTS = (
    ("n_frames", "frame"),
    ("duration_seconds", "duration"),
    ("upstream_sentiment", "sentiment"),
    ("upstream_summary", "summar"),
    ("whisper_text", "whisper"),
)
_VALUE = re.compile(r"\s*[+-]?\d[\d.,eE+]{5,}\s*")  # no column is called so: an id, or its ruin
_MAX_LISTED = 30
_MANY_ROUNDED = 4
SENTIMENT_WORDS = {
    **dict.fromkeys(("negative", "neg", "negativo", "negativa"), "negative"),
    **dict.fromkeys(("neutral", "neu", "neutro", "neutra"), "neutral"),
    **dict.fromkeys(("positive", "pos", "positivo", "positiva"), "positive"),
}
_WAY_OUT_SPREADSHEET = (
    "the last digits are lost for good: take the original CSV again and do not open and save it "
    "in Excel, LibreOffice or Numbers (or import the id column as text)"
)


def match_columns(header: list[str]) -> dict[str, int]:
    """Which position holds which raw column: {raw column: index}."""
    names = [re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_") for name in header]
    found = {
        column: names.index(alias)
        for column, aliases in ALIASES.items()
        if (alias := next((a for a in aliases if a in names), None))
    }
    for column, hint in _HINTS:
        if column not in found:
            for index, name in enumerate(names):
                if hint in name and index not in found.values():
                    found[column] = index
                    break
    return found


def read_csv(file: SourceFile, first_position: int) -> Iterator[Block]:
    """Stream one CSV.

    Args:
        file: the file; comma, semicolon or tab separated; encodings as in `encoding`.
        first_position: reading position of its first row.

    Yields:
        Blocks of about 20,000 rows.

    Raises:
        MissingColumn: no id column, or nothing besides it that we know.
        SpreadsheetDamage: at least half of the ids lost their last digits.
        UnreadablePage: not readable as CSV, cut short inside a quoted field, or in no encoding
            that we know.
    """
    text = encoding_of(lambda: utf8_blocks(read_blocks(file), file.name), file.name)
    records = _records(file, text.encoding)
    header = next(records, None)
    if header is None:
        raise MissingColumn("the CSV is empty", file=file.name, way_out="take the file again")
    columns = match_columns(header[1])
    _check_columns(columns, header[1], file)
    block = Block(file.name, synthetic=file.synthetic)
    block.notes = _notes(columns, header[1], file)
    damage = _Damage(file)
    lost = 0
    for number, (line, cells) in enumerate(records):
        try:
            if len(cells) != len(header[1]):
                raise RowProblem("row_has_wrong_number_of_fields", "row")
            if text.damaged and any(DAMAGED.search(cell) for cell in cells if not cell.isascii()):
                raise RowProblem(TEXT_DAMAGED, "text")
            if text.marked:
                lost += _mend(cells)
            row = _row(cells, columns, damage.watch(cells[columns["id"]], line))
            block.synthetic = block.synthetic or bool(row.pop("synthetic"))
            block.add(row | {"position": first_position + number})
        except RowProblem as problem:
            block.reject(f"line {line}", problem)
        if block.rows >= BLOCK_ROWS:
            damage.judge()
            yield block
            block = Block(file.name, synthetic=block.synthetic)
    damage.judge()
    block.scientific = damage.spreadsheet
    windows = "it is" if text.encoding == WINDOWS else ""
    block.notes += encoding_notes(file.name, windows, lost)
    yield block


def _mend(cells: list[str]) -> int:
    """Take the marks of characters lost elsewhere out of cells; how many cells had any."""
    found = [index for index, cell in enumerate(cells) if REPLACEMENT in cell]
    for index in found:
        cells[index] = cells[index].replace(REPLACEMENT, "")
    return len(found)


def _records(file: SourceFile, encoding: str) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells), the header first."""
    csv.field_size_limit(1 << 28)
    lines = _text_lines(file, encoding)
    first = next(lines, None)
    if first is None:
        return
    delimiter = max(",;\t", key=first.count)

    def all_lines() -> Iterator[str]:
        yield first
        yield from lines

    reader = csv.reader(all_lines(), delimiter=delimiter, strict=True)
    started = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield started, cells
            started = reader.line_num + 1
    except csv.Error as error:
        raise UnreadablePage(
            f"the CSV cannot be read ({error})",
            file=file.name,
            row=f"line {started}",
            way_out="the file is cut short or its quotes are broken: take it again",
        ) from error


def _text_lines(file: SourceFile, encoding: str) -> Iterator[str]:
    # bytes that are no UTF-8 stay recognisable: their row is refused by name
    decoder = codecs.getincrementaldecoder(encoding)(errors="surrogateescape")
    rest, first = "", True
    for block in utf8_blocks(read_blocks(file), file.name):
        text = decoder.decode(block)
        *lines, rest = (rest + (text.removeprefix("\ufeff") if first else text)).split("\n")
        first = False
        for line in lines:
            yield line + "\n"
    if rest := rest + decoder.decode(b"", final=True):
        yield rest


def _check_columns(columns: dict[str, int], header: list[str], file: SourceFile) -> None:
    known = set(columns) - {"synthetic"}
    if "id" in known and known != {"id"}:
        return
    if any(_is_value(name) for name in header):
        # without quoting it: it would put an id, perhaps a text, into the message
        raise MissingColumn(
            "the first line holds values, not the names of columns",
            file=file.name,
            row="line 1",
            field="id",
            way_out="put a line with the columns' names first, for instance: id,"
            "whisper_voice_to_text",
        )
    listed = ", ".join(map(_shown, header[:_MAX_LISTED]))
    if "id" not in columns:
        raise MissingColumn(
            f"no column holds the video id; found: {listed}",
            file=file.name,
            field="id",
            way_out=f"name it one of: {', '.join(ALIASES['id'])}",
        )
    raise MissingColumn(
        f"besides the id no column is known; found: {listed}",
        file=file.name,
        way_out="name at least one column as in "
        + ", ".join(a[0] for c, a in ALIASES.items() if c not in ("id", "synthetic")),
    )


def _is_value(name: str) -> bool:
    """Whether this can be no column's name: an id, a link, an address, or what somebody said."""
    return bool(
        _VALUE.fullmatch(name)
        or re.search(r"https?:|www\.|@|\d{9,}", name)
        or len(name) > 80
        or len(name.split()) > 8
    )


def _shown(name: str) -> str:
    return repr(name if len(name) <= 40 else name[:40] + "…")


def _notes(columns: dict[str, int], header: list[str], file: SourceFile) -> list[str]:
    matched = ", ".join(f"{_shown(header[i])} as {column}" for column, i in columns.items())
    unknown = [_shown(h) for i, h in enumerate(header) if i not in columns.values()][:_MAX_LISTED]
    note = f"{file.name}: read {matched}"
    return [note + (f"; not used: {', '.join(unknown)}" if unknown else "")]


class _Damage:
    """Notices ids that went through a spreadsheet: E notation, or digits after the 15th zeroed."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self.seen = self.damaged = self.rounded = 0
        self.scientific = False
        self.floats = FloatWatch()
        self.first = 0

    def watch(self, cell: str, line: int) -> str:
        self.seen += 1
        video_id, reason = parse_id(cell)
        if video_id is not None:
            self.floats.add(video_id)
        text = cell.strip()
        rounded = len(text) >= 18 and text.endswith("0000")
        self.rounded += rounded
        self.scientific = self.scientific or reason in (ID_SCIENTIFIC, ID_FLOAT)
        if reason in (ID_SCIENTIFIC, ID_FLOAT) or rounded:
            self.damaged += 1
            self.first = self.first or line
        return cell

    @property
    def spreadsheet(self) -> bool:
        """The file shows that some of its ids were rounded: ids ending in 0000 are not believed.

        It holds scientific notation, or far more such ids than the one in 10,000 that chance gives.
        """
        chance = self.seen / ROUNDED_TO
        return self.scientific or self.rounded >= max(_MANY_ROUNDED, 20 * chance)

    def judge(self) -> None:
        if self.damaged and self.damaged * 2 >= self.seen:
            raise SpreadsheetDamage(
                f"{self.damaged:,} of {self.seen:,} ids went through a spreadsheet",
                file=self.file.name,
                row=f"line {self.first}",
                field="id",
                way_out=_WAY_OUT_SPREADSHEET,
            )
        self.floats.judge(self.file.name)


def _row(cells: list[str], columns: dict[str, int], id_cell: str) -> dict[str, Any]:
    video_id, reason = parse_id(id_cell)
    if video_id is None:
        raise RowProblem(reason or "", "id")
    if problem := check_time(video_id, None):
        raise RowProblem(problem, "id")

    def cell(column: str) -> str | None:
        index = columns.get(column)
        text = cells[index].replace("\0", "").strip() if index is not None else ""
        return None if text.casefold() in ("", "nan", "none", "null", "<na>") else text

    row: dict[str, Any] = {
        "id": video_id,
        "create_time": id_time(video_id),
        "role": ROLE_CSV,
        "synthetic": (cell("synthetic") or "").casefold() in ("true", "1"),
        "duration_seconds": _number(cell("duration_seconds"), "duration_seconds"),
    }
    for column in ("whisper_text", "voice_to_text", "upstream_summary", "region_code"):
        row[column] = cell(column)
    if "whisper_text" in columns and row["whisper_text"] is None:
        row["whisper_text"] = ""  # transcribed, and nothing was heard
    for column in ("n_frames", *COUNTS):
        number = _number(cell(column), column)
        row[column] = None if number is None else round(number)
    if label := cell("upstream_sentiment"):
        row["upstream_sentiment"] = SENTIMENT_WORDS.get(label.casefold())
        if row["upstream_sentiment"] is None:
            raise RowProblem("sentiment_label_is_unknown", "sentiment")
    return row


def _number(text: str | None, field: str) -> float | None:
    if text is None:
        return None
    try:
        value = float(text) if "_" not in text else math.nan
    except ValueError:
        value = math.nan
    if not 0 <= value < 2**53:
        raise RowProblem(f"{field}_is_not_a_number", field)
    return value
