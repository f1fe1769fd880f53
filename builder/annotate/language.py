"""The language stage: which language a transcript is in.

Identifiers are interchangeable (`IDENTIFIERS`). The paper used langdetect; the default is lingua,
which ``scripts/bench_language.py`` measures as better on short texts. None of the two knows
Quechua or Kichwa; `quechua` therefore looks for its suffixes and commonest words first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

import polars as pl

from builder.annotate.transcripts.rules import near_empty, normalise
from builder.config.profile import LanguageTable
from builder.errors import StageFailed, UsageProblem
from builder.run.stage import Stage

Identify = Callable[[str], tuple[str | None, float]]

# langdetect draws random numbers; with a seed it gives the same answer twice.
LANGDETECT_SEED = 0
# Languages heard on Ecuadorian TikTok or likely to pass through it. An open choice of 75 makes
# three Spanish words Galician, Asturian or Catalan.
LANGUAGES = tuple("es en pt fr it de ca nl pl ro ru uk tr ar fa he hi zh ja ko vi th id".split())
MIN_QUECHUA_SHARE = 0.5

# Kichwa (Ecuador) and Southern Quechua: frequent words, and suffixes that end no Spanish,
# Portuguese or English word.
_QUECHUA_WORDS = frozenset(
    """
    alli allin ama ari ayllu ayllukuna imanalla imanallatak imatak imata kani kanki kanchik kawsay
    kay kayaka kayakama kichwa killa kunan kuna llakta llaktapi llulla mana manam manan maymantatak
    mashi mashikuna mama mishki mushuk nishpa ñuka ñukanchik ñukaka ñuqa noqa nuqa pachamama
    puncha punchaw riman rimani rimanchik runa runakuna runasimi shimi shimita shuk shuwa sumak
    sumaq tayta tukuy tuta wasi wasipi wawa wawakuna yupaychani yachana kausay
    """.split()
)
# Suffixes that, with others behind them, end no word of the languages around.
_QUECHUA_ENDING = re.compile(
    r"\w+(?:kuna|nchik|nkichik|shpa|shka|rka|rqa|chka|sqa|kpi|pti|nka|kapa|pak|paq|manta|pash|pis|shina"
    r"|chun|chiy|kuy|ntin|niku|kama|kushpa)(?:ka|qa|ta|pi|mi|m|s|n|ni|wan|man|manta|tapash|pash|chu|lla"
    r"|pa|paq|pak|kuna|nku|nchik)*"
)
# Native words have no e and no o, and k, q or sh where Spanish has c, qu or nothing.
_QUECHUA_LOOK = re.compile(r"(?=\w*(?:k|q|sh|w|y|hu|ll))[aiubcdfghjklmnpqrstvwxyzñ']{4,}")


def quechua_share(text: str) -> float:
    """Share of a text's words that look Quechua, 0 to 1; 0 when none is surely Quechua."""
    found = normalise(text).split()
    sure = [w in _QUECHUA_WORDS or bool(_QUECHUA_ENDING.fullmatch(w)) for w in found]
    if sum(sure) < min(2, len(found)):
        return 0.0
    hits = sum(s or bool(_QUECHUA_LOOK.fullmatch(w)) for s, w in zip(sure, found, strict=True))
    return hits / len(found)


def _langdetect() -> Identify:
    from langdetect import DetectorFactory, LangDetectException, detect_langs

    DetectorFactory.seed = LANGDETECT_SEED

    def identify(text: str) -> tuple[str | None, float]:
        try:
            best = detect_langs(text)[0]
        except LangDetectException:  # no letters in it
            return None, 0.0
        return best.lang.split("-")[0], float(best.prob)

    return identify


def _lingua() -> Identify:
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    codes = [getattr(IsoCode639_1, code.upper()) for code in LANGUAGES]
    detector = LanguageDetectorBuilder.from_iso_codes_639_1(*codes).build()

    def identify(text: str) -> tuple[str | None, float]:
        ranked = detector.compute_language_confidence_values(text)
        if not ranked or ranked[0].value == 0:
            return None, 0.0
        # It sums in parallel: the last digits differ between runs.
        return ranked[0].language.iso_code_639_1.name.lower(), round(float(ranked[0].value), 6)

    return identify


def _quechua_first(identify: Identify) -> Identify:
    def both(text: str) -> tuple[str | None, float]:
        share = quechua_share(text)
        return ("qu", share) if share >= MIN_QUECHUA_SHARE else identify(text)

    return both


# name -> how it is loaded
IDENTIFIERS: dict[str, Callable[[], Identify]] = {
    "langdetect": _langdetect,
    "lingua": lambda: _quechua_first(_lingua()),
    "langdetect+quechua": lambda: _quechua_first(_langdetect()),
}


def load_identifier(name: str) -> Identify:
    """Load an identifier: a function from a text to (ISO 639-1 code or None, confidence 0 to 1).

    Raises:
        UsageProblem: no identifier of that name.
        StageFailed: its package is not installed.
    """
    if name not in IDENTIFIERS:
        raise UsageProblem(
            f"no language identifier called {name!r}",
            field="language.identifier",
            way_out=f"known: {', '.join(IDENTIFIERS)}",
        )
    try:
        return IDENTIFIERS[name]()
    except ImportError as error:
        raise StageFailed(
            f"the language identifier {name} is not installed", way_out=f"pip install {error.name}"
        ) from error


class Language(Stage):
    """Identifies the language of every transcript.

    Args:
        table: a profile's ``[language]``.
    """

    name: ClassVar[str] = "language"
    version: ClassVar[str] = "1"
    input_columns: ClassVar[tuple[str, ...]] = ("text",)
    output_schema: ClassVar[dict[str, Any]] = {
        "language": pl.String,
        "language_confidence": pl.Float32,
        "status": pl.String,
        "reason": pl.String,
        "model": pl.String,
    }
    batch_size = 2048

    def __init__(self, table: LanguageTable | None = None) -> None:
        self.identifier: str = (table or LanguageTable()).identifier

    @property
    def params(self) -> dict[str, Any]:
        """The identifier, its seed, and the rules."""
        return {
            "identifier": self.identifier,
            "seed": LANGDETECT_SEED,
            "languages": LANGUAGES,
            "min_quechua_share": MIN_QUECHUA_SHARE,
        }

    def load(self) -> Identify:
        """Load the identifier's model. Raises as `load_identifier`."""
        return load_identifier(self.identifier)

    def row(self, record: dict[str, Any]) -> dict[str, Any]:
        """Identify the language of one text; see `Stage.row`.

        Statuses: ``ok``; ``near_empty`` (a language is named, do not trust it); ``no_text``;
        ``undetermined`` (no letters a language could be told by).
        """
        text: str = record["text"] or ""
        made: dict[str, Any] = {"model": self.identifier}
        if not normalise(text):
            return made | {"status": "no_text", "reason": "no_text"}
        identify: Identify = self.loaded
        language, confidence = identify(text)
        if language is None:
            return made | {"status": "undetermined", "reason": "no_letters"}
        short = near_empty(text)
        return made | {
            "language": language,
            "language_confidence": round(confidence, 4),
            "status": "near_empty" if short else "ok",
            "reason": "few_words" if short else None,
        }
