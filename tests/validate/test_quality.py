"""Quality of a release: the numbers, their limits, and rows whose columns do not fit together."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pydantic
import pytest
from quality_kit import LABELS, fill
from release_kit import Built, rewrite, table

from builder.config.campaign import Campaign
from builder.config.limits import FAILED_SHARES, Limit, QualityThresholds
from builder.measure.measurements import measure_entailment, measure_sentiment
from builder.validate.contract.labels import check_quality_rules
from builder.validate.quality import _transcript_agreement, check_quality, quality_lines
from builder.validate.release import Release, Tables
from builder.validate.thresholds import judge, thresholds_of, worst

ECUADOR = Campaign.load()


@pytest.fixture
def filled(editable: Path) -> Path:
    """A release with labels, summaries, verdicts and languages."""
    fill(editable)
    return editable


def gold_of(truth: pl.DataFrame, weight: float = 1.0) -> pl.DataFrame:
    """The invented truth as people's labels."""
    return truth.select(
        pl.lit("sentiment").alias("task"), "video_id", "gold", pl.lit(weight).alias("weight")
    )


def test_a_release_without_labels_is_counted_and_passes(small: Built) -> None:
    quality = check_quality(Release(small.release), ECUADOR)
    assert quality["counts"]["transcript_status"]["ok"] > 100
    assert quality["low_confidence_share"] is None
    assert quality["sentiment"] is quality["entailment"] is None
    assert quality["gold"] == {}
    assert quality["verdict"] == "pass"
    assert {line["verdict"] for line in quality["judged"]} == {"not applicable"}


def test_the_numbers_are_those_of_the_measurements(filled: Path) -> None:
    quality = check_quality(Release(filled), ECUADOR)
    rows = table(filled, "sentiment").drop_nulls("label")
    expected = measure_sentiment(rows["label"].to_list(), rows["confidence"].to_list(), bins=20)
    expected.pop("flagged")
    assert quality["sentiment"] == expected
    assert quality["low_confidence_share"] == round(expected["flagged_count"] / rows.height, 4)
    summaries = table(filled, "summaries").drop_nulls("entailment")
    for verdict in ("entailment", "neutral", "contradiction"):
        share = (summaries["entailment"] == verdict).mean()
        assert quality["entailment"][f"{verdict}_share"] == pytest.approx(share)
    worst_rows = quality["entailment"]["worst_contradictions"]
    against = summaries.filter(pl.col("entailment") == "contradiction")
    assert worst_rows[0]["confidence"] == against["entailment_confidence"].max()
    assert {r["video_id"] for r in worst_rows} <= set(against["video_id"])
    assert json.loads(json.dumps(quality)) == quality


def test_gold_labels_bring_calibration(editable: Path) -> None:
    truth = fill(editable)
    quality = check_quality(Release(editable), ECUADOR, gold_of(truth))
    result = quality["gold"]["sentiment"]
    joined = table(editable, "sentiment").join(truth.select("video_id", "gold"), on="video_id")
    expected = measure_sentiment(
        joined["label"].to_list(), joined["confidence"].to_list(), joined["gold"].to_list()
    )
    for key in ("accuracy", "macro_f1", "expected_calibration_error", "brier_score"):
        assert result[key] == pytest.approx(expected[key])
    judged = {line["name"]: line for line in quality["judged"]}
    assert judged["accuracy"]["value"] == pytest.approx(expected["accuracy"])
    assert judged["accuracy"]["rows"] == truth.height
    assert judged["entailment_accuracy"]["verdict"] == "not applicable"
    # weights stand for rows: doubling all of them changes nothing
    doubled = check_quality(Release(editable), ECUADOR, gold_of(truth, 2.0))
    assert doubled["gold"]["sentiment"]["accuracy"] == pytest.approx(result["accuracy"])


