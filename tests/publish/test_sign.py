"""`sign` and `verify`: one changed byte and the file is named."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from release_kit import content

from builder.errors import UsageProblem
from builder.publish.problems import PublishRefused
from builder.publish.sign import PASSWORD, SignatureProblem, sign, verify
from builder.validate.whole import validate


def keys(folder: Path, name: str = "signing", password: bytes | None = None) -> tuple[Path, Path]:
    """A private and a public EC key."""
    key = ec.generate_private_key(ec.SECP256R1())
    encryption = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    pem = serialization.Encoding.PEM
    private, public = folder / f"{name}.pem", folder / f"{name}.pub.pem"
    private.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, encryption))
    public.write_bytes(
        key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return private, public


@pytest.fixture
def signed(editable: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A signed release and the signer's public key."""
    private, public = keys(tmp_path)
    sign(editable, private)
    return editable, public


def test_a_signed_release_verifies_and_still_keeps_its_contract(signed: tuple[Path, Path]) -> None:
    release, public = signed
    assert "holds for every file" in verify(release, public)[0]
    assert validate(release)["contract"]["verdict"] == "pass"


@settings(
    max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(data=st.data())
def test_one_changed_byte_anywhere_names_the_file(
    signed: tuple[Path, Path], data: st.DataObject
) -> None:
    release, public = signed
    names = sorted(set(content(release)) - {"model.sig"})
    name = data.draw(st.sampled_from(names))
    path = release / name
    before = path.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    path.write_bytes(before[:at] + bytes([before[at] ^ 1]) + before[at + 1 :])
    try:
        with pytest.raises(SignatureProblem, match=r"1 file\(s\)") as caught:
            verify(release, public)
        assert f"{name} (changed)" in str(caught.value)
    except UsageProblem:
        assert name == "MANIFEST.json"  # a byte that ends its JSON: it is no release any more
    finally:
        path.write_bytes(before)


def test_files_added_and_missing_are_named(signed: tuple[Path, Path]) -> None:
    release, public = signed
    (release / "extra.txt").write_text("x")
    (release / "events" / "train-00000-of-00001.parquet").unlink()
    with pytest.raises(SignatureProblem) as caught:
        verify(release, public)
    assert "extra.txt (added)" in str(caught.value)
    assert "events/train-00000-of-00001.parquet (missing)" in str(caught.value)


def test_what_a_download_leaves_is_no_difference(signed: tuple[Path, Path]) -> None:
    release, public = signed
    (release / ".cache" / "huggingface").mkdir(parents=True)
    (release / ".cache" / "huggingface" / "x.lock").write_text("")
    (release / ".gitattributes").write_text("*.parquet filter=lfs\n")
    verify(release, public)


def test_another_key(signed: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(SignatureProblem, match="not made by this signer"):
        verify(signed[0], keys(tmp_path, "other")[1])


def test_a_changed_signature(signed: tuple[Path, Path]) -> None:
    release, public = signed
    path = release / "model.sig"
    path.write_bytes(path.read_bytes().replace(b'"payload"', b'"peyload"'))
    with pytest.raises(SignatureProblem):
        verify(release, public)


def test_no_signature_and_no_signer(editable: Path, tmp_path: Path) -> None:
    private, public = keys(tmp_path)
    with pytest.raises(SignatureProblem, match=r"no model\.sig"):
        verify(editable, public)
    sign(editable, private)
    with pytest.raises(UsageProblem, match="without the signer"):
        verify(editable)


@pytest.mark.parametrize("text", [b"", b"hello", b"-----BEGIN PRIVATE KEY-----\nx\n"])
def test_a_key_that_is_none(editable: Path, tmp_path: Path, text: bytes) -> None:
    (tmp_path / "k").write_bytes(text)
    with pytest.raises((UsageProblem, SignatureProblem)):
        sign(editable, tmp_path / "k")
    with pytest.raises(UsageProblem):
        sign(editable, tmp_path / "nowhere")
    assert not (editable / "model.sig").exists()


def test_a_key_with_a_password(
    editable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, public = keys(tmp_path, password=b"invented")
    with pytest.raises(SignatureProblem, match="cannot be read"):
        sign(editable, private)
    monkeypatch.setenv(PASSWORD, "invented")
    sign(editable, private)
    verify(editable, public)


def test_only_a_release_is_signed(editable: Path, tmp_path: Path) -> None:
    private, _ = keys(tmp_path)
    (editable / "notes.txt").write_text("mine")
    with pytest.raises(PublishRefused, match=r"notes\.txt"):
        sign(editable, private)


def test_openssl_keys_as_documented(editable: Path, tmp_path: Path) -> None:
    private, public = tmp_path / "signing.pem", tmp_path / "signing.pub.pem"
    make = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", private]
    try:
        subprocess.run(make, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    show = ["openssl", "ec", "-in", private, "-pubout", "-out", public]
    subprocess.run(show, check=True, capture_output=True)
    sign(editable, private)
    verify(editable, public)
