"""Our side of the Hub: `huggingface_hub`'s HfApi, with waiting, typed errors and recovery.

Nothing of the protocol is made by hand. What is added is what HfApi leaves to its caller: a time
limit, patience with 429 and 5xx, and what to do when a commit was sent and no answer came.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import httpx2
import huggingface_hub
from huggingface_hub import CommitOperationDelete, HfApi
from huggingface_hub import constants as hub_constants
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

from builder.publish.hub.guards import addition, refuse_partial, wait_for
from builder.publish.hub.state import Digest, RemoteFile, State
from builder.publish.problems import (
    HubDiffers,
    NamespaceProblem,
    TokenProblem,
    is_storage,
    no_answer,
    status_of,
    typed,
)

T = TypeVar("T")
KIND = "dataset"
HOME = "https://huggingface.co"
# what git itself needs in the repository; made by the Hub, never by us, never deleted
GIT_FILES = (".gitattributes",)
_TRIES = 4
_BELOW = 20  # commits looked through for one of ours
Gated = Literal["auto", "manual"]


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
        except GatedRepoError as error:  # there is one, and this token was not let in
            raise typed(error, doing, self.repo) from error
        except RepositoryNotFoundError as error:
            if status_of(error) == 401 and huggingface_hub.get_token() is not None:
                self.check_token()  # a token that is not accepted reads as "no such repository"
            return None
        if info.id.casefold() != self.repo.casefold():
            raise HubDiffers(
                f"the Hub answers with another repository: it was renamed or moved to {info.id}",
                file=self.repo,
                way_out=f"give --repo {info.id} if that is the one",
            )
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

    def fetch(self, there: State, paths: Sequence[str], into: Path) -> Path:
        """Download some files of a state; the folder they are in.

        Raises:
            HubDiffers: other bytes arrived than the state has.
        """
        doing, revision = "reading what is published", there.head
        for path in paths:
            self.ask(
                doing,
                lambda path=path: self.api.hf_hub_download(  # type: ignore[misc]
                    self.repo, path, repo_type=KIND, revision=revision, local_dir=into
                ),
            )
            if not there.files[path].is_(Digest.of(into / path)):
                raise HubDiffers(
                    "other bytes arrived than the Hub announced",
                    file=path,
                    way_out="run it again; a proxy or a cache in between may be at fault",
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
        added = [addition(path, file, wanted[path]) for path, file in sorted(files.items())]
        operations = [*added, *(CommitOperationDelete(path) for path in sorted(gone))]
        self.ask(
            "uploading the files",
            lambda: self.api.preupload_lfs_files(
                self.repo,
                added,
                repo_type=KIND,
                free_memory=False,
                num_threads=2,
                gitignore_content="",  # else a .gitignore there decides what of ours is left out
            ),
            expiring=True,
        )
        refuse_partial(added, self.repo)
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
                there = self._landed(error, wanted, parent)
                if there is not None:
                    oid = there
                    break
                problem = typed(error, "committing", self.repo)
                again = no_answer(error) or status_of(error) == 429
                if not again or attempt == _TRIES - 1:
                    raise problem from error
                self.sleep(wait_for(error, attempt))
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
        """Name a commit; no harm when it has that name already.

        Raises:
            HubDiffers: another commit has that name.
        """

        def make() -> None:
            self.api.create_tag(self.repo, tag=name, revision=oid, repo_type=KIND, exist_ok=True)

        self.ask("tagging", make)
        refs = self.ask("tagging", lambda: self.api.list_repo_refs(self.repo, repo_type=KIND))
        named = next((tag.target_commit for tag in refs.tags if tag.name == name), None)
        if named != oid:
            raise HubDiffers(
                f"the commit is in place, and the tag {name} names "
                f"{'another one' if named else 'nothing'}: somebody else tagged meanwhile",
                file=self.repo,
                way_out=f"delete that tag on the Hub if it is not meant, and run it again ({oid})",
            )

    def _landed(
        self, error: BaseException, wanted: Mapping[str, Digest], parent: str
    ) -> str | None:
        """The commit that holds what we wanted, when it arrived although we were told otherwise.

        HEAD, or a commit below it: somebody else can have committed on top of ours already.
        """
        if status_of(error) not in (None, 412) and not no_answer(error):
            return None
        there = self.find()
        if there is None or there.head == parent:
            return None
        return there.head if there.holds(wanted) else self.below(wanted, parent)

    def below(self, wanted: Mapping[str, Digest], parent: str | None = None) -> str | None:
        """The newest commit under HEAD that holds what is wanted, down to `parent`; else None."""
        commits = self.ask(
            "reading the history", lambda: self.api.list_repo_commits(self.repo, repo_type=KIND)
        )
        for commit in commits[1:_BELOW]:
            if commit.commit_id == parent:
                break
            found = self.find(commit.commit_id)
            if found is not None and found.holds(wanted):
                return str(commit.commit_id)
        return None

    def ask(
        self,
        doing: str,
        call: Callable[[], T],
        passing: tuple[type[Exception], ...] = (),
        *,
        expiring: bool = False,
    ) -> T:
        """Do what may be done twice, patiently; anything else becomes one of our errors.

        Args:
            doing: in words.
            call: what to do.
            passing: errors that are handed on.
            expiring: it uses signed links, which are asked for anew when one is refused (403).
        """
        for attempt in range(_TRIES):
            try:
                return call()
            except Exception as error:
                again = no_answer(error) or status_of(error) == 429
                again = again or (expiring and is_storage(error))
                if again and attempt < _TRIES - 1:
                    self.sleep(wait_for(error, attempt))
                    continue
                if isinstance(error, passing) and not again:
                    raise
                raise typed(error, doing, self.repo) from error
        raise AssertionError("unreachable")
