"""Turns texts, and (premise, hypothesis) pairs, into the token ids a checkpoint was trained on.

Premises and hypotheses are tokenised apart, each distinct text once, and joined by hand with the
special tokens of the tokenizer's own post-processor. In zero-shot classification every premise
meets several hypotheses, so this saves most of the tokenisation; the ids equal those of
``tokenizer(premise, hypothesis, truncation="only_first")`` of transformers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from builder.annotate.nli.problems import ModelProblem

# A premise cut shorter than this no longer says anything: such a pair is refused.
MIN_PREMISE_TOKENS = 8


class Encoded(NamedTuple):
    """One pair as the model reads it: token ids, and segment ids (None where it has none)."""

    ids: list[int]
    type_ids: list[int] | None


class HypothesisTooLong(ModelProblem):
    """A hypothesis leaves no room for its premise in the model's window."""


@dataclass(frozen=True)
class _Part:
    ids: list[int]
    types: list[int]


class Tokens:
    """Counts and cuts texts into the tokens of one checkpoint, special tokens left out.

    Args:
        folder: holds `tokenizer.json`.
        window: the most tokens the model reads, special tokens included.

    Raises:
        ModelProblem: the tokenizer cannot be read.
    """

    def __init__(self, folder: Path, window: int) -> None:
        from tokenizers import Tokenizer

        try:
            self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:
            raise ModelProblem(
                "tokenizer.json is missing or unreadable", file=folder, way_out="convert it again"
            ) from error
        # Saved settings of either kind would silently change the ids.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.window = window

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text without special tokens."""
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [encoding.ids for encoding in encodings]

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Characters [start, end) of each token of a text."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).offsets)

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without special tokens."""
        return [len(ids) for ids in self.tokenize(texts)]

    def _probe(self, folder: Path) -> str:
        """A text that is not empty to this tokenizer: what is put around it can be seen."""
        probe = next(
            (text for text in ("a", "1", "la", ".", "hola") if self.tokenize([text])[0]), None
        )
        if probe is None:
            raise ModelProblem("the tokenizer encodes nothing", file=folder / "tokenizer.json")
        return probe


class TextEncoder(Tokens):
    """Tokenises single texts for one checkpoint; arguments and errors as `Tokens`.

    Raises:
        ModelProblem: also where no token is put before a text.
    """

    def __init__(self, folder: Path, *, window: int) -> None:
        super().__init__(folder, window)
        probe = self._probe(folder)
        inner, whole = self.tokenize([probe])[0], self._tokenizer.encode(probe).ids
        start = next((i for i in range(len(whole)) if whole[i : i + len(inner)] == inner), 0)
        if not start:
            raise ModelProblem(
                "the tokenizer puts no token before a text, and the head reads that one",
                file=folder / "tokenizer.json",
                way_out="use the tokenizer.json of the fine-tuned checkpoint, with its "
                "post-processor",
            )
        self._before, self._after = whole[:start], whole[start + len(inner) :]
        self.room = window - len(self._before) - len(self._after)
        """Tokens of a text, special tokens taken off."""

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Encode texts; one that does not fit is cut at its end."""
        return [
            Encoded([*self._before, *ids[: self.room], *self._after], None)
            for ids in self.tokenize(texts)
        ]


class PairEncoder(Tokens):
    """Tokenises pairs for one checkpoint.

    Args:
        folder: holds `tokenizer.json`.
        window: the most tokens the model reads, special tokens included.
        segments: whether the model tells premise and hypothesis apart by segment ids (BERT).

    Raises:
        ModelProblem: the tokenizer cannot be read, or does not encode pairs.
    """

    def __init__(self, folder: Path, *, window: int, segments: bool) -> None:
        super().__init__(folder, window)
        self.segments = segments
        self._before, self._between, self._after = self._template(folder)
        self._premise_type, self._hypothesis_type = self._types
        special = sum(len(part.ids) for part in (self._before, self._between, self._after))
        self.room = window - special
        """Tokens that premise and hypothesis share, special tokens taken off."""

    def encode(self, pairs: Iterable[tuple[str, str]]) -> list[Encoded]:
        """Encode pairs; a premise that does not fit is cut at its end, a hypothesis never.

        Args:
            pairs: (premise, hypothesis).

        Raises:
            HypothesisTooLong: a hypothesis leaves its premise fewer than 8 tokens.
        """
        pairs = list(pairs)
        texts = list(dict.fromkeys(text for pair in pairs for text in pair))
        tokens = dict(zip(texts, self.tokenize(texts), strict=True))
        return [self._join(tokens[premise], tokens[hypothesis]) for premise, hypothesis in pairs]

    def _join(self, premise: list[int], hypothesis: list[int]) -> Encoded:
        left = self.room - len(hypothesis)
        if left < min(len(premise), MIN_PREMISE_TOKENS):
            raise HypothesisTooLong(
                f"a hypothesis of {len(hypothesis)} tokens leaves no room for its premise in the "
                f"model's window of {self.window}",
                way_out="score the hypothesis sentence by sentence",
            )
        premise = premise[:left]
        before, between, after = self._before, self._between, self._after
        ids = [*before.ids, *premise, *between.ids, *hypothesis, *after.ids]
        if not self.segments:
            return Encoded(ids, None)
        types = [
            *before.types,
            *[self._premise_type] * len(premise),
            *between.types,
            *[self._hypothesis_type] * len(hypothesis),
            *after.types,
        ]
        return Encoded(ids, types)

    def _template(self, folder: Path) -> tuple[_Part, _Part, _Part]:
        """What the post-processor puts before, between and after, found by encoding a probe."""
        probe = self._probe(folder)
        inner = self.tokenize([probe])[0]
        pair = self._tokenizer.encode(probe, probe)
        sequences = pair.sequence_ids
        first = [index for index, value in enumerate(sequences) if value == 0]
        second = [index for index, value in enumerate(sequences) if value == 1]
        if [pair.ids[i] for i in first] != inner or [pair.ids[i] for i in second] != inner:
            raise ModelProblem(
                "the tokenizer does not encode sentence pairs",
                file=folder / "tokenizer.json",
                way_out="use the tokenizer of a sequence-pair (NLI) model",
            )
        self._types = pair.type_ids[first[0]], pair.type_ids[second[0]]
        cuts = (0, first[0], first[-1] + 1, second[0], second[-1] + 1, len(pair.ids))
        return (
            _Part(pair.ids[: cuts[1]], pair.type_ids[: cuts[1]]),
            _Part(pair.ids[cuts[2] : cuts[3]], pair.type_ids[cuts[2] : cuts[3]]),
            _Part(pair.ids[cuts[4] :], pair.type_ids[cuts[4] :]),
        )
