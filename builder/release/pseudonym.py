"""Released ids: keyed pseudonyms, and the key that makes them.

HMAC-SHA256 (RFC 2104) of the TikTok id's decimal digits under a secret key, cut to 128 bits, hex.
Without the key an id cannot be recovered by trying all ids, which a plain hash would allow: TikTok
ids carry their time, so few bits are unknown.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
import stat
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
# 128 bits: `key_check` is public, so whoever guesses a weaker key can tell that it is right.
MIN_DIGITS = 32
_MIN_DISTINCT = 8  # of the 16 hex digits; a random key has fewer in one of 20 million
_MAX_BYTES = 4096
_MAKE_ONE = "make one: openssl rand -hex 32"


@dataclass(frozen=True, repr=False)
class Key:
    """The secret. Its repr never shows it.

    Attributes:
        secret: at least 32 hex digits, as they are written.
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


def open_key(
    store: Store,
    *,
    key_file: Path | None = None,
    release: Path | None = None,
    new_ids: bool = False,
) -> Key:
    """Find the key of this work folder, or make it on first use.

    It is looked for in `key_file`, then in the environment variable ECUADOR_CRISIS_KEY, then in
    `work/private/pseudonym.key`. A new key is made (mode 0600) only if nothing was ever built with
    another one.

    Args:
        store: the work folder.
        key_file: a file that holds the key, given by the user.
        release: the release folder about to be written; its manifest tells its key's check value.
        new_ids: every id may change: which key made the earlier ones does not matter.

    Raises:
        KeyProblem: the key is gone, unreadable, weak, readable by others, or not the key that
            earlier ids were made with.
    """
    own = store.private / KEY_FILE
    known = {} if new_ids else _known_checks(store, release)
    key = given_key(key_file)
    if key is not None:
        pass
    elif own.exists():
        key = _read(own)
    elif known:
        where = next(iter(known.values()))
        raise KeyProblem(
            "the key that made the earlier ids is gone, and a new one would change every id",
            file=own,
            way_out=f"put the key back, or give it with --key-file or {KEY_VARIABLE}; if it is "
            "lost for good, add --new-ids: every id changes, and what is computed stays. "
            f"(What tells of the earlier key: {where})",
        )
    else:
        write_atomic(own, secrets.token_hex(32).encode() + b"\n", mode=0o600)
        key = _read(own)
    for check, where in known.items():
        if check != key.check:
            raise KeyProblem(
                "this key is not the one the earlier ids were made with: every id would change",
                file=where,
                way_out=f"give the earlier key (--key-file or {KEY_VARIABLE}), or add --new-ids if "
                "every id may change",
            )
    write_json(store.private / CHECK_FILE, {"key_check": key.check})
    return key


def given_key(key_file: Path | None) -> Key | None:
    """The key given by file or by ECUADOR_CRISIS_KEY; None when neither is.

    Raises:
        KeyProblem: it is unreadable, weak, or readable by others.
    """
    if key_file is not None:
        return _read(key_file)
    if os.environ.get(KEY_VARIABLE):
        content = os.fsencode(os.environ[KEY_VARIABLE])
        return _parse(content, f"environment variable {KEY_VARIABLE}")
    return None


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
        # not blocking: opening a pipe would wait for somebody to write to it
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise KeyProblem(
            f"the key file cannot be read ({error.strerror})", file=path, way_out="check the path"
        ) from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise KeyProblem(
                "the key file is no regular file",
                file=path,
                way_out=f"give a file that holds the key, or the key itself in {KEY_VARIABLE}",
            )
        if found.st_mode & 0o077:
            raise KeyProblem(
                "the key file can be read by others", file=path, way_out=f"chmod 600 {path}"
            )
        if found.st_size > _MAX_BYTES:
            raise KeyProblem(
                f"the key file is larger than {_MAX_BYTES:,} bytes: this is no key",
                file=path,
                way_out="give the file that holds the key",
            )
        return _parse(os.read(descriptor, _MAX_BYTES), str(path))
    finally:
        os.close(descriptor)


def _parse(content: bytes, where: str) -> Key:
    secret = content.strip()
    why = _weakness(secret.decode("latin-1"))
    if why:
        raise KeyProblem(
            f"the key {why}: it can be guessed from a release, and every id with it",
            file=where,
            way_out=f"give the key made on first use, or {_MAKE_ONE}",
        )
    return Key(secret)


def _weakness(text: str) -> str:
    """What makes a key weak, in words; empty for a good one."""
    if not re.fullmatch(r"[0-9a-fA-F]*", text):
        return "holds something other than hex digits"
    if len(text) < MIN_DIGITS:
        return f"is shorter than {MIN_DIGITS} hex digits"
    half = MIN_DIGITS // 2
    repeats = any(text[n:] == text[:-n] for n in range(1, half))
    if len(set(text.lower())) < _MIN_DISTINCT or repeats:
        return "repeats itself"
    return ""
