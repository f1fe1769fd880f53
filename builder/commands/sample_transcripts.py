"""What `ecuador-crisis sample-transcripts` does and prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from builder.errors import UsageProblem
from builder.measure.wer import error_rates
from builder.media.downloads import find_media
from builder.review.sheet import read_rows
from builder.review.transcripts import draw_sample, write_review
from builder.run.ledger import latest_results

_SHOWN = ("text", "status", "language", "avg_logprob", "n_words")


def run_sample(
    work: Path | None,
    out: Path | None,
    score: Sequence[Path],
    *,
    videos_dir: Path | None = None,
    size: int = 50,
    seed: int = 0,
    replace: bool = False,
) -> list[str]:
    """Draw Whisper transcripts for people to check, or score checked ones.

    Args:
        work: the work folder whose transcripts are drawn.
        out: folder for the sheet; it is private, since it names the clips.
        score: sheets whose column `reference` was filled in; given, nothing is drawn.
        videos_dir: the downloads, to play each clip beside its text.
        size: clips wanted.
        seed: another seed draws another sample.
        replace: overwrite a sheet that is there.

    Returns:
        Lines to print.

    Raises:
        UsageProblem: neither or both were asked for, or nothing was transcribed yet.
        ReleaseConflict: there is a sheet, which may be filled.
    """
    if score:
        if out is not None:
            raise UsageProblem(
                "--out and --score exclude each other",
                way_out="write a sample first, score the filled sheet later",
            )
        return _scored(score)
    if work is None or out is None:
        raise UsageProblem(
            "nothing to do",
            way_out="ecuador-crisis sample-transcripts --work work --out DIR, later "
            "ecuador-crisis sample-transcripts --score DIR/transcript_review.csv",
        )
    transcripts = latest_results(work, "transcribe", _SHOWN)
    sample = draw_sample(transcripts, size, seed)
    if videos_dir is not None:
        clips = find_media(videos_dir).select("id", "path")
        sample = sample.join(clips, on="id", how="left", maintain_order="left")
    else:
        sample = sample.with_columns(path=None)
    sheet, page = write_review(sample, out, replace=replace)
    return [
        f"{sample.height:,} of {transcripts.height:,} transcripts (seed {seed}), private:",
        f"  {page} plays the clips; write what is said into `reference` of",
        f"  {sheet}, then: ecuador-crisis sample-transcripts --score {sheet}",
    ]


def _scored(sheets: Sequence[Path]) -> list[str]:
    predictions: list[str] = []
    references: list[str] = []
    for sheet in sheets:
        rows = read_rows(sheet)
        if not {"text", "reference"} <= set(rows[0]):
            raise UsageProblem(
                "the sheet lacks the columns text and reference",
                file=sheet,
                way_out="give the sheet that sample-transcripts wrote",
            )
        for row in rows:
            if (row["reference"] or "").strip():
                predictions.append(row["text"] or "")
                references.append(row["reference"] or "")
    if not references:
        raise UsageProblem(
            "no row has a reference yet",
            file=sheets[0],
            field="reference",
            way_out="write what is really said into the column `reference`",
        )
    wer, cer = error_rates(predictions, references)
    if wer is None or cer is None:
        raise UsageProblem(
            "no reference has a word, so there is no error rate",
            file=sheets[0],
            field="reference",
            way_out="score clips in which somebody speaks as well",
        )
    return [
        f"{len(references):,} clips checked: word error rate {wer:.3f}, "
        f"character error rate {cer:.3f} (pooled)"
    ]
