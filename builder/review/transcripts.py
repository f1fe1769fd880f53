"""Draws transcripts for people to check, and writes the sheet they check them on.

The sample is seeded and stratified (by default by status and language), so that rare strata, such
as near-empty or Portuguese transcripts, are seen at all. The sheet is a CSV to fill in, and an
HTML page that plays each clip beside its text. Both are private: they name the files.
"""

from __future__ import annotations

import csv
import hashlib
import html
import io
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import polars as pl

from builder.errors import UsageProblem
from builder.review.sheet import refuse_filled, tame
from builder.review.strata import allocate, largest
from builder.run.store import write_atomic

CSV_NAME, HTML_NAME = "transcript_review.csv", "transcript_review.html"
STRATA = ("status", "language")
# Columns the reviewer fills in; `reference` is what `cards/transcript_wer` scores against.
TO_FILL = ("reference", "language_right", "verdict", "remarks")
_SHOWN = ("n", "stratum", "status", "language", "avg_logprob", "n_words", "clip", "text")


def draw_sample(
    transcripts: pl.DataFrame, size: int, seed: int = 0, strata: Sequence[str] = STRATA
) -> pl.DataFrame:
    """Draw a stratified sample.

    Every stratum gets one clip, the largest first; what is left of `size` is shared out in
    proportion (largest remainder). Which clips are drawn depends on `seed` and the ids alone, so
    the order of the rows does not matter.

    Args:
        transcripts: `id` and the `strata` columns (and whatever else is to be kept).
        size: clips wanted; all are taken when there are fewer.
        seed: another seed draws another sample.
        strata: columns whose combinations are the strata; null is a value too.

    Returns:
        The drawn rows with `stratum` ("ok/es"), sorted by stratum and draw.

    Raises:
        UsageProblem: `size` is not positive, or a column is missing.
    """
    missing = [name for name in ("id", *strata) if name not in transcripts.columns]
    if size < 1 or missing:
        raise UsageProblem(
            f"the transcripts have no column {', '.join(missing)}"
            if missing
            else "the sample must hold at least one clip",
            field="strata" if missing else "size",
            way_out="run the transcribe and language stages first"
            if missing
            else "give a positive number",
        )
    named = transcripts.with_columns(
        pl.concat_str(
            [pl.col(name).cast(pl.String).fill_null("none") for name in strata], separator="/"
        ).alias("stratum"),
        pl.col("id").map_elements(lambda i: _draw(seed, i), return_dtype=pl.String).alias("_draw"),
    )
    counts = {str(k): int(n) for k, n in named.group_by("stratum").len().iter_rows()}
    shares = allocate(largest(counts, size), size, least=1)
    drawn = [
        named.filter(pl.col("stratum") == stratum).sort("_draw").head(n)
        for stratum, n in sorted(shares.items())
        if n
    ]
    return pl.concat(drawn).drop("_draw") if drawn else named.drop("_draw")


def _draw(seed: int, video_id: int) -> str:
    return hashlib.blake2b(f"{seed}:{video_id}".encode(), digest_size=12).hexdigest()


def write_review(sample: pl.DataFrame, out: Path, *, replace: bool = False) -> tuple[Path, Path]:
    """Write the review sheet.

    Args:
        sample: from `draw_sample`, with `text` and `path` (of the clip; null: no clip to play).
        out: folder, made if missing.
        replace: overwrite a sheet that is there; it may hold people's work.

    Returns:
        (CSV, HTML) paths, both written with mode 0600.

    Raises:
        UsageProblem: `sample` has no `text` or no `path`.
        ReleaseConflict: there is a sheet.
        DiskFull: no space left.
    """
    csv_path, html_path = out / CSV_NAME, out / HTML_NAME
    refuse_filled([csv_path, html_path], replace=replace)
    missing = {"text", "path", "stratum"} - set(sample.columns)
    if missing:
        raise UsageProblem(
            f"the sample has no column {', '.join(sorted(missing))}",
            way_out="join the probe stage's input (find_media) to the transcripts",
        )
    rows = [
        {"n": n, "clip": row["path"], **{k: row.get(k) for k in _SHOWN if k not in ("n", "clip")}}
        for n, row in enumerate(sample.to_dicts(), start=1)
    ]
    write_atomic(csv_path, _csv(rows).encode("utf-8-sig"), mode=0o600)
    write_atomic(html_path, _html(rows).encode(), mode=0o600)
    return csv_path, html_path


def _csv(rows: list[dict[str, object]]) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, [*_SHOWN, *TO_FILL], lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: tame(value) for key, value in row.items()})
    return buffer.getvalue()


def _html(rows: list[dict[str, object]]) -> str:
    return _PAGE.replace("@@ROWS@@", "\n".join(_article(row) for row in rows)).replace(
        "@@COUNT@@", str(len(rows))
    )


def _article(row: dict[str, object]) -> str:
    def shown(key: str) -> str:
        value = row.get(key)
        return html.escape("–" if value is None else str(value))

    clip = row["clip"]
    player = (
        f'<video controls preload="none" src="{html.escape(_link(str(clip)))}"></video>'
        if clip
        else "<p>no clip</p>"
    )
    return (
        f'<article id="clip-{shown("n")}"><h2>{shown("n")}. {shown("stratum")}</h2>'
        f"<div>{player}<div><p class=text>{shown('text')}</p>"
        f"<p class=facts>words {shown('n_words')} · log-probability {shown('avg_logprob')}</p>"
        "</div></div></article>"
    )


def _link(path: str) -> str:
    return Path(path).as_uri() if Path(path).is_absolute() else quote(path)


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Transcript review</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
article { border-top: 1px solid #8884; padding: 1rem 0 }
article > div { display: flex; gap: 1.5rem; align-items: flex-start; flex-wrap: wrap }
video { width: 220px; max-height: 390px; background: #000 }
article div div { flex: 1 1 20rem }
h2 { font-size: 1rem; margin: 0 0 .5rem }
.text { white-space: pre-wrap; margin-top: 0 }
.facts { color: #767676; font-size: .85rem }
</style>
</head>
<body>
<h1>Transcript review</h1>
<p>@@COUNT@@ clips. Listen, and write what is really said into the column <b>reference</b> of
<b>transcript_review.csv</b>; then score with <code>cards/transcript_wer</code>. This page and the
sheet name private files: do not publish them.</p>
@@ROWS@@
</body>
</html>
"""
