"""Opens a download, and only as what a download can be.

A file is data, whatever it says: FFmpeg also knows playlists and lists of files to join, and would
read what these name. Only the containers below are opened, and only from this file.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av

# Demuxers of FFmpeg. Not here: concat, hls, dash, image2 and others that open further files.
CONTAINERS = (
    "aac,ac3,aiff,amr,asf,avi,caf,flac,flv,live_flv,m4v,matroska,webm,mov,mp4,m4a,3gp,mp3,mpeg,"
    "mpegts,mpegvideo,h264,hevc,ogg,rm,wav,w64"
)
# Containers whose index says what must be there: one that cannot be read to its end looks cut off.
# The others just end.
INDEXED = ("mov", "matroska")
_OPTIONS = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}

av.logging.set_level(av.logging.PANIC)  # FFmpeg's own messages name files, and files are ids


class MediaProblem(Exception):
    """A file that gives no sound.

    Args:
        status: a member of `builder.media.facts.STATUSES`.
    """

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


def check_file(path: Path) -> None:
    """Reject what is no media file before FFmpeg sees it.

    Raises:
        MediaProblem: ``missing``, ``not_a_file``, ``unreadable``, ``empty`` or ``encrypted``.
    """
    try:
        if not path.is_file():
            raise MediaProblem("not_a_file" if path.exists() else "missing")
        with open(path, "rb") as handle:
            head = handle.read(8)
    except OSError as error:
        raise MediaProblem(status_of(error)) from error
    if not head:
        raise MediaProblem("empty")
    # A password-protected ZIP: bit 0 of its first entry's flags.
    if head[:4] == b"PK\x03\x04" and len(head) == 8 and head[6] & 1:
        raise MediaProblem("encrypted")


def status_of(error: BaseException) -> str:
    """The probe status an error of the operating system or of FFmpeg stands for."""
    if isinstance(error, MediaProblem):
        return error.status
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return "missing"
    if isinstance(error, IsADirectoryError):
        return "not_a_file"
    # An FFmpeg error is also an OSError: only those the file system raises mean the file is there
    # but cannot be read.
    if isinstance(error, OSError) and error.errno in (
        errno.EACCES,
        errno.EPERM,
        errno.EIO,
        errno.ENAMETOOLONG,
        errno.ELOOP,
        errno.ESTALE,
    ):
        return "unreadable"
    return "corrupt"


def status_of_open(error: BaseException, path: Path) -> str:
    """`status_of` for an error met while FFmpeg reads a file that `check_file` let pass.

    FFmpeg also says "input/output error" or "not permitted" of bytes it cannot make sense of, and
    "invalid data" of a file whose index cannot be read: the file is `unreadable` if, and only if,
    it cannot be read without FFmpeg either.
    """
    if isinstance(error, MediaProblem):
        return error.status
    return unread(path) or "corrupt"


def unread(path: Path, beat: Callable[[], None] = lambda: None) -> str | None:
    """Why a file cannot be read to its end; None where it can.

    FFmpeg takes a read error in the middle (a bad sector, a network drive that goes away) for the
    end of the file, or for a broken packet: then the file looks cut off, and is not.

    Args:
        path: a file.
        beat: called for every megabyte.
    """
    try:
        with open(path, "rb") as handle:
            while handle.read(1 << 20):
                beat()
    except OSError as error:
        return status_of(error)
    return None


def is_encrypted(path: Path) -> bool:
    """True when an MP4 says its samples are encrypted (Common Encryption: encv, enca)."""
    with open(path, "rb") as handle:
        for tag in _sample_entries(handle.read(1 << 22)):
            if tag in (b"encv", b"enca"):
                return True
        handle.seek(0, 2)
        # The index may stand at the end of the file instead.
        handle.seek(max(0, handle.tell() - (1 << 20)))
        return any(tag in (b"encv", b"enca") for tag in _sample_entries(handle.read()))


def _sample_entries(data: bytes) -> Iterator[bytes]:
    # stsd: 4 bytes size, "stsd", 4 bytes version, 4 bytes count, 4 bytes size, type of the entry.
    at = data.find(b"stsd")
    while at != -1:
        yield data[at + 16 : at + 20]
        at = data.find(b"stsd", at + 4)


def open_media(path: Path) -> Any:
    """An open container; raises what FFmpeg raises."""
    # `file:` because a name with a colon in it would be a protocol
    return av.open(f"file:{path}", metadata_errors="ignore", options=dict(_OPTIONS))
