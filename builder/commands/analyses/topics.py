"""What `ecuador-crisis topics` does and prints."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from builder.analyze.figures.make import paper_of
from builder.analyze.figures.material import Material
from builder.analyze.figures.paper import sheet
from builder.analyze.figures.theme import PHONE, WIDE
from builder.analyze.figures.words import Language
from builder.analyze.topics.draw import Named, figure_of, page_of
from builder.analyze.topics.embedding import Embed
from builder.analyze.topics.labels import FILE, match, read_labels, write_labels
from builder.analyze.topics.model import TOPICS, Method, find_topics
from builder.analyze.topics.texts import Texts
from builder.commands.figures import check_out
from builder.errors import UsageProblem
from builder.release.scrub.scrubber import Scrubber
from builder.review.sheet import tame
from builder.run.cache import cache_folder
from builder.run.store import Store, write_atomic, write_frame
from builder.validate.release import Release
from builder.validate.whole import asked_campaign

PAGE = "topics.html"


def run_topics(
    release: Path,
    out: Path,
    *,
    labels: Path | None = None,
    topics: int = TOPICS,
    method: Method = "keynmf",
    language: Language = "en",
    campaign: str | None = None,
    cache: Path | None = None,
    stage: Embed | None = None,
) -> list[str]:
    """Find and write the topics of a release.

    Args:
        release: the release folder.
        out: folder to write; its other files stay.
        labels: the person's file; None: that of an earlier run in `out`, if there is one.
        topics: how many at most.
        method: `keynmf` or `clusters`.
        language: of the page and the picture.
        campaign: campaign name or folder; None takes the one the manifest names.
        cache: folder that keeps the embeddings; None: in the model cache.
        stage: makes the embeddings, for tests.

    Returns:
        Lines to print.

    Raises:
        UsageProblem: not a release, `out` lies in it or is a file, or the labels cannot be read.
        StageFailed: a package of the extra `topics` is missing.
    """
    opened = Release(release)
    check_out(release, out)
    given = labels or out / FILE
    known = read_labels(given) if labels or given.is_file() else []
    chosen = asked_campaign(campaign, opened.manifest.campaign)
    scrubber = Scrubber.of(chosen) if chosen else Scrubber()
    material = Material.of(opened, chosen, language=language)
    texts = Texts.of(opened, chosen.languages if chosen else ())
    store = Store(cache or cache_folder() / "topics")
    if store.work.resolve().is_relative_to(release.resolve()):
        raise UsageProblem(
            "--cache lies inside the release", file=store.work, way_out="give another folder"
        )
    with store.lock():
        found = find_topics(texts, scrubber, store, topics=topics, method=method, stage=stage)
    named = Named(material, found, match(found.words, known))
    figure, paper = figure_of(named), paper_of(material)
    wide, narrow = sheet(figure, WIDE, paper), sheet(figure, PHONE, paper)
    for name, one in (("topics", wide), ("topics-phone", narrow)):
        write_atomic(out / f"{name}.png", one.png())
        write_atomic(out / f"{name}-dark.png", one.png(dark=True))
        write_atomic(out / f"{name}.svg", one.svg())
    table = pl.DataFrame(
        {
            "topic": range(len(found.words)),
            "label": [tame(named.label(topic)) for topic in range(len(found.words))],
            "size": found.sizes,
            "words": [tame(" ".join(words)) for words in found.shown],
        },
        schema={"topic": pl.Int64, "label": pl.String, "size": pl.Int64, "words": pl.String},
    )
    write_atomic(out / "topics.csv", table.write_csv().encode())
    write_atomic(out / "topics_over_time.csv", figure.data.write_csv().encode())
    write_frame(out / "assignments.parquet", found.assigned.select("video_id", "topic", "weight"))
    write_atomic(out / PAGE, page_of(named, figure, wide.svg(), narrow.svg()))
    if found.words or named.matched.gone or not known:
        write_atomic(out / FILE, write_labels(named.matched.file))
    return _lines(named, out)


def _lines(named: Named, out: Path) -> list[str]:
    material, found, matched = named.material, named.topics, named.matched
    kind = " (SYNTHETIC)" if material.synthetic else ""
    about = f"{material.name} {material.version}{kind}"
    if not found.words:
        return [f"No topics of {about}: {named.empty}", f"Open {out / PAGE}"]
    labelled = sum(1 for label in matched.labels if label)
    lines = [
        f"{len(found.words)} topics of {found.assigned.height:,} transcripts of {about}, "
        f"{labelled} of them labelled",
        *(f"label without a topic now, kept in {FILE}: {one.label}" for one in matched.gone),
    ]
    if labelled < len(found.words):
        lines.append(f"Name topics in {out / FILE} (column label) and run this again")
    return [*lines, f"Open {out / PAGE}"]
