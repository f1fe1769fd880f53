"""What can end a collection, and the signals by which its parts talk about the service's faults.

No text here ever holds a key, a secret, a token, or what the service wrote: bodies of errors have
been seen to echo requests.
"""

from __future__ import annotations

from builder.errors import BuilderError


class CredentialsProblem(BuilderError):
    """The client key or secret is missing, unsafe, refused, or lacks the research scope."""


class CollectorRunning(BuilderError):
    """Another collector holds the folder of pages."""


class ServiceStopped(BuilderError):
    """The service does not let us go on now (exit code 3)."""

    exit_code = 3


class QuotaReached(ServiceStopped):
    """The requests or rows of this UTC day are used up (exit code 3).

    `resume_at` is the Unix time at which it is worth going on.
    """

    resume_at = 0.0


class QueryRefused(BuilderError):
    """The service says the query itself is wrong; `dates`: it speaks of its dates."""

    dates = False


class Transient(BuilderError):
    """One answer was no answer: worth asking again. `kind` says of which sort."""

    kind = "fault"
    retry_after: float | None = None


class RateLimited(Transient):
    """Too fast: the same request is right a little later."""

    kind = "rate"


class SearchUnknown(Transient):
    """The service does not know the search id (also seen right after it was issued)."""

    kind = "search"


class TokenRefused(Transient):
    """The access token is not (or no longer) valid."""

    kind = "token"


class CursorRefused(BuilderError):
    """`Invalid count or cursor`: the day must be asked from its beginning."""


class BadRequest(BuilderError):
    """The service calls the request wrong. `about` is its message, for decisions only."""

    about = ""


class Unavailable(BuilderError):
    """A request got no usable answer in all its tries."""


class Incomplete(BuilderError):
    """A day could be read, but not in a way that proves nothing is missing."""
