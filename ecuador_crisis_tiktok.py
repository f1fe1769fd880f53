"""EcuadorCrisisTikTok: the released schema and the `datasets` builder class.

This file is the one home of the schema. The builder package, the card's data dictionary, the
card's YAML ``dataset_info`` and the contract check are all derived from `FEATURES` and
`COLUMNS`. It imports nothing but `datasets` and `pyarrow`, so it can be used in three ways:

* imported, on any `datasets` from 2.x to 5.x::

      from ecuador_crisis_tiktok import load
      videos = load("path/to/EcuadorCrisisTikTok", "videos")["train"]

* as a loading script, on `datasets` 2.x and 3.x (later versions refuse scripts and need none)::

      load_dataset("path/to/EcuadorCrisisTikTok/ecuador_crisis_tiktok.py", "videos",
                   trust_remote_code=True)

* not at all: ``load_dataset("EcuadorCrisisTikTok", "videos")`` reads the Parquet files through the
  card's YAML.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any, Iterable, Iterator

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA_VERSION = "1.2.0"
DEFAULT_CONFIG = "videos"
SPLIT = "train"

SENTIMENT_LABELS = ("negative", "neutral", "positive")
ENTAILMENT_LABELS = ("entailment", "neutral", "contradiction")
TRANSCRIPT_SOURCES = ("whisper", "api")
# no_speech: we listened and heard nobody; blank: the source gives an empty transcript and nobody
# knows why; withheld: there is a text that cannot be released; missing: no source gave one
TRANSCRIPT_STATUSES = ("ok", "near_empty", "no_speech", "blank", "withheld", "failed", "missing")
EXCLUSION_REASONS = ("no_transcript", "near_empty_transcript", "transcript_withheld")

# What a second, supervised model says of the sentiment: only where the profile names one.
SECOND_OPINION = ("second_label", "second_confidence", "second_status", "second_model")
# Columns that exist only when the campaign file, or the profile, asks for them.
OPTIONAL_COLUMNS = ("published_at", "author_id", *SECOND_OPINION)
# Columns that came later -> the schema version they came with: older releases lack them.
LATER_COLUMNS = dict.fromkeys(
    ("favorites_count", "fetched_on", "video_label", "video_tag"), "1.1.0"
)

_STRING = datasets.Value("string")
_INT = datasets.Value("int64")
_FLOAT = datasets.Value("float32")
_BOOL = datasets.Value("bool")
_DATE = datasets.Value("date32")

# column -> (type, description); every column of every config is described here and, where a config
# means something else by it, in `OWN_DESCRIPTIONS`, and nowhere else; ask `describe`.
COLUMNS = {
    "video_id": (_STRING, "Keyed pseudonym of the TikTok id (32 hex digits); joins all configs"),
    "date": (
        _DATE,
        "Publication date, UTC; the first day of its week or month where the release is coarser",
    ),
    "published_at": (
        datasets.Value("timestamp[ms, tz=UTC]"),
        "Publication time, UTC, truncated to the campaign's date resolution",
    ),
    "author_id": (_STRING, "Keyed pseudonym of the author (32 hex digits)"),
    "region_code": (_STRING, "Region of the account as the Research API states it, ISO 3166-1"),
    "view_count": (_INT, "Views on the day of collection"),
    "like_count": (_INT, "Likes on the day of collection"),
    "comment_count": (_INT, "Comments on the day of collection"),
    "share_count": (_INT, "Shares on the day of collection"),
    "favorites_count": (
        _INT,
        "Times it was saved as a favourite, on the day of collection; null: the source has no such "
        "field",
    ),
    "fetched_on": (
        _DATE,
        "Day of collection, UTC: the counts are of that day; null: the source does not say",
    ),
    "video_label": (
        _STRING,
        "TikTok's information label on the video, scrubbed; null: none, or no such field",
    ),
    "video_tag": (
        _STRING,
        "TikTok's tag of the video (paid partnership, AI-generated), in the service's words or "
        "numbers; null: none, or no such field",
    ),
    "hashtags": ([_STRING], "Hashtags, lower case, each once, rare ones folded out"),
    "matched_terms": ([_STRING], "Terms of `keywords` found in the hashtags or the caption"),
    "duration_seconds": (_FLOAT, "Duration of the video in seconds"),
    "n_frames": (_INT, "Number of video frames"),
    "media_status": (_STRING, "What probing the downloaded file found; null: no file was probed"),
    "is_excluded": (_BOOL, "True: kept in the data but left out of text analyses"),
    "exclusion_reason": (_STRING, "Why it is excluded: " + " or ".join(EXCLUSION_REASONS)),
    "transcript": (
        _STRING,
        "Preferred transcript (Whisper's if usable), scrubbed: `<PERSON_1>` is a person",
    ),
    "transcript_source": (_STRING, "Where it comes from: " + " or ".join(TRANSCRIPT_SOURCES)),
    "transcript_status": (
        _STRING,
        "Its status: ok; near_empty; no_speech (heard, nobody spoke); blank (empty in the source); "
        "withheld (holds what cannot be released); failed; missing (no source gave one)",
    ),
    "source": (_STRING, "Where the transcript comes from: " + " or ".join(TRANSCRIPT_SOURCES)),
    "is_preferred": (_BOOL, "True: this is the transcript that `videos` shows"),
    "text": (
        _STRING,
        "The transcript, scrubbed: `<PERSON_1>` is a person; null where there is none",
    ),
    "status": (_STRING, "Outcome of the step that made this row: ok, or why there is no result"),
    "reason": (_STRING, "More about a status that is not ok"),
    "model": (_STRING, "The model that made this row, with its revision"),
    "n_words": (_INT, "Words of the transcript"),
    "language": (_STRING, "Language of the transcript, ISO 639-1 (639-3 where there is none)"),
    "language_confidence": (_FLOAT, "Probability the language identifier gives it, 0 to 1"),
    "avg_logprob": (_FLOAT, "Mean log-probability of Whisper's tokens (0 is certain)"),
    "no_speech_prob": (_FLOAT, "Whisper's highest probability that a segment holds no speech"),
    "compression_ratio": (_FLOAT, "Highest gzip compression ratio of a segment; > 2.4 repeats"),
    "segments": (
        [{"start": _FLOAT, "end": _FLOAT, "text": _STRING}],
        "Timed segments, seconds from the start",
    ),
    "sentiment": (_STRING, "Sentiment of the transcript: " + ", ".join(SENTIMENT_LABELS)),
    "sentiment_confidence": (_FLOAT, "Score of that label, 0 to 1; null where it was not given"),
    "label": (_STRING, "Sentiment: " + ", ".join(SENTIMENT_LABELS)),
    "confidence": (_FLOAT, "Score of the label, 0 to 1; null where it was not given"),
    "score_negative": (_FLOAT, "Zero-shot score of negative, 0 to 1"),
    "score_neutral": (_FLOAT, "Zero-shot score of neutral, 0 to 1"),
    "score_positive": (_FLOAT, "Zero-shot score of positive, 0 to 1"),
    "second_label": (
        _STRING,
        "What a second, supervised model says: " + ", ".join(SENTIMENT_LABELS) + "; it never "
        "changes `label`",
    ),
    "second_confidence": (_FLOAT, "Score that model gives its label, 0 to 1"),
    "second_status": (_STRING, "ok where there is a second label, else why there is none"),
    "second_model": (_STRING, "The second model, with its revision"),
    "low_confidence": (
        _BOOL,
        "True: the confidence is under the release's threshold (0.75 unless `sentiment_threshold` "
        "in MANIFEST.json says otherwise)",
    ),
    "summary": (
        _STRING,
        "Machine summary of the transcript, scrubbed; persons numbered as in the transcript",
    ),
    "summary_method": (_STRING, "How the summary was made"),
    "method": (_STRING, "How this row was made"),
    "entailment": (
        _STRING,
        "Does the transcript entail the summary: " + ", ".join(ENTAILMENT_LABELS),
    ),
    "entailment_confidence": (_FLOAT, "Score of that verdict, 0 to 1"),
    "entailment_model": (_STRING, "The NLI model that gave the verdict, with its revision"),
    "term": (_STRING, "Search term, lower case, spaces trimmed"),
    "raw": ([_STRING], "The term as published, every spelling"),
    "kind": (_STRING, "hashtag (one word) or phrase"),
    "english": (_STRING, "English translation"),
    "description": (_STRING, "What it is, in one or two lines"),
    "n_videos": (_INT, "Videos it concerns in this release; null: cannot be told from the source"),
    "key": (_STRING, "Letter that marks the event in the figures"),
    "title": (_STRING, "The event in a few words"),
    "event_source": (_STRING, "Where the event is described"),
}

# (config, column) -> description, where it differs from that in `COLUMNS`
OWN_DESCRIPTIONS = {
    ("events", "date"): "Day of the event, UTC; never coarsened",
    ("events", "description"): "What happened, in one or two lines",
    ("events", "n_videos"): (
        "Videos published that day (in its week or month where the release's dates are coarser)"
    ),
    ("keywords", "description"): "What the term stands for, in one or two lines",
    ("keywords", "n_videos"): "Videos that match the term; null: cannot be told from the source",
    ("transcripts", "language"): "Language of this transcript, ISO 639-1 (639-3 if it has none)",
    ("transcripts", "status"): "Status of this transcript: " + ", ".join(TRANSCRIPT_STATUSES),
    ("transcripts", "model"): "What made this transcript, with its revision",
    ("sentiment", "status"): "ok where there is a label, else why there is none",
    ("sentiment", "model"): "Who gave the label: a model with its revision, or the source",
    ("summaries", "status"): "ok where there is a summary, else why there is none",
    ("summaries", "model"): "Who wrote the summary: a model with its revision, or the source",
    ("summaries", "method"): "How the summary was made",
}

_METADATA = (
    "video_id date published_at author_id region_code view_count like_count comment_count "
    "share_count favorites_count fetched_on video_label video_tag "
    "hashtags matched_terms duration_seconds n_frames media_status is_excluded "
    "exclusion_reason"
).split()

# config -> its columns, in order
CONFIG_COLUMNS = {
    "videos": _METADATA
    + (
        "transcript transcript_source transcript_status language sentiment "
        "sentiment_confidence low_confidence summary summary_method entailment "
        "entailment_confidence"
    ).split(),
    "metadata": _METADATA,
    "transcripts": (
        "video_id source is_preferred text status reason model n_words language "
        "language_confidence avg_logprob no_speech_prob compression_ratio segments"
    ).split(),
    "sentiment": (
        "video_id label confidence score_negative score_neutral score_positive low_confidence "
        "status reason model"
    ).split()
    + list(SECOND_OPINION),
    "summaries": (
        "video_id summary method model status reason entailment entailment_confidence "
        "entailment_model"
    ).split(),
    "keywords": "term raw kind english description n_videos".split(),
    "events": "key date title description event_source n_videos".split(),
}

CONFIG_DESCRIPTIONS = {
    "videos": "Everything joined: one row a video",
    "metadata": "One row a video: date, engagement, hashtags, media facts",
    "transcripts": "Whisper's and the Research API's transcripts; at least one row a video",
    "sentiment": "One row a video: sentiment of its transcript, with the score of every label",
    "summaries": "One row a video: summary of its transcript, and does the transcript entail it",
    "keywords": "The curated search terms with English translations",
    "events": "The dated events of the crisis marked in the figures",
}

FEATURES = {
    config: datasets.Features({column: COLUMNS[column][0] for column in columns})
    for config, columns in CONFIG_COLUMNS.items()
}

# For whoever has no release beside this file; a release brings its own in `citation.bib`.
_CITATION = """@misc{EcuadorCrisisTikTok,
  title = "EcuadorCrisisTikTok: TikTok videos about Ecuador's security crisis, 2024",
  author = "{The EcuadorCrisisTikTok authors}",
  note = "The version and its own entry are in citation.bib of the release",
}
"""


def _citation(*folders: Any) -> str:
    """The BibTeX entry of a release on this machine, else the one above."""
    for folder in folders:
        path = os.path.join(str(folder or ""), "citation.bib")
        if folder and "://" not in str(folder) and os.path.isfile(path):
            with open(path, encoding="utf-8") as handle:
                return handle.read()
    return _CITATION


def features_of(
    config: str, optional: Iterable[str] = (), version: str = SCHEMA_VERSION
) -> datasets.Features:
    """Features of a config without the columns that a release does not carry.

    Args:
        config: a key of `FEATURES`.
        optional: the members of `OPTIONAL_COLUMNS` that the release carries.
        version: the release's `schema_version`.

    Returns:
        `datasets.Features`.
    """
    return datasets.Features(
        {
            column: feature
            for column, feature in FEATURES[config].items()
            if (column not in OPTIONAL_COLUMNS or column in optional)
            and _numbers(LATER_COLUMNS.get(column, "")) <= _numbers(version)
        }
    )


def _numbers(version: str) -> tuple[int, ...]:
    """A version to compare with; what is no version is older than all."""
    parts = version.split(".")
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else ()


def describe(config: str, column: str) -> str:
    """What a column of a config means."""
    return OWN_DESCRIPTIONS.get((config, column), COLUMNS[column][1])


class EcuadorCrisisTikTokConfig(datasets.BuilderConfig):
    """Builder configuration: one of the seven tables.

    Args:
        optional_columns: the members of `OPTIONAL_COLUMNS` the release carries.
        schema_version: of the release.
    """

    def __init__(
        self,
        optional_columns: Iterable[str] = (),
        schema_version: str = SCHEMA_VERSION,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("version", datasets.Version(SCHEMA_VERSION))
        super().__init__(**kwargs)
        self.optional_columns = tuple(optional_columns)
        self.schema_version = schema_version


class EcuadorCrisisTikTok(datasets.ArrowBasedBuilder):
    """Reads a release (local folder or Hub repository) of the EcuadorCrisisTikTok schema.

    The release is looked for in ``data_dir`` if given, else beside this script. Works for download
    and for streaming.
    """

    BUILDER_CONFIG_CLASS = EcuadorCrisisTikTokConfig
    BUILDER_CONFIGS = [
        EcuadorCrisisTikTokConfig(name=name, description=CONFIG_DESCRIPTIONS[name])
        for name in CONFIG_COLUMNS
    ]
    DEFAULT_CONFIG_NAME = DEFAULT_CONFIG

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(
            description=CONFIG_DESCRIPTIONS[self.config.name],
            features=features_of(
                self.config.name, self.config.optional_columns, self.config.schema_version
            ),
            citation=_citation(self.config.data_dir, getattr(self, "base_path", None)),
        )

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        # A relative path is taken from the script's folder by `dl_manager`, on every version.
        root = self.config.data_dir or ""
        if root and "://" not in root:
            root = os.path.abspath(root)
        manifest_path = dl_manager.download(_join(root, "MANIFEST.json"))
        with open(manifest_path, encoding="utf-8") as handle:
            files = json.load(handle)["files"]
        wanted = sorted(
            path
            for path in files
            if path.startswith(self.config.name + "/") and path.endswith(".parquet")
        )
        paths = dl_manager.download([_join(root, path) for path in wanted])
        return [datasets.SplitGenerator(name=SPLIT, gen_kwargs={"files": paths})]

    def _generate_tables(self, files: list[str]) -> Iterator[tuple[str, pa.Table]]:
        schema = self.info.features.arrow_schema
        for file_index, path in enumerate(files):
            with open(path, "rb") as handle:
                batches = pq.ParquetFile(handle).iter_batches(batch_size=10_000)
                for batch_index, batch in enumerate(batches):
                    table = pa.Table.from_batches([batch]).select(schema.names).cast(schema)
                    yield f"{file_index}_{batch_index}", table


def load(
    release: str | os.PathLike[str],
    config: str = DEFAULT_CONFIG,
    streaming: bool = False,
    cache_dir: str | None = None,
) -> Any:
    """Load a release through the builder class, on any `datasets` version.

    Args:
        release: a release folder, or a Hub path such as ``hf://datasets/NAMESPACE/NAME``.
        config: a key of `FEATURES`.
        streaming: return an iterable dataset that reads as it goes.
        cache_dir: where `datasets` keeps its Arrow copy.

    Returns:
        `datasets.DatasetDict`, or `IterableDatasetDict` when streaming; its only split is `train`.

    Raises:
        ValueError: unknown config.
        FileNotFoundError: the folder is not a release.
    """
    if config not in FEATURES:
        raise ValueError(f"unknown config {config!r}; known: {', '.join(FEATURES)}")
    release = str(release)
    fingerprint: str | None = None
    optional: tuple[str, ...] = ()
    version = SCHEMA_VERSION
    if "://" not in release:
        release = os.path.abspath(release)
        with open(os.path.join(release, "MANIFEST.json"), "rb") as handle:
            manifest = handle.read()
        # datasets caches by configuration, not by bytes: the hash keeps replaced files fresh.
        fingerprint = hashlib.sha256(manifest).hexdigest()[:16]
        told = json.loads(manifest)
        optional = tuple(told.get("optional_columns", ()))
        version = str(told.get("schema_version", ""))
    builder = EcuadorCrisisTikTok(
        config_name=config,
        data_dir=release,
        cache_dir=cache_dir,
        hash=fingerprint,
        optional_columns=optional,
        schema_version=version,
    )
    if streaming:
        return builder.as_streaming_dataset()
    builder.download_and_prepare()
    return builder.as_dataset()


def _join(root: str, path: str) -> str:
    return f"{str(root).rstrip('/')}/{path}" if root else path


if __name__ == "__main__":
    print(__doc__)
    print("Configs: " + ", ".join(FEATURES))
