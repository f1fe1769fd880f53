"""Presidio recognizers for identifiers met in Ecuadorian text, and the engine that runs them.

Each recognizer works on the plain view made by `builder.release.scrub.fold`. None needs a language
model, a file or the network: Presidio's own URL and e-mail recognizers would fetch a suffix list,
so ours replace them, while its phone and IBAN recognizers serve.

Importing this module imports Presidio and spaCy (about a second); `scrub.scrubber` does so
only when a text first needs it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Set
from functools import partial
from typing import Any, ClassVar

from presidio_analyzer import (
    AnalyzerEngine,
    EntityRecognizer,
    RecognizerRegistry,
    RecognizerResult,
)
from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts, NoOpNlpEngine
from presidio_analyzer.predefined_recognizers import IbanRecognizer, PhoneRecognizer

from builder.release.scrub.numerals import find_numbers, is_weak_phone
from builder.release.scrub.written import (
    AT_HINT,
    DOT_HINT,
    IBAN_HINT,
    PLATE_HINT,
    Found,
    find_emails,
    find_handles,
    find_plates,
    find_urls,
    find_usernames,
)

LANGUAGE = "es"
_IBAN_START = re.compile(IBAN_HINT)
# Figures close to each other, seven at least (SEVEN_FIGURES), and room for an extension.
_WINDOW = re.compile(r"(?:\+\s?)?\(?[0-9](?:[^0-9]{0,5}[0-9]){6,}[^0-9]{0,12}[0-9]{0,6}")


class FunctionRecognizer(EntityRecognizer):  # type: ignore[misc, unused-ignore]
    """A recognizer around a finder, a function from a view to (kind, start, end) triples.

    `needs` is a cheap test: where it is false the finder is not asked. Every finding scores 1:
    finders decide, they do not weigh.
    """

    def __init__(
        self,
        kinds: list[str],
        find: Callable[[str], Iterable[Found]],
        needs: Callable[[str], object] = bool,
    ) -> None:
        super().__init__(
            supported_entities=kinds, name=f"Ecuador {kinds[0]}", supported_language=LANGUAGE
        )
        self._find = find
        self._needs = needs

    def load(self) -> None:
        """Do nothing: there is no model to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Return one result per finding in the view `text`; the other arguments are not used."""
        if not self._needs(text):
            return []
        metadata = {
            RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }
        return [
            RecognizerResult(kind, start, end, 1.0, None, metadata)
            for kind, start, end in self._find(text)
        ]


class RegionPhoneRecognizer(PhoneRecognizer):  # type: ignore[misc, unused-ignore]
    """Presidio's libphonenumber recognizer, less the bare counts it takes for national numbers.

    "53.617.894" is a valid landline to libphonenumber; see `identifiers.is_weak_phone`.
    """

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Return libphonenumber's matches that look like a phone in their sentence."""
        kept = []
        for window in _WINDOW.finditer(text):  # libphonenumber is slow, and most text has no number
            offset = max(0, window.start() - 2)  # it looks at what stands before a number
            for result in super().analyze(text[offset : window.end()], entities, nlp_artifacts):
                result.start += offset
                result.end += offset
                if not is_weak_phone(text, result.start, result.end):
                    kept.append(result)
        return kept


class UpperIbanRecognizer(IbanRecognizer):  # type: ignore[misc, unused-ignore]
    """Presidio's IBAN recognizer, reading small letters as capitals."""

    _UPPER: ClassVar[dict[int, str]] = {
        ord(char): char.upper() for char in "abcdefghijklmnopqrstuvwxyz"
    }

    def analyze(
        self,
        text: str,
        entities: list[str],
        nlp_artifacts: NlpArtifacts | None = None,
        regex_flags: int | None = None,
    ) -> list[RecognizerResult]:
        """Return the IBANs (ISO 13616, modulo 97) of `text`, in either case."""
        if not _IBAN_START.search(text):
            return []
        found: list[RecognizerResult] = super().analyze(text.translate(self._UPPER), entities)
        return found


class NoContext(ContextAwareEnhancer):  # type: ignore[misc, unused-ignore]
    """A context enhancer that does nothing: our finders read the words around by themselves."""

    def __init__(self) -> None:
        super().__init__(0.0, 0.0, 0, 0)

    def enhance_using_context(
        self,
        text: str,
        raw_results: list[RecognizerResult],
        nlp_artifacts: NlpArtifacts,
        recognizers: list[EntityRecognizer],
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        """Return `raw_results` as they are (the default would copy each of them deeply)."""
        return raw_results


def build_analyzer(
    allowed_handles: Set[str], usernames: Set[str], region: str
) -> Callable[[str], list[Found]]:
    """Build Presidio's engine with our recognizers only; return a view -> findings function.

    `allowed_handles` and `usernames` are lower-case names without @; `region` is the ISO 3166
    country libphonenumber assumes for national numbers.
    """
    has_at, has_dot = re.compile(AT_HINT).search, re.compile(DOT_HINT).search
    recognizers: list[EntityRecognizer] = [
        FunctionRecognizer(["email"], find_emails, has_at),
        FunctionRecognizer(["url"], find_urls, has_dot),
        FunctionRecognizer(["handle"], partial(find_handles, allowed=allowed_handles), has_at),
        FunctionRecognizer(["phone", "cedula", "ruc", "card", "id"], find_numbers),
        FunctionRecognizer(["plate"], find_plates, re.compile(PLATE_HINT).search),
        RegionPhoneRecognizer(
            supported_language=LANGUAGE, supported_entity="phone", supported_regions=(region,)
        ),
        UpperIbanRecognizer(supported_language=LANGUAGE, supported_entity="iban"),
    ]
    if usernames:
        find = partial(find_usernames, usernames=usernames)
        recognizers.append(FunctionRecognizer(["username"], find))
    # An engine without language processing; its one empty document is shared by every call.
    nlp = NoOpNlpEngine([{"lang_code": LANGUAGE, "model_name": "none"}])
    nlp.load()
    nothing = nlp.process_text("", LANGUAGE)
    engine = AnalyzerEngine(
        registry=RecognizerRegistry(recognizers=recognizers, supported_languages=[LANGUAGE]),
        nlp_engine=nlp,
        supported_languages=[LANGUAGE],
        context_aware_enhancer=NoContext(),
    )

    def analyze(view: str) -> list[Found]:
        results: list[Any] = engine.analyze(view, LANGUAGE, nlp_artifacts=nothing)
        return [(result.entity_type, result.start, result.end) for result in results]

    return analyze
