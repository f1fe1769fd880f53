"""The key: made once, guarded, never replaced silently, never shown."""

from __future__ import annotations

import hmac
import os
import secrets
import stat
import time
from pathlib import Path

import pytest
from fakes.manifests import smallest
from release_kit import KEY, OTHER_KEY, write_key

from builder.errors import KeyProblem
from builder.release import pseudonym as module
from builder.release.pseudonym import CHECK_FILE, KEY_FILE, KEY_VARIABLE, Key, open_key
from builder.run.store import Store, write_json


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    return Store(tmp_path / "work")


def release_made_with(key: Key, folder: Path) -> Path:
    folder.mkdir()
    write_json(folder / "MANIFEST.json", smallest() | {"key_check": key.check})
    return folder


def test_first_use_makes_a_key_only_its_owner_can_read(store: Store) -> None:
    os.umask(old := os.umask(0o000))
    try:
        os.umask(0o000)
        key = open_key(store)
    finally:
        os.umask(old)
    path = store.private / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.private.stat().st_mode) == 0o700
    assert len(bytes.fromhex(path.read_text().strip())) == 32
    assert open_key(store) == key


def test_two_work_folders_have_different_keys(tmp_path: Path, store: Store) -> None:
    assert open_key(store) != open_key(Store(tmp_path / "other"))


def test_a_given_file_comes_before_the_environment_and_that_before_the_work_folder(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = write_key(tmp_path / "given")
    monkeypatch.setenv(KEY_VARIABLE, OTHER_KEY)
    assert open_key(store, key_file=given) == Key(KEY.encode())
    fresh = Store(tmp_path / "fresh")
    assert open_key(fresh) == Key(OTHER_KEY.encode())
    assert not (fresh.private / KEY_FILE).exists()  # a given key is not copied


def test_an_empty_variable_is_no_key(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "")
    open_key(store)
    assert (store.private / KEY_FILE).is_file()


def test_a_lost_key_is_not_replaced_when_the_work_folder_remembers_it(store: Store) -> None:
    open_key(store)
    (store.private / KEY_FILE).unlink()
    with pytest.raises(KeyProblem, match=r"gone.*every id") as caught:
        open_key(store)
    assert KEY_VARIABLE in caught.value.way_out and "--key-file" in caught.value.way_out
    assert not (store.private / KEY_FILE).exists()


def test_a_lost_key_is_not_replaced_when_only_the_release_remembers_it(
    store: Store, tmp_path: Path
) -> None:
    release = release_made_with(Key(KEY.encode()), tmp_path / "release")
    with pytest.raises(KeyProblem, match="gone") as caught:
        open_key(store, release=release)
    assert str(release) in str(caught.value)
    assert not (store.private / KEY_FILE).exists()
    assert not (store.private / CHECK_FILE).exists()


@pytest.mark.parametrize("remembers", ["work", "release"])
def test_another_key_is_refused(store: Store, tmp_path: Path, remembers: str) -> None:
    first = Key(KEY.encode())
    release = None
    if remembers == "work":
        open_key(store, key_file=write_key(tmp_path / "first"))
    else:
        release = release_made_with(first, tmp_path / "release")
    with pytest.raises(KeyProblem, match="not the one") as caught:
        open_key(store, key_file=write_key(tmp_path / "second", OTHER_KEY), release=release)
    assert OTHER_KEY not in str(caught.value) and KEY not in str(caught.value)
    if remembers == "work":  # and the earlier one still works
        assert open_key(store, key_file=tmp_path / "first") == first


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o601])
def test_a_key_file_that_others_can_open_is_refused(
    store: Store, tmp_path: Path, mode: int
) -> None:
    path = write_key(tmp_path / "key")
    path.chmod(mode)
    with pytest.raises(KeyProblem, match="read by others") as caught:
        open_key(store, key_file=path)
    assert f"chmod 600 {path}" in caught.value.way_out
    assert KEY not in str(caught.value)


