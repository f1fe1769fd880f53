"""Our side of the Hub: `huggingface_hub`'s HfApi, with waiting, typed errors and recovery.

Nothing of the protocol is made by hand. What is added is what HfApi leaves to its caller: a time
limit, patience with 429 and 5xx, and what to do when a commit was sent and no answer came.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import httpx2
import huggingface_hub
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub import constants as hub_constants
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from builder.publish.problems import (
    HubDiffers,
    NamespaceProblem,
    TokenProblem,
    no_answer,
    status_of,
    typed,
)

T = TypeVar("T")
KIND = "dataset"
HOME = "https://huggingface.co"
# what git itself needs in the repository; made by the Hub, never by us, never deleted
GIT_FILES = (".gitattributes",)
_LONGEST_WAIT = 60.0
_TRIES = 4
Gated = Literal["auto", "manual"]


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


class Hub:
    """One dataset repository.

    Args:
        repo: namespace/name.
        endpoint: the Hub; None: HF_ENDPOINT, else huggingface.co.
        timeout: seconds without a byte after which a request counts as lost.
        sleep: how to wait.
    """

    def __init__(
        self,
        repo: str,
        endpoint: str | None = None,
        timeout: float = 120.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.repo, self.timeout, self.sleep = repo, timeout, sleep
        self.endpoint = (endpoint or os.environ.get("HF_ENDPOINT") or HOME).rstrip("/")
        self.api = HfApi(endpoint=self.endpoint, library_name="ecuador-crisis-tiktok")

    @contextmanager
    def session(self) -> Iterator[None]:
        """HfApi waits for ever by default; in here it does not.

        Xet is the protocol of huggingface.co; another Hub is spoken to in plain LFS, where every
        file is announced by its sha256.
        """
        client = huggingface_hub.get_session()
        before, xet = client.timeout, hub_constants.HF_HUB_DISABLE_XET
        client.timeout = httpx2.Timeout(self.timeout)
        hub_constants.HF_HUB_DISABLE_XET = xet or self.endpoint != HOME
        quiet = not sys.stderr.isatty()
        if quiet:
            huggingface_hub.utils.disable_progress_bars()
        try:
            yield
        finally:
            client.timeout = before
            hub_constants.HF_HUB_DISABLE_XET = xet
            if quiet:
                huggingface_hub.utils.enable_progress_bars()

    def check_token(self) -> None:
        """Refuse a token that cannot write before anything is sent.

        Raises:
            TokenProblem: there is none, it is not accepted, or it can only read.
        """
        if huggingface_hub.get_token() is None:
            raise TokenProblem(
                "there is no token to publish with",
                file=self.repo,
                way_out="give one with write access to the namespace as HF_TOKEN, or run "
                "`hf auth login`",
            )
        known = self.ask("asking who the token belongs to", self.api.whoami)
        role = ((known.get("auth") or {}).get("accessToken") or {}).get("role")
        if role == "read":
            raise TokenProblem(
                "the token can only read",
                file=self.repo,
                way_out="give a token with write access to the namespace as HF_TOKEN",
            )

    def find(self, revision: str | None = None) -> State | None:
        """What is there, at `main` or another revision; None: no such repository (to us)."""
        doing = "reading the repository"
        try:
            info = self.ask(
                doing,
                lambda: self.api.repo_info(self.repo, repo_type=KIND, revision=revision),
                passing=(RepositoryNotFoundError,),
            )
        except RepositoryNotFoundError as error:
            if status_of(error) == 401 and huggingface_hub.get_token() is not None:
                self.check_token()  # a token that is not accepted reads as "no such repository"
            return None
        files = self.ask(
            doing,
            lambda: list(
                self.api.list_repo_tree(
                    self.repo, repo_type=KIND, revision=info.sha, recursive=True
                )
            ),
        )
        refs = self.ask(doing, lambda: self.api.list_repo_refs(self.repo, repo_type=KIND))
        return State(
            head=info.sha,
            private=bool(info.private),
            gated=info.gated or False,
            files={
                file.path: RemoteFile(
                    file.size,
                    file.lfs.sha256 if file.lfs else None,
                    None if file.lfs else file.blob_id,
                )
                for file in files
                if hasattr(file, "blob_id") and file.path not in GIT_FILES
            },
            tags={tag.name: tag.target_commit for tag in refs.tags},
        )

    def fetch(self, revision: str, paths: Sequence[str], into: Path) -> Path:
        """Download some files of a commit; the folder they are in."""
        doing = "reading what is published"
        for path in paths:
            self.ask(
                doing,
                lambda path=path: self.api.hf_hub_download(  # type: ignore[misc]
                    self.repo, path, repo_type=KIND, revision=revision, local_dir=into
                ),
            )
        return into

    def create(self, *, private: bool) -> bool:
        """Make the repository; False when it is there already.

        Raises:
            NamespaceProblem: the namespace is not ours.
        """
        try:
            self.ask(
                "creating the repository",
                lambda: self.api.create_repo(self.repo, repo_type=KIND, private=private),
                passing=(HfHubHTTPError,),
            )
        except HfHubHTTPError as error:
            if status_of(error) == 409:
                return False
            if status_of(error) in (403, 404):
                namespace = self.repo.split("/")[0]
                raise NamespaceProblem(
                    f"the token may not create repositories in {namespace}, or there is no such "
                    "namespace",
                    file=self.repo,
                    way_out="check --repo, and that HF_TOKEN has write access to that user or "
                    "organisation",
                ) from error
            raise typed(error, "creating the repository", self.repo) from error
        return True

    def settings(self, **wanted: Any) -> None:
        """Set `gated` (auto | manual) and `private`."""
        self.ask(
            "changing the repository's settings",
            lambda: self.api.update_repo_settings(self.repo, repo_type=KIND, **wanted),
        )

    def commit(
        self,
        files: Mapping[str, Path],
        wanted: Mapping[str, Digest],
        gone: Sequence[str],
        *,
        parent: str,
        message: str,
    ) -> str:
        """Put files and deletions on `main` in one commit, and read it back.

        Large files go up first; nobody sees them until the commit. When no answer comes, HEAD is
        read: the commit landed if its files have our hashes. It is sent again only with the same
        parent, so that two of them cannot both land.

        Args:
            files: path in the repository -> file, those that change.
            wanted: path -> digest of every file that shall be there afterwards.
            gone: paths to delete.
            parent: the commit we looked at.
            message: its first line.

        Returns:
            The commit.

        Raises:
            ParentMoved: `main` is elsewhere now.
            HubDiffers: a file changed on our disk, or what is there afterwards is not `wanted`.
        """
        added = [_addition(path, file, wanted[path]) for path, file in sorted(files.items())]
        operations = [*added, *(CommitOperationDelete(path) for path in sorted(gone))]
        self.ask(
            "uploading the files",
            lambda: self.api.preupload_lfs_files(
                self.repo, added, repo_type=KIND, free_memory=False, num_threads=2
            ),
        )
        oid = None
        for attempt in range(_TRIES):
            try:
                oid = self.api.create_commit(
                    self.repo,
                    operations,
                    commit_message=message,
                    repo_type=KIND,
                    parent_commit=parent,
                ).oid
                break
            except Exception as error:
                there = self._landed(error, wanted)
                if there is not None:
                    oid = there
                    break
                problem = typed(error, "committing", self.repo)
                again = no_answer(error) or status_of(error) == 429
                if not again or attempt == _TRIES - 1:
                    raise problem from error
                self.sleep(_wait(error, attempt))
        return self.read_back(wanted, str(oid))

    def read_back(self, wanted: Mapping[str, Digest], oid: str) -> str:
        """Compare a commit with what it should hold.

        Raises:
            HubDiffers: some file differs, is missing, or is too many.
        """
        there = self.find(oid)
        if there is None or not there.holds(wanted):
            files = {} if there is None else there.files
            odd = sorted(
                path
                for path in {*files, *wanted}
                if path not in wanted or path not in files or not files[path].is_(wanted[path])
            )
            raise HubDiffers(
                f"the commit was read back and differs in {len(odd)} file(s): "
                f"{', '.join(odd[:5])}; no tag was made",
                file=self.repo,
                way_out="run the same command again; it compares every hash and mends what differs",
            )
        return oid

    def tag(self, name: str, oid: str) -> None:
        """Name a commit; no harm when it has that name already."""

        def make() -> None:
            self.api.create_tag(self.repo, tag=name, revision=oid, repo_type=KIND, exist_ok=True)

        self.ask("tagging", make)

    def _landed(self, error: BaseException, wanted: Mapping[str, Digest]) -> str | None:
        """HEAD, when it holds what we wanted: ours arrived although we were told otherwise."""
        if not no_answer(error) and status_of(error) != 412:
            return None
        there = self.find()
        return there.head if there is not None and there.holds(wanted) else None

    def ask(
        self,
        doing: str,
        call: Callable[[], T],
        passing: tuple[type[Exception], ...] = (),
    ) -> T:
        """Do what may be done twice, patiently; anything else becomes one of our errors."""
        for attempt in range(_TRIES):
            try:
                return call()
            except Exception as error:
                again = no_answer(error) or status_of(error) == 429
                if again and attempt < _TRIES - 1:
                    self.sleep(_wait(error, attempt))
                    continue
                if isinstance(error, passing) and not again:
                    raise
                raise typed(error, doing, self.repo) from error
        raise AssertionError("unreachable")


def _addition(path: str, file: Path, digest: Digest) -> Any:
    """An upload of exactly the bytes that were validated.

    Raises:
        HubDiffers: the file is another one by now.
    """
    small = not path.endswith(".parquet")
    made = CommitOperationAdd(path, file.read_bytes() if small else str(file))
    if made.upload_info.sha256.hex() != digest.sha256:
        raise HubDiffers(
            "the file changed while it was being published; nothing was committed",
            file=file,
            way_out="wait until nothing writes into the release folder and run it again",
        )
    return made


def _wait(error: BaseException, attempt: int) -> float:
    """Seconds to wait: what the Hub asks for, else 1, 2, 4…; never longer than a minute."""
    response = getattr(error, "response", None)
    asked = "" if response is None else response.headers.get("Retry-After", "")
    wanted = float(asked) if asked.isdigit() else 2.0**attempt
    return min(wanted, _LONGEST_WAIT)
