"""What `ecuador-crisis plan` does and prints: cost and time of a campaign from measured rates."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from builder.commands.collect import CollectOptions, run_estimate
from builder.config.campaign import Campaign
from builder.config.merged import for_campaign
from builder.config.profile import load_profile
from builder.errors import BuilderError, UsageProblem
from builder.pipeline.cost import Prices, cost_lines, cost_of
from builder.pipeline.plan import PLAN
from builder.pipeline.regenerate import regenerate
from builder.pipeline.request import Request
from builder.run.ledger import latest_results
from builder.run.progress import Progress
from builder.run.rates import Rate, read_rates
from builder.run.store import Store, write_json
from builder.sources.files import find_sources
from builder.sources.ingest import ingest


@dataclass(frozen=True)
class PlanOptions:
    """The options of the command; see its help."""

    sources: tuple[Path, ...] = ()
    videos: int | None = None
    campaign: str = "ecuador_2024"
    profile: str = "offline"
    work: Path | None = None
    rates: str = ""
    seconds_per_video: float | None = None
    workers: int = 1
    prices: Prices | None = None
    json: Path | None = None


def run_plan(options: PlanOptions, progress: Callable[[str, int], Progress]) -> list[str]:
    """Lines about the campaign.

    Raises:
        UsageProblem: how many videos there are cannot be told, or a rate cannot be read.
        BuilderError: the sources cannot be read, or nothing could be measured.
    """
    campaign = Campaign.load(options.campaign)
    profile = for_campaign(load_profile(options.profile), campaign)
    given = rates_given(options.rates)
    videos, length = _campaign_size(options, campaign, progress)
    if options.work is not None:
        measured, seconds = _rates_of(options.work)
        origin = "measured by the last runs in --work"
    elif given:
        measured, seconds, origin = {}, None, "given"
    else:
        measured, seconds = _measure(options.profile, progress)
        origin = "measured on this machine with the embedded sample (SYNTHETIC)"
    wanted = options.seconds_per_video or length
    longer = wanted / seconds if wanted and seconds else 1.0
    cost = cost_of(
        PLAN,
        profile,
        measured | given,
        videos=videos,
        longer=longer,
        workers=options.workers,
        prices=options.prices,
    )
    if options.json is not None:
        totals = {"hours": cost.hours, "gpu_hours": cost.gpu_hours}
        write_json(options.json, asdict(cost) | totals)
    lines = [f"rates: {origin}" + (", and given" if given and measured else "")]
    if wanted and seconds:
        lines.append(f"videos: {wanted:,.0f} s each; {seconds:,.0f} s where it was measured")
    lines += cost_lines(cost)
    asked = run_estimate(
        CollectOptions(Path(tempfile.gettempdir()) / "none", options.campaign, expect=videos)
    )
    return [*lines, *(f"collect: {line}" for line in asked[:2])]


def rates_given(text: str) -> dict[str, Rate]:
    """Rates of the command line: `transcribe=0.5,sentiment=20`, rows a second.

    Raises:
        UsageProblem: no such step, or no positive number.
    """
    rates = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = part.partition("=")
        try:
            a_second = float(number)
        except ValueError:
            a_second = 0.0
        if name not in PLAN.names or not 0 < a_second < float("inf"):
            raise UsageProblem(
                "--rate wants steps and rows a second, such as transcribe=0.5,sentiment=20",
                way_out=f"steps: {', '.join(PLAN.names)}",
            )
        rates[name] = Rate(1, 1 / a_second)
    return rates


def _campaign_size(
    options: PlanOptions, campaign: Campaign, progress: Callable[[str, int], Progress]
) -> tuple[int, float | None]:
    """How many videos, and how long they are on average where the sources tell."""
    if options.videos is not None:
        return options.videos, None
    if options.sources:
        with tempfile.TemporaryDirectory() as folder:
            store = Store(Path(folder) / "work")
            found = ingest(campaign, find_sources(list(options.sources)), store, progress)
            read = pl.scan_parquet(found.parts, glob=False).select("duration_seconds")
            return found.videos, _mean(read.collect()["duration_seconds"])
    published = campaign.paper.get("videos_in_text")
    if not isinstance(published, int):
        raise UsageProblem(
            "how many videos the campaign has is not known", way_out="give --videos, or a SOURCE"
        )
    return published, None


def _rates_of(work: Path) -> tuple[dict[str, Rate], float | None]:
    """Rates of a work folder, and the mean length of the videos they were measured with.

    Raises:
        UsageProblem: no run was measured there.
    """
    rates = read_rates(work)
    if not rates:
        raise UsageProblem(
            "nothing was measured in this work folder",
            file=work,
            way_out="run regenerate with it first, or leave --work out: a sample is then measured",
        )
    try:
        return rates, _mean(latest_results(work, "probe", ["duration_seconds"])["duration_seconds"])
    except BuilderError:  # no downloads
        return rates, None


def _measure(
    profile: str, progress: Callable[[str, int], Progress]
) -> tuple[dict[str, Rate], float | None]:
    """Run the steps about rows on the embedded sample. Raises as `regenerate`."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work"
        steps = frozenset(step.name for step in PLAN.row_steps if not step.optional)
        out = Path(folder) / "never"
        regenerate(Request(work=work, out=out, profile=profile, only=steps, progress=progress))
        return _rates_of(work)


def _mean(values: pl.Series) -> float | None:
    mean: Any = values.drop_nulls().mean()
    return None if mean is None else float(mean)