def test_a_missing_or_short_key_file_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(KeyProblem, match="cannot be read"):
        open_key(store, key_file=tmp_path / "nowhere")
    with pytest.raises(KeyProblem, match="no regular file"):
        open_key(store, key_file=tmp_path)
    with pytest.raises(KeyProblem, match="shorter") as caught:
        open_key(store, key_file=write_key(tmp_path / "short", "badcafe77"))
    assert "badcafe77" not in str(caught.value)


@pytest.mark.parametrize(
    "weak",
    ["", "correct horse battery staple, said the raven", "0" * 64, "deadbeef" * 8, "a1b2" * 20,
     "0123456789abcde", "0123456789abcdef0123456789abcde", "g" * 64, "0x" + "1f3a" * 16,
     "00112233" * 4, "clave-del-proyecto-2024", "\u0661" * 40],
)  # fmt: skip
def test_a_key_that_can_be_guessed_is_refused(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weak: str
) -> None:
    with pytest.raises(KeyProblem, match="the key") as caught:
        open_key(store, key_file=write_key(tmp_path / "weak", weak))
    assert "openssl rand -hex 32" in caught.value.way_out
    assert not weak or weak not in str(caught.value)
    if weak:
        monkeypatch.setenv(KEY_VARIABLE, weak)
        with pytest.raises(KeyProblem, match="the key"):
            open_key(store)


def test_every_random_key_of_32_digits_or_more_is_taken(store: Store, tmp_path: Path) -> None:
    for number in range(2_000):
        text = secrets.token_hex(16 + number % 3 * 8)
        assert module._weakness(text) == module._weakness(text.upper()) == ""
    mine = write_key(tmp_path / "mine", secrets.token_hex(16).upper())
    assert open_key(store, key_file=mine) == open_key(store, key_file=mine)


@pytest.mark.parametrize("kind", ["/dev/zero", "/dev/null", "pipe", "folder", "huge", "link"])
def test_what_is_no_key_file_is_refused_at_once(store: Store, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "key"
    if kind == "pipe":
        os.mkfifo(path, 0o600)
    elif kind == "folder":
        path.mkdir(mode=0o700)
    elif kind == "huge":
        path.touch(mode=0o600)
        os.truncate(path, 1 << 40)
    elif kind == "link":
        path.symlink_to("/dev/zero")
    else:
        path = Path(kind)
    began = time.monotonic()
    with pytest.raises(KeyProblem) as caught:
        open_key(store, key_file=path)
    assert time.monotonic() - began < 5
    assert str(path) in str(caught.value) and caught.value.way_out


@pytest.mark.parametrize("remembers", ["work", "release"])
@pytest.mark.parametrize("now", ["lost", "another"])
def test_what_the_error_advises_works(
    store: Store, tmp_path: Path, remembers: str, now: str
) -> None:
    release = None
    if remembers == "work":
        open_key(store)
        (store.private / KEY_FILE).unlink()
    else:
        release = release_made_with(Key(KEY.encode()), tmp_path / "release")
    given = None if now == "lost" else write_key(tmp_path / "other", OTHER_KEY)
    with pytest.raises(KeyProblem) as caught:
        open_key(store, release=release, key_file=given)
    assert "--new-ids" in caught.value.way_out
    key = open_key(store, release=release, key_file=given, new_ids=True)
    assert key == open_key(store, key_file=given)  # the work folder knows it from now on


def test_the_secret_is_never_shown() -> None:
    key = Key(KEY.encode())
    for text in (repr(key), str(key), f"{key}", repr([key]), key.check):
        assert KEY not in text and KEY.encode().hex() not in text


def test_a_pseudonym_is_hmac_sha256_cut_to_128_bits() -> None:
    key = Key(KEY.encode())
    number = 7_321_111_222_333_444_555
    expected = hmac.new(KEY.encode(), str(number).encode(), "sha256").hexdigest()[:32]
    assert key.pseudonym(number) == key.pseudonym(str(number)) == expected
    assert key.pseudonyms([number, number + 1]) == [expected, key.pseudonym(number + 1)]
    assert key.pseudonym(number) != Key(OTHER_KEY.encode()).pseudonym(number)
    assert len(set(key.pseudonyms(range(10_000)))) == 10_000