def test_labels_without_confidence_are_counted_but_not_measured(filled: Path) -> None:
    """As the authors' CSV gives them."""
    gone = [pl.lit(None, pl.Float32).alias(f"score_{name}") for name in LABELS]
    nothing = [pl.lit(None, pl.Float32).alias("confidence"), pl.lit(None).alias("low_confidence")]
    rewrite(filled, "sentiment", lambda f: f.with_columns(*gone, *nothing))
    quality = check_quality(Release(filled), ECUADOR)
    assert quality["sentiment"] is None
    assert sum(quality["counts"]["sentiment"].values()) > 100
    assert all(check.verdict == "pass" for check in check_quality_rules(Release(filled)))


def test_rows_that_break_the_contract_do_not_break_the_report(filled: Path) -> None:
    first = pl.int_range(pl.len()) == pl.col("label").is_not_null().arg_max()
    rewrite(
        filled,
        "sentiment",
        lambda f: f.with_columns(
            confidence=pl.when(first).then(pl.lit(1.2, pl.Float32)).otherwise("confidence"),
            label=pl.when(pl.col("label") == "neutral").then(pl.lit("joy")).otherwise("label"),
        ),
    )
    quality = check_quality(Release(filled), ECUADOR)
    labels = table(filled, "sentiment")["label"].drop_nulls()
    assert quality["sentiment"]["per_label"]["neutral"]["count"] == 0
    kept = int((labels != "joy").sum())
    assert quality["sentiment"]["count"] in (kept, kept - 1)


# -- rules across columns -------------------------------------------------------------------------


def broken(release: Path) -> dict[str, Any]:
    """rule -> first problem."""
    checks = list(check_quality_rules(Release(release)))
    assert len(checks) == 7
    return {check.name: check.problems[0] for check in checks if check.verdict == "fail"}


def poison(release: Path, config: str, pick: str, **values: Any) -> str:
    """Change one row of a config (the 3rd where `pick` is not null); returns its video_id."""
    frame = table(release, config)
    row = int(frame[pick].is_not_null().arg_true()[2])

    def change(f: pl.DataFrame) -> pl.DataFrame:
        here = pl.int_range(pl.len()) == row
        return f.with_columns(
            pl.when(here).then(pl.lit(v, f.schema[name])).otherwise(name).alias(name)
            for name, v in values.items()
        )

    rewrite(release, config, change)
    return f"{row} ({frame['video_id'][row]})"


def test_a_good_release_keeps_every_rule(small: Built, filled: Path) -> None:
    assert broken(small.release) == {}
    assert broken(filled) == {}


@pytest.mark.parametrize(
    ("config", "values", "rule", "field"),
    [
        ("summaries", {"entailment": None}, "every summary has an entailment verdict", None),
        (
            "summaries",
            {"entailment": None, "entailment_confidence": None, "entailment_model": None},
            "every summary has an entailment verdict",
            "entailment",
        ),
        ("summaries", {"summary": None}, "only beside a summary", "summary"),
        ("summaries", {"entailment_confidence": None}, "has a confidence", None),
        ("summaries", {"entailment_model": None}, "names its model", None),
        ("sentiment", {"score_neutral": None}, "for all labels or for none", None),
        ("sentiment", {"score_negative": 3.0}, "sum to 1", "score_negative"),
        ("sentiment", {"confidence": 0.011}, "is the score of the label", "confidence"),
        ("sentiment", {"confidence": None}, "is the score of the label", "confidence"),
        ("sentiment", {"label": None}, "only beside a label", "label"),
        (
            "sentiment",
            {
                "label": "negative",
                "confidence": 0.1,
                "score_negative": 0.1,
                "score_neutral": 0.8,
                "score_positive": 0.1,
            },
            "the highest score",
            "label",
        ),
    ],
)
def test_one_poisoned_row_is_named(
    filled: Path, config: str, values: dict[str, Any], rule: str, field: str | None
) -> None:
    pick = "summary" if config == "summaries" else "label"
    where = poison(filled, config, pick, **values)
    found = {name: problem for name, problem in broken(filled).items() if rule in name}
    assert len(found) == 1
    problem = next(iter(found.values()))
    assert problem.row == where
    assert problem.file == config
    assert problem.way_out
    if field:
        assert problem.field == field


