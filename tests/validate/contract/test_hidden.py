"""Whoever changes a file and signs the manifest again still cannot hide an id, a name or a path."""

from __future__ import annotations

import gzip
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from release_kit import Built, read_json, rewrite, sign

from builder.config.campaign import Campaign
from builder.release.assemble import file_digest
from builder.validate.contract.leaks import Private
from builder.validate.whole import validate

ECUADOR = Campaign.load()


def private_of(built: Built) -> Private:
    return Private.of(sorted(built.work.glob("ingest/*/part-*.parquet")), ECUADOR)


def sign_all(release: Path) -> None:
    """The manifest as a forger leaves it: every file listed, with digests and rows."""
    manifest = read_json(release / "MANIFEST.json")
    for path in release.rglob("*"):
        name = path.relative_to(release).as_posix()
        if path.is_file() and name not in ("MANIFEST.json", "validation.json", "validation.html"):
            rows = pq.read_metadata(path).num_rows if name.endswith(".parquet") else None
            manifest["files"][name] = {"sha256": file_digest(path), "rows": rows}
    (release / "MANIFEST.json").write_text(json.dumps(manifest))


def broken(release: Path, private: Private | None) -> str:
    """Names of the broken rules and what is said of them."""
    checks = validate(release, ECUADOR, private)["contract"]["checks"]
    return json.dumps([check for check in checks if check["verdict"] == "fail"])


def in_parquet(change: Callable[[pa.Table], Any]) -> Callable[[Path, str], None]:
    def put(release: Path, secret: str) -> None:
        path = next((release / "events").glob("*.parquet"))
        table = pq.read_table(path)
        pq.write_table(change(table)(secret), path)

    return put


def key_value(table: pa.Table) -> Any:
    return lambda secret: table.replace_schema_metadata({"note": secret})


def field_metadata(table: pa.Table) -> Any:
    def make(secret: str) -> pa.Table:
        fields = [f.with_metadata({"from": secret}) if f.name == "key" else f for f in table.schema]
        return table.cast(pa.schema(fields))

    return make


def before_the_footer(release: Path, secret: str) -> None:
    """Between the last column and the footer, where nothing points to: still valid Parquet."""
    path = next((release / "events").glob("*.parquet"))
    content = path.read_bytes()
    cut = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    path.write_bytes(content[:cut] + b"\n" + secret.encode() + b"\n" + content[cut:])


def gzipped(release: Path, secret: str) -> None:
    (release / "extra.json.gz").write_bytes(gzip.compress(secret.encode()))


def disguised(release: Path, secret: str) -> None:
    (release / "figures").mkdir(exist_ok=True)
    (release / "figures" / "extra.svg").write_bytes(gzip.compress(secret.encode()))


def zipped(release: Path, secret: str) -> None:
    with zipfile.ZipFile(release / "extra.zip", "w") as archive:
        archive.writestr("ids.txt", secret)


def in_card(release: Path, secret: str) -> None:
    with (release / "README.md").open("a", encoding="utf-8") as card:
        card.write(f"\nsee {secret} for more\n")


def in_card_as_entities(release: Path, secret: str) -> None:
    in_card(release, "".join(f"&#{ord(c)};" for c in secret))


def in_report_as_escapes(release: Path, secret: str) -> None:
    path = release / "validation.json"
    escaped = "".join(f"\\u{ord(c):04x}" for c in secret)
    path.write_text(path.read_text(encoding="utf-8").replace("{", '{"x": "' + escaped + '", ', 1))


def in_card_as_a_link(release: Path, secret: str) -> None:
    in_card(release, "".join(f"%{ord(c):02x}" for c in secret))


def in_a_word_of_the_manifest(release: Path, secret: str) -> None:
    path = release / "MANIFEST.json"
    manifest = read_json(path)
    manifest["hashtags_folded"] |= {f"video_{secret}x": 1}
    path.write_text(json.dumps(manifest))


PLACES = [
    in_card_as_a_link,
    in_a_word_of_the_manifest,
    in_parquet(key_value),
    in_parquet(field_metadata),
    before_the_footer,
    gzipped,
    disguised,
    zipped,
    in_card,
    in_card_as_entities,
    in_report_as_escapes,
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("known", [True, False], ids=["work", "no work"])
def test_a_raw_id_is_found_wherever_it_is_put(
    editable: Path, small: Built, place: Callable[[Path, str], None], known: bool
) -> None:
    secret = str(small.raw["id"][5])
    place(editable, secret)
    sign_all(editable)
    told = broken(editable, private_of(small) if known else None)
    assert told != "[]"
    assert secret not in told


@pytest.mark.parametrize(
    "place", [in_parquet(key_value), in_parquet(field_metadata), gzipped, in_card]
)
def test_a_username_is_found(
    editable: Path, small: Built, place: Callable[[Path, str], None]
) -> None:
    private = private_of(small)
    secret = sorted(private.usernames)[3]
    place(editable, secret)
    sign_all(editable)
    told = broken(editable, private)
    assert told != "[]" and secret not in told


@pytest.mark.parametrize(
    "path",
    [
        "/home/ana/models/base",
        "/srv/data/x.csv",
        r"C:\Users\ana\x",
        "D:/datos/x.csv",
        r"\\servidor\datos\x",
        "file:///etc/hosts",
        "~/videos/x.mp4",
        "~ana/videos",
    ],
)
@pytest.mark.parametrize("where", ["card", "model", "note"])
def test_an_absolute_path_is_found(editable: Path, path: str, where: str) -> None:
    if where == "card":
        in_card(editable, f"`{path}`")
    elif where == "note":
        manifest = read_json(editable / "MANIFEST.json")
        manifest["notes"] = [f"{path}: read 'id' as id"]
        (editable / "MANIFEST.json").write_text(json.dumps(manifest))
    else:
        rewrite(
            editable,
            "transcripts",
            lambda f: f.with_columns(
                model=pl.when(pl.int_range(pl.len()) == 2).then(pl.lit(path)).otherwise("model")
            ),
        )
    if where == "card":
        sign_all(editable)
    told = broken(editable, None)
    assert "absolute path" in told
    assert json.dumps(path)[1:-1] not in told


@pytest.mark.parametrize(
    "text",
    [
        "de @persona_inventada",
        "llame al 0991234567",
        "a ana.inventada@example.com",
        "\n| 7 | llame al 0991234567 |",
    ],
)
def test_a_handle_or_number_in_the_card_is_found(editable: Path, text: str) -> None:
    in_card(editable, text)
    sign_all(editable)
    assert "the card and the notes" in broken(editable, None)


def test_counts_side_by_side_in_a_table_of_the_card_are_no_number(editable: Path) -> None:
    in_card(editable, "\n| ingest | 1,663,091 | 1,000,000 | 634,091 merged |")
    sign_all(editable)
    assert "the card and the notes" not in broken(editable, None)


def test_a_line_that_nobody_writes_is_refused_unread(editable: Path) -> None:
    in_card(editable, "ana " * 500_000)
    sign_all(editable)
    started = time.monotonic()
    assert "nobody here writes such a line" in broken(editable, None)
    assert time.monotonic() - started < 60


def test_a_link_is_no_file_of_a_release(editable: Path) -> None:
    path = next((editable / "events").glob("*.parquet"))
    other = editable.parent / "elsewhere.parquet"
    path.rename(other)
    path.symlink_to(other)
    sign(editable)
    assert "no regular file" in broken(editable, None)


def test_nothing_is_found_in_what_we_wrote(small: Built) -> None:
    for private in (None, private_of(small)):
        assert broken(small.release, private) == "[]"
