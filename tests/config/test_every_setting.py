"""No setting without effect: every field of a profile changes something, or reaches who uses it.

A field is found by walking the models, so a new one is covered or fails here. To add the settings
of another model (a campaign's), add what is fingerprinted or made from it to `what_comes_of`.
"""

from __future__ import annotations

import ast
import contextlib
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from faster_whisper.tokenizer import _LANGUAGE_CODES
from pydantic import BaseModel

from builder.annotate import summarize
from builder.annotate.language import IDENTIFIERS
from builder.annotate.sentiment import Sentiment
from builder.annotate.summary.endpoint import CallFailed, Endpoint, EndpointRefused, Reply
from builder.annotate.transcribe import NOT_OUTPUT, Transcribe
from builder.annotate.whisper import engine as whisper_engine
from builder.config.asr import WHISPER_LANGUAGES, AsrTable
from builder.config.profile import (
    LanguageTable,
    Profile,
    ProfileError,
    SummariesTable,
    load_profile,
)
from builder.pipeline.plan import PLAN
from builder.release.scrub.names.choose import mark_of

ROOT = Path(__file__).parents[2]
Key = tuple[str, ...]

# Other values of fields that a type alone does not give.
OTHERS: dict[str, Any] = {
    "asr.model": "large-v3",
    "asr.languages": ("es",),
    "asr.language_weights": {"es": 9.0},
    "nli.model": "joeddav/xlm-roberta-large-xnli",
    "nli.labels": ("neutral", "entailment", "contradiction"),
    "nli.max_tokens": 128,
    "second_opinion.labels": ("positive", "neutral", "negative"),
    "second_opinion.max_tokens": 128,
    "sentiment.template": "Es {}.",
    "summaries.language": "pt",
    "summaries.base_url": "http://localhost:9999/v1",
}
# A setting matters where what it belongs to is used; each is tried in all of these.
SETTINGS: dict[str, dict[str, Any]] = {
    "offline": {},
    "hub": {"asr": {"model": "large-v3"}, "nli": {"model": "joeddav/xlm-roberta-large-xnli"}},
    "llm": {"summaries": {"method": "llm", "model": "m", "base_url": "http://localhost:1/v1"}},
    "gliner": {"names": {"method": "gliner"}},
    "timesformer": {"frames": {"model": "timesformer"}},
    "local": {"summaries": {"method": "local", "model": "m"}},
}


