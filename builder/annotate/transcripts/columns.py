"""`rules` over a whole column: the same answers, most of them without leaving polars."""

from __future__ import annotations

import polars as pl

from builder.annotate.transcripts.rules import DEFAULT_RULES, UNSPACED, WORD, words
from builder.annotate.transcripts.status import transcript_status
from builder.config.asr import TranscriptRules

# Where words are not what stands between spaces, only the rules themselves can tell a loop.
_ODD = rf"[\[(♪]|[{UNSPACED}]"
# A text of more words than this is no subtitle credit.
_SURELY_LONG = 30


def _surely_varied(rules: TranscriptRules) -> float:
    """Share of distinct words above which a text is no loop.

    r repetitions of a phrase over a share s of a text leave at most (1 - s) + s / r of it distinct.
    """
    repeats = min(rules.loop_repeats, rules.loop_word_repeats)
    return 1 - rules.loop_share + rules.loop_share / repeats


def judge(texts: pl.Series, rules: TranscriptRules = DEFAULT_RULES) -> pl.DataFrame:
    """Status, reason and word count of each text.

    Args:
        texts: String.
        rules: thresholds.

    Returns:
        Columns `text`, `status`, `reason` (String) and `n_words` (Int64), in the order of `texts`;
        null where the text is null. Equal to calling `transcript_status` and `words` on each.
    """
    distinct = pl.DataFrame({"text": texts.drop_nulls().unique(maintain_order=True)})
    found = pl.col("text").str.normalize("NFC").str.to_lowercase().str.extract_all(WORD)
    measured = distinct.with_columns(
        n_words=found.list.len().cast(pl.Int64),
        varied=found.list.n_unique() / found.list.len(),
        odd=pl.col("text").str.contains(_ODD),
    )
    long = pl.col("n_words") > max(_SURELY_LONG, rules.min_words)
    easy = ~pl.col("odd") & long & (pl.col("varied") > _surely_varied(rules))
    fast = measured.filter(easy).select(
        "text",
        pl.lit("ok").alias("status"),
        pl.lit(None, pl.String).alias("reason"),
        "n_words",
    )
    rows = [
        (text, *transcript_status(text, rules), len(words(text)))
        for text in measured.filter(~easy)["text"].to_list()
    ]
    slow = pl.DataFrame(rows, schema=fast.schema, orient="row")
    judged = pl.concat([fast, slow])
    return texts.alias("text").to_frame().join(judged, on="text", how="left", maintain_order="left")
