"""Names of private persons leave a text; everybody else's stay. All persons here are invented."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.config.campaign import Campaign
from builder.config.profile import NamesTable
from builder.release.scrub.names import choose, gliner
from builder.release.scrub.names.find import Name, NameFinder
from builder.release.scrub.names.known import section
from builder.release.scrub.names.public import PublicPersons
from builder.release.scrub.names.replace import Cut, cuts, in_pieces, replaced
from builder.release.scrub.names.roster import Roster
from builder.release.scrub.names.tagger import shipped
from builder.release.scrub.names.tokens import FULL_STOP, PAUSE, SPACE, tokens

ECUADOR = Campaign.load("ecuador_2024")
FINDER = choose.offline_finder(ECUADOR)


def scrub(text: str, roster: Roster | None = None) -> str:
    return replaced(text, cuts(FINDER, text, roster or Roster()))


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (
            "Ayer mataron a Kevin Quishpe en Guayaquil. Kevin tenía 17 años.",
            "Ayer mataron a <PERSON_1> en Guayaquil. <PERSON_1> tenía 17 años.",
        ),
        (
            "mi hijo kevin no aparece desde ayer en guayaquil",
            "mi hijo <PERSON_1> no aparece desde ayer en guayaquil",
        ),
        ("La señora Rosa vende flores en Quito.", "La señora <PERSON_1> vende flores en Quito."),
        ("me llamo yuleisi y vivo en durán", "me llamo <PERSON_1> y vivo en durán"),
        (
            "Mi nombre es María Chicaiza y mi hermano es Luis Toapanta.",
            "Mi nombre es <PERSON_1> y mi hermano es <PERSON_2>.",
        ),
        (
            "Minha filha Josiane sumiu em Brasília.",
            "Minha filha <PERSON_1> sumiu em Brasília.",
        ),
    ],
)
def test_a_private_person_is_replaced_and_numbered(said: str, left: str) -> None:
    assert scrub(said) == left


@pytest.mark.parametrize(
    "said",
    [
        "El presidente Daniel Noboa habló. Noboa dijo que Daniel viaja.",
        "Se fugó Fito, José Adolfo Macías Villamar, de la cárcel.",
        "Entrevistaron a Fernando Villavicencio y a Rafael Correa.",
        "Los Choneros y Los Lobos atacaron TC Televisión en Guayaquil.",
        "Queremos paz y luz en Esmeraldas, Santa Elena y San Lorenzo.",
        "queremos paz y luz en esmeraldas, santa elena y san lorenzo",
        "El choque fue en la avenida Eloy Alfaro, cerca de la calle Pedro Chicaiza.",
        "#JuanPerez @juanperez [PHONE] <PERSON_3>",
        "",
        "12 de enero",
    ],
)
def test_public_persons_places_gangs_and_words_stay(said: str) -> None:
    assert scrub(said) == said


# As API transcripts are written; nobody is named in any of them.
NOBODY = """
mi cédula la perdí en la fila del banco
tengo fe en dios y en la virgen
la custodia policial llegó tarde a la escuela
hay curfew desde las once hasta las cinco
there is a curfew tonight in the whole country
the gangs took over a tv station and everybody is scared
news report says armed men stormed the studio
thoughts and prayers for everybody there
no manchen qué está pasando en mi país
el narco manda más que el gobierno
los chapas no hacen nada por nosotros
hubo un amotinamiento en la penitenciaría
metieron preso al cabecilla de la banda
a polícia prendeu dois suspeitos na madrugada
o toque de recolher começa às onze da noite
um cachorro está pegando uma vara perto da estrada
"""


@pytest.mark.parametrize("said", NOBODY.strip().split("\n"))
def test_words_of_three_languages_without_capitals_are_nobodys_name(said: str) -> None:
    assert scrub(said) == said
    assert scrub(said.capitalize() + ".") == said.capitalize() + "."


@pytest.mark.parametrize("place", ["Afganistán", "Bruselas", "Cataluña", "Paquistão", "Germany"])
def test_countries_and_capitals_are_nobodys_name(place: str) -> None:
    for said in (f"Viajó ayer a {place} y volvió.", f"viajó ayer a {place} y volvió".lower()):
        assert scrub(said) == said


def test_rarer_words_share_one_row_of_the_tagger() -> None:
    tagger = shipped()
    rows = {word: tagger.in_lexicon(word) for word in ("gente", "amotinamiento", "stormed")}
    last = len(tagger._words) - 1
    assert rows["gente"] is not None and rows["gente"] < last
    assert rows["amotinamiento"] == rows["stormed"] == last
    assert tagger.in_lexicon("quishpe") is None


@pytest.mark.parametrize("verb", ["confirmó", "publicó", "mintió", "desmiente"])
def test_a_verb_behind_a_public_person_is_no_surname(verb: str) -> None:
    for campaign in (ECUADOR, Campaign.load("brasilia_2023")):
        finder = choose.offline_finder(campaign)
        for figure in campaign.public_figures:
            said = f"{figure.name} {verb} la noticia".lower()
            assert finder.find(said) == [], said


def test_every_public_figure_of_a_campaign_stays() -> None:
    for name in ("ecuador_2024", "brasilia_2023"):
        campaign = Campaign.load(name)
        finder = choose.offline_finder(campaign)
        for figure in campaign.public_figures:
            text = f"Ayer habló {figure.name} en la capital."
            assert finder.find(text) == [] and finder.find(text.lower()) == [], figure.name


def test_a_campaign_lists_further_persons() -> None:
    text = "Ayer mataron a Menganito Guamán en Quito."
    assert NameFinder().find(text)
    assert NameFinder(public=["Menganito Guamán"]).find(text) == []


def test_whose_surname_is_enough() -> None:
    people = PublicPersons(["Ana Inventada"], ["Beto Ficticio Prueba", "Zutano"])
    assert people.is_one(["inventada"]) and people.is_one(["zutano"])
    assert people.is_one(["beto", "ficticio"]) and not people.is_one(["ficticio"])
    assert not people.is_one(["ana"]) and not people.is_one(["carlos", "inventada"])
    here = people.here(["beto", "ficticio", "prueba", "dijo"])
    assert people.is_one(["ficticio"], here)


def test_the_same_person_has_the_same_number() -> None:
    roster = Roster()
    assert roster.tag(("luis", "toapanta")) == "<PERSON_1>"
    assert roster.tag(("rosa", "caiza")) == "<PERSON_2>"
    assert roster.tag(("toapanta",)) == "<PERSON_1>"
    assert roster.tag(("rosa",)) == "<PERSON_2>"
    assert roster.tag(("rosa", "elena", "caiza")) == "<PERSON_2>"
    assert roster.tag(("inti",)) == "<PERSON_3>"


def test_a_name_of_the_transcript_is_one_in_the_summary() -> None:
    roster = Roster()
    scrub("Mataron a Maycol Quishpe en Quito.", roster)
    assert scrub("Quishpe vendía pan.", roster) == "<PERSON_1> vendía pan."


def test_segments_agree_with_the_text() -> None:
    text = "Mataron a Juan Pérez ayer. Juan Pérez vivía aquí."
    made = [Cut(10, 20, "<PERSON_1>"), Cut(27, 37, "<PERSON_1>")]
    pieces = ["Mataron a Juan", "Pérez", "ayer. Juan Pérez", "vivía aquí."]
    done = in_pieces(pieces, text, made)
    assert done == ["Mataron a <PERSON_1>", "", "ayer. <PERSON_1>", "vivía aquí."]
    assert " ".join(filter(None, done)) == replaced(text, made)


def test_how_a_text_is_read() -> None:
    words, cased = tokens("Hola, Ana-Lucía. <PERSON_1> fue")
    assert cased and [w.gap for w in words] == [FULL_STOP, PAUSE, FULL_STOP, SPACE]
    assert [w.is_word for w in words] == [True, True, False, True]
    assert tokens("TODO EN MAYÚSCULAS AQUÍ")[1] is False
    assert tokens("todo en minúsculas")[1] is False


WORDS = st.sampled_from(
    "Ayer mataron a Kevin Quishpe María de la Cruz en Quito , . mi hijo rosa paz el y Noboa "
    "<PERSON_2> [PHONE] calle Luis señora dijo\n ñaño é".split(" ")
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=25).map(" ".join)))
def test_scrubbed_twice_is_scrubbed_once(text: str) -> None:
    once = scrub(text)
    assert FINDER.find(once) == [] and scrub(once) == once


def test_the_tagger_travels_and_says_the_same() -> None:
    text = "Ayer mataron a Kevin Quishpe en Guayaquil."
    again = NameFinder(tagger=pickle.loads(pickle.dumps(shipped())))
    assert again.find(text) == NameFinder().find(text) != []


def test_what_is_known_survives() -> None:
    kinds = {name: section(name) for name in ("places", "gangs", "media", "institutions")}
    assert sum(map(len, kinds.values())) > 500 and all(kinds.values())
    for name in sorted({*kinds["gangs"], *kinds["media"], *kinds["institutions"]})[::7]:
        assert FINDER.find(f"Según {name}, todo está en calma.") == [], name


class FakeGliner:
    """Finds one word and calls it a person, as GLiNER would."""

    def analyze(self, text: str, entities: list[str]) -> list[object]:
        at = text.find("flaca")
        span = type("Result", (), {"start": at, "end": at + 5, "entity_type": "PERSON"})
        return [span()] if at >= 0 and entities == ["PERSON"] else []


def test_gliner_adds_to_the_tagger_and_obeys_the_lists() -> None:
    names = NamesTable(method="gliner")
    both = gliner.GlinerFinder(names, FINDER, lambda _: FakeGliner())
    text = "Kevin Quishpe vive con la flaca; Noboa calla."
    assert [text[n.start : n.end] for n in FINDER.find(text)] == ["Kevin Quishpe"]
    assert [text[n.start : n.end] for n in both.find(text)] == ["Kevin Quishpe", "flaca"]
    assert both.find("el <PERSON_1> fue") == []
    public = NameFinder(public=["Flaca"])
    assert gliner.GlinerFinder(names, public, lambda _: FakeGliner()).find("vi a la flaca") == []


def test_gliner_that_is_not_installed_is_a_clear_error() -> None:
    with pytest.raises(gliner.NamesUnavailable, match="not installed") as error:
        choose.finder_of(NamesTable(method="gliner"), ECUADOR)
    assert "[names]" in str(error.value) and "tagger" in str(error.value)


def test_a_profile_that_asks_for_none_gets_none() -> None:
    none = NamesTable(method="none")
    assert choose.finder_of(none, ECUADOR) is None and choose.told_of(none) is None
    told = choose.told_of(NamesTable())
    assert told and told["model"] == f"names@{told['tagger']}"
    assert choose.mark_of(none) != choose.mark_of(NamesTable())


def test_a_name_is_where_it_is_said_to_be() -> None:
    found = FINDER.find("Mi hijo Kevin salió.")
    assert found == [Name(8, 13, ("kevin",))]
