"""What `ecuador-crisis clusters` does and prints."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl

from builder.analyze.clusters.contact import write_sheet
from builder.analyze.clusters.draw import figure_of, page_of
from builder.analyze.clusters.embedding import ABOUT, EmbedFrames
from builder.analyze.clusters.layout import Map, lay_out
from builder.analyze.clusters.networks import EfficientNetLite0
from builder.analyze.figures.paper import Paper, sheet
from builder.analyze.figures.theme import PHONE, WIDE
from builder.analyze.figures.words import Language, words
from builder.analyze.vectors import vectors_of
from builder.commands.figures import check_folder
from builder.config.profile import FramesTable, load_profile
from builder.errors import UsageProblem
from builder.media.downloads import find_media
from builder.release.anonymize import crosswalk_parts
from builder.run.engines.choose import engine_of
from builder.run.engines.options import EngineOptions
from builder.run.ledger import read_status
from builder.run.local import run_stage
from builder.run.store import Store, write_atomic
from builder.sources.ingest import current_is_synthetic

SHEETS = "contact_sheets"


def run_clusters(
    work: Path,
    videos_dir: Path,
    out: Path,
    *,
    model: str | None = None,
    checkpoint: str | None = None,
    engine: str = "local",
    language: Language = "en",
    stage: EmbedFrames | None = None,
) -> list[str]:
    """Map the downloads of a build.

    Args:
        work: its work folder; embeddings are kept there, and contact sheets (mode 0700).
        videos_dir: the downloads.
        out: folder for the map; its other files stay.
        model: the network; None: that of the build's profile.
        checkpoint: of TimeSformer; None: the profile's.
        engine: `local` or `ray`.
        language: of the map.
        stage: for tests.

    Returns:
        Lines to print.

    Raises:
        UsageProblem: no finished build in `work`, or `out` is a file.
        EmptySource: no folder of videos.
        StageFailed: a package or the network's trained weights are missing.
    """
    check_folder(out)
    settings, _ = read_status(work)
    pairs = crosswalk_parts(work)
    if not pairs:
        raise UsageProblem(
            "this work folder holds no finished build, whose ids the map would show",
            file=work,
            way_out="run ecuador-crisis regenerate with it first",
        )
    names = pl.concat([pl.read_parquet(part, glob=False) for part in pairs])
    media = find_media(videos_dir).join(names, on="id", how="inner").sort("id")
    if out.resolve().is_relative_to(work.resolve()):
        raise UsageProblem(
            "--out lies in the private work folder", file=out, way_out="give another folder"
        )
    store = Store(work)
    step = stage or EmbedFrames(_frames(str(settings.get("profile", "")), model, checkpoint))
    with store.lock():
        with engine_of(EngineOptions(engine)) as computing:
            done, report = run_stage(step, media.drop("video_id"), store, engine=computing)
        ids, vectors = vectors_of(done)
        known = dict(names.iter_rows())
        made = lay_out([known[key] for key in ids.to_list()], vectors)
        sheets = _sheets(store.work, made, media)
    text = words(language)
    about = ABOUT[step.table.model].format(EfficientNetLite0.frames)
    figure = figure_of(made, about, len(ids), text)
    synthetic = current_is_synthetic(work)
    source = text("clusters.source", name=str(settings.get("campaign", "")))
    paper = Paper(source, synthetic, text)
    for name, layout in (("map", WIDE), ("map-phone", PHONE)):
        drawn = sheet(figure, layout, paper)
        write_atomic(out / f"{name}.png", drawn.png())
        write_atomic(out / f"{name}-dark.png", drawn.png(dark=True))
    write_atomic(out / "clusters.csv", figure.data.write_csv().encode())
    write_atomic(out / "map.html", page_of(made, figure, source, text, synthetic=synthetic))
    kind = " (SYNTHETIC)" if synthetic else ""
    failed = {name: n for name, n in report.statuses.items() if name != "ok"}
    lines = [f"{media.height:,} downloads{kind}: {len(ids):,} with pictures"]
    lines += [f"without: {', '.join(f'{n:,} {name}' for name, n in failed.items())}"] * bool(failed)
    if made is None:
        return [*lines, figure.empty, f"Open {out / 'map.html'}"]
    near = "not compared" if made.near is None else f"{made.near:,}"
    return [
        *lines,
        f"{made.clusters} clusters; near-duplicates: {near}; {about}",
        f"{sheets} contact sheets in {store.work / SHEETS} (private)",
        f"Open {out / 'map.html'}",
    ]


def _frames(profile: str, model: str | None, checkpoint: str | None) -> FramesTable:
    """What the build's profile says, but for what is asked for here."""
    given = {"model": model, "checkpoint": checkpoint}
    said = load_profile(profile).frames.model_dump() if profile else {}
    told = said | {name: value for name, value in given.items() if value is not None}
    if checkpoint is not None:
        told["revision"] = None  # that of another checkpoint
    return FramesTable.model_validate(told)


def _sheets(work: Path, made: Map | None, media: pl.DataFrame) -> int:
    """A contact sheet for each cluster; those of an earlier run go."""
    folder = work / SHEETS
    shutil.rmtree(folder, ignore_errors=True)
    if made is None:
        return 0
    folder.mkdir(mode=0o700)
    placed = made.videos.join(media, on="video_id").sort("cluster", "video_id")
    written = 0
    for cluster in range(made.clusters):
        mine = placed.filter(pl.col("cluster") == cluster)["path"].to_list()
        written += bool(write_sheet(folder / f"cluster-{cluster}.png", [Path(p) for p in mine]))
    return written
