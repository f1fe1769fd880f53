"""Signing a release and checking it, with `model-signing` (Sigstore, OpenSSF).

The signature, `model.sig`, is a Sigstore bundle over the SHA-256 of every file but itself. A key
works without any network; without one Sigstore asks who signs, and vouches for it publicly.
"""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path
from typing import Any

from builder.errors import UsageProblem
from builder.publish.allow import release_paths
from builder.publish.problems import PublishRefused
from builder.release.manifest import SIGNATURE, Manifest

PASSWORD = "ECUADOR_CRISIS_SIGNING_PASSWORD"
# what a download with huggingface_hub or git puts beside the files
_LOCAL = (SIGNATURE, ".cache", ".git", ".gitattributes", ".huggingface")


class SignatureProblem(PublishRefused):
    """The release is not signed, or not by this key, or is not what was signed."""


def sign(release: Path, key: Path | None = None) -> list[str]:
    """Write `model.sig` into a release.

    Args:
        release: the folder; everything in it must belong to a release.
        key: private EC key in PEM; its password, if any, in ECUADOR_CRISIS_SIGNING_PASSWORD.
            None: keyless, which asks for an identity over the network.

    Returns:
        Lines to print.

    Raises:
        UsageProblem: not a release, no such key, or model-signing is not installed.
        PublishRefused: a file in it is not of a release.
        SignatureProblem: the key cannot be used.
    """
    modules = _library()
    told = Manifest.read(release)
    paths = release_paths(release)
    config = modules.signing.Config().set_hashing_config(_hashing(modules, release))
    if key is not None:
        _check_key(key, "PRIVATE")
        password = os.environ.get(PASSWORD)
        try:
            # the library says text, and hands it to one that wants bytes
            secret: Any = password.encode() if password else None
            config = config.use_elliptic_key_signer(private_key=key, password=secret)
        except Exception as error:
            raise SignatureProblem(
                f"the key cannot be read ({type(error).__name__})",
                file=key,
                way_out="`openssl ecparam -name prime256v1 -genkey -noout -out signing.pem` makes "
                f"one; a password goes into {PASSWORD}",
            ) from error
    try:
        config.sign(release, release / SIGNATURE)
    except Exception as error:
        raise SignatureProblem(
            f"signing failed ({type(error).__name__})",
            file=release,
            way_out="give --key to sign without a network, or run it again",
        ) from error
    count = len(paths) - (SIGNATURE in paths)
    return [f"signed {count} files of {told.name} {told.version}: {release / SIGNATURE}"]


def verify(
    release: Path,
    key: Path | None = None,
    *,
    identity: str | None = None,
    issuer: str | None = None,
) -> list[str]:
    """Check a signed release.

    Args:
        release: the folder.
        key: the signer's public EC key in PEM; else `identity` and `issuer` of a keyless signer.

    Returns:
        Lines to print.

    Raises:
        UsageProblem: nobody is named who should have signed.
        SignatureProblem: no signature, another signer, or a file is not what was signed.
    """
    modules = _library()
    if not (release / SIGNATURE).is_file():
        raise SignatureProblem(
            f"the release has no {SIGNATURE}", file=release, way_out="ask for a signed copy"
        )
    config = modules.verifying.Config().set_hashing_config(_hashing(modules, release))
    if key is not None:
        _check_key(key, "PUBLIC")
        config = config.use_elliptic_key_verifier(public_key=key)
    elif identity and issuer:
        config = config.use_sigstore_verifier(identity=identity, oidc_issuer=issuer)
    else:
        raise UsageProblem(
            "a signature says nothing without the signer",
            field="--key",
            way_out="give their public key with --key, or --identity and --issuer",
        )
    try:
        config.verify(release, release / SIGNATURE)
    except Exception as error:
        odd = _named(str(error))
        if odd:
            raise SignatureProblem(
                f"{len(odd)} file(s) are not what was signed: {'; '.join(odd[:10])}",
                file=release,
                way_out="do not use it; fetch the release again and verify that",
            ) from error
        raise SignatureProblem(
            "the signature was not made by this signer, or was changed",
            file=release / SIGNATURE,
            way_out="check which key is the signer's; fetch the release again",
        ) from error
    told = Manifest.read(release)
    return [f"{told.name} {told.version}: the signature holds for every file"]


def _named(message: str) -> list[str]:
    """The files in model-signing's words ("Signature mismatch: [...]"), and what is wrong."""
    try:
        told = ast.literal_eval(message.partition("Signature mismatch: ")[2])
    except (ValueError, SyntaxError):
        return []
    odd: list[str] = []
    for each in told:
        if changed := re.match(r"Hash mismatch for '(.*)': Expected", each):
            odd.append(f"{changed[1]} (changed)")
        elif other := re.match(r"(Extra|Missing) files (?:found )?in model '.*': (.*)", each):
            what = "added" if other[1] == "Extra" else "missing"
            odd += [f"{name} ({what})" for name in other[2].split(", ")]
    return odd


def _hashing(modules: Any, release: Path) -> Any:
    return modules.hashing.Config().set_ignored_paths(
        paths=[release / name for name in _LOCAL], ignore_git_paths=True
    )


def _library() -> Any:
    try:
        import model_signing
        import model_signing.hashing
        import model_signing.signing
        import model_signing.verifying
    except ImportError as error:
        raise UsageProblem(
            "model-signing is not installed",
            way_out='pip install "ecuador-crisis-tiktok[publish]"',
        ) from error
    return model_signing


def _check_key(key: Path, kind: str) -> None:
    try:
        text = key.read_bytes()
    except OSError as error:
        raise UsageProblem(
            f"the key cannot be read ({error.strerror})", file=key, way_out="check --key"
        ) from error
    if not re.search(rf"-----BEGIN (?:[A-Z]+ )*{kind} KEY-----".encode(), text):
        way = "`openssl ec -in signing.pem -pubout -out signing.pub.pem` makes the public key"
        raise UsageProblem(f"this is no {kind.lower()} key in PEM", file=key, way_out=way)
