"""Which characters the bytes of a source stand for. Nothing is guessed twice, nothing is lost.

In this order: UTF-16 or UTF-32 by its mark, or by the zero bytes of its first characters, which are
ASCII in any JSON page or CSV; UTF-8, strictly; Windows-1252 (of which Latin-1 is a
part), said in a note; else refused, naming the row. A text that is UTF-8 but for a few bytes stays
UTF-8: reading all of it as Windows-1252 would ruin every accent in it. Its damaged places are kept
as lone surrogates (`DAMAGED`), so that the rows they stand in are refused by name.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from builder.errors import UnreadablePage

WINDOWS = "cp1252"
# What `surrogateescape` makes of a byte that is not UTF-8.
DAMAGED = re.compile("[\udc80-\udcff]")
REPLACEMENT = "\ufffd"  # what another program left where it had lost a character
_NOT_ASCII = re.compile("[^\x00-\x7f]")
# UTF-32's mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ZEROS = {"x0x0": "utf-16-le", "0x0x": "utf-16-be", "x000": "utf-32-le", "000x": "utf-32-be"}
# Two bytes of Windows-1252 look like one character of UTF-8 now and then; this share is chance.
_CHANCE = 0.05
_WAY_OUT = "save the file as UTF-8 (or take the original again) and run the same command"


class Text(NamedTuple):
    """What is known of the characters of a file or a page.

    Attributes:
        encoding: ``utf-8`` or ``cp1252``.
        damaged: some bytes are not UTF-8 and were kept as lone surrogates (`DAMAGED`).
        marked: U+FFFD stands in it (looked for in files only).
    """

    encoding: str = "utf-8"
    damaged: bool = False
    marked: bool = False


@dataclass
class _Tally:
    """Characters of a text read as UTF-8: beyond ASCII and whole, and bytes that are no UTF-8."""

    whole: int = 0
    damaged: int = 0

    def add(self, text: str) -> None:
        if not text.isascii():
            damaged = len(DAMAGED.findall(text))
            self.damaged += damaged
            self.whole += len(_NOT_ASCII.findall(text)) - damaged

    def encoding(self) -> str | None:
        """utf-8, cp1252, or None: two encodings in one text."""
        if self.damaged == 0:
            return "utf-8"
        if self.whole <= _CHANCE * self.damaged:
            return WINDOWS
        return "utf-8" if self.damaged < self.whole else None


def utf8_blocks(blocks: Iterable[bytes], file: str) -> Iterator[bytes]:
    """Blocks of a file, those of UTF-16 and UTF-32 (by their mark) rewritten as UTF-8.

    Raises:
        UnreadablePage: a file with such a mark is something else.
    """
    rest = iter(blocks)
    first = b""
    for block in rest:  # a mark may be cut by the end of a block
        first += block
        if len(first) >= 4:
            break
    marked = next((name for mark, name in _MARKS if first.startswith(mark)), None)
    marked = marked or _unmarked(first[:4])
    if marked is None:
        if first:
            yield first
        yield from rest
        return
    decoder = codecs.getincrementaldecoder(marked)()
    line = 1
    try:
        text = decoder.decode(first)
        while True:
            line += text.count("\n")
            yield text.encode()
            following = next(rest, None)
            if following is None:
                decoder.decode(b"", final=True)
                return
            text = decoder.decode(following)
    except UnicodeError as error:
        told = f"{marked.upper()}, which its first characters announce"
        raise _refused(told, file, f"line {line}") from error


def _unmarked(first: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark: where the zeros of two ASCII characters stand."""
    zeros = "".join("0" if byte == 0 else "x" for byte in first)
    return _ZEROS.get(zeros)


def encoding_of(blocks: Callable[[], Iterable[bytes]], file: str) -> Text:
    """The encoding of a whole file. One pass over what is UTF-8, two over what is not.

    Args:
        blocks: hands out the blocks of `utf8_blocks`, anew at each call.
        file: its name.

    Raises:
        UnreadablePage: neither, naming the first line that cannot be read.
    """
    strict = codecs.getincrementaldecoder("utf-8")()
    marked = False
    try:
        for block in blocks():
            text = strict.decode(block)
            marked = marked or (not text.isascii() and REPLACEMENT in text)
        strict.decode(b"", final=True)
    except UnicodeDecodeError:
        return _counted(blocks(), file)
    return Text(marked=marked)


def _counted(blocks: Iterable[bytes], file: str) -> Text:
    decoder = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
    tally, line, marked = _Tally(), 1, False
    damaged = undefined = 0  # lines
    for block in blocks:
        text = decoder.decode(block)
        if not text.isascii():
            tally.add(text)
            marked = marked or REPLACEMENT in text
            if tally.damaged and not (damaged and undefined):
                damaged = damaged or _line_of(DAMAGED, text, line)
                undefined = undefined or _undefined_line(block, line)
        line += block.count(b"\n")
    tally.add(decoder.decode(b"", final=True))
    damaged = damaged or line
    found = tally.encoding()
    if found is None:
        raise _refused("one encoding: some of it is UTF-8, some is not", file, f"line {damaged}")
    if found == WINDOWS and undefined:
        raise _refused("UTF-8 nor Windows-1252", file, f"line {undefined}")
    return Text(found, damaged=found != WINDOWS, marked=marked)


def _line_of(pattern: re.Pattern[str], text: str, line: int) -> int:
    found = pattern.search(text)
    return line + text.count("\n", 0, found.start()) if found else 0


def _undefined_line(block: bytes, line: int) -> int:
    """Line of the first byte Windows-1252 does not define; 0 without one."""
    try:
        block.decode(WINDOWS)
    except UnicodeDecodeError as error:
        return line + block.count(b"\n", 0, error.start)
    return 0


def decoded(content: bytes, file: str, row: str | None) -> tuple[str, Text]:
    """One page that is no plain UTF-8: its text, and what is known of it.

    Raises:
        UnreadablePage: it is neither UTF-8 nor Windows-1252.
    """
    text = content.decode("utf-8", errors="surrogateescape")
    tally = _Tally()
    tally.add(text)
    found = tally.encoding()
    if found is None:
        raise _refused("one encoding: some of it is UTF-8, some is not", file, row)
    if found != WINDOWS:
        return text, Text(damaged=tally.damaged > 0)
    try:
        return content.decode(WINDOWS), Text(WINDOWS)
    except UnicodeDecodeError as error:
        raise _refused("UTF-8 nor Windows-1252", file, row) from error


def _refused(what: str, file: str, row: str | None) -> UnreadablePage:
    neither = "neither " if " nor " in what else "not "
    return UnreadablePage(f"the text is {neither}{what}", file=file, row=row, way_out=_WAY_OUT)
