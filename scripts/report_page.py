"""Write a copy of a release's report that links to the figures and the explorer beside the release.

usage: python scripts/report_page.py EcuadorCrisisTikTok FOLDER

FOLDER holds `figures` and `explorer`; the page is FOLDER/validation.html. The release's own page
does not link to what lies outside of it: it would be published with links that lead nowhere.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from builder.validate.whole import HTML_NAME, JSON_NAME, write_reports


def main(release: Path, folder: Path) -> None:
    """Write the page and say where it is; without a report there is nothing to write."""
    if not (release / JSON_NAME).is_file():
        return
    report = json.loads((release / JSON_NAME).read_text(encoding="utf-8"))
    pages = (folder / name / "index.html" for name in ("figures", "explorer"))
    write_reports(report, None, folder / HTML_NAME, *pages)
    print(f"Open {folder / HTML_NAME}: what was checked, with links to both")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
