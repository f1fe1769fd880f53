"""Which hashtags may leave the house, and which campaign terms a video matches."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from builder.config.campaign import Campaign
from builder.release.scrub.scrubber import Scrubber
from builder.release.texts.residue import with_paths, with_raw_ids, with_words
from builder.release.texts.withhold import scrub_safely

# A bare word that is somebody's username is taken out of texts only when it cannot be an ordinary
# word: it holds a digit, an underscore or a dot, or is at least this long.
DISTINCTIVE_LETTERS = 15


def normalised(tags: pl.Expr) -> pl.Expr:
    """Hashtag lists as released: NFC, lower case, no leading #, each tag once, in order."""
    clean = pl.element().str.normalize("NFC").str.strip_chars(" \t\n#＃").str.to_lowercase()
    return tags.list.eval(clean.filter(clean != "")).list.unique(maintain_order=True)


def known_usernames(parts: Iterable[Path]) -> frozenset[str]:
    """Every author of the campaign, lower case; also without dots, which a hashtag cannot hold."""
    names: set[str] = set()
    for part in parts:
        column = pl.read_parquet(part, columns=["username"], glob=False)["username"]
        names.update(column.drop_nulls().unique().str.to_lowercase().to_list())
    names |= {name.replace(".", "") for name in names if "." in name}
    return frozenset(names)


def shared_usernames(
    parts: Iterable[Path], campaign: Campaign, usernames: frozenset[str]
) -> frozenset[str]:
    """Usernames that are everybody's words: campaign terms, and hashtags many authors use.

    Args:
        parts: ingest parts.
        campaign: its terms and `min_username_hashtag_authors`.
        usernames: `known_usernames`.
    """
    names = pl.DataFrame({"tag": sorted(usernames)}, schema={"tag": pl.String})
    uses = pl.DataFrame(schema={"tag": pl.String, "username": pl.String})
    for part in parts:
        mine = _tags_of(part, "username").join(names, on="tag", how="semi")
        uses = pl.concat([uses, mine.select("tag", "username")]).unique()
    authors = uses.group_by("tag").len()
    common = authors.filter(pl.col("len") >= campaign.privacy.min_username_hashtag_authors)
    return frozenset(common["tag"].to_list()) | (campaign.known_terms & usernames)


def distinctive_usernames(usernames: frozenset[str], shared: frozenset[str]) -> frozenset[str]:
    """Usernames that are scrubbed from texts also without an @ (see DISTINCTIVE_LETTERS)."""
    return frozenset(
        name
        for name in usernames - shared
        if len(name) >= 4
        and (not name.isalpha() or len(name) >= DISTINCTIVE_LETTERS)
        and not name.isdecimal()
    )


def allowed_hashtags(
    parts: Iterable[Path], campaign: Campaign, personal: frozenset[str], scrubber: Scrubber
) -> tuple[frozenset[str], dict[str, int]]:
    """Decide over the whole campaign which hashtags are released.

    Args:
        parts: ingest parts.
        campaign: its privacy settings and terms.
        personal: usernames that are nobody else's word (all but `shared_usernames`).
        scrubber: refuses tags that hold a phone number and the like.

    Returns:
        The released tags, and how many distinct tags were folded out, by reason.
    """
    counted = [_tags_of(part, "id").group_by("tag").len() for part in parts]
    if not counted:
        return frozenset(), {}
    videos = pl.concat(counted).group_by("tag").agg(pl.col("len").sum())
    frequent = videos.filter(
        (pl.col("len") >= campaign.privacy.min_hashtag_videos)
        | pl.col("tag").is_in(list(campaign.known_terms))
    )
    tags = frozenset(frequent["tag"].to_list())
    kept = pl.Series("tag", sorted(tags - personal), dtype=pl.String)
    scrubbed = scrub_safely(scrubber, kept)
    left = with_raw_ids(kept, None) | with_paths(kept)
    left |= with_words(kept, distinctive_usernames(personal, frozenset()))
    clean = kept.filter((scrubbed["kinds"].list.len() == 0) & ~scrubbed["failed"] & ~left).to_list()
    folded = {
        "rare": videos.height - frequent.height,
        "spells_a_username": len(tags & personal),
        "holds_an_identifier": kept.len() - len(clean),
    }
    return frozenset(clean), {why: n for why, n in folded.items() if n}


def _tags_of(part: Path, column: str) -> pl.DataFrame:
    """One row for each (video, tag) of an ingest part: `tag` and another column."""
    frame = pl.read_parquet(part, columns=[column, "hashtags"], glob=False)
    tags = frame.with_columns(tag=normalised(pl.col("hashtags"))).explode("tag")
    return tags.select("tag", column).drop_nulls("tag")


def without_accents(text: pl.Expr) -> pl.Expr:
    """Lower case without diacritics, so that "Macías" matches "macias"."""
    return text.str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.to_lowercase()


def matched_terms(frame: pl.DataFrame, campaign: Campaign) -> pl.Series:
    """Campaign terms found as a hashtag or as whole words of the caption.

    Args:
        frame: columns `description` (String) and `hashtags` (List(String)).
        campaign: its keywords.

    Returns:
        List(String), terms in the campaign's order; null where the source has no hashtags.
    """
    tags = frame.select(tag=normalised(pl.col("hashtags")))["tag"]
    caption = frame.select(without_accents(pl.col("description").fill_null("")))["description"]
    hits = {}
    for keyword in campaign.keywords:
        term = keyword.term.casefold()
        words = r"\s+".join(pl.escape_regex(word) for word in _bare(term).split())
        found = caption.str.contains(rf"(?:^|[^\p{{L}}\p{{N}}_]){words}(?:$|[^\p{{L}}\p{{N}}_])")
        hits[term] = found | tags.list.contains(term).fill_null(False)
    table = pl.DataFrame(hits).with_columns(known=tags.is_not_null())
    names = [pl.when(pl.col(term)).then(pl.lit(term)) for term in hits]
    lists = pl.concat_list(names).list.drop_nulls()
    return table.select(matched_terms=pl.when(pl.col("known")).then(lists))["matched_terms"]


def _bare(text: str) -> str:
    """`without_accents` for one string."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain if not unicodedata.category(c).startswith("M")).lower()
