"""Campaign folders: Ecuador's, another country's, and broken ones."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.config.campaign import CAMPAIGNS, Campaign
from builder.config.campaign_tables import Window
from builder.errors import CampaignError

PUBLISHED = Path(__file__).parents[3] / "shared" / "data" / "keywords_hashtags.txt"
ECUADOR = Campaign.load("ecuador_2024")


@pytest.fixture
def folder(tmp_path: Path, fakes: Path) -> Path:
    """A copy of the second campaign, to break."""
    shutil.copytree(fakes / "second_campaign", tmp_path / "mine")
    return tmp_path / "mine"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# Ecuador


def test_ecuador_has_27_distinct_terms_with_english_and_description() -> None:
    terms = [keyword.term for keyword in ECUADOR.keywords]
    assert len({term.casefold() for term in terms}) == len(terms) == 27
    assert all(keyword.english and keyword.description for keyword in ECUADOR.keywords)
    assert {keyword.kind for keyword in ECUADOR.keywords} == {"hashtag", "phrase"}


def test_a_term_is_its_raw_forms_without_case_and_stray_spaces() -> None:
    for keyword in ECUADOR.keywords:
        assert {raw.strip().casefold() for raw in keyword.raw} == {keyword.term}
        assert (" " in keyword.term) is (keyword.kind == "phrase")


def test_the_raw_forms_are_exactly_the_42_published_lines() -> None:
    if not PUBLISHED.is_file():
        pytest.skip(f"the authors' list is not here ({PUBLISHED}); it is not part of the package")
    lines = PUBLISHED.read_text(encoding="utf-8").splitlines()
    raw = [form for keyword in ECUADOR.keywords for form in keyword.raw]
    assert len(lines) == len(raw) == 42
    assert sorted(lines) == sorted(raw)


def test_ecuadors_window_is_that_of_the_papers_methods() -> None:
    window = ECUADOR.window
    assert (window.start, window.end) == (dt.date(2023, 12, 31), dt.date(2024, 3, 7))
    assert len(window.days) == 68
    assert (window.days[0], window.days[-1]) == (window.start, window.end)
    assert dt.datetime.fromtimestamp(window.start_ts, dt.UTC).isoformat() == (
        "2023-12-31T00:00:00+00:00"
    )
    assert dt.datetime.fromtimestamp(window.end_ts, dt.UTC).isoformat() == (
        "2024-03-08T00:00:00+00:00"
    )
    assert ECUADOR.region_codes == ("EC",)


def test_ecuadors_events_are_those_of_figure_1() -> None:
    assert [(event.key, event.date.isoformat()) for event in ECUADOR.events] == [
        ("A", "2024-01-07"),
        ("B", "2024-01-09"),
        ("C", "2024-01-10"),
        ("D", "2024-01-13"),
        ("E", "2024-01-18"),
    ]


def test_ecuadors_generic_hashtags_and_release_are_those_of_the_design() -> None:
    assert set(ECUADOR.generic_hashtags) == {"parati", "fyp", "foryou"}
    assert ECUADOR.release_name == "EcuadorCrisisTikTok"
    assert ECUADOR.privacy.id_policy == "pseudonym"
    assert ECUADOR.privacy.date_resolution == "day"
    assert not ECUADOR.privacy.author_pseudonym


def test_public_handles_and_terms_are_known_without_case_and_at_sign() -> None:
    assert "danielnoboaok" in ECUADOR.allowed_handles
    assert all(h == h.casefold() and "@" not in h for h in ECUADOR.allowed_handles)
    assert {keyword.term for keyword in ECUADOR.keywords} <= ECUADOR.known_terms


def test_ecuador_is_the_default_and_a_folder_is_as_good_as_a_name() -> None:
    assert Campaign.load() == ECUADOR == Campaign.load(CAMPAIGNS / "ecuador_2024")


# another campaign


def test_another_country_is_only_another_folder(folder: Path) -> None:
    campaign = Campaign.load(folder)
    assert campaign.name == "lagos_2025"
    assert campaign.region_codes == ("CL", "AR")
    assert [day.isoformat() for day in campaign.window.days] == [
        "2025-05-30",
        "2025-05-31",
        "2025-06-01",
        "2025-06-02",
    ]
    assert [(k.term, k.raw) for k in campaign.keywords] == [
        ("tormenta", ("Tormenta", "tormenta ")),
        ("corte de luz", ("corte de luz",)),
    ]
    assert (campaign.paper, campaign.public_figures) == ({}, ())
    assert Campaign.load(str(folder)) == campaign


def test_keywords_saved_by_a_spreadsheet_with_a_byte_order_mark_are_read(folder: Path) -> None:
    path = folder / "keywords.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert [k.term for k in Campaign.load(folder).keywords] == ["tormenta", "corte de luz"]


def test_a_window_of_one_day_is_a_window() -> None:
    day = dt.date(2024, 2, 29)
    window = Window(start=day, end=day)
    assert window.days == [day]
    assert window.end_ts - window.start_ts == 86_400


# broken ones


def test_an_unknown_campaign_lists_the_known_ones() -> None:
    with pytest.raises(CampaignError, match="'atlantis'") as caught:
        Campaign.load("atlantis")
    assert "ecuador_2024" in caught.value.way_out


TOML = "campaign.toml"
CSV = "keywords.csv"
BROKEN: dict[str, tuple[str, str, str, str | None, str]] = {
    # what: (file, old, new, field, message)
    "no version": (TOML, 'version = "0.1.0"', "", "version", "required"),
    "odd version": (TOML, "0.1.0", "one", "version", "pattern"),
    "odd name": (TOML, "lagos_2025", "Lagos 2025", "name", "pattern"),
    "release in a folder": (TOML, "LagosStormTikTok", "../x", "release_name", "pattern"),
    "no date": (TOML, "start = 2025-05-30", 'start = "soon"', "window.start", "date"),
    "window backwards": (TOML, "end = 2025-06-02", "end = 2025-05-01", "window", "before"),
    "event outside": (TOML, "date = 2025-06-01", "date = 2025-07-01", None, "event A lies outside"),
    "event without date": (TOML, "date = 2025-06-01", "", "events.0.date", "required"),
    "unknown setting": (
        TOML,
        'name = "lagos',
        'mood = 1\nname = "lagos',
        "mood",
        "no such setting",
    ),
    "no region": (TOML, '["CL", "AR"]', "[]", "region_codes", "at least 1"),
    "no licence": (TOML, "[licence]", "[licenze]", "licence", "required"),
    "not TOML": (TOML, "[window]", "[window", None, "cannot read"),
    "odd kind": (CSV, "phrase", "slogan", "kind", "hashtag"),
    "term twice": (CSV, "corte de luz,corte", "TORMENTA,corte", None, "repeats the term"),
    "short row": (CSV, ",power cut,Invented", "", "english", "string"),
    "no raw column": (CSV, "term,raw,", "term,roh,", None, "found: term, roh"),
    "no term": (CSV, "corte de luz,corte de luz", ",corte de luz", "term", "at least 1"),
    "no raw form": (CSV, ",corte de luz,", ",,", "raw", "at least 1"),
}


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_campaign_names_file_and_field(
    folder: Path, case: tuple[str, str, str, str | None, str]
) -> None:
    name, old, new, field, message = case
    edit(folder / name, old, new)
    with pytest.raises(CampaignError, match=re.escape(message)) as caught:
        Campaign.load(folder)
    assert caught.value.file == str(folder / name)
    assert caught.value.field == field
    assert caught.value.way_out


def test_a_broken_keyword_is_named_by_its_row(folder: Path) -> None:
    edit(folder / CSV, "phrase", "slogan")
    with pytest.raises(CampaignError, match="row 2 below the header, field kind"):
        Campaign.load(folder)


def no_keywords_file(folder: Path) -> None:
    (folder / CSV).unlink()


def no_keywords(folder: Path) -> None:
    (folder / CSV).write_text("term,raw,kind,english,description\n")


def latin1_keywords(folder: Path) -> None:
    (folder / CSV).write_bytes("term,raw,kind,english,description\nñ,ñ,x,x,x\n".encode("latin-1"))


def latin1_toml(folder: Path) -> None:
    (folder / TOML).write_bytes('title = "ñ"'.encode("latin-1"))


@pytest.mark.parametrize(
    ("spoil", "name"),
    [(no_keywords_file, CSV), (no_keywords, CSV), (latin1_keywords, CSV), (latin1_toml, TOML)],
)
def test_an_unreadable_file_of_a_campaign_is_named(
    folder: Path, spoil: Callable[[Path], None], name: str
) -> None:
    spoil(folder)
    with pytest.raises(CampaignError) as caught:
        Campaign.load(folder)
    assert caught.value.file == str(folder / name)
    assert caught.value.way_out
