"""The contract: a release with one thing broken fails, and the report says what and where."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from release_kit import NAME, Built, read_json, rewrite, sign, table

from builder.config.campaign import Campaign
from builder.validate.contract.leaks import Private
from builder.validate.whole import validate

ECUADOR = Campaign.load()
ONE = pl.int_range(pl.len()) == 1  # the row that gets damaged


def broken(release: Path, private: Private | None = None) -> dict[str, dict[str, Any]]:
    """rule -> its check, for the rules that are broken."""
    checks = validate(release, ECUADOR, private)["contract"]["checks"]
    return {check["name"]: check for check in checks if check["verdict"] == "fail"}


def only(release: Path, rule: str, private: Private | None = None) -> dict[str, Any]:
    """The one broken rule, whose name holds `rule`; its first problem."""
    found = broken(release, private)
    assert [name for name in found if rule in name] == list(found), list(found)
    check = next(iter(found.values()))
    assert check["count"] >= len(check["problems"]) >= 1
    problem = check["problems"][0]
    assert problem["way_out"]
    return dict(problem)


def put(column: str, value: Any) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Set one cell (row 1)."""

    def change(frame: pl.DataFrame) -> pl.DataFrame:
        literal = pl.lit(value, dtype=frame.schema[column])
        return frame.with_columns(pl.when(ONE).then(literal).otherwise(column).alias(column))

    return change


def test_the_release_as_built_passes(small: Built) -> None:
    assert broken(small.release) == {}
    private = Private.of(sorted(small.work.glob("ingest/*/part-*.parquet")), ECUADOR)
    assert broken(small.release, private) == {}


# -- files ------------------------------------------------------------------------------------


def test_a_changed_byte(editable: Path) -> None:
    path = next((editable / "metadata").glob("*.parquet"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    problem = only(editable, "SHA-256")
    assert problem["file"] == f"metadata/{path.name}" and problem["field"] == "sha256"


def test_a_changed_byte_in_the_card(editable: Path) -> None:
    with (editable / "README.md").open("a") as card:
        card.write("\n")
    assert only(editable, "SHA-256")["file"] == "README.md"


def test_an_unlisted_file(editable: Path) -> None:
    (editable / "notes").mkdir()
    (editable / "notes" / "draft.txt").write_text("todo")
    problem = only(editable, "listed")
    assert problem["file"] == "notes/draft.txt" and "not in the manifest" in problem["value"]


def test_a_hidden_unlisted_file(editable: Path) -> None:
    (editable / ".env").write_text("x")
    assert only(editable, "listed")["file"] == ".env"


def test_a_missing_file(editable: Path) -> None:
    path = next((editable / "events").glob("*.parquet"))
    path.unlink()
    found = broken(editable)
    listed = next(check for name, check in found.items() if "listed" in name)
    assert listed["problems"][0]["file"] == f"events/{path.name}"
    assert listed["problems"][0]["value"] == "missing"


def test_a_wrong_row_count_in_the_manifest(editable: Path) -> None:
    manifest = read_json(editable / "MANIFEST.json")
    name = next(name for name in manifest["files"] if name.startswith("videos/"))
    manifest["files"][name]["rows"] += 1
    (editable / "MANIFEST.json").write_text(json.dumps(manifest))
    problem = only(editable, "rows")
    assert problem["file"] == name and problem["field"] == "rows"


def test_a_listed_symlink_or_garbage_parquet_is_named_not_a_crash(editable: Path) -> None:
    path = next((editable / "summaries").glob("*.parquet"))
    path.write_bytes(b"PAR1 but not really PAR1")
    manifest = read_json(editable / "MANIFEST.json")
    from builder.release.assemble import file_digest

    manifest["files"][f"summaries/{path.name}"]["sha256"] = file_digest(path)
    (editable / "MANIFEST.json").write_text(json.dumps(manifest))
    found = broken(editable)
    named = [p["file"] for check in found.values() for p in check["problems"]]
    assert f"summaries/{path.name}" in named


def test_a_file_that_datasets_takes_for_a_script(editable: Path) -> None:
    (editable / f"{NAME}.py").write_text("")
    manifest = read_json(editable / "MANIFEST.json")
    manifest["files"][f"{NAME}.py"] = {"sha256": "", "rows": None}
    (editable / "MANIFEST.json").write_text(json.dumps(manifest))
    sign(editable)
    assert only(editable, "loading script")["file"] == f"{NAME}.py"


# -- schema and card ----------------------------------------------------------------------------


def test_a_dropped_column(editable: Path) -> None:
    rewrite(editable, "videos", lambda f: f.drop("language"))
    problem = only(editable, "columns and types")
    assert problem["file"].startswith("videos/") and problem["field"] == "language"
    assert problem["value"] == "missing"


def test_an_added_column(editable: Path) -> None:
    rewrite(editable, "metadata", lambda f: f.with_columns(username=pl.lit("x")))
    problem = only(editable, "columns and types")
    assert problem["field"] == "username" and problem["value"] == "not in the schema"


def test_a_changed_type(editable: Path) -> None:
    def change(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(pl.col("view_count").cast(pl.Int32)).select(
            *[c for c in frame.columns if c != "view_count"], "view_count"
        )

    rewrite(editable, "metadata", change)
    problem = only(editable, "columns and types")
    assert problem["field"] == "view_count" and "int32, not int64" in problem["value"]


def test_a_config_without_files(editable: Path) -> None:
    shutil.rmtree(editable / "keywords")
    manifest = read_json(editable / "MANIFEST.json")
    manifest["files"] = {n: f for n, f in manifest["files"].items() if "keywords/" not in n}
    (editable / "MANIFEST.json").write_text(json.dumps(manifest))
    problem = only(editable, "columns and types")
    assert problem["file"] == "keywords/" and problem["value"] == "no Parquet file"


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ("    num_examples: 27\n", "    num_examples: 28\n", "keywords.num_examples"),
        ("  - name: language\n", "  - name: lengua\n", "videos.features"),
        ("- config_name: events\n  version", "- config_name: Events\n  version", "configs"),
        ("---\n", "", "YAML"),
        ("configs:\n", "configs: [\n", "YAML"),
    ],
)
def test_a_card_whose_yaml_is_wrong(editable: Path, before: str, after: str, field: str) -> None:
    card = editable / "README.md"
    text = card.read_text(encoding="utf-8")
    assert before in text
    card.write_text(text.replace(before, after), encoding="utf-8")
    sign(editable)
    problem = only(editable, "card's YAML")
    assert problem["file"] == "README.md" and problem["field"] == field


# -- keys and joins -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ("metadata", "video_id"),
        ("sentiment", "video_id"),
        ("summaries", "video_id"),
        ("videos", "video_id"),
        ("keywords", "term"),
        ("events", "key"),
    ],
)
def test_a_doubled_key(editable: Path, config: str, key: str) -> None:
    value = table(editable, config)[key][1]

    def change(frame: pl.DataFrame) -> pl.DataFrame:
        second = pl.int_range(pl.len()) == 2
        return frame.with_columns(pl.when(second).then(pl.lit(value)).otherwise(key).alias(key))

    rewrite(editable, config, change)
    check = broken(editable)[f"{key} is unique in {config}"]
    assert [p["row"] for p in check["problems"]] == ["1", "2"]
    assert {p["file"] for p in check["problems"]} == {config}
    assert all(value in p["value"] and p["field"] == key for p in check["problems"])