def leaves(model: type[BaseModel], key: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Every setting of a model: (its key, its type); tables are walked through."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from leaves(inner, (*key, name))
        else:
            yield (*key, name), inner


def profile_of(changes: dict[str, Any]) -> Profile:
    data = load_profile("offline").model_dump()
    for table, values in changes.items():
        data[table] |= values
    return Profile.model_validate(data)


def with_value(profile: Profile, key: Key, value: Any) -> Profile:
    data = profile.model_dump()
    table = data
    for part in key[:-1]:
        table = table[part]
    table[key[-1]] = value
    return Profile.model_validate(data)


def value_of(profile: Profile, key: Key) -> Any:
    found: Any = profile
    for part in key:
        found = getattr(found, part)
    return found


def another(key: Key, annotation: Any, now: Any, prompt: Path) -> Any:
    """A valid value other than the one there is."""
    name = ".".join(key)
    if name == "summaries.prompt":
        return str(prompt)
    if name in OTHERS:
        return OTHERS[name]
    options = [annotation]
    if get_origin(annotation) in (types.UnionType,):
        options = [option for option in get_args(annotation) if option is not type(None)]
    kind = options[0]
    if get_origin(kind) is Literal:
        return next(option for option in get_args(kind) if option != now)
    if kind is bool:
        return not now
    if kind is int:
        return (now or 0) + 1
    if kind is float:
        return 0.5 if now is None else now + (0.25 if now <= 0 or now > 1 else -now / 4)
    if kind is str:
        return f"{now or ''}x"
    raise AssertionError(f"{name}: say in OTHERS what another value is")


def what_comes_of(profile: Profile) -> dict[str, Any]:
    """What settings can change: the results of a stage (its fingerprint), and what models are told.

    A fingerprint alone would let a setting pass that is fingerprinted and never read: see
    `test_a_setting_is_read_outside_of_its_table`.
    """
    made: dict[str, Any] = {
        step.name: step.make(profile).fingerprint for step in PLAN.row_steps if step.make
    }
    made["names"] = mark_of(profile.names)
    made["hypotheses"] = Sentiment(profile.nli, profile.sentiment).hypotheses
    return made


FIELDS = dict(leaves(Profile))
CALLED_AFTER_ITS_FILE = ("name",)


# Settings that no result depends on: each reaches the object that uses it.


class FakeWhisper:
    """What the engine needs of a WhisperModel, on a device that batches."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.model = types.SimpleNamespace(device="cuda", compute_type="float16")
        self.feature_extractor = self.hf_tokenizer = None


def open_engine(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> tuple[Any, dict[str, Any]]:
    seen: dict[str, Any] = {}

    def opened(folder: Path, **options: Any) -> FakeWhisper:
        seen.update(options)
        return FakeWhisper(**options)

    monkeypatch.setattr(whisper_engine, "open_whisper", opened)
    return whisper_engine.WhisperEngine(Path("x"), AsrTable(**settings)), seen


def llm(**settings: Any) -> SummariesTable:
    return SummariesTable(method="llm", model="m", base_url="http://localhost:1/v1", **settings)


def threads(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, opened = open_engine(monkeypatch, threads=3)
    assert (opened["num_workers"], engine.workers, engine._pool._max_workers) == (3, 3, 3)


def batch_size(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, _ = open_engine(monkeypatch, batch_size=9)
    assert engine._encode_batch == 9


def batch_videos(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Transcribe(AsrTable(batch_videos=5)).batch_size == 5


def token_env(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_OWN_TOKEN", "t0")
    made = Endpoint(llm(token_env="MY_OWN_TOKEN"))
    assert made._line._client.headers["authorization"] == "Bearer t0"


def concurrency(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, workers: int) -> None:
            asked.append(workers)
            super().__init__(workers)

    class Writer:
        name = "m"

        def complete(self, messages: Any, *, retries: int | None = None) -> Reply:
            return Reply("Un resumen.", "stop", 1, 1)

    monkeypatch.setattr(summarize, "ThreadPoolExecutor", Pool)
    stage = summarize.Summarize(llm(concurrency=3), writer=lambda table: Writer())
    stage(summarize.pl.DataFrame({"id": [1], "text": ["hola " * 30]}))
    assert asked == [3]


def requests_per_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Endpoint(llm(requests_per_minute=30))._pace._gap == 2.0


def timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Endpoint(llm(timeout=7))._line._client.timeout.read == 7


def _tries(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> int:
    endpoint, tries = Endpoint(llm(**settings)), []

    def once(messages: Any) -> Reply:
        tries.append(1)
        raise CallFailed("http_503", passing=True, wait=0.02)

    monkeypatch.setattr(endpoint, "_once", once)
    with pytest.raises(CallFailed):
        endpoint.complete([])
    return len(tries)


def retries(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (_tries(monkeypatch, retries=0), _tries(monkeypatch, retries=2)) == (1, 3)


def max_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _tries(monkeypatch, retries=2, max_wait=0.01) == 1
    assert _tries(monkeypatch, retries=2, max_wait=0.03) == 3


def max_unanswered(monkeypatch: pytest.MonkeyPatch) -> None:
    class Dead:
        name = "m"

        def complete(self, messages: Any, *, retries: int | None = None) -> Reply:
            raise CallFailed("no_connection", passing=True)

    texts = {"id": [1, 2, 3], "text": [f"{n} hola {'que tal ' * 30}" for n in range(3)]}
    for limit, stops in ((3, True), (4, False), (0, False)):
        stage = summarize.Summarize(llm(max_unanswered=limit), writer=lambda table: Dead())
        with pytest.raises(EndpointRefused) if stops else contextlib.nullcontext():
            stage(summarize.pl.DataFrame(texts))


RUN_TIME: dict[Key, Callable[[pytest.MonkeyPatch], None]] = {
    ("asr", "threads"): threads,
    ("asr", "batch_size"): batch_size,
    ("asr", "batch_videos"): batch_videos,
    ("summaries", "token_env"): token_env,
    ("summaries", "concurrency"): concurrency,
    ("summaries", "requests_per_minute"): requests_per_minute,
    ("summaries", "timeout"): timeout,
    ("summaries", "retries"): retries,
    ("summaries", "max_wait"): max_wait,
    ("summaries", "max_unanswered"): max_unanswered,
}


@pytest.fixture(scope="module")
def prompt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prompt") / "other.txt"
    path.write_text("[user]\nResume: {text}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "key", sorted(FIELDS.keys() - RUN_TIME.keys() - {CALLED_AFTER_ITS_FILE}), ids=".".join
)
def test_a_setting_changes_what_comes_out(key: Key, prompt: Path) -> None:
    for changes in SETTINGS.values():
        before = profile_of(changes)
        now = value_of(before, key)
        after = with_value(before, key, another(key, FIELDS[key], now, prompt))
        if value_of(after, key) != now and what_comes_of(after) != what_comes_of(before):
            return
    pytest.fail(f"{'.'.join(key)} changes nothing: use it, remove it, or add it to RUN_TIME")


@pytest.mark.parametrize("key", sorted(RUN_TIME), ids=".".join)
def test_a_run_time_setting_reaches_who_uses_it_and_no_result(
    key: Key, prompt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for changes in SETTINGS.values():
        before = profile_of(changes)
        after = with_value(before, key, another(key, FIELDS[key], value_of(before, key), prompt))
        assert what_comes_of(after) == what_comes_of(before)
    RUN_TIME[key](monkeypatch)


def read_in_the_package() -> set[str]:
    """Names read from an object anywhere in the package but in the tables themselves."""
    return {
        node.attr
        for file in (ROOT / "builder").rglob("*.py")
        if file.parent.name != "config"
        for node in ast.walk(ast.parse(file.read_bytes()))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }


def test_a_setting_is_read_outside_of_its_table() -> None:
    read = read_in_the_package()
    unread = {".".join(key) for key in FIELDS if key[-1] not in read}
    assert not unread


def test_the_lists_of_run_time_settings_are_those_of_the_stages() -> None:
    assert {key[-1] for key in RUN_TIME} == NOT_OUTPUT | summarize._NOT_OUTPUT
    assert RUN_TIME.keys() <= FIELDS.keys()


def test_a_setting_that_nobody_reads_would_be_found() -> None:
    class Table(AsrTable):
        mood: int = 0

    class Bigger(Profile):
        asr: Table = Table()

    assert set(leaves(Bigger)) - set(leaves(Profile)) == {(("asr", "mood"), int)}


def test_the_wording_of_hypotheses_is_the_profiles() -> None:
    for name in ("template", "negative", "neutral", "positive"):
        key = ("sentiment", name)
        before = profile_of({})
        after = with_value(before, key, another(key, str, value_of(before, key), Path()))
        assert what_comes_of(after)["hypotheses"] != what_comes_of(before)["hypotheses"]


def test_a_profile_is_called_after_its_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[nli]\nmodel = 'x'\n", encoding="utf-8")
    assert load_profile(path).name == "mine"
    path.write_text("name = 'other'\n[nli]\nmodel = 'x'\n", encoding="utf-8")
    with pytest.raises(ProfileError, match="called after its file") as caught:
        load_profile(path)
    assert caught.value.field == "name"


def test_what_a_table_lists_is_what_the_libraries_know() -> None:
    assert set(WHISPER_LANGUAGES) == set(_LANGUAGE_CODES)
    known = LanguageTable.model_fields["identifier"].annotation
    assert set(get_args(known)) == set(IDENTIFIERS)