def test_summaries_that_nobody_judged_need_no_verdict(filled: Path) -> None:
    """Another profile, or the authors' own summaries: the entailment stage did not run."""
    names = ("entailment", "entailment_confidence", "entailment_model")
    none = [pl.lit(None).alias(name) for name in names]
    rewrite(filled, "summaries", lambda f: f.with_columns(none))
    assert broken(filled) == {}


def test_a_verdict_that_failed_says_so(filled: Path) -> None:
    poison(
        filled,
        "summaries",
        "summary",
        entailment=None,
        entailment_confidence=None,
        entailment_model=None,
        reason="entailment: summary_too_long",
    )
    assert broken(filled) == {}


# -- limits ---------------------------------------------------------------------------------------


def verdict(value: float | None, rows: int = 1000, metric: str = "contradiction_share") -> str:
    """Verdict of one number under the default limits."""
    judged = judge({metric: (value, rows)}, QualityThresholds())
    return next(line.verdict for line in judged if line.name == metric)


def test_default_limits() -> None:
    assert verdict(0.05) == "pass"
    assert verdict(0.10) == "pass"
    assert verdict(0.11) == "warn"
    assert verdict(0.51) == "fail"
    assert verdict(None) == "not applicable"
    assert verdict(0.9, rows=49) == "not applicable"
    assert verdict(0.59, metric="accuracy") == "warn"
    assert verdict(0.33, metric="accuracy") == "fail"
    assert verdict(0.0, metric="high_confidence_share") == "warn"
    assert worst(["pass", "not applicable", "warn"]) == "warn"
    assert worst(["fail", "warn"]) == "fail"
    assert worst([]) == "pass"


@pytest.mark.parametrize("rows", [1, 7, 49, 5_000])
def test_a_stage_that_failed_for_every_row_is_a_failure_of_any_few_rows(rows: int) -> None:
    for metric in sorted(FAILED_SHARES):
        found = {line.name: line for line in judge({metric: (1.0, rows)}, QualityThresholds())}
        assert found[metric].verdict == "fail" and f"{rows:,}" in found[metric].note
        nearly = {line.name: line for line in judge({metric: (0.9, 7)}, QualityThresholds())}
        assert nearly[metric].verdict == "not applicable"


def test_no_summary_at_all_in_a_tiny_build_fails_and_the_last_line_says_so(
    filled: Path, cli: Callable[..., Any]
) -> None:
    rewrite(
        filled,
        "summaries",
        lambda f: f.with_columns(
            status=pl.lit("failed"),
            **{c: pl.lit(None, f.schema[c]) for c in f.columns if c not in ("video_id", "status")},
        ),
    )
    columns = ("summary", "summary_method", "entailment", "entailment_confidence")
    rewrite(
        filled,
        "videos",
        lambda f: f.with_columns(pl.lit(None, f.schema[c]).alias(c) for c in columns),
    )
    done = cli("validate", filled)
    assert done.code == 1
    last = done.out.strip().splitlines()[-1]
    assert last.startswith("verdict: fail") and "exit code 0" in last
    assert "whole stage failed" in done.out


def test_the_campaign_decides(filled: Path) -> None:
    class Strict:
        languages = ("es",)
        quality = QualityThresholds(limits={"contradiction_share": Limit(warn=0.0, fail=0.01)})

    class Lax:
        languages = ("es",)
        quality: dict[str, Any] = {  # noqa: RUF012 - the form a TOML table has
            "min_rows": 10_000,
            "limits": {"accuracy": {"warn": 0.2}},
        }

    assert check_quality(Release(filled), Strict())["verdict"] == "fail"  # type: ignore[arg-type]
    assert check_quality(Release(filled), Lax())["verdict"] == "pass"  # type: ignore[arg-type]
    assert thresholds_of(None) == QualityThresholds()
    assert thresholds_of(ECUADOR).limit("accuracy").fail is not None


@pytest.mark.parametrize(
    ("table_", "told"),
    [
        ({"limits": {"happiness": {"warn": 1}}}, "unknown metric 'happiness'"),
        ({"limits": {"accuracy": {"warn": 0.5, "fail": 0.6}}}, "before it gets a warning"),
        ({"limits": {"contradiction_share": {"warn": 0.5, "fail": 0.4}}}, "before it gets"),
        ({"limits": {"accuracy": {"wern": 0.5}}}, "Extra inputs"),
        ({"minimum": 3}, "Extra inputs"),
        ({"min_rows": 0}, "greater than or equal"),
    ],
)
def test_limits_that_make_no_sense(table_: dict[str, Any], told: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=told):
        QualityThresholds.model_validate(table_)


