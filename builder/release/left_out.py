"""Videos that leave a release after ingest: deleted upstream, or removed on request.

Ingest's own parts stay as they are, so that a post that comes back is there again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from builder.errors import EmptySource
from builder.run.resume import once
from builder.run.stage import fingerprint
from builder.run.store import Store, write_frame
from builder.sources.ingest import REMOVED, Ingested

GONE = "gone_upstream"
__all__ = ["GONE", "REMOVED", "leave_out"]


def leave_out(ingested: Ingested, reasons: Mapping[str, frozenset[int]], store: Store) -> Ingested:
    """Ingested videos without some, counted under their reason.

    Args:
        ingested: what ingest left.
        reasons: reason -> ids; an id under two counts under the first.
        store: the work folder; the rest is written to `work/kept/`.

    Returns:
        `ingested` itself where none of the ids is in it.

    Raises:
        EmptySource: nothing would be left.
    """
    told = [(why, sorted(ids)) for why, ids in reasons.items() if ids]
    if not told:
        return ingested
    mark = fingerprint("kept", ingested.fingerprint, told)
    folder = store.folder("kept", mark)
    targets = [folder / part.name for part in ingested.parts]

    def make() -> dict[str, int]:
        counts = dict.fromkeys(reasons, 0)
        for part, target in zip(ingested.parts, targets, strict=True):
            frame = pl.read_parquet(part, glob=False)
            for why, ids in told:
                before = frame.height
                wanted = pl.Series("id", ids, dtype=pl.Int64).to_frame()
                frame = frame.join(wanted, on="id", how="anti", maintain_order="left")
                counts[why] += before - frame.height
            write_frame(target, frame)
        return counts

    counts: dict[str, int] = once(folder / "summary.json", make, targets)
    left = sum(counts.values())
    if not left:
        return ingested
    if left >= ingested.videos:
        raise EmptySource(
            "every video was deleted upstream or removed on request",
            way_out="there is nothing to release; look at `ecuador-crisis status`",
        )
    dropped = dict(ingested.dropped)
    for why, n in counts.items():
        if n:
            dropped[why] = dropped.get(why, 0) + n
    return replace(
        ingested,
        fingerprint=mark,
        parts=targets,
        videos=ingested.videos - left,
        dropped=dict(sorted(dropped.items())),
    )
