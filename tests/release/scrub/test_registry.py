"""The registry: a new recogniser or country is one new module, and everything else derives."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import pytest

from builder.config.campaign import Campaign
from builder.release.scrub import countries, generic
from builder.release.scrub.registry import (
    all_kinds,
    coverage,
    generic_recognisers,
    known_countries,
    missing_note,
)
from builder.release.scrub.scrubber import Scrubber

TOY_RECOGNISER = """
import re
from builder.release.scrub.recogniser import Recogniser

RECOGNISER = Recogniser(
    "badge", 110, ("BADGE",), lambda view, _: (m.span() for m in re.finditer(r"BADGE-\\w", view))
)
"""
TOY_COUNTRY = """
from builder.release.scrub.candidates import cue
from builder.release.scrub.recogniser import Country, number

CUE = cue("registro")
COUNTRY = Country("QQ", (number("qq_id", 93, lambda c, _: c.size == 8 and c.cued(CUE), 60),))
"""
EVERYTHING = [
    *generic_recognisers(),
    *(r for c in known_countries().values() for r in c.recognisers),
]


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One module beside those of `generic/`, one beside those of `countries/`."""
    for room, name, source in (
        (generic, "badge", TOY_RECOGNISER),
        (countries, "qq", TOY_COUNTRY),
    ):
        folder = tmp_path / room.__name__
        folder.mkdir()
        (folder / f"{name}.py").write_text(source)
        monkeypatch.setattr(room, "__path__", [*room.__path__, str(folder)])
        monkeypatch.delitem(sys.modules, f"{room.__name__}.{name}", raising=False)


@pytest.mark.usefixtures("toys")
def test_a_toy_recogniser_is_one_module() -> None:
    scrubber = Scrubber(country="EC")
    assert scrubber.kinds[-2:] == ("badge", "username")
    column = scrubber.scrub_column(pl.Series(["mira BADGE-7 ya", "nada"]))
    assert column["text"].to_list() == ["mira [BADGE] ya", "nada"]
    assert scrubber.scrub("mira [BADGE] ya").kinds == ()


@pytest.mark.usefixtures("toys")
def test_a_toy_country_is_one_module() -> None:
    text = "registro 12345678"
    assert Scrubber(country="QQ").scrub(text).text == "registro [QQ_ID]"
    assert Scrubber(country="QQ").countries == ("QQ",)
    assert Scrubber(country="EC").scrub(text).text == text
    assert Scrubber(country="EC", neighbours=["QQ"]).scrub(text).text == "registro [QQ_ID]"


def test_only_the_countries_of_the_campaign_are_loaded() -> None:
    ecuador = Scrubber.of(Campaign.load("ecuador_2024"))
    assert ecuador.countries == ("EC", "PE", "CO")
    assert {"cedula", "dni", "nit"} <= set(ecuador.kinds)
    assert not {"cpf", "cnpj"} & set(ecuador.kinds)
    assert not {"cedula", "ruc", "plate"} & set(Scrubber(country="CL").kinds)


def test_a_country_without_a_module_is_told() -> None:
    assert coverage(["EC", "XX"]) == {"loaded": ["EC"], "missing": ["XX"]}
    assert "XX" in (missing_note(["XX"]) or "")
    assert missing_note([]) is None


def test_a_kind_has_one_order_and_number_or_not() -> None:
    for kind in all_kinds():
        same = [r for r in EVERYTHING if r.kind == kind]
        assert len({(r.order, r.is_number) for r in same}) == 1, kind


def test_a_module_is_called_after_what_it_holds() -> None:
    for code, country in known_countries().items():
        assert country.code == code == code.upper()
        assert (Path(countries.__path__[0]) / f"{code.lower()}.py").is_file()


@pytest.mark.parametrize("recogniser", EVERYTHING, ids=lambda r: r.kind)
def test_every_recogniser_finds_claims_or_both_and_its_hints_are_rusts(recogniser: object) -> None:
    from builder.release.scrub.recogniser import Recogniser

    assert isinstance(recogniser, Recogniser)
    assert recogniser.find or recogniser.claims
    for hint in recogniser.hints:
        for pattern in (hint,) if isinstance(hint, str) else hint:
            pl.Series(["a"]).str.contains(pattern)  # raises where Rust cannot read it


def test_every_recogniser_file_has_a_test() -> None:
    here = Path(__file__).parent
    for room in (generic, countries):
        for module in Path(room.__path__[0]).glob("[!_]*.py"):
            assert (
                here / room.__name__.rsplit(".", 1)[1] / f"test_scrub_{module.stem}.py"
            ).is_file()
