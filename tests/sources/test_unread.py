"""What is packed, linked or locked is read, or it is said that it is not."""

from __future__ import annotations

import bz2
import lzma
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.pages import page, tiny_campaign, to_bytes, video, write_pages

from builder.errors import EmptySource, UnreadablePage
from builder.run.progress import Progress
from builder.run.store import Store
from builder.sources import files, opening
from builder.sources.files import find_sources, read_blocks
from builder.sources.ingest import ingest
from builder.sources.readers import api_pages
from builder.sources.readers.api_pages import read_pages

CONTENT = to_bytes([page([video(n) for n in range(1, 4)])])


@pytest.mark.parametrize(("suffix", "pack"), [(".bz2", bz2.compress), (".xz", lzma.compress)])
def test_bzip2_and_xz_are_read_and_a_cut_is_noticed(
    tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes(pack(CONTENT) + pack(CONTENT))
    (found,) = find_sources([tmp_path])
    assert b"".join(read_blocks(found)) == CONTENT * 2
    for bad in (pack(CONTENT)[:-9], b"not packed at all", pack(CONTENT)[:3]):
        path.write_bytes(bad)
        with pytest.raises(UnreadablePage, match="cut short or damaged"):
            list(read_blocks(found))


def test_the_pages_of_a_zip_are_files_like_others(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "week.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tue.jsonl", CONTENT)
        archive.writestr("days/mon.json", to_bytes([page([video(9)])], "page"))
        archive.writestr("table.csv", "id,summary\n")
        archive.writestr("readme.txt", "x")
        archive.writestr("__MACOSX/._tue.jsonl", "x")
    found = find_sources([tmp_path])
    assert [(file.name, file.kind) for file in found] == [
        ("week.zip/days/mon.json", "pages"),
        ("week.zip/table.csv", "csv"),
        ("week.zip/tue.jsonl", "pages"),
    ]
    assert b"".join(read_blocks(found[2])) == CONTENT
    assert len({file.digest() for file in found}) == 3
    quiet = lambda what, total: Progress(what, total, stream=None)  # noqa: E731
    assert ingest(tiny_campaign(), found[:1], Store(tmp_path / "w"), quiet).videos == 1


def test_a_damaged_or_locked_zip_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.jsonl", CONTENT)
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    with pytest.raises(UnreadablePage, match="cannot be read"):
        find_sources([tmp_path])
    at = whole.index(b"PK\x01\x02") + 8
    path.write_bytes(whole[:at] + b"\x01" + whole[at + 1 :])
    with pytest.raises(UnreadablePage, match="password"):
        find_sources([tmp_path])
    at = whole.index(CONTENT[:20])
    path.write_bytes(whole[:at] + b"X" + whole[at + 1 :])  # the checksum tells
    (found,) = find_sources([tmp_path])
    with pytest.raises(UnreadablePage, match="damaged"):
        list(read_blocks(found))


def test_linked_folders_are_read_once_and_circles_end(tmp_path: Path) -> None:
    write_pages(tmp_path / "elsewhere" / "mon.jsonl", page([video(1)]))
    write_pages(tmp_path / "in" / "sub" / "tue.jsonl", page([video(2)]))
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "in" / "circle").symlink_to(tmp_path / "in", target_is_directory=True)
    (tmp_path / "in" / "sub" / "up").symlink_to(tmp_path / "in", target_is_directory=True)
    found = find_sources([tmp_path / "in"])
    assert sorted(file.name for file in found) == ["linked/mon.jsonl", "sub/tue.jsonl"]
    assert found.notes == []


def test_a_link_that_leads_nowhere_and_unread_archives_are_said(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    write_pages(inside / "mon.jsonl", page([video(1)]))
    (inside / "tue.jsonl").symlink_to(tmp_path / "gone.jsonl")
    for name in ("a.7z", "b.7z", "c.parquet", "d.tar.gz", "notes.md"):
        (inside / name).write_bytes(b"x")
    notes = sorted(find_sources([inside]).notes, key=lambda note: note.split()[1])
    kinds = [note.split(" file")[0] for note in notes[:3]]
    assert kinds == ["2 .7z", "1 .gz", "1 .parquet"]
    assert "1 link(s) that lead nowhere" in notes[-1]
    quiet = lambda what, total: Progress(what, total, stream=None)  # noqa: E731
    for _ in range(2):  # a resumed run says it too
        result = ingest(tiny_campaign(), find_sources([inside]), Store(tmp_path / "w"), quiet)
        assert notes[-1] in result.notes


def test_an_unreadable_subfolder_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pages(tmp_path / "mon.jsonl", page([video(1)]))
    write_pages(tmp_path / "locked" / "tue.jsonl", page([video(1)]))
    real = files.os.scandir  # root may look everywhere, so the refusal is played

    def scandir(path: object) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)  # type: ignore[call-overload]

    monkeypatch.setattr(files.os, "scandir", scandir)
    (note,) = find_sources([tmp_path]).notes
    assert "1 folder(s) could not be read" in note
    with pytest.raises(EmptySource, match="could not be read"):
        find_sources([tmp_path / "locked"])


def test_an_unreadable_file_is_a_typed_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_pages(tmp_path / "mon.jsonl", page([video(1)]))
    (found,) = find_sources([tmp_path])

    def denied(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    for read in (found.digest, lambda: list(read_blocks(found))):
        with pytest.raises(UnreadablePage, match="Permission denied") as caught:
            read()
        assert caught.value.file == "mon.jsonl"
    monkeypatch.undo()
    path.unlink()
    path.mkdir()  # a folder where a file was
    with pytest.raises(UnreadablePage, match="Is a directory"):
        found.digest()


def test_a_source_below_a_file_or_of_an_endless_name_is_a_typed_error(tmp_path: Path) -> None:
    write_pages(tmp_path / "mon.jsonl", page())
    for source in (tmp_path / "mon.jsonl" / "x", tmp_path / ("n" * 300)):
        with pytest.raises(EmptySource):
            find_sources([source])


def test_opening_names_only_what_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadablePage) as caught:
        list(opening.open_blocks(tmp_path / "gone.jsonl", None, "page 3", 10))
    assert str(tmp_path) not in str(caught.value)


def test_a_link_to_where_nobody_may_look_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.json", "locked.json"):
        write_pages(tmp_path / name, page([video(1)]), style="page")
    whole = os.stat

    def stat(path: object, *more: object, **options: object) -> object:
        if str(path).endswith("locked.json"):
            raise PermissionError(13, "Permission denied")
        return whole(path, *more, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "stat", stat)
    found = find_sources([tmp_path])
    assert [file.name for file in found] == ["a.json"]
    assert "1 link(s)" in " ".join(found.notes)


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.jsonl.gz", "a.json.zst"])
def test_what_would_not_fit_in_memory_is_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write_pages(tmp_path / name, page([video(n) for n in range(300)]))
    (found,) = find_sources([tmp_path])
    list(read_pages(found, 0))
    for module in (files, api_pages):
        monkeypatch.setattr(module, "MOST_BYTES", 50_000)
    monkeypatch.setattr(files, "_BLOCK", 4_096)
    with pytest.raises(UnreadablePage, match="no page: it is longer"):
        list(read_pages(found, 0))