def test_a_doubled_transcript_source(editable: Path) -> None:
    twice = table(editable, "transcripts").filter(pl.col("video_id").is_duplicated())

    def change(frame: pl.DataFrame) -> pl.DataFrame:
        mine = pl.col("video_id") == twice["video_id"][0]
        return frame.with_columns(source=pl.when(mine).then(pl.lit("whisper")).otherwise("source"))

    rewrite(editable, "transcripts", change)
    assert "video_id + source is unique in transcripts" in broken(editable)


def test_an_id_that_is_no_pseudonym_is_named_but_not_repeated(editable: Path) -> None:
    raw = "7321111222333444555"
    old = table(editable, "videos")["video_id"][1]
    for config in ("videos", "metadata", "transcripts", "sentiment", "summaries"):
        rewrite(
            editable,
            config,
            lambda f: f.with_columns(pl.col("video_id").replace(old, raw)),
        )
    found = broken(editable)
    assert found["video_id is unique in videos"]["problems"][0]["value"] == "not a pseudonym"
    assert any("raw TikTok id" in name for name in found)
    assert raw not in json.dumps([p["value"] for c in found.values() for p in c["problems"]])


@pytest.mark.parametrize(
    ("config", "column", "value", "shown"),
    [
        ("metadata", "view_count", 123_456_789, "view_count"),
        ("metadata", "hashtags", ["otra"], "hashtags"),
        ("transcripts", "text", "otro texto", "transcript"),
        ("transcripts", "is_preferred", False, "transcript"),
        ("sentiment", "reason", None, None),
        ("summaries", "entailment_confidence", 0.5, "entailment_confidence"),
    ],
)
def test_a_config_that_no_longer_joins(
    editable: Path, config: str, column: str, value: Any, shown: str | None
) -> None:
    rewrite(editable, config, put(column, value))
    found = broken(editable)
    if shown is None:  # a column that videos does not carry
        assert found == {}
        return
    problems = found[f"{config} joins back to videos exactly"]["problems"]
    ids = table(editable, config)["video_id"]
    assert any(shown in p["field"] and p["row"] == ids[1] for p in problems)


