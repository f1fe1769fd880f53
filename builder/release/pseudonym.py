"""Released ids: keyed pseudonyms, and the key that makes them.

HMAC-SHA256 (RFC 2104) of the TikTok id's decimal digits under a secret key, cut to 128 bits, hex.
Without the key an id cannot be recovered by trying all ids, which a plain hash would allow: TikTok
ids carry their time, so few bits are unknown.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from builder.errors import KeyProblem
from builder.release.manifest import MANIFEST, Manifest
from builder.run.store import Store, write_atomic, write_json

KEY_FILE = "pseudonym.key"
CHECK_FILE = "pseudonym.check.json"
KEY_VARIABLE = "ECUADOR_CRISIS_KEY"
HEX_DIGITS = 32
_MIN_BYTES = 16


@dataclass(frozen=True, repr=False)
class Key:
    """The secret. Its repr never shows it.

    Attributes:
        secret: at least 16 bytes.
    """

    secret: bytes

    def __repr__(self) -> str:
        return f"Key(check={self.check})"

    @property
    def check(self) -> str:
        """A value that tells whether two keys are the same and gives nothing else away."""
        return self.pseudonym("key check")

    def pseudonym(self, value: int | str) -> str:
        """Pseudonym of an id or of any text: 32 hex digits."""
        return hmac.digest(self.secret, str(value).encode(), "sha256").hex()[:HEX_DIGITS]

    def pseudonyms(self, values: Iterable[int]) -> list[str]:
        """Pseudonyms of many ids, in their order."""
        secret, digest = self.secret, hmac.digest
        return [digest(secret, b"%d" % value, "sha256").hex()[:HEX_DIGITS] for value in values]


def open_key(store: Store, *, key_file: Path | None = None, release: Path | None = None) -> Key:
    """Find the key of this work folder, or make it on first use.

    It is looked for in `key_file`, then in the environment variable ECUADOR_CRISIS_KEY, then in
    `work/private/pseudonym.key`. A new key is made (mode 0600) only if nothing was ever built with
    another one.

    Args:
        store: the work folder.
        key_file: a file that holds the key, given by the user.
        release: the release folder about to be written; its manifest tells its key's check value.

    Raises:
        KeyProblem: the key is gone, unreadable, too short, readable by others, or not the key that
            earlier ids were made with.
    """
    own = store.private / KEY_FILE
    known = _known_checks(store, release)
    if key_file is not None:
        key = _read(key_file)
    elif os.environ.get(KEY_VARIABLE):
        key = _parse(os.environ[KEY_VARIABLE].encode(), f"environment variable {KEY_VARIABLE}")
    elif own.is_file():
        key = _read(own)
    elif known:
        where = next(iter(known.values()))
        raise KeyProblem(
            "the key that made the earlier ids is gone, and a new one would change every id",
            file=own,
            way_out=f"put the key back, give it with --key-file or {KEY_VARIABLE}; or, if new ids "
            f"are really wanted, remove {where} and build into a new --out",
        )
    else:
        write_atomic(own, secrets.token_hex(32).encode() + b"\n", mode=0o600)
        key = _read(own)
    for check, where in known.items():
        if check != key.check:
            raise KeyProblem(
                "this key is not the one the earlier ids were made with: every id would change",
                file=where,
                way_out="give the earlier key (--key-file), or use a new --work and a new --out",
            )
    write_json(store.private / CHECK_FILE, {"key_check": key.check})
    return key


def _known_checks(store: Store, release: Path | None) -> dict[str, Path]:
    """check value -> the file that tells it."""
    known: dict[str, Path] = {}
    own = store.private / CHECK_FILE
    try:
        check = json.loads(own.read_text(encoding="utf-8")).get("key_check")
    except (OSError, ValueError, AttributeError):
        check = None
    if isinstance(check, str) and check:
        known[check] = own
    manifest = Manifest.find(release) if release is not None else None
    if release is not None and manifest is not None and manifest.key_check:
        known[manifest.key_check] = release / MANIFEST
    return known


def _read(path: Path) -> Key:
    try:
        content = path.read_bytes()
        mode = path.stat().st_mode
    except OSError as error:
        raise KeyProblem(
            f"the key file cannot be read ({error.strerror})", file=path, way_out="check the path"
        ) from error
    if mode & 0o077:
        raise KeyProblem(
            "the key file can be read by others",
            file=path,
            way_out=f"chmod 600 {path}",
        )
    return _parse(content, str(path))


def _parse(content: bytes, where: str) -> Key:
    secret = content.strip()
    if len(secret) < _MIN_BYTES:
        raise KeyProblem(
            f"the key is shorter than {_MIN_BYTES} characters",
            file=where,
            way_out="give the key made on first use, or 32 random bytes in hex",
        )
    return Key(secret)
