"""What can go wrong between us and the Hub, and which of it is which."""

from __future__ import annotations

import httpx2
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from builder.errors import BuilderError


class PublishRefused(BuilderError):
    """The release must not be published as it is, or not to this place."""


class HubProblem(BuilderError):
    """The Hub refused a request, for a reason of its own."""


class TokenProblem(HubProblem):
    """There is no token, or it is expired, revoked, or may only read."""


class NamespaceProblem(HubProblem):
    """The namespace does not exist, or the token may not write to it."""


class ParentMoved(HubProblem):
    """Somebody else committed to the repository meanwhile."""


class HubBusy(HubProblem):
    """The Hub asks to wait, or fails on its side (exit code 3: try again later)."""

    exit_code = 3


class HubUnreachable(HubProblem):
    """No answer: no network, a lost connection, or the time is up (exit code 3)."""

    exit_code = 3


class HubDiffers(HubProblem):
    """What the Hub gives back is not what was sent."""


_AGAIN = (
    "run the same command again: what arrived is kept, and a commit that landed is recognised by "
    "its hashes and not made twice"
)
_NEW_TOKEN = (
    "make a token with write access to the namespace at <endpoint>/settings/tokens and give it as "
    "HF_TOKEN"
)


def status_of(error: BaseException) -> int | None:
    """The HTTP status of an error; None when there was no answer."""
    found = _cause(error)
    return found.response.status_code if isinstance(found, HfHubHTTPError) else None


def is_storage(error: BaseException) -> bool:
    """Whether the storage refused a signed link: it expired, or a clock is wrong."""
    found = _cause(error)
    return (
        isinstance(found, HfHubHTTPError)
        and found.response.status_code == 403
        and found.response.request.method == "PUT"
        and "/api/" not in str(found.response.request.url)
    )


def no_answer(error: BaseException) -> bool:
    """Whether the request may have been carried out although nobody said so."""
    status = status_of(error)
    if status is not None:
        return status >= 500
    return isinstance(_cause(error), (httpx2.TransportError, TimeoutError, ConnectionError))


def typed(error: BaseException, doing: str, repo: str) -> BuilderError:
    """One of our errors for anything `huggingface_hub` raises.

    Args:
        error: what it raised.
        doing: what was being done, "uploading the files".
        repo: namespace/name.
    """
    found = _cause(error)
    if isinstance(found, BuilderError):
        return found
    if isinstance(found, OfflineModeIsEnabled):
        way_out = "unset HF_HUB_OFFLINE"
        return HubUnreachable(f"{doing}: HF_HUB_OFFLINE is set", file=repo, way_out=way_out)
    if isinstance(found, LocalTokenNotFoundError):
        return TokenProblem(f"{doing}: there is no token", file=repo, way_out=_NEW_TOKEN)
    if isinstance(found, HfHubHTTPError):
        return _of_status(found, doing, repo)
    if isinstance(found, (httpx2.HTTPError, TimeoutError, ConnectionError)):
        return HubUnreachable(
            f"{doing}: no answer from the Hub ({type(found).__name__})", file=repo, way_out=_AGAIN
        )
    return HubProblem(f"{doing}: {type(found).__name__}: {found}", file=repo, way_out=_AGAIN)


def _of_status(error: HfHubHTTPError, doing: str, repo: str) -> BuilderError:
    status = error.response.status_code
    if is_storage(error):
        return HubProblem(
            f"{doing}: the storage does not accept its own signed link (403)",
            file=repo,
            way_out="check this machine's clock, and run it again",
        )
    if isinstance(error, GatedRepoError):
        return TokenProblem(
            f"{doing}: the repository is gated and this token was not let in ({status})",
            file=repo,
            way_out=_NEW_TOKEN,
        )
    if status == 412:
        return ParentMoved(
            f"{doing}: somebody else committed to the repository meanwhile; nothing was changed",
            file=repo,
            way_out="run the same command without --yes and look at the new difference first",
        )
    if status == 429:
        wait = error.response.headers.get("Retry-After", "")
        told = f"; it asks to wait {wait} s" if wait.isdigit() else ""
        return HubBusy(f"{doing}: too many requests (429){told}", file=repo, way_out=_AGAIN)
    if status >= 500:
        return HubBusy(f"{doing}: the Hub failed ({status})", file=repo, way_out=_AGAIN)
    if status == 404 or (status == 401 and isinstance(error, RepositoryNotFoundError)):
        return NamespaceProblem(
            f"{doing}: the Hub knows no such repository, or does not show it to this token "
            f"({status})",
            file=repo,
            way_out="check --repo, and that HF_TOKEN belongs to the namespace",
        )
    if status == 401:
        way_out = _NEW_TOKEN
        return TokenProblem(
            f"{doing}: the token is expired, revoked or mistyped (401)", file=repo, way_out=way_out
        )
    if status == 403:
        return TokenProblem(
            f"{doing}: this token may not {'read' if 'read' in doing else 'write'} there (403)",
            file=repo,
            way_out=_NEW_TOKEN,
        )
    said = str(error.server_message or "").strip().partition("\n")[0]
    return HubProblem(f"{doing}: refused ({status}) {said}".rstrip(), file=repo)


def _cause(error: BaseException) -> BaseException:
    """The error below the wrappings of a library."""
    while type(error) is RuntimeError and error.__cause__ is not None:
        error = error.__cause__
    return error
