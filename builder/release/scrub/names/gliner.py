"""Presidio's GLiNER recogniser as a second opinion on names (profiles with a Hub at hand).

What it finds is added to what our tagger finds, and passes the same lists of public persons and
places. It needs the optional extra `names` (GLiNER, torch) and its weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from typing import Any

from builder.config.profile import NamesTable
from builder.errors import BuilderError
from builder.release.scrub.names.find import Name, NameFinder

LABELS = {"person": "PERSON", "name": "PERSON"}


class NamesUnavailable(BuilderError):
    """The profile's finder of names cannot be loaded."""


def load_recognizer(names: NamesTable) -> Any:
    """Presidio's recogniser, loaded.

    Raises:
        NamesUnavailable: not installed, or no weights.
    """
    way_out = (
        "install the extra (pip install 'ecuador-crisis-tiktok[names]') and fetch the model once, "
        'or set [names] method = "tagger" in the profile'
    )
    try:
        import gliner  # noqa: F401  Presidio imports it late, with another error
        from presidio_analyzer.predefined_recognizers import GLiNERRecognizer
    except ImportError as error:
        raise NamesUnavailable(
            "the profile looks for names with GLiNER, which is not installed",
            field="names.method",
            way_out=way_out,
        ) from error
    try:
        recognizer = GLiNERRecognizer(
            model_name=names.model,
            entity_mapping=LABELS,
            supported_language="es",
            flat_ner=True,
            multi_label=False,
            threshold=names.threshold,
            map_location="cpu",
            **({"revision": names.revision} if names.revision else {}),
        )
        recognizer.load()
    except Exception as error:
        raise NamesUnavailable(
            f"the model {names.model} could not be loaded ({type(error).__name__})",
            field="names.model",
            way_out=way_out,
        ) from error
    return recognizer


class GlinerFinder:
    """Names that GLiNER or our tagger find.

    Args:
        names: the profile's table.
        ours: the tagger, with the lists of the campaign.
        load: makes the recogniser; another one in tests.
    """

    def __init__(
        self,
        names: NamesTable,
        ours: NameFinder,
        load: Callable[[NamesTable], Any] = load_recognizer,
    ) -> None:
        self._ours, self._recognizer = ours, load(names)

    def find(self, text: str, also: Set[str] = frozenset()) -> list[Name]:
        """Names of private persons, from left to right."""
        results = self._recognizer.analyze(text, ["PERSON"])
        spans = [(result.start, result.end) for result in results]
        return self._ours.find(text, also, spans)

    def find_all(
        self, texts: Sequence[str], also: Sequence[Set[str]] | None = None
    ) -> list[list[Name]]:
        """`find` for each of many texts."""
        return [self.find(text, also[at] if also else frozenset()) for at, text in enumerate(texts)]
