"""A folder of files as the back end: what somebody else downloaded, by whatever names."""

from __future__ import annotations

import shutil
from pathlib import Path

from builder.media.download.outcome import MARKER_OF, Fetched, Outcome
from builder.media.downloads import marker_of, scan_media


class Folder:
    """Copies out of a folder.

    Args:
        source: the folder; names as `builder.media.downloads` understands them.
        partial: folder for unfinished copies.

    Raises:
        EmptySource: there is no such folder.
    """

    name = "folder"
    online = False

    def __init__(self, source: Path, partial: Path) -> None:
        self._partial = partial
        self._files = dict(scan_media(source).frame.select("id", "path").iter_rows())

    def fetch(self, video_id: int) -> Fetched:
        """Copy one video into the folder of unfinished files."""
        found = self._files.get(video_id)
        if found is None:
            return Fetched(Outcome.ABSENT)
        path = Path(found)
        marker = marker_of(path)
        if marker is not None:
            said = {name: outcome for outcome, name in MARKER_OF.items()}
            return Fetched(said[marker])
        target = self._partial / f"{video_id}{path.suffix.lower()}"
        shutil.copyfile(path, target)
        return Fetched(Outcome.OK, target)
