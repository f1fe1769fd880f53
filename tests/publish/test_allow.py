"""The allow-list and the scan: nothing leaves that should not."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from release_kit import Built, content, rewrite

from builder.publish.allow import is_allowed, release_paths, scan
from builder.publish.problems import PublishRefused

TOKEN = "hf_" + "a" * 34


def test_a_release_is_all_allowed_and_clean(small: Built) -> None:
    paths = release_paths(small.release)
    assert sorted(content(small.release)) == paths and len(paths) < 50
    scan(small.release, paths)


@pytest.mark.parametrize(
    "name",
    [
        "crosswalk.parquet", "videos/train.parquet", "videos/../x", "private/pseudonym.key",
        "videos/train-00000-of-00001.parquet.tmp", "other/train-00000-of-00001.parquet",
        ".env", "figures/x.svg.bak", "README.md\n", "EcuadorCrisisTikTok.py", "figures/a/b.svg",
    ],
)  # fmt: skip
def test_other_names(name: str) -> None:
    assert not is_allowed(name)


@pytest.mark.parametrize(
    ("planted", "kind"),
    [
        (TOKEN, "token of the Hub"),
        ("ghp_" + "a1" * 18, "GitHub token"),
        ("AKIA" + "A1" * 8, "AWS key"),
        ("-----BEGIN EC PRIVATE KEY-----", "private key"),
        ("/home/invented/thesis/pages", "absolute path"),
        ("/Users/invented/pages", "absolute path"),
        (r"C:\Users\invented\pages", "absolute path"),
    ],
)
@pytest.mark.parametrize("place", ["README.md", "parquet"])
def test_what_is_planted_is_found(editable: Path, planted: str, kind: str, place: str) -> None:
    if place == "parquet":
        rewrite(
            editable,
            "keywords",
            lambda f: f.with_columns(raw=pl.concat_list(pl.col("raw"), pl.lit(f"x {planted} x"))),
        )
    else:
        path = editable / place
        path.write_text(path.read_text(encoding="utf-8") + planted + "\n", encoding="utf-8")
    with pytest.raises(PublishRefused, match=kind) as caught:
        scan(editable, release_paths(editable))
    assert planted not in str(caught.value)


def test_the_value_of_a_secret_of_this_machine(
    editable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOK_CLIENT_SECRET", "invented-and-long")
    path = editable / "README.md"
    path.write_text(path.read_text(encoding="utf-8") + "invented-and-long", encoding="utf-8")
    with pytest.raises(PublishRefused, match="TIKTOK_CLIENT_SECRET") as caught:
        scan(editable, release_paths(editable))
    assert "invented-and-long" not in str(caught.value)


def test_links_are_refused(editable: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (editable / "CITATION.cff").unlink()
    (editable / "CITATION.cff").symlink_to(tmp_path / "secret")
    with pytest.raises(PublishRefused, match=r"CITATION\.cff"):
        release_paths(editable)
