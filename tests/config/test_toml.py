"""The loader of settings: whatever is wrong with a file is one typed error with file and key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.config.campaign import Campaign
from builder.config.profile import ProfileError, load_profile
from builder.config.toml import read_toml
from builder.errors import BuilderError, CampaignError

NLI = "[nli]\nmodel = 'x'\n"

# what is wrong -> (the file, the key that is named, words of the message)
ILL_TYPED = {
    "text for a whole number": ("[asr]\nbeam_size = 'five'", "asr.beam_size", "integer"),
    "digits as text": ("[asr]\nbeam_size = '5'", "asr.beam_size", "integer"),
    "a fraction for a whole number": ("[asr]\nbeam_size = 2.5", "asr.beam_size", "integer"),
    "a whole number as a float": ("[asr]\nbeam_size = 5.0", "asr.beam_size", "integer"),
    "true for a whole number": ("[asr]\nbeam_size = true", "asr.beam_size", "integer"),
    "true for a float": ("[asr]\ncontext_margin_seconds = true", "asr.context_margin", "number"),
    "nan": ("[asr]\ncontext_margin_seconds = nan", "asr.context_margin_seconds", "finite"),
    "infinity": ("[asr.rules]\nmax_words_per_second = inf", "asr.rules.max_words", "finite"),
    "a number for text": ("[asr]\nmodel = 3", "asr.model", "string"),
    "a date for text": ("[asr]\nrevision = 2024-01-01", "asr.revision", "string"),
    "a table for text": ("[asr.model]\nname = 'x'", "asr.model", "string"),
    "text for a table": ("asr = 'x'", "asr", "dictionary"),
    "text for a list": ("[asr]\nlanguages = 'es'", "asr.languages", "tuple"),
    "a number in a list": ("[asr]\nlanguages = ['es', 3]", "asr.languages.1", "string"),
    "no language of Whisper": ("[asr]\nlanguages = ['qu']", "asr", "no language qu"),
    "a weight of none": ("[asr.language_weights]\nqu = 2.0", "asr", "no language qu"),
    "a weight below zero": ("[asr.language_weights]\nes = -1", "asr.language_weights.es", "equal"),
    "too small": ("[asr.vad]\npad_ms = -1", "asr.vad.pad_ms", "greater"),
    "too long for Whisper": ("[asr.vad]\nmax_window_seconds = 31", "max_window_seconds", "30"),
    "loops kept longer": ("[asr.rules]\nloop_keep = 9", "asr.rules", "loop_keep"),
    "no compute type": ("[asr]\ncompute_type = 'int7'", "asr.compute_type", "int8"),
    "no device": ("[asr]\ndevice = 'tpu'", "asr.device", "cuda"),
    "no identifier": ("[language]\nidentifier = 'cld9'", "language.identifier", "lingua"),
    "a fraction of requests": (NLI + "[summaries]\nconcurrency = 2.5", "summaries.con", "integer"),
}
UNKNOWN = {
    "a table": ("[asrr]\nx = 1", "asrr", "summaries"),
    "a key": ("[asr]\nbeam = 5", "asr.beam", "beam_size"),
    "a key of a deeper table": ("[asr.vad]\ntreshold = 0.5", "asr.vad.treshold", "threshold"),
    "a rule": ("[asr.rules]\nmin_wrods = 3", "asr.rules.min_wrods", "min_words"),
    "a key of [language]": ("[language]\nseed = 3", "language.seed", "identifier"),
}


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "own.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(path: Path) -> ProfileError:
    with pytest.raises(ProfileError) as caught:
        load_profile(path)
    assert caught.value.file == str(path)
    assert caught.value.way_out
    assert type(caught.value) is ProfileError
    return caught.value


def with_nli(text: str) -> str:
    # Root keys come before the first table.
    return text + "\n" + NLI if "[nli]" not in text else text


@pytest.mark.parametrize("case", ILL_TYPED.values(), ids=ILL_TYPED.keys())
def test_ill_typed_values_are_refused_with_file_and_key(
    tmp_path: Path, case: tuple[str, str, str]
) -> None:
    text, key, words = case
    error = refused(written(tmp_path, with_nli(text)))
    assert (error.field or "").startswith(key) or key in (error.field or "")
    assert words in error.problem


@pytest.mark.parametrize("case", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_unknown_keys_are_named_with_those_that_exist(
    tmp_path: Path, case: tuple[str, str, str]
) -> None:
    text, key, known = case
    error = refused(written(tmp_path, with_nli(text)))
    assert error.field == key
    assert error.problem == "there is no such setting"
    assert known in error.way_out


def test_a_whole_number_may_stand_for_a_float(tmp_path: Path) -> None:
    profile = load_profile(written(tmp_path, with_nli("[asr]\ncontext_margin_seconds = 30")))
    assert profile.asr.context_margin_seconds == 30.0


def test_several_mistakes_are_counted(tmp_path: Path) -> None:
    text = with_nli("[asr]\nbeam_size = 'x'\nthreads = 'y'\nbatch_size = 'z'")
    assert "and 2 more" in refused(written(tmp_path, text)).problem


def test_values_are_not_shown(tmp_path: Path) -> None:
    for text in ("[asr]\nbeam_size = 'hf_secret'", "[summaries]\nbase_url = 'http://hf_secret@h'"):
        error = refused(written(tmp_path, with_nli(text)))
        assert "hf_secret" not in str(error)
        assert error.__cause__ is None, "pydantic's own error quotes the value"


BROKEN: dict[str, tuple[bytes, str]] = {
    "not TOML": (b"[nli\n", "at line 1"),
    "a key twice": (b"a = 1\na = 2\n", "at line 2"),
    "not UTF-8": ("[nli]\nmodel = 'ñ'".encode("latin-1"), "not UTF-8"),
    "UTF-16": ("[nli]\nmodel = 'x'".encode("utf-16"), "not UTF-8"),
    "a NUL": (b"a = '\0'", "at line 1"),
    "too deep": (b"a = " + b"[" * 100_000, "not TOML"),
    "too long a number": (b"a = " + b"9" * 10_000, "not TOML"),
    "JSON": (b'{"nli": {"model": "x"}}', "at line 1"),
}


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_no_toml_is_one_error_with_the_place(
    tmp_path: Path, case: tuple[bytes, str]
) -> None:
    content, words = case
    error = refused(written(tmp_path, content))
    assert "cannot read the profile" in error.problem
    assert words in error.problem


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    assert load_profile(written(tmp_path, b"\xef\xbb\xbf" + NLI.encode())).nli.model == "x"


def a_folder(path: Path) -> None:
    path.mkdir()


def unreadable(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize("make", [a_folder, unreadable])
def test_a_file_that_cannot_be_read_is_the_same_error(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    path = tmp_path / "own.toml"
    make(path)
    for kind in (ProfileError, CampaignError):
        with pytest.raises(kind, match="cannot read the thing") as caught:
            read_toml(path, kind, "thing")
        assert caught.value.file == str(path)


def test_campaigns_are_read_by_the_same_loader(tmp_path: Path) -> None:
    (tmp_path / "keywords.csv").write_text("term,raw,kind,english,description\na,a,hashtag,a,a\n")
    for content, words in BROKEN.values():
        (tmp_path / "campaign.toml").write_bytes(content)
        with pytest.raises(CampaignError, match=words) as caught:
            Campaign.load(tmp_path)
        assert caught.value.file == str(tmp_path / "campaign.toml")


@given(st.binary(max_size=60))
def test_any_bytes_are_a_table_or_a_typed_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "own.toml"
    path.write_bytes(content)
    try:
        assert isinstance(read_toml(path, BuilderError, "file"), dict)
    except BuilderError as error:
        assert error.file == str(path)
