"""Presidio's analyzer around our recognisers.

Each works on the plain view made by `builder.release.scrub.fold`. None needs a language model, a
file or the network: Presidio's own URL and e-mail recognisers would fetch a suffix list, so ours
replace them, while its phone and IBAN recognisers serve inside ours.

Importing this module imports Presidio and spaCy (about a second); `scrub.scrubber` does so
only when a text first needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from presidio_analyzer import (
    AnalyzerEngine,
    EntityRecognizer,
    RecognizerRegistry,
    RecognizerResult,
)
from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts, NoOpNlpEngine

from builder.release.scrub.numbers import Found, find_numbers
from builder.release.scrub.recogniser import Context, Recogniser

LANGUAGE = "es"  # Presidio wants one; nothing here depends on it


class FunctionRecognizer(EntityRecognizer):  # type: ignore[misc, unused-ignore]
    """A recognizer around a finder, a function from a view to (kind, start, end) triples.

    Every finding scores 1: finders decide, they do not weigh.
    """

    def __init__(self, kinds: Sequence[str], find: Callable[[str], Iterable[Found]]) -> None:
        super().__init__(
            supported_entities=list(dict.fromkeys(kinds)),
            name=f"scrub {kinds[0]}",
            supported_language=LANGUAGE,
        )
        self._find = find

    def load(self) -> None:
        """Do nothing: there is no model to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Return one result per finding in the view `text`; the other arguments are not used."""
        metadata = {
            RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }
        return [
            RecognizerResult(kind, start, end, 1.0, None, metadata)
            for kind, start, end in self._find(text)
        ]


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
    recognisers: Sequence[Recogniser], context: Context
) -> Callable[[str], list[Found]]:
    """Build Presidio's engine with our recognisers only; return a view -> findings function."""
    # One recogniser for Presidio: it spends more on each than most of ours take.
    finders = [(r.kind, r.find) for r in recognisers if r.find is not None]
    numbers = [r for r in recognisers if r.is_number]

    def find(view: str) -> Iterator[Found]:
        for kind, finder in finders:
            for start, end in finder(view, context):
                yield kind, start, end
        if numbers:
            yield from find_numbers(view, numbers, context)

    built: list[EntityRecognizer] = [FunctionRecognizer([r.kind for r in recognisers], find)]
    # An engine without language processing; its one empty document is shared by every call.
    nlp = NoOpNlpEngine([{"lang_code": LANGUAGE, "model_name": "none"}])
    nlp.load()
    nothing = nlp.process_text("", LANGUAGE)
    engine = AnalyzerEngine(
        registry=RecognizerRegistry(recognizers=built, supported_languages=[LANGUAGE]),
        nlp_engine=nlp,
        supported_languages=[LANGUAGE],
        context_aware_enhancer=NoContext(),
    )

    def analyze(view: str) -> list[Found]:
        results: list[Any] = engine.analyze(view, LANGUAGE, nlp_artifacts=nothing)
        return [(result.entity_type, result.start, result.end) for result in results]

    return analyze
