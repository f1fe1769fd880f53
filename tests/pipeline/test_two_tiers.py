"""One build, two releases: an exact one for readers who were let in, a coarse one for everybody."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from release_kit import NAME, NO_MODELS, Built, build, content, quiet, read_json, rewrite, table

from builder.config.campaign import CAMPAIGNS, Campaign
from builder.errors import ReleaseConflict
from builder.pipeline.regenerate import regenerate
from builder.pipeline.request import Request
from builder.release.k_anonymity import QUASI_IDENTIFIERS, k_of
from builder.release.manifest import Manifest
from builder.sources.schema import COUNTS
from builder.validate.whole import validate

pytestmark = pytest.mark.slow
PUBLIC = f"{NAME}-public"


@pytest.fixture(scope="module")
def tiers(small: Built, tmp_path_factory: pytest.TempPathFactory) -> tuple[Built, Path, Path]:
    """The exact tier, the public one, and the campaign."""
    folder = tmp_path_factory.mktemp("tiers")
    campaign = Path(shutil.copytree(CAMPAIGNS / "ecuador_2024", folder / "variant"))
    text = (campaign / "campaign.toml").read_text(encoding="utf-8")
    text = text.replace('name = "ecuador_2024"', 'name = "ecuador_variant"', 1)
    text = text.replace("\n[licence]", "\n[privacy.public_tier]\nmin_k = 4\n\n[licence]", 1)
    (campaign / "campaign.toml").write_text(text, encoding="utf-8")
    built = build(folder, small.pages, campaign=str(campaign))
    return built, built.release.with_name(PUBLIC), campaign


def test_both_are_whole_and_say_which_they_are(tiers: tuple[Built, Path, Path]) -> None:
    exact, public, _ = tiers
    for release, tier in ((exact.release, "exact"), (public, "public")):
        report, manifest = read_json(release / "validation.json"), Manifest.read(release)
        assert report["contract"]["verdict"] == "pass"
        assert manifest.tier == report["privacy"]["tier"] == tier
        assert manifest.name == release.name
        assert f"**{tier.capitalize()} tier.**" in (release / "README.md").read_text("utf-8")
        assert "null" not in (release / "README.md").read_text("utf-8").split("## Load it")[0]


def test_the_exact_tier_has_the_tables_of_a_single_release(
    tiers: tuple[Built, Path, Path], small: Built
) -> None:
    for config in ("videos", "metadata", "transcripts", "events"):
        assert table(tiers[0].release, config).equals(small.frame(config))
    assert Manifest.read(small.release).tier is None


def test_the_public_tier_has_the_same_pseudonyms_and_k(tiers: tuple[Built, Path, Path]) -> None:
    exact, public, _ = tiers
    rows, ours = table(public, "metadata"), table(exact.release, "metadata")
    assert set(rows["video_id"]) <= set(ours["video_id"])
    manifest = Manifest.read(public)
    gone = manifest.dropped.get("too_few_to_hide", 0)
    assert rows.height == ours.height - gone
    k = k_of(rows, QUASI_IDENTIFIERS)
    assert manifest.anonymity is not None and k == manifest.anonymity.k >= 4
    assert read_json(public / "validation.json")["privacy"]["k_anonymity"]["k"] == k
    assert f"**k = {k}**" in (public / "README.md").read_text(encoding="utf-8")
    both = rows.join(ours, on="video_id", suffix="_exact")
    assert (both["date"].dt.weekday() == 1).all()
    for column in COUNTS:
        known = both.filter(pl.col(column).is_not_null())
        first = known[column].cast(pl.String).str.strip_chars_end("0").str.len_chars()
        assert (first <= 1).all()
    assert k_of(ours, QUASI_IDENTIFIERS) == 1


def test_no_text_and_nothing_computed_from_one(tiers: tuple[Built, Path, Path]) -> None:
    exact, public, _ = tiers
    assert table(exact.release, "transcripts")["text"].count() > 0
    rows = table(public, "transcripts")
    for column in ("text", "n_words", "language_confidence", "segments", "avg_logprob"):
        assert rows[column].count() == 0, column
    assert table(public, "videos")["transcript"].count() == 0
    assert (rows["status"] == "ok").any()  # that there was one may be known


def test_a_finer_value_in_the_public_tier_breaks_its_contract(
    tiers: tuple[Built, Path, Path], tmp_path: Path
) -> None:
    copied = Path(shutil.copytree(tiers[1], tmp_path / PUBLIC))
    for config in ("videos", "metadata"):
        rewrite(
            copied,
            config,
            lambda frame: frame.with_columns(
                region_code=pl.when(pl.int_range(pl.len()) == 0)
                .then(pl.lit("AQ"))
                .otherwise("region_code")
            ),
        )
    failed = [c["name"] for c in validate(copied)["contract"]["checks"] if c["verdict"] == "fail"]
    assert failed == ["as many videos share their released facts as the manifest says"]


def test_built_again_both_keep_their_bytes_and_neither_takes_the_others_place(
    tiers: tuple[Built, Path, Path],
) -> None:
    exact, public, campaign = tiers
    assert [c.release_name for c in Campaign.load(campaign).tiers] == [NAME, PUBLIC]
    before = content(exact.release), content(public)
    request = Request(
        work=exact.work,
        out=exact.release,
        sources=(exact.pages,),
        campaign=str(campaign),
        key_file=exact.key_file,
        skip=frozenset(NO_MODELS),
        previous=exact.release,
        progress=quiet,
    )
    with pytest.raises(ReleaseConflict, match="already holds"):
        regenerate(replace(request, out=public))
    told = "\n".join(regenerate(replace(request, previous=None)).lines())
    assert (content(exact.release), content(public)) == before
    assert f"public tier {PUBLIC}" in told and "at least 4 share" in told
    regenerate(request)  # each with the changelog since its own earlier release
    for release in (exact.release, public):
        card = (release / "README.md").read_text(encoding="utf-8")
        assert "No row and no column differs" in card
