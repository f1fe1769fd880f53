"""Files and commits as the Hub names them, beside files on this disk."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Digest:
    """A file in both of the Hub's spellings: large ones go by sha256, small ones by git's sha1."""

    sha256: str
    git: str
    size: int

    @classmethod
    def of(cls, path: Path) -> Digest:
        """Of a file on disk, read once."""
        size = path.stat().st_size
        plain, git = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size)
        with path.open("rb") as handle:
            while block := handle.read(1 << 20):
                plain.update(block)
                git.update(block)
        return cls(plain.hexdigest(), git.hexdigest(), size)


@dataclass(frozen=True)
class RemoteFile:
    """A file on the Hub: its size and, for a large one, sha256; for a small one, git's sha1."""

    size: int
    sha256: str | None
    git: str | None

    def is_(self, digest: Digest) -> bool:
        """Whether it has these bytes."""
        if self.size != digest.size:
            return False
        if self.sha256 is not None:
            return self.sha256 == digest.sha256
        return self.git == digest.git


@dataclass(frozen=True)
class State:
    """What is on the Hub now.

    Attributes:
        head: commit of `main`; private, gated: as set there.
        files: path -> file, without `GIT_FILES`.
        tags: name -> commit.
    """

    head: str
    private: bool
    gated: str | bool
    files: dict[str, RemoteFile] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def holds(self, wanted: Mapping[str, Digest]) -> bool:
        """Whether it is these files, all of them and no other."""
        return set(self.files) == set(wanted) and all(
            self.files[path].is_(digest) for path, digest in wanted.items()
        )
