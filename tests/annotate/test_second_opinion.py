"""A second opinion: a model built by hand labels transcripts; the release says how they agree."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from nli_checkpoints import write_checkpoint, write_word_counter
from release_kit import NO_MODELS, Built, build, rewrite

from builder.annotate.nli.classifier import TextClassifier
from builder.annotate.second_opinion import SecondOpinion
from builder.config.profile import SecondOpinionTable, load_profile
from builder.pipeline.plan import PLAN, SECOND_OPINION
from builder.validate.whole import validate
from ecuador_crisis_tiktok import SECOND_OPINION as COLUMNS

NEGATIVE = ["miedo", "muertos", "violencia", "balas", "crisis", "policía", "cárcel"]
POSITIVE = ["alegría", "amor", "calma", "paz", "gracias", "música", "clases"]


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_word_counter(tmp_path_factory.mktemp("second") / "counter", NEGATIVE, POSITIVE)


@pytest.fixture(scope="module")
def stage(counter: Path) -> SecondOpinion:
    table = SecondOpinionTable(model=str(counter))
    model = TextClassifier.load(counter, "ctranslate2", cache_dir=counter.parent / "cache")
    return SecondOpinion(table, model)


def frame(*texts: str | None) -> pl.DataFrame:
    ids = list(range(7_000_000_000_000_000_000, 7_000_000_000_000_000_000 + len(texts)))
    return pl.DataFrame({"id": ids, "text": texts}, schema={"id": pl.Int64, "text": pl.String})


def test_every_text_has_a_label_or_a_reason(stage: SecondOpinion) -> None:
    made = stage(frame("la gente tiene MIEDO", "gracias, qué paz", "una receta", None, " ", "123"))
    assert made["label"].to_list() == ["negative", "positive", "neutral", None, None, None]
    assert made["status"].to_list() == ["ok"] * 3 + ["skipped"] * 3
    assert made["reason"].to_list() == [None] * 3 + ["no_text", "no_text", "no_words"]
    assert made["confidence"].drop_nulls().is_between(1 / 3, 1).all()
    assert made["model"].drop_nulls().str.starts_with("counter@").all()


def test_a_long_text_is_read_whole(stage: SecondOpinion) -> None:
    """What is said only at the end decides, and counts by its length."""
    text = "una receta " * 200 + "miedo " * 600
    made = stage(frame(text, "una receta " * 200)).to_dicts()
    assert [row["label"] for row in made] == ["negative", "neutral"]
    assert made[0]["n_windows"] > 5
    assert made[0]["confidence"] < stage(frame("miedo " * 600))["confidence"][0]


def test_a_profile_without_one_has_no_such_step(counter: Path) -> None:
    without = load_profile("offline")
    assert SECOND_OPINION not in PLAN.of(without).names
    assert PLAN.of(with_model(without, counter)).names == PLAN.names


def with_model(profile: Any, model: Path) -> Any:
    return profile.model_copy(update={"second_opinion": SecondOpinionTable(model=str(model))})


@pytest.fixture(scope="module")
def seconded(small: Built, counter: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The small release with a zero-shot label of a tiny model, and a second opinion."""
    folder = tmp_path_factory.mktemp("seconded")
    first = write_checkpoint(folder / "first")
    profile = folder / "seconded.toml"
    profile.write_text(
        f'[nli]\nmodel = "{first}"\n[sentiment]\nrecheck = 0.0\n'
        f'[second_opinion]\nmodel = "{counter}"\n',
        encoding="utf-8",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECUADOR_CRISIS_CACHE", str(folder / "cache"))
        skip = frozenset(NO_MODELS) - {"sentiment"}
        return build(folder, small.pages, profile=str(profile), skip=skip)


def test_the_release_carries_it_and_keeps_its_contract(seconded: Built, small: Built) -> None:
    assert seconded.manifest["schema_version"] == "1.2.0"
    assert tuple(seconded.manifest["optional_columns"]) == COLUMNS
    assert [c for c in seconded.report["contract"]["checks"] if c["verdict"] == "fail"] == []
    rows = seconded.frame("sentiment")
    usable = (small.frame("videos")["transcript_status"] == "ok").to_numpy()
    assert ((rows["second_status"] == "ok").to_numpy() == usable).all()
    assert rows["second_label"].drop_nulls().n_unique() > 1, "its words must occur in the sample"
    assert rows["second_model"].drop_nulls().str.starts_with("counter@").all()
    assert seconded.manifest["counts"][SECOND_OPINION]["out"] == usable.sum()


def test_nothing_else_of_the_release_changes(seconded: Built, small: Built) -> None:
    for config in ("metadata", "transcripts", "summaries", "keywords", "events"):
        for path in (small.release / config).glob("*.parquet"):
            assert (seconded.release / config / path.name).read_bytes() == path.read_bytes()
    rows = seconded.frame("sentiment")
    ours = pl.concat(map(pl.read_parquet, (seconded.work / "sentiment").glob("*/part-*.parquet")))
    assert sorted(rows["label"].drop_nulls()) == sorted(ours["label"].drop_nulls())
    assert (rows["label"] != rows["second_label"]).any()
    assert set(COLUMNS).isdisjoint(small.frame("sentiment").columns)
    assert SECOND_OPINION not in small.manifest["counts"]
    assert "second_opinion" not in small.report["quality"]
    assert "second opinion" not in (small.release / "README.md").read_text(encoding="utf-8")


def test_report_and_card_say_how_far_they_agree(seconded: Built) -> None:
    told = seconded.report["quality"]["second_opinion"]
    both = seconded.frame("sentiment").drop_nulls(["label", "second_label"])
    assert told["rows"] == both.height > 100
    assert told["agreement"] == (both["label"] == both["second_label"]).mean()
    card = (seconded.release / "README.md").read_text(encoding="utf-8")
    page = (seconded.release / "validation.html").read_text(encoding="utf-8")
    assert f"agree on {told['agreement'] * 100:.1f} % of {told['rows']:,} videos" in card
    assert f"to {told['agreement'] * 100:.1f} % of" in page
    for first, row in told["confusion"].items():
        assert f"| {first} | {' | '.join(f'{n:,}' for n in row.values())} |" in card


def test_a_second_label_without_its_model_breaks_the_contract(
    seconded: Built, tmp_path: Path
) -> None:
    release = tmp_path / "release"
    shutil.copytree(seconded.release, release)
    rewrite(release, "sentiment", lambda f: f.with_columns(second_model=pl.lit(None, pl.String)))
    (check,) = (c for c in validate(release)["contract"]["checks"] if "second opinion" in c["name"])
    assert check["verdict"] == "fail" and check["problems"][0]["field"] == "second_label"