def test_a_video_that_is_missing_from_a_config(editable: Path) -> None:
    gone = table(editable, "sentiment")["video_id"][7]
    rewrite(editable, "sentiment", lambda f: f.filter(pl.col("video_id") != gone))
    problem = broken(editable)["sentiment joins back to videos exactly"]["problems"][0]
    assert problem["row"] == gone and problem["file"] == "sentiment"


def test_a_row_of_a_video_that_does_not_exist(editable: Path) -> None:
    stranger = "f" * 32

    def change(frame: pl.DataFrame) -> pl.DataFrame:
        return pl.concat([frame, frame.tail(1).with_columns(video_id=pl.lit(stranger))])

    rewrite(editable, "summaries", change)
    found = broken(editable)["summaries joins back to videos exactly"]
    assert any(p["row"] == stranger and "no such video" in p["value"] for p in found["problems"])


# -- values -------------------------------------------------------------------------------------

OUT_OF_RANGE = "between 0 and 1"
CLOSED = "closed lists"


@pytest.mark.parametrize(
    ("config", "changes", "rule", "field"),
    [
        ("metadata", {"view_count": -1}, "counts are not negative", "view_count"),
        ("metadata", {"n_frames": -3}, "counts are not negative", "n_frames"),
        ("metadata", {"duration_seconds": -0.5}, "durations", "duration_seconds"),
        ("metadata", {"duration_seconds": float("nan")}, "durations", "duration_seconds"),
        ("sentiment", {"score_neutral": 1.2}, OUT_OF_RANGE, "score_neutral"),
        ("sentiment", {"score_negative": float("nan")}, OUT_OF_RANGE, "score_negative"),
        ("transcripts", {"language_confidence": -0.1}, OUT_OF_RANGE, "language_confidence"),
        ("transcripts", {"no_speech_prob": 2.0}, OUT_OF_RANGE, "no_speech_prob"),
        ("transcripts", {"source": "ears"}, CLOSED, "source"),
        ("transcripts", {"status": "great"}, CLOSED, "status"),
        ("metadata", {"exclusion_reason": "boring", "is_excluded": True}, CLOSED,
         "exclusion_reason"),
        ("summaries", {"entailment": "maybe"}, CLOSED, "entailment"),
        ("sentiment", {"label": "joyful", "status": "ok"}, CLOSED, "label"),
        ("sentiment", {"label": "positive", "status": "ok", "confidence": 1.2,
                       "low_confidence": False}, OUT_OF_RANGE, "confidence"),
        ("sentiment", {"label": "positive", "status": "ok", "confidence": 0.5,
                       "low_confidence": False}, "low_confidence is true exactly",
         "low_confidence"),
        ("sentiment", {"label": "positive", "status": "ok", "confidence": 0.9,
                       "low_confidence": None}, "low_confidence is true exactly",
         "low_confidence"),
        ("sentiment", {"status": "ok"}, "has a label exactly", "label"),
        ("sentiment", {"label": "neutral"}, "has a label exactly", "label"),
        ("summaries", {"status": "ok"}, "has a summary exactly", "summary"),
        ("summaries", {"summary": "Algo"}, "has a summary exactly", "summary"),
        ("metadata", {"is_excluded": True, "exclusion_reason": None}, "reason is given",
         "is_excluded"),
        ("transcripts", {"status": "ok", "text": None}, "status ok has a text", "text"),
    ],
)  # fmt: skip
def test_a_value_out_of_order(
    editable: Path, config: str, changes: dict[str, Any], rule: str, field: str
) -> None:
    """`videos` is changed too where it shows the column, so that only the rule can object."""
    for column, value in changes.items():
        rewrite(editable, config, put(column, value))
    found = broken(editable)
    name = next((name for name in found if rule in name), None)
    assert name, list(found)
    problem = next(p for p in found[name]["problems"] if p["field"] == field)
    video = table(editable, config)["video_id"][1]
    assert problem["file"] == config and problem["row"] == f"1 ({video})"
    others = [other for other in found if other != name]
    # one changed cell also parts from `videos` and from the columns it must agree with
    alongside = ("joins back", "sum to 1", "stand")
    assert all(any(word in other for word in alongside) for other in others), others


@pytest.mark.parametrize("day", [dt.date(2023, 12, 30), dt.date(2024, 3, 8), None])
def test_a_date_outside_the_window(editable: Path, day: dt.date | None) -> None:
    for config in ("metadata", "videos"):
        rewrite(editable, config, put("date", day))
    problems = broken(editable)["every date lies in the campaign's window"]["problems"]
    video = table(editable, "metadata")["video_id"][1]
    assert problems[0]["row"] == f"1 ({video})" and problems[0]["value"] == str(day)
    assert problems[0]["way_out"] == "2023-12-31 to 2024-03-07"


