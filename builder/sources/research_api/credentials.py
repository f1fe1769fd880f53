"""The client key and secret: from the environment or a private file, shown nowhere."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from builder.sources.research_api.problems import CredentialsProblem

KEY, SECRET = "TIKTOK_CLIENT_KEY", "TIKTOK_CLIENT_SECRET"
_LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_]+)\s*[=:]\s*(.*?)\s*,?\s*$")
_WAY_OUT = (
    f"set {KEY} and {SECRET}, or give --credentials FILE with the lines client_key = … and "
    "client_secret = … (chmod 600 FILE)"
)


@dataclass(frozen=True)
class Credentials:
    """A client of the Research API. Its repr shows neither key nor secret."""

    key: str = field(repr=False)
    secret: str = field(repr=False)

    @property
    def digest(self) -> str:
        """Names the client in file names; the key cannot be read from it."""
        return hashlib.sha256(b"research-api-client\0" + self.key.encode()).hexdigest()[:16]


def load_credentials(file: Path | None, environment: Mapping[str, str] = os.environ) -> Credentials:
    """Read the client key and secret.

    Args:
        file: JSON, or lines `client_key = …`; only its owner may read it. None: the environment.
        environment: where to look without a file.

    Raises:
        CredentialsProblem: missing, empty, or readable by others.
    """
    found = _from_file(file) if file is not None else dict(environment)
    names = {name.casefold().removeprefix("tiktok_"): value for name, value in found.items()}
    key, secret = names.get("client_key", "").strip(), names.get("client_secret", "").strip()
    if file is None:  # a stray CLIENT_KEY in the environment belongs to something else
        key, secret = found.get(KEY, "").strip(), found.get(SECRET, "").strip()
    if not key or not secret:
        lacking = "client key" if not key else "client secret"
        raise CredentialsProblem(f"the {lacking} is missing", file=file, way_out=_WAY_OUT)
    if not (key + secret).isascii() or not (key + secret).isprintable():
        raise CredentialsProblem(
            "the client key or secret holds characters no key has", file=file, way_out=_WAY_OUT
        )
    return Credentials(key, secret)


def _from_file(file: Path) -> dict[str, str]:
    try:
        with file.open(encoding="utf-8-sig") as handle:
            mode = stat.S_IMODE(os.fstat(handle.fileno()).st_mode)
            if mode & 0o077:
                raise CredentialsProblem(
                    f"others may read the credentials (mode {mode:04o})",
                    file=file,
                    way_out="chmod 600 the file; if somebody read it, ask TikTok for a new secret",
                )
            text = handle.read(1 << 16)
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialsProblem(
            f"cannot read the credentials ({type(error).__name__})", file=file, way_out=_WAY_OUT
        ) from None
    try:
        parsed = json.loads(text)
    except ValueError:
        lines = [match.groups() for line in text.splitlines() if (match := _LINE.match(line))]
        return {name: value.strip("\"'") for name, value in lines}
    return (
        {str(name): str(value) for name, value in parsed.items()}
        if isinstance(parsed, dict)
        else {}
    )
