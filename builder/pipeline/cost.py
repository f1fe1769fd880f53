"""What a campaign will cost, from the rates of the steps: hours, GPU-hours, requests, money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from builder.config.profile import Profile
from builder.pipeline.plan import Plan, Step
from builder.run.rates import Rate

HOUR = 3_600.0


@dataclass(frozen=True)
class Prices:
    """Dollars: for an hour of a machine, for an hour of a GPU, for 1,000 summaries."""

    machine: float = 0.0
    gpu: float = 0.0
    summaries: float = 0.0


@dataclass(frozen=True)
class StepCost:
    """One step: its rows, hours of one worker, and whether that worker has a GPU."""

    step: str
    rows: int
    hours: float
    on_gpu: bool = False


@dataclass
class Cost:
    """What a campaign costs.

    Attributes:
        videos: of the campaign.
        steps: those whose rate is known.
        unknown: names of the others.
        workers: at the same time, for the steps about rows.
        money: dollars, where prices were given.
    """

    videos: int
    workers: int
    steps: list[StepCost] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    money: float = 0.0

    @property
    def hours(self) -> float:
        """Of one worker, all steps."""
        return sum(each.hours for each in self.steps)

    @property
    def gpu_hours(self) -> float:
        """Those of them on a GPU."""
        return sum(each.hours for each in self.steps if each.on_gpu)


def cost_of(
    plan: Plan,
    profile: Profile,
    rates: Mapping[str, Rate],
    *,
    videos: int,
    longer: float = 1.0,
    workers: int = 1,
    prices: Prices | None = None,
) -> Cost:
    """The cost of a campaign.

    Args:
        plan: the steps.
        profile: the models; says what runs on a GPU.
        rates: step -> how fast it was.
        videos: of the campaign.
        longer: mean length of its videos, of those that were measured: 2.0 is twice as long.
        workers: at the same time.
        prices: dollars.
    """
    cost, prices = Cost(videos, workers), prices or Prices()
    for step in plan.steps:
        rate = rates.get(step.name)
        if rate is None:
            if not step.optional:
                cost.unknown.append(step.name)
            continue
        rows = round(videos * rate.share)
        seconds = rate.loading + rows * rate.row_seconds * (longer if step.media else 1.0)
        cost.steps.append(StepCost(step.name, rows, seconds / HOUR, _on_gpu(step, profile)))
        if step.name == "summarize":
            cost.money += rows * prices.summaries / 1_000
    cost.money += cost.gpu_hours * prices.gpu + (cost.hours - cost.gpu_hours) * prices.machine
    return cost


def _on_gpu(step: Step, profile: Profile) -> bool:
    return step.make is not None and step.make(profile).on_gpu


def cost_lines(cost: Cost) -> list[str]:
    """A table for the terminal."""
    lines = [f"{cost.videos:,} videos, {cost.workers} worker(s) at a time"]
    lines.append(f"{'step':<12}{'rows':>12}{'hours of a worker':>20}")
    for each in cost.steps:
        gpu = "  on a GPU" * each.on_gpu
        lines.append(f"{each.step:<12}{each.rows:>12,}{each.hours:>20,.2f}{gpu}")
    lines.append(
        f"together: {cost.hours:,.2f} hours ({cost.gpu_hours:,.2f} GPU-hours), "
        f"{cost.hours / cost.workers / 24:,.2f} days with {cost.workers} worker(s)"
    )
    if cost.money:
        lines.append(f"money: {cost.money:,.2f} dollars")
    if cost.unknown:
        lines.append(f"not counted, for want of a rate: {', '.join(cost.unknown)}")
    return lines