def test_rows_out_of_order(editable: Path) -> None:
    for config in ("videos", "metadata", "transcripts", "sentiment", "summaries"):
        rewrite(editable, config, pl.DataFrame.reverse)
    assert any("sorted by date" in name for name in broken(editable))


def test_an_event_outside_the_window(editable: Path) -> None:
    rewrite(editable, "events", put("date", dt.date(2025, 1, 1)))
    problem = only(editable, "window")
    assert problem["file"] == "events" and problem["field"] == "date"


# -- leaks --------------------------------------------------------------------------------------


def put_text(release: Path, add: str) -> str:
    """Append words to the transcript of one video, in both configs; its id."""
    rows = table(release, "transcripts").with_row_index("row")
    row = rows.filter((pl.col("status") == "ok") & pl.col("is_preferred")).row(3, named=True)
    text = f"{row['text']} {add}"
    mine = pl.col("video_id") == row["video_id"]
    rewrite(
        release,
        "transcripts",
        lambda f: f.with_columns(
            text=pl.when(mine & pl.col("is_preferred")).then(pl.lit(text)).otherwise("text")
        ),
    )
    rewrite(
        release,
        "videos",
        lambda f: f.with_columns(
            transcript=pl.when(mine).then(pl.lit(text)).otherwise("transcript")
        ),
    )
    return str(row["row"])


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("sígueme en @la_vecina_99", "handle"),
        ("escribe a maria.perez@example.com", "email"),
        ("mira https://example.com/x/1", "url"),
        ("llama al 099 123 4567", "phone"),
        ("mi cédula es 1710034065", "cedula"),
    ],
)
def test_an_identifier_in_a_transcript(editable: Path, words: str, kind: str) -> None:
    row = put_text(editable, words)
    problem = only(editable, "scrubber finds nothing")
    assert problem["file"] == "transcripts" and problem["field"] == "text"
    assert problem["value"] == kind and problem["row"] == row
    assert not any(word in problem["value"] for word in words.split() if len(word) > 5)


def test_an_identifier_in_a_segment(editable: Path) -> None:
    segments = [{"start": 0.0, "end": 1.0, "text": "llama al 099 123 4567"}]
    rewrite(editable, "transcripts", put("segments", segments))
    problem = only(editable, "scrubber finds nothing")
    assert problem["field"] == "segments" and problem["row"] == "1"


def test_a_handle_of_a_public_figure_may_stay(editable: Path) -> None:
    put_text(editable, "dijo @DanielNoboaOk ayer")
    assert broken(editable) == {}


@pytest.mark.parametrize("with_work_folder", [True, False])
def test_a_raw_id_in_a_transcript(small: Built, editable: Path, with_work_folder: bool) -> None:
    raw = str(small.raw["id"][5])
    row = put_text(editable, raw)
    private = None
    if with_work_folder:
        private = Private.of(sorted(small.work.glob("ingest/*/part-*.parquet")), ECUADOR)
    found = broken(editable, private)
    check = next(check for name, check in found.items() if "raw TikTok id" in name)
    assert check["problems"][0]["file"] == "transcripts"
    assert check["problems"][0]["field"] == "text"
    assert check["problems"][0]["row"] == row
    assert raw not in json.dumps(found)


def test_a_raw_id_in_the_card_or_a_report(small: Built, editable: Path) -> None:
    raw = str(small.raw["id"][5])
    (editable / "validation.json").write_text(json.dumps({"seen": raw}))
    problem = only(editable, "raw TikTok id")
    assert problem["file"] == "validation.json" and problem["row"] == "1"


def test_a_username_in_a_transcript_needs_the_work_folder(small: Built, editable: Path) -> None:
    name = small.raw["username"].drop_nulls()[0]
    row = put_text(editable, f"saludos a {name}")
    assert "no username" not in " ".join(broken(editable))
    private = Private.of(sorted(small.work.glob("ingest/*/part-*.parquet")), ECUADOR)
    found = broken(editable, private)
    check = next(check for rule, check in found.items() if "no username" in rule)
    assert check["problems"][0]["file"] == "transcripts"
    assert check["problems"][0]["row"] == row
    assert name not in json.dumps(found)


def test_a_raw_id_as_a_number_in_a_count(small: Built, editable: Path) -> None:
    raw = int(small.raw["id"][5])
    for config in ("metadata", "videos"):
        rewrite(editable, config, put("view_count", raw))
    problem = only(editable, "raw TikTok id")
    assert problem["file"] == "metadata" and problem["field"] == "view_count"
    assert problem["row"] == "1"
