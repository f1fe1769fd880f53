"""What a collection holds, and what it will still cost: read from disk, nothing is asked."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

from builder.config.campaign import Campaign
from builder.sources.research_api.days.pages import Pages
from builder.sources.research_api.outcome import COMPLETE, NOT_ASKED, Collected, counted
from builder.sources.research_api.query import MAX_COUNT, MAX_TERMS, campaign_queries


def calendar_lines(pages: Pages, days: Sequence[dt.date] = ()) -> list[str]:
    """A line for each day, and the totals.

    Args:
        pages: a folder of pages.
        days: of the campaign; days known to the folder are always shown.
    """
    notes = pages.notes()
    known = {dt.date.fromisoformat(day) for day in notes} | set(pages.complete_days())
    shown = sorted(set(days) | known)
    lines = [f"{'day':<12}{'state':<22}{'videos':>9}{'pages':>7}  fetched on / why not"]
    states: dict[dt.date, str] = {}
    videos = 0
    for day in shown:
        record, note = pages.complete(day), notes.get(day.isoformat(), {})
        if record is not None:
            states[day] = COMPLETE
            videos += record["videos"]
            proof = record.get("empty_confirmed_by")
            more = record["fetched_on"] + (f" (empty, by {proof})" if proof else "")
            counts = f"{record['videos']:>9,}{len(record['pages']):>7,}"
        else:
            states[day] = note.get("state", NOT_ASKED)
            more, counts = note.get("reason", ""), " " * 16
        lines.append(f"{day.isoformat():<12}{states[day]:<22}{counts}  {more}".rstrip())
    totals = ", ".join(f"{n:,} {state}" for state, n in counted(states).most_common())
    lines.append(f"{len(shown):,} days: {totals or 'none'}; {videos:,} videos in complete days")
    return lines


def outcome_lines(result: Collected) -> list[str]:
    """How a run ended: totals, then every day that is not complete, with its reason."""
    states = counted(result.days)
    totals = ", ".join(f"{n:,} {state}" for state, n in states.most_common())
    lines = [f"{len(result.days):,} days: {totals}; {result.videos:,} videos in complete days"]
    groups: list[tuple[str, str, list[dt.date]]] = []
    for day, state in sorted(result.days.items()):
        if state == COMPLETE:
            continue
        reason = result.reasons.get(day, "")
        last = groups[-1] if groups else None
        if last and last[:2] == (state, reason) and (day - last[2][-1]).days == 1:
            last[2].append(day)
        else:
            groups.append((state, reason, [day]))
    for state, reason, days in groups:
        span = f"{days[0]}" + (f" to {days[-1]}" if len(days) > 1 else "")
        lines.append(f"  {span}: {state} ({reason})")
    return lines


@dataclass(frozen=True)
class Estimate:
    """What the days that are not complete will cost.

    Attributes:
        days: how many.
        videos: expected in them; None when nothing is known.
        based_on: where that number comes from.
        requests, rows: of the service's quota.
        quota_days: UTC days that takes.
    """

    days: int
    videos: int | None
    based_on: str
    requests: int
    rows: int
    quota_days: int


def estimate(
    campaign: Campaign,
    pages: Pages,
    days: Sequence[dt.date],
    *,
    expected: int | None,
    requests_a_day: int,
    rows_a_day: int,
    max_terms: int = MAX_TERMS,
) -> Estimate:
    """Requests and days beforehand. Sends nothing.

    A day costs, for each query, one request for every 100 videos and one to see that nothing
    follows; some days cost one more to learn where the service's windows end.

    Args:
        campaign: window and terms.
        pages: the folder; its complete days cost nothing more, and tell how many to expect.
        days: of the collection.
        expected: videos in the whole collection, as the user expects them.
        requests_a_day, rows_a_day: the quota.
        max_terms: terms of one query.
    """
    pending = [day for day in days if pages.complete(day) is None]
    done = [record for day in days if (record := pages.complete(day)) is not None]
    published = campaign.paper.get("videos_in_text")
    videos: int | None = None
    share = len(pending) / max(len(days), 1)
    if expected is not None:
        videos, based_on = math.ceil(expected * share), "the number you expect"
    elif done:
        a_day = sum(record["videos"] for record in done) / len(done)
        videos, based_on = math.ceil(a_day * len(pending)), f"{len(done):,} complete days"
    elif isinstance(published, int):
        whole = published * len(pending) / len(campaign.window.days)
        videos, based_on = math.ceil(whole), "the number the paper printed"
    else:
        based_on = "one page a day, the least there can be: give --expect for more"
    queries = len(campaign_queries(campaign, max_terms))
    fixed = len(pending) * queries * 2 + (1 if pending else 0)
    requests = fixed + math.ceil((videos or 0) / MAX_COUNT)
    rows = videos or 0
    needed = max(requests / requests_a_day, rows / rows_a_day)
    return Estimate(len(pending), videos, based_on, requests, rows, math.ceil(needed))


def estimate_lines(cost: Estimate) -> list[str]:
    """`estimate` for the terminal."""
    if not cost.days:
        return ["every day is complete; nothing is left to ask for"]
    amount = "an unknown number of" if cost.videos is None else f"about {cost.videos:,}"
    plural = "days" if cost.quota_days != 1 else "day"
    return [
        f"{cost.days:,} days are not complete; {amount} videos (by {cost.based_on})",
        f"about {cost.requests:,} requests and {cost.rows:,} rows: {cost.quota_days:,} {plural} of "
        "quota, more if the service fails often",
        "nothing was sent",
    ]
