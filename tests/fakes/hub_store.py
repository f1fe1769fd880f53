"""What the fake Hub holds: users, repositories, their commits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

GITATTRIBUTES = b"*.parquet filter=lfs diff=lfs merge=lfs -text\n"
LARGE = (".parquet", ".bin", ".safetensors")


def git_blob(data: bytes) -> str:
    """What git calls these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclass(frozen=True)
class User:
    """Who a token belongs to."""

    name: str
    orgs: tuple[str, ...] = ()
    role: str = "write"
    expired: bool = False

    def owns(self, namespace: str) -> bool:
        """Whether the namespace is theirs."""
        return namespace == self.name or namespace in self.orgs


@dataclass(frozen=True)
class Entry:
    """A file of a commit: its bytes, or the sha256 under which the large ones lie."""

    size: int
    small: bytes | None = None
    sha256: str = ""

    def data(self, lfs: dict[str, bytes]) -> bytes:
        """The bytes."""
        return lfs[self.sha256] if self.small is None else self.small

    @property
    def oid(self) -> str:
        """Git's name: of the bytes, or of the pointer to them."""
        if self.small is not None:
            return git_blob(self.small)
        pointer = (
            "version https://git-lfs.github.com/spec/v1\n"
            f"oid sha256:{self.sha256}\nsize {self.size}\n"
        )
        return git_blob(pointer.encode())

    @property
    def etag(self) -> str:
        """As the Hub gives it."""
        return self.oid if self.small is not None else self.sha256


@dataclass(frozen=True)
class Commit:
    """A commit: its whole tree."""

    oid: str
    parent: str | None
    title: str
    tree: dict[str, Entry]


@dataclass
class Repo:
    """A repository with its history."""

    kind: str
    name: str
    private: bool = False
    gated: str | bool = False
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    granted: set[str] = field(default_factory=set)
    ever: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        entry = Entry(len(GITATTRIBUTES), GITATTRIBUTES)
        self.commit({".gitattributes": entry}, "initial commit")

    @property
    def head(self) -> str:
        """The commit `main` is at."""
        return self.branches["main"]

    @property
    def files(self) -> dict[str, Entry]:
        """The tree of `main`; empty before the first commit."""
        return self.commits[self.head].tree if "main" in self.branches else {}

    def resolve(self, revision: str) -> str:
        """The commit a branch, tag or commit names.

        Raises:
            KeyError: there is none.
        """
        revision = revision.removeprefix("refs/heads/").removeprefix("refs/tags/")
        found = self.branches.get(revision) or self.tags.get(revision)
        return found or self.commits[revision].oid

    def entry(self, path: str, data: bytes, lfs: dict[str, bytes]) -> Entry:
        """Keep a file the way the Hub would."""
        if not path.endswith(LARGE):
            return Entry(len(data), data)
        digest = hashlib.sha256(data).hexdigest()
        lfs[digest] = data
        return Entry(len(data), None, digest)

    def commit(self, tree: dict[str, Entry], title: str, parent: str | None = "HEAD") -> str:
        """Put a tree on `main`."""
        before = self.branches.get("main") if parent == "HEAD" else parent
        named = "".join(f"{path} {entry.oid}\n" for path, entry in sorted(tree.items()))
        text = f"{self.kind}/{self.name} {before} {title} {len(self.commits)}\n{named}"
        oid = hashlib.sha1(text.encode()).hexdigest()
        self.commits[oid] = Commit(oid, before, title, dict(tree))
        self.branches["main"] = oid
        self.ever |= {entry.sha256: path for path, entry in tree.items() if entry.sha256}
        return oid

    def history(self, revision: str = "main") -> list[Commit]:
        """The commits that lead there, newest first."""
        found, at = [], self.resolve(revision)
        while at:
            found.append(self.commits[at])
            at = self.commits[at].parent or ""
        return found
