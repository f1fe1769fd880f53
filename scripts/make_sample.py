"""Write the pages of the embedded sample campaign (synthetic) into `builder/sample/pages`.

usage: python scripts/make_sample.py

The sample is a small simulated campaign, plus one page with the videos of
`builder/sample/videos/clips.tsv`, whose media files are checked in.
"""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
from pathlib import Path

from builder.config.campaign import Campaign
from builder.pipeline.request import SAMPLE
from builder.sources.files import SIMULATION_MARK
from builder.sources.simulate.simulate import simulate

VIDEOS, SEED = 240, 2024


def main() -> None:
    """Replace the checked-in sample pages."""
    sample = Path(str(SAMPLE))
    pages = sample / "pages"
    shutil.rmtree(pages, ignore_errors=True)
    pages.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "simulated"
        simulate(Campaign.load(), videos=VIDEOS, seed=SEED, out=out)
        days = sorted(out.glob("*.jsonl"))
        (pages / "synthetic.jsonl").write_bytes(b"".join(day.read_bytes() for day in days))
        for name in ("ecuador.csv", SIMULATION_MARK):
            shutil.copyfile(out / name, pages / name)
    clips = sample / "videos" / "clips.tsv"
    if clips.is_file():
        (pages / "synthetic-clips.jsonl").write_text(_page(clips), encoding="utf-8")


def _page(clips: Path) -> str:
    """One API response holding the clips' posts."""
    with clips.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    videos = [
        {
            "id": int(row["id"]),
            "create_time": int(row["id"]) >> 32,
            "username": f"sim_sample_{number:02d}x",
            "region_code": "EC",
            "video_description": "Video de prueba #ecuador #toquedequeda",
            "music_id": 1_000 + number,
            "view_count": 1_000 + 37 * number,
            "like_count": 50 + 3 * number,
            "comment_count": 5 + number,
            "share_count": number,
            "effect_ids": [],
            "hashtag_names": ["ecuador", "toquedequeda"],
        }
        for number, row in enumerate(rows, start=1)
    ]
    page = {
        "data": {"videos": videos, "cursor": len(videos), "has_more": False, "search_id": "sample"},
        "error": {"code": "ok", "message": "", "log_id": "SYNTHETIC-sample"},
    }
    return json.dumps(page, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
