"""`rules` over a whole column: the same answers, most of them without leaving polars."""

from __future__ import annotations

import polars as pl

from builder.annotate.transcripts.rules import words
from builder.annotate.transcripts.status import transcript_status

# Scripts without spaces and stage directions need the word rule of `rules`.
_ODD = r"[\[(♪]|[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
_WORD = r"[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:['’\-][\p{L}\p{N}\p{M}]+)*"
# A text of more words than this is no subtitle credit, and one whose words are this varied is no
# loop: four repetitions over 60 % of a text leave at most 0.4 + 0.6 / 4 = 0.55 of it distinct.
_SURELY_LONG, _SURELY_VARIED = 30, 0.55


def judge(texts: pl.Series) -> pl.DataFrame:
    """Status, reason and word count of each text.

    Args:
        texts: String.

    Returns:
        Columns `text`, `status`, `reason` (String) and `n_words` (Int64), in the order of `texts`;
        null where the text is null. Equal to calling `transcript_status` and `words` on each.
    """
    distinct = pl.DataFrame({"text": texts.drop_nulls().unique(maintain_order=True)})
    found = pl.col("text").str.normalize("NFC").str.to_lowercase().str.extract_all(_WORD)
    measured = distinct.with_columns(
        n_words=found.list.len().cast(pl.Int64),
        varied=found.list.n_unique() / found.list.len(),
        odd=pl.col("text").str.contains(_ODD),
    )
    easy = ~pl.col("odd") & (pl.col("n_words") > _SURELY_LONG) & (pl.col("varied") > _SURELY_VARIED)
    fast = measured.filter(easy).select(
        "text",
        pl.lit("ok").alias("status"),
        pl.lit(None, pl.String).alias("reason"),
        "n_words",
    )
    rows = [
        (text, *transcript_status(text), len(words(text)))
        for text in measured.filter(~easy)["text"].to_list()
    ]
    slow = pl.DataFrame(rows, schema=fast.schema, orient="row")
    judged = pl.concat([fast, slow])
    return texts.alias("text").to_frame().join(judged, on="text", how="left", maintain_order="left")
