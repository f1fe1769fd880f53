"""Which language Whisper writes: one for a video, another for a window that is sure of it.

Whisper names a language from half a minute of sound, and names strange ones for noisy or short
sound. So its probabilities are averaged over the first windows of a video, restricted to the
languages and weighted by the prior the profile gives; where that leaves doubt, the likeliest
languages are tried, and the text Whisper is surest of decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from builder.annotate.whisper.decoding import FRAMES_PER_SECOND, Decoded, Encoded

# Windows whose languages are averaged into the language of the video.
LANGUAGE_WINDOWS = 3
# A long window that is this sure to be in another language than its video keeps its own.
SWITCH_PROBABILITY, SWITCH_SECONDS = 0.95, 5.0
# Below this probability the likeliest languages are tried.
DOUBTFUL, TRIED = 0.5, 2


class Decoder(Protocol):
    """What is needed of an engine."""

    def decode_once(self, encoded: Sequence[Encoded], languages: Sequence[str]) -> list[Decoded]:
        """One pass over each window."""


@dataclass(frozen=True)
class LanguageChoice:
    """What may be chosen.

    Attributes:
        allowed: languages Whisper may choose from; empty is all it knows.
        weights: how much likelier than others a language is before anything was heard.
    """

    allowed: tuple[str, ...] = ()
    weights: dict[str, float] = field(default_factory=dict)

    def weighted(self, found: dict[str, float]) -> dict[str, float]:
        """Whisper's probabilities after restriction and prior; they sum to 1."""
        kept = {
            language: probability * self.weights.get(language, 1.0)
            for language, probability in found.items()
            if not self.allowed or language in self.allowed
        }
        total = sum(kept.values())
        return {k: p / total for k, p in kept.items()} if total else found

    def of_video(
        self, engine: Decoder, encoded: Sequence[Encoded], found: Sequence[dict[str, float]]
    ) -> tuple[str, float]:
        """The language of a video.

        Args:
            engine: tries languages where there is doubt.
            encoded: the first windows of the video.
            found: Whisper's probabilities for each.

        Returns:
            (language, probability Whisper gives it).
        """
        lengths = [_length(item) for item in encoded]
        raw = dict(_average(list(zip(lengths, found, strict=True))))
        weighted = [self.weighted(probabilities) for probabilities in found]
        ranked = [name for name, _ in _average(list(zip(lengths, weighted, strict=True)))]
        # Restriction and prior make the best of a bad lot look sure: doubt goes by what was heard.
        if raw[ranked[0]] >= DOUBTFUL:
            return ranked[0], raw[ranked[0]]

        def certainty(language: str) -> float:
            return engine.decode_once(encoded[:1], [language])[0].avg_logprob

        expected = [name for name in ranked[TRIED:] if self.weights.get(name, 1.0) > 1]
        best = max(ranked[:TRIED] + expected, key=certainty)
        return best, raw[best]

    def of_window(self, video: str | None, encoded: Encoded, found: dict[str, float]) -> str:
        """The language of one window, given that of its video."""
        weighted = self.weighted(found)
        own = max(weighted, key=lambda k: (weighted[k], k))
        sure = weighted[own] >= SWITCH_PROBABILITY
        if video is None or (sure and _length(encoded) >= SWITCH_SECONDS):
            return own
        return video


def _length(encoded: Encoded) -> float:
    return int(encoded.features.shape[1]) / FRAMES_PER_SECOND


def _average(found: list[tuple[float, dict[str, float]]]) -> list[tuple[str, float]]:
    """Languages with their probability averaged over windows by length, likeliest first."""
    total = sum(weight for weight, _ in found)
    mean: dict[str, float] = {}
    for weight, probabilities in found:
        for language, probability in probabilities.items():
            mean[language] = mean.get(language, 0.0) + weight / total * probability
    return sorted(mean.items(), key=lambda item: (-item[1], item[0]))
