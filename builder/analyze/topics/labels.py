"""The labels that a person gives topics, kept through re-runs.

A topic is known by its fingerprint: its words. A label goes to the topic that shares most of the
words it was given for, if that is at least `ENOUGH` of them; one topic gets one label. A label
whose topic is gone is kept and told. No label is ever invented.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from builder.errors import UsageProblem
from builder.review.sheet import tame

FILE = "labels.csv"
ENOUGH = 0.4  # of the words of the longer fingerprint
_LABEL_LENGTH = 80
_DELIMITERS = ",;\t"
_WAY_OUT = f"the file has a header with the columns label and words, as {FILE} in --out has"


@dataclass(frozen=True)
class Label:
    """A line of the file: a label (may be empty) and the words of its topic."""

    label: str
    words: tuple[str, ...]


def read_labels(path: Path) -> list[Label]:
    """The labels of a file; lines without words are left out.

    Raises:
        UsageProblem: it cannot be read, or has other columns.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageProblem(
            f"the labels cannot be read ({error.strerror or type(error).__name__})",
            file=path,
            way_out="give the labels.csv of an earlier run",
        ) from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:  # a spreadsheet's own
        text = raw.decode("cp1252", "replace")
    text = text.replace("\0", "")
    first = text.partition("\n")[0].lower()
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise UsageProblem("the labels are no CSV", file=path, way_out=_WAY_OUT) from error
    header = [name.strip().lower() for name in rows[0]] if rows else []
    missing = [name for name in ("label", "words") if name not in header]
    if missing:
        raise UsageProblem(
            f"the labels lack the column {' and '.join(missing)}", file=path, way_out=_WAY_OUT
        )
    label, words = header.index("label"), header.index("words")
    return [
        Label(_shown(row[label]), tuple(row[words].replace(",", " ").split()))
        for row in rows[1:]
        if len(row) > max(label, words) and row[words].strip()
    ]


def _shown(text: str) -> str:
    """A label on one line; without the apostrophe that keeps it from being a formula."""
    plain = " ".join(text.split())[:_LABEL_LENGTH]
    return plain[1:] if plain[:1] == "'" and plain[1:2] in ("=", "+", "-", "@") else plain


def write_labels(labels: Sequence[Label]) -> bytes:
    """The file for a person to edit."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("label", "words"))
    for one in labels:
        writer.writerow((tame(one.label), tame(" ".join(one.words))))
    return out.getvalue().encode()


def likeness(one: Sequence[str], other: Sequence[str]) -> float:
    """Share of the words of the longer fingerprint that both have."""
    return len(set(one) & set(other)) / max(len(set(one)), len(set(other)), 1)


@dataclass(frozen=True)
class Matched:
    """Labels by topic, and what is left.

    Attributes:
        labels: the label of each topic, empty where it has none.
        gone: labels whose topic is not there any more.
        file: lines of the file to write: every topic, then the labels that are gone.
    """

    labels: list[str]
    gone: list[Label]
    file: list[Label]


def match(topics: Sequence[Sequence[str]], known: Sequence[Label]) -> Matched:
    """Give labels to topics.

    Args:
        topics: words of each topic.
        known: the file's lines.
    """
    named = [(place, one) for place, one in enumerate(known) if one.label]
    pairs = sorted(
        (
            (-likeness(words, one.words), place, topic)
            for topic, words in enumerate(topics)
            for place, one in named
            if likeness(words, one.words) >= ENOUGH
        ),
    )
    taken: dict[int, int] = {}
    for _, place, topic in pairs:
        if topic not in taken and place not in taken.values():
            taken[topic] = place
    labels = [known[taken[topic]].label if topic in taken else "" for topic in range(len(topics))]
    gone = [one for place, one in named if place not in taken.values()]
    fresh = [Label(label, tuple(words)) for label, words in zip(labels, topics, strict=True)]
    return Matched(labels, gone, [*fresh, *gone])
