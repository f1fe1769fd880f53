"""Which hashtags may leave the house, and which campaign terms a video matches."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from builder.config.campaign import Campaign
from builder.release.scrub.names.known import known, known_persons
from builder.release.scrub.names.public import PublicPersons, own_words, surnames
from builder.release.scrub.names.tagger import shipped
from builder.release.scrub.scrubber import Scrubber
from builder.release.texts.residue import with_paths, with_raw_ids, with_words
from builder.release.texts.withhold import scrub_safely

# A bare word that is somebody's username is taken out of texts only when it cannot be an ordinary
# word: it holds a digit, an underscore or a dot, or is at least this long.
DISTINCTIVE_LETTERS = 15
# Before a name in a hashtag: "justiciapara<name>".
LED_BY = (
    "justicia justiciapara justiciapor justicapara todossomos somostodos todospor yosoy fuerza "
    "qepd descansaenpaz ayudapara buscamosa buscamos desaparecido desaparecida caso elcasode forca "
    "justicapor procurase"
).split()
# A hashtag names somebody when it holds a username of so many letters, or of so many signs with a
# figure among them.
HELD_LETTERS, HELD_SIGNS = 10, 8


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
        if len(name) >= 3
        and (not name.isalpha() or len(name) >= DISTINCTIVE_LETTERS)
        and not name.isdecimal()
    )


class TagNames:
    """Tells hashtags that are a private person's name run together ("justiciaparamariachango").

    A first name and a surname of the tagger's lists, one of them no common word; behind words such
    as "justiciapara" a first name alone. Public persons and known places are nobody's.

    Args:
        campaign: its public figures and persons.
    """

    def __init__(self, campaign: Campaign) -> None:
        tagger = shipped()
        self._first, self._last = tagger.lists.first, tagger.lists.last
        self._is_word = tagger.in_lexicon
        figures = campaign.figure_names
        self._public = PublicPersons(figures, [*known_persons(), *campaign.public_persons])
        # run together: whole, and as people say it ("Rafael Correa Delgado": rafaelcorrea)
        whole = [own_words(words) for words in self._public.phrases.all]
        said = [(words[0], last) for words in whole for last in surnames(words) if len(words) > 1]
        self._nobodys = frozenset("".join(words) for words in (*known().all, *whole, *said))

    def names_one(self, tag: str) -> bool:
        """Whether a tag names somebody; figures at its end do not count."""
        name = _squashed(tag).rstrip("0123456789")
        lead = max((lead for lead in LED_BY if name.startswith(lead)), key=len, default="")
        if self._is_name(name, led=False):
            return True
        return bool(lead) and self._is_name(name.removeprefix(lead), led=True)

    def _is_name(self, name: str, *, led: bool) -> bool:
        read = list(self._read(name)) if name.isalpha() and name not in self._nobodys else []
        if any(self._public.is_one(words) for words in read):
            return False
        return any(
            (led or len(words) > 1) and any(self._is_word(word) is None for word in words)
            for words in read
        )

    def _read(self, name: str) -> Iterator[tuple[str, ...]]:
        """A name as one or two first names and no to two surnames of four letters or more."""
        for cut in range(4, len(name) + 1):
            first, rest = name[:cut], name[cut:]
            if first not in self._first:
                continue
            if not rest or rest in self._last:
                yield (first, rest) if rest else (first,)
            for at in range(4, len(rest) - 3):
                one, two = rest[:at], rest[at:]
                if (one in self._first or one in self._last) and two in self._last:
                    yield first, one, two


def allowed_hashtags(
    parts: Iterable[Path],
    campaign: Campaign,
    personal: frozenset[str],
    scrubber: Scrubber,
    persons: TagNames | None = None,
) -> tuple[frozenset[str], dict[str, int]]:
    """Decide over the whole campaign which hashtags are released.

    Args:
        parts: ingest parts.
        campaign: its privacy settings and terms.
        personal: usernames that are nobody else's word (all but `shared_usernames`).
        scrubber: refuses tags that hold a phone number and the like.
        persons: tells tags that name a private person; None: they stay.

    Returns:
        The released tags, and how many distinct tags were folded out, by reason.
    """
    pairs = [_tags_of(part, "author").unique() for part in parts]
    if not pairs:
        return frozenset(), {}
    # One person's habit is no common word, however many videos it stands under.
    authors = pl.concat(pairs).unique().group_by("tag").len()
    frequent = authors.filter(
        (pl.col("len") >= campaign.privacy.min_hashtag_videos)
        | pl.col("tag").is_in(list(campaign.known_terms))
    )
    tags = frozenset(frequent["tag"].to_list())
    shared = pl.col("len") >= campaign.privacy.min_username_hashtag_authors
    everybodys = frozenset(authors.filter(shared)["tag"].to_list()) | campaign.known_terms
    named = (tags & personal) | naming(tags, personal, everybodys)
    people = frozenset(
        tag for tag in tags - named - everybodys if persons is not None and persons.names_one(tag)
    )
    kept = pl.Series("tag", sorted(tags - named - people), dtype=pl.String)
    scrubbed = scrub_safely(scrubber, kept)
    left = with_raw_ids(kept, None) | with_paths(kept)
    left |= with_words(kept, distinctive_usernames(personal, frozenset()))
    clean = kept.filter((scrubbed["kinds"].list.len() == 0) & ~scrubbed["failed"] & ~left).to_list()
    spelled = authors.filter(pl.col("tag").is_in(list(personal)))["tag"].to_list()
    named |= frozenset(spelled)  # a rare one is folded for what it says first
    folded = {
        "rare": authors.height - len(tags | named),
        "spells_a_username": len(named),
        "names_a_person": len(people),
        "holds_an_identifier": kept.len() - len(clean),
    }
    return frozenset(clean), {why: n for why, n in folded.items() if n}


def naming(
    tags: frozenset[str], personal: frozenset[str], everybodys: frozenset[str]
) -> frozenset[str]:
    """Tags that hold a username ("justiciapara<name>"), or are one without its figures.

    Separators and accents do not count. Names shorter than `HELD_LETTERS` stand in too many words;
    `everybodys` tags, what stands in one of them, and what is put together out of them
    ("noticiasecuador") name nobody.
    """
    common = frozenset(map(_squashed, everybodys))
    in_common = " ".join(sorted(common))
    short = {_squashed(name) for name in personal}
    names = short | {name.rstrip("0123456789") for name in short}
    held = []
    for tag in tags - everybodys:
        plain = _squashed(tag)
        parts = (
            plain[start:end]
            for start in range(len(plain) - HELD_SIGNS + 1)
            for end in range(start + HELD_SIGNS, len(plain) + 1)
        )
        if any(
            part in names
            and len(part) >= (HELD_LETTERS if part.isalpha() else HELD_SIGNS)
            and not part.isdecimal()
            and part not in in_common
            and not _is_made_of(part.rstrip("0123456789"), common)
            for part in parts
        ):
            held.append(tag)
    return frozenset(held)


def _is_made_of(name: str, words: frozenset[str]) -> bool:
    """Whether a name is nothing but some of `words` (of three letters or more) in a row."""
    reached = [True] + [False] * len(name)
    for end in range(3, len(name) + 1):
        reached[end] = any(reached[start] and name[start:end] in words for start in range(end - 2))
    return reached[-1]


def _squashed(name: str) -> str:
    return _bare(name).replace("_", "").replace(".", "")


def _tags_of(part: Path, column: str) -> pl.DataFrame:
    """One row for each (video, tag) of an ingest part: `tag` and another column.

    The column `author` is the username, or the video where the source names none.
    """
    if column == "author":
        frame = pl.read_parquet(part, columns=["id", "username", "hashtags"], glob=False)
        author = pl.coalesce("username", pl.col("id").cast(pl.String))
        frame = frame.select("hashtags", author=author)
    else:
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
