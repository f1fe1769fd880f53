"""Word and character error rate of transcripts, pooled and per clip, normalised for Spanish."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
import jiwer

_DESCRIPTION = """\
Word error rate (WER) and character error rate (CER) of transcripts against references, pooled over
all clips and for each clip. Both sides are normalised first: NFKC; stage directions in brackets
removed; lower case; separators of thousands removed; "%" written "por ciento"; other punctuation
(with the Spanish opening marks) removed. Accents, ñ and ü are kept: in Spanish they change the
word. Digits and number words stay different words.
"""

_CITATION = """\
@inproceedings{morris2004wer,
  title={From WER and RIL to MER and WIL: improved evaluation measures for connected speech
         recognition},
  author={Morris, Andrew Cameron and Maier, Viktoria and Green, Phil},
  booktitle={Interspeech},
  year={2004}
}
"""

_KWARGS_DESCRIPTION = """
Args:
    predictions: list of transcripts.
    references: list of what was said, one for each prediction; "" where nobody speaks.
    normalize: False compares the texts as they are.
Returns:
    wer: edits over words of all clips (None when no reference has a word). Words predicted for a
        clip with an empty reference are insertions.
    cer: the same over characters.
    wer_per_clip, cer_per_clip: for each clip; None where the reference is empty.
    n_words: words of the references.
    substitutions, deletions, insertions: edits of words.
    words_where_silent: words predicted for clips with an empty reference.
Examples:
    >>> metric = evaluate.load("cards/transcript_wer")
    >>> result = metric.compute(
    ...     predictions=["¡Hola, Quito!", "la ciudad esta tranquila"],
    ...     references=["hola quito", "La ciudad está tranquila."],
    ... )
    >>> round(result["wer"], 4)
    0.1667
    >>> result["wer_per_clip"]
    [0.0, 0.25]
"""

_BRACKETED = re.compile(r"\[[^\]]{0,60}\]|\([^)]{0,60}\)|♪+")
_THOUSANDS = re.compile(r"(?<=\d)\s(?=\d{3}(?!\d))")


def normalize(text: str) -> str:
    """Normalise a text as the module's description says.

    Args:
        text: any text.

    Returns:
        Words separated by single spaces.

    >>> normalize("¿El 15 % de 1.000 años? [Música]")
    'el 15 por ciento de 1000 años'
    """
    flat = _BRACKETED.sub(" ", unicodedata.normalize("NFKC", text)).lower()
    flat = flat.replace("%", " por ciento ")
    kept = [c if unicodedata.category(c)[0] in "LNM" else " " for c in flat]
    return _THOUSANDS.sub("", " ".join("".join(kept).split()))


def score(predictions: Sequence[str], references: Sequence[str]) -> dict[str, Any]:
    """WER and CER of texts taken as they are.

    Args:
        predictions: list of str.
        references: list of str, as many.

    Returns:
        dict with the keys of the module's documentation.

    Raises:
        ValueError: lists of different lengths, or empty ones.

    >>> score(["a b", "c"], ["a x", ""])["wer"]
    1.0
    """
    if len(predictions) != len(references) or not references:
        raise ValueError(
            f"{len(predictions)} predictions for {len(references)} references: "
            "give one prediction for every reference, and at least one"
        )
    counts = {"substitutions": 0, "deletions": 0, "insertions": 0}
    words = characters = character_edits = silent = 0
    wer_per_clip: list[float | None] = []
    cer_per_clip: list[float | None] = []
    for prediction, reference in zip(predictions, references, strict=True):
        if not reference.split():
            invented = len(prediction.split())
            silent += invented
            counts["insertions"] += invented
            character_edits += len(" ".join(prediction.split()))
            wer_per_clip.append(None)
            cer_per_clip.append(None)
            continue
        by_word = jiwer.process_words(reference, prediction)
        by_character = jiwer.process_characters(reference, prediction)
        for name in counts:
            counts[name] += getattr(by_word, name)
        words += len(reference.split())
        length = by_character.hits + by_character.substitutions + by_character.deletions
        wrong = by_character.substitutions + by_character.deletions + by_character.insertions
        characters += length
        character_edits += wrong
        wer_per_clip.append(by_word.wer)
        cer_per_clip.append(by_character.cer)
    return {
        "wer": sum(counts.values()) / words if words else None,
        "cer": character_edits / characters if characters else None,
        "wer_per_clip": wer_per_clip,
        "cer_per_clip": cer_per_clip,
        "n_words": words,
        "words_where_silent": silent,
        **counts,
    }


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _KWARGS_DESCRIPTION)
class TranscriptWer(evaluate.Metric):
    """WER and CER as an `evaluate` metric; the work is done by `score`."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_KWARGS_DESCRIPTION,
            features=datasets.Features(
                {
                    "predictions": datasets.Value("string"),
                    "references": datasets.Value("string"),
                }
            ),
            reference_urls=["https://github.com/jitsi/jiwer"],
        )

    def _compute(
        self, predictions: list[str], references: list[str], normalize: bool = True
    ) -> dict[str, Any]:
        clean = globals()["normalize"]
        if normalize:
            predictions = [clean(text) for text in predictions]
            references = [clean(text) for text in references]
        return score(predictions, references)