def test_one_label_for_everything_fails(filled: Path) -> None:
    label = pl.when(pl.col("label").is_not_null()).then(pl.lit("neutral")).alias("label")
    rewrite(filled, "sentiment", lambda f: f.with_columns(label))
    quality = check_quality(Release(filled), ECUADOR)
    assert quality["verdict"] == "fail"
    failed = [line["name"] for line in quality["judged"] if line["verdict"] == "fail"]
    assert failed == ["single_label_share"]
    lines = quality_lines(quality)
    assert lines[0] == "  quality: fail"
    assert any("fail: sentiment labels that are all the same one 1.000, over 0.995" in line
               for line in lines)  # fmt: skip
    assert quality_lines(None) == []


def test_a_stage_that_failed_for_most_videos_fails(filled: Path) -> None:
    keep = pl.int_range(pl.len()) % 5 == 0
    rewrite(
        filled,
        "videos",
        lambda f: f.with_columns(summary=pl.when(keep).then(pl.col("summary"))),
    )
    quality = check_quality(Release(filled), ECUADOR)
    line = next(x for x in quality["judged"] if x["name"] == "summary_failed_share")
    assert line["verdict"] == "fail"
    assert line["value"] > 0.6


def test_entailment_of_a_release_and_of_the_measurement_agree(filled: Path) -> None:
    rows = table(filled, "summaries").drop_nulls("entailment")
    order = ["entailment", "neutral", "contradiction"]
    sure = rows["entailment_confidence"].to_numpy().astype(np.float64)
    matrix = np.repeat(((1 - sure) / 2)[:, None], 3, axis=1)
    matrix[np.arange(rows.height), [order.index(v) for v in rows["entailment"]]] = sure
    enough = sure > 0.34  # where the verdict is the most probable one in this made-up row
    measured = measure_entailment(scores=matrix[enough].tolist())
    ours = check_quality(Release(filled))["entailment"]
    assert measured["count"] == ours["count"] - int((~enough).sum())
    assert set(measured["per_verdict"]) == set(ours["per_verdict"])


def test_agreement_of_whisper_and_the_api_is_measured_where_both_are_usable(
    tmp_path: Path,
) -> None:
    rows = pl.DataFrame(
        {
            "video_id": ["a", "a", "b", "b", "c", "c"],
            "source": ["whisper", "api"] * 3,
            "status": ["ok", "ok", "ok", "ok", "near_empty", "ok"],
            "text": [
                "hoy hay toque de queda",
                "Hoy hay toque de queda.",
                "la calle está muy vacía",
                "la calle estaba muy llena",
                "hola",
                "hola a todos los vecinos",
            ],
        }
    )
    folder = tmp_path / "transcripts"
    folder.mkdir()
    rows.write_parquet(folder / "train-00000-of-00001.parquet")
    found = _transcript_agreement(Tables(tmp_path, 0.75))
    assert found is not None
    assert (found["videos"], found["of"]) == (2, 2)
    assert found["wer"] == pytest.approx(2 / 10)
    assert found["share_identical"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("contract", "verdict", "told"),
    [("pass", "pass", "verdict: pass"), ("pass", "fail", "exit"),
     ("fail", "fail", "contract is broken")],
)  # fmt: skip
def test_the_last_line_is_the_verdict_in_the_words_of_the_exit_code(
    contract: str, verdict: str, told: str
) -> None:
    from builder.validate.whole import summary_lines

    report = {
        "release": "X", "version": "1.0.0", "synthetic": True, "verdict": verdict,
        "contract": {"verdict": contract, "checks": []},
        "fidelity": None, "privacy": None, "quality": None,
    }  # fmt: skip
    last = summary_lines(report)[-1]
    assert last.startswith(f"verdict: {verdict}") and told in last
