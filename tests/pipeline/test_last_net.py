"""What slips past anonymize and the contract refuses is withheld; the build goes on without it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fakes.pages import api_pages
from release_kit import build

from builder.errors import ContractBroken
from builder.release.scrub.scrubber import Scrubbed, Scrubber
from builder.release.slices import rows as slice_rows
from builder.release.texts.refused import BY_CONTRACT, FOLDED_BY_CONTRACT
from builder.release.texts.withhold import Cleaner

HELD = "una frase larga que cualquiera entiende sin problema"
VIDEO = {"id": (1_704_844_800 << 32) + 9, "create_time": 1_704_844_800}


@pytest.fixture
def gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scrubber that misses texts with "hueco" when it cleans, and sees them when it checks."""
    whole = Scrubber._scrub_all

    def scrub_all(self: Scrubber, texts: list[str]) -> list[Scrubbed]:
        # the contract's own scrubber knows no usernames
        return [
            Scrubbed(text, ()) if "hueco" in text and self._usernames else found
            for text, found in zip(texts, whole(self, texts), strict=True)
        ]

    monkeypatch.setattr(Scrubber, "_scrub_all", scrub_all)
    monkeypatch.setattr(
        Cleaner, "left_in", lambda self, texts: pl.repeat(False, len(texts), eager=True)
    )


@pytest.mark.usefixtures("gap")
@pytest.mark.parametrize(
    "text",
    [
        "hueco mi cédula es 1710034065 anótela",
        "hueco está en /home/ana/videos/uno.mp4 dijo ella",
        "hueco lo dijo ventana_99z en la noche del paro",
        f"hueco el video {(1_704_844_800 << 32) + 9} ya no se ve",
    ],
)
def test_a_text_that_slipped_through_is_withheld_and_the_rest_released(
    tmp_path: Path, text: str
) -> None:
    pages = api_pages(
        tmp_path / "pages",
        [{"username": "ventana_99z", "voice_to_text": text, **VIDEO}, {}],
    )
    built = build(tmp_path, pages)
    videos = built.frame("videos").sort("transcript", nulls_last=False)
    assert videos["transcript"].to_list() == [None, HELD]
    assert videos["transcript_status"].to_list() == ["withheld", "ok"]
    assert videos["exclusion_reason"].to_list() == ["transcript_withheld", None]
    rows = built.frame("transcripts").filter(pl.col("status") == "withheld")
    assert rows["reason"].to_list() == [BY_CONTRACT]
    assert built.manifest["withheld_texts"] == {BY_CONTRACT: 1}
    assert built.manifest["counts"]["anonymize"]["texts_withheld"] == 1
    assert built.report["privacy"]["withheld_texts"] == {BY_CONTRACT: 1}
    assert built.report["contract"]["verdict"] == "pass"
    assert any("last check" in note for note in built.manifest["notes"])
    assert not (built.work / "rejected").exists()
    everything = b"".join(p.read_bytes() for p in built.release.rglob("*") if p.is_file())
    assert b"hueco " not in everything
    # the same once more: the same bytes, no error
    before = json.dumps(built.manifest)
    assert json.dumps(build(tmp_path, pages).manifest) == before


@pytest.mark.usefixtures("gap")
def test_a_hashtag_that_slipped_through_leaves_with_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = slice_rows.allowed_hashtags

    def allowed(*arguments: Any) -> Any:
        tags, folded = whole(*arguments)
        return tags | {"ecuador", "ventana_99z"}, folded

    monkeypatch.setattr(slice_rows, "allowed_hashtags", allowed)
    tags = ["ecuador", "ventana_99z"]
    rows = [{"username": "ventana_99z", "hashtag_names": tags}, {"hashtag_names": tags}]
    built = build(tmp_path, api_pages(tmp_path / "pages", rows))
    assert built.frame("metadata")["hashtags"].to_list() == [["ecuador"], ["ecuador"]]
    assert built.manifest["hashtags_folded"][FOLDED_BY_CONTRACT] == 1
    assert built.report["contract"]["verdict"] == "pass"


@pytest.mark.usefixtures("gap")
def test_what_cannot_be_withheld_ends_the_build_and_names_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from builder.pipeline import release

    whole = release.write_card

    def card(campaign: Any, assembled: Any, folder: Path, *more: Any) -> Any:
        made = whole(campaign, assembled, folder, *more)
        with (folder / "README.md").open("a", encoding="utf-8") as text:
            text.write("\nThe video 7321111222333444555.\n")
        return made

    monkeypatch.setattr(release, "write_card", card)
    rows: list[dict[str, Any]] = [
        {"id": 7321111222333444555, "create_time": 7321111222333444555 >> 32},
        {"voice_to_text": "hueco mi cédula es 1710034065 anótela"},
    ]
    with pytest.raises(ContractBroken, match=r"README\.md") as caught:
        build(tmp_path, api_pages(tmp_path / "pages", rows))
    assert "7321111222333444555" not in str(caught.value)
    assert (tmp_path / "work" / "rejected").is_dir()
