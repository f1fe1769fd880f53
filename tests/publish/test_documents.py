"""Croissant, schema.org, citations, datasheet and checklist of a release."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import mlcroissant
import polars as pl
import pytest
import yaml
from release_kit import Built, read_json

from builder.config.campaign import CAMPAIGNS, Campaign
from builder.publish.documents.croissant import CONFORMS_TO, CONTEXT
from ecuador_crisis_tiktok import FEATURES, features_of


@pytest.fixture(scope="module")
def croissant(small: Built) -> dict[str, Any]:
    return dict(read_json(small.release / "croissant.json"))


def test_mlcroissant_finds_no_error(small: Built) -> None:
    dataset = mlcroissant.Dataset(str(small.release / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    told = " ".join(dataset.metadata.ctx.issues.warnings)
    left = {name for name in ("url", "datePublished") if name in told}
    assert not re.search("description|license|creator|version", told), told
    assert left <= {"url", "datePublished"}  # nobody knows these while it is built


def test_the_context_is_the_specifications() -> None:
    from mlcroissant._src.core.rdf import make_context

    context = mlcroissant.Context if hasattr(mlcroissant, "Context") else None
    from mlcroissant._src.core.context import Context, CroissantVersion

    assert context in (None, Context)
    assert make_context(Context(conforms_to=CroissantVersion.V_1_1)) == CONTEXT


def test_the_core_is_the_schema(croissant: dict[str, Any]) -> None:
    assert croissant["conformsTo"] == list(CONFORMS_TO)
    sets = {each["name"]: each for each in croissant["recordSet"]}
    assert list(sets) == list(FEATURES)
    for config, each in sets.items():
        assert [field["name"] for field in each["field"]] == list(features_of(config))


def plain(value: Any) -> Any:
    """What mlcroissant gives, as Python has it."""
    if isinstance(value, bytes):
        return value.decode()
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, float) and value != value:
        return None
    return value


@pytest.mark.parametrize("config", ["videos", "metadata", "keywords", "events", "sentiment"])
def test_mlcroissant_loads_the_records(small: Built, config: str) -> None:
    dataset = mlcroissant.Dataset(str(small.release / "croissant.json"))
    records = list(dataset.records(config))
    frame = small.frame(config)
    assert len(records) == frame.height
    key = next(name for name in ("video_id", "term", "key") if name in frame.columns)
    assert [plain(row[f"{config}/{key}"]) for row in records] == frame[key].to_list()
    for name in ("view_count", "hashtags", "n_videos", "description", "sentiment"):
        if name in frame.columns:
            seen = [plain(row[f"{config}/{name}"]) for row in records]
            seen = [None if value is not None and value != value else value for value in seen]
            wanted = frame[name].to_list()
            assert [v for v in seen if v not in (None, [])] == [
                v for v in wanted if v not in (None, [])
            ], name


def test_mlcroissant_loads_transcripts_with_their_segments(small: Built) -> None:
    dataset = mlcroissant.Dataset(str(small.release / "croissant.json"))
    records = list(dataset.records("transcripts"))
    texts = [plain(row["transcripts/text"]) for row in records]
    assert [t for t in texts if isinstance(t, str)] == small.frame("transcripts")[
        "text"
    ].drop_nulls().to_list()


def test_every_rai_field_says_something(croissant: dict[str, Any]) -> None:
    told = {key: value for key, value in croissant.items() if key.startswith("rai:")}
    assert {
        f"rai:{name}"
        for name in (
            "dataCollection",
            "dataCollectionMissingData",
            "dataAnnotationProtocol",
            "machineAnnotationTools",
            "dataBiases",
            "dataLimitations",
            "personalSensitiveInformation",
            "dataReleaseMaintenancePlan",
            "dataSocialImpact",
        )
    } <= set(told)
    assert all(value for value in told.values())
    assert "SYNTHETIC" in croissant["description"]


def test_schema_org_names_every_table_with_its_digest(small: Built) -> None:
    told = read_json(small.release / "schema_org.json")
    files = small.manifest["files"]
    listed = {each["contentUrl"]: each["sha256"] for each in told["distribution"]}
    assert listed == {p: f["sha256"] for p, f in files.items() if p.endswith(".parquet")}


def test_the_citation_file_is_yaml_of_the_format(small: Built) -> None:
    told = yaml.safe_load((small.release / "CITATION.cff").read_text(encoding="utf-8"))
    assert told["cff-version"] == "1.2.0" and told["type"] == "dataset"
    assert told["version"] == small.manifest["version"] and "SYNTHETIC" in told["message"]
    assert all(author["name"] for author in told["authors"])


def test_bibtex_is_balanced_and_the_card_says_how_to_cite(small: Built) -> None:
    text = (small.release / "citation.bib").read_text(encoding="utf-8")
    assert text.count("{") == text.count("}") and text.startswith("@misc{ecuador_2024_1_0_0,")
    card = (small.release / "README.md").read_text(encoding="utf-8")
    assert "The EcuadorCrisisTikTok authors. EcuadorCrisisTikTok: TikTok videos" in card


@pytest.mark.parametrize("name", ["DATASHEET.md", "CHECKLIST.md"])
def test_documents_are_filled(small: Built, name: str) -> None:
    text = (small.release / name).read_text(encoding="utf-8")
    assert "{{" not in text and "None" not in text and "SYNTHETIC" in text
    assert f"EcuadorCrisisTikTok {small.manifest['version']}" in text


def test_the_card_warns_and_asks_readers_to_identify_nobody(small: Built) -> None:
    card = (small.release / "README.md").read_text(encoding="utf-8")
    header = yaml.safe_load(card.split("---\n")[1])
    assert "identify" in header["extra_gated_prompt"]
    assert "checkbox" in header["extra_gated_fields"].values()
    assert "**Content warning.**" in card and "## Changelog" in card


def test_all_of_them_are_in_the_manifest(small: Built) -> None:
    names = "croissant.json schema_org.json CITATION.cff citation.bib DATASHEET.md CHECKLIST.md"
    assert set(names.split()) <= set(small.manifest["files"])


def test_nothing_of_ecuador_is_in_the_code() -> None:
    root = Path(__file__).parents[2]
    files = [*(root / "builder" / "publish").rglob("*.py"), *(root / "cards").glob("*.jinja")]
    text = " ".join(file.read_text(encoding="utf-8") for file in files)
    text = text.replace("ecuador_crisis_tiktok", "").replace("ecuador-crisis", "")
    text = (
        text.replace("EcuadorCrisisTikTok", "")
        .replace("ecuador_2024", "")
        .replace("ECUADOR_CRISIS", "")
    )
    assert not re.findall(r"(?i)ecuador|choneros|noboa|guayaquil", text)


@pytest.mark.parametrize("folder", sorted(p.parent.name for p in CAMPAIGNS.glob("*/campaign.toml")))
def test_every_embedded_campaign_has_words_for_its_readers(folder: str) -> None:
    who = Campaign.load(folder).publication
    assert who.warning and "identify" in who.terms and json.dumps(who.model_dump(mode="json"))


def test_row_counts_in_the_datasheet(small: Built) -> None:
    text = (small.release / "DATASHEET.md").read_text(encoding="utf-8")
    rows = pl.scan_parquet(small.release / "videos" / "*.parquet").select(pl.len()).collect().item()
    assert f"{rows:,} rows in `videos`" in text
