"""The dataset card: README.md of a release, generated from the run that made it."""

from __future__ import annotations

import hashlib
import re
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import yaml

import ecuador_crisis_tiktok as schema
from builder.config.campaign import Campaign
from builder.config.citation import access_form, bibtex, paper_in_words
from builder.config.citation import in_words as citation
from builder.release.assemble import Assembled, anonymity_of, file_digest
from builder.release.coarsen import in_words
from builder.release.manifest import BuildFacts, ScrubCountries
from builder.run.store import write_atomic
from builder.sources.files import KIND_NAMES

# the timeline with its events, then the top hashtags
OPENING = ("figure1.svg", "figure3.svg")
TEMPLATE = "dataset_card.md.jinja"
_SIZES = ((1e3, "n<1K"), (1e4, "1K<n<10K"), (1e5, "10K<n<100K"), (1e6, "100K<n<1M"))
# columns a release may lack entirely because its source does not supply them
_SUPPLIED = (
    ("view_count", "views, likes, comments and shares"),
    ("hashtags", "hashtags and matched terms"),
    ("region_code", "region"),
    ("duration_seconds", "duration"),
    ("n_frames", "number of frames"),
    ("transcript", "transcripts"),
    ("language", "language"),
    ("sentiment", "sentiment"),
    ("summary", "summaries"),
    ("entailment", "entailment of the summaries"),
)


def write_card(
    campaign: Campaign,
    assembled: Assembled,
    folder: Path,
    facts: BuildFacts,
    figures: list[dict[str, str]],
    example: str = "",
    changelog: str = "",
    opinions: dict[str, Any] | None = None,
) -> None:
    """Write README.md into the release folder.

    Args:
        campaign: texts, licence, window.
        assembled: rows and bytes of every config, and which columns of `videos` are filled.
        folder: the release folder, tables already written.
        facts: what the run knows.
        figures: the SVG files in `figures/`: {file, title, alt}; those of `OPENING` open the card.
        example: a row of `videos` as JSON; empty: none is shown.
        changelog: the entries of its changelog, newest first, as Markdown.
        opinions: how far two sentiment models agree (`validate.opinions`); None: there is one.
    """
    # what the campaign keeps back is not what the source lacks; the section on privacy tells of it
    kept_back = {c for c, told in in_words(campaign.privacy).items() if "left out" in told}
    kept_back |= set(assembled.hidden.rows) if assembled.hidden else set()
    empty = set(schema.FEATURES[schema.DEFAULT_CONFIG]) - assembled.filled
    text = resources.files("cards").joinpath(TEMPLATE).read_text(encoding="utf-8")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    body = environment.from_string(text).render(
        yaml=yaml.safe_dump(
            _header(campaign, assembled, folder, synthetic=facts.synthetic),
            sort_keys=False,
            allow_unicode=True,
            width=1_000,
        ),
        name=campaign.release_name,
        campaign=campaign.name,
        title=campaign.title,
        version=campaign.version,
        synthetic=facts.synthetic,
        texts={key: value.strip() for key, value in campaign.texts.model_dump().items()},
        window=campaign.window,
        rows=assembled.rows,
        code_version=facts.code_version,
        source_line=_source_line(facts.sources, synthetic=facts.synthetic),
        configs=_configs(campaign, assembled),
        steps=[_step(name, counts) for name, counts in facts.counts.items()],
        dropped=facts.dropped,
        tombstones=facts.tombstones,
        refresh=facts.refresh,
        excluded=assembled.excluded,
        usable=assembled.transcripts,
        published=assembled.published,
        unavailable=", ".join(
            what for column, what in _SUPPLIED if column in empty and column not in kept_back
        ),
        models=facts.models,
        profile=facts.profile,
        media=facts.media.in_words() if facts.media else None,
        warnings=[told for note in facts.notes if (told := _warning(note))],
        judged="sentiment_confidence" in assembled.filled,
        threshold=facts.sentiment_threshold,
        opinions=opinions,
        opening=[_picture(one) for one in figures if one["file"] in OPENING],
        figures=[_picture(one) for one in figures if one["file"] not in OPENING],
        example=example,
        events=campaign.events,
        privacy=campaign.privacy,
        tier=facts.tier,
        anonymity=anonymity_of(assembled.hidden),
        coarse=in_words(campaign.privacy),
        fetched=assembled.fetched,
        has_paper=bool(campaign.paper),
        public_figures=_figures_line(campaign),
        scrubbed_line=_scrubbed_line(facts.scrubbed),
        scrub_countries=facts.scrub_countries or ScrubCountries(),
        names=facts.names if facts.names_scrubbed else None,
        public_persons=len(campaign.public_persons),
        licence=campaign.licence,
        publication=campaign.publication,
        citation=citation(campaign),
        bibtex=bibtex(campaign, synthetic=facts.synthetic),
        cited_paper=paper_in_words(campaign),
        changelog=changelog.strip(),
    )
    write_atomic(folder / "README.md", body.encode())


def _warning(note: str) -> str | None:
    """What a warning says, without the names of files: those may be people's."""
    _, mark, text = note.partition("WARNING: ")
    return re.sub(r" \([^()]*\.[^()]*\)", "", text) if mark else None


def _picture(figure: dict[str, str]) -> dict[str, str]:
    """A figure, its text safe inside the brackets of a Markdown image."""
    alt = re.sub(r"([\\\[\]])", r"\\\1", " ".join(figure["alt"].split()))
    return {**figure, "alt": alt}


def features_yaml(
    config: str, optional: tuple[str, ...], version: str = schema.SCHEMA_VERSION
) -> list[dict[str, Any]]:
    """`dataset_info.features` of a config, in a form old and new `datasets` both read."""
    return [
        {"name": name, **_feature_yaml(feature)}
        for name, feature in schema.features_of(config, optional, version).items()
    ]


def _feature_yaml(feature: Any) -> dict[str, Any]:
    inner = getattr(feature, "feature", None)
    if isinstance(feature, list):
        inner = feature[0]
    if inner is None:
        return {"dtype": feature.dtype}
    if isinstance(inner, dict):
        return {"list": [{"name": k, **_feature_yaml(v)} for k, v in inner.items()]}
    return {"list": inner.dtype}


def _header(
    campaign: Campaign, assembled: Assembled, folder: Path, *, synthetic: bool
) -> dict[str, Any]:
    optional = assembled.optional
    size = next((label for top, label in _SIZES if assembled.rows["videos"] < top), "1M<n<10M")
    configs, infos = [], []
    for config in schema.FEATURES:
        files = [name for name in assembled.files if name.startswith(f"{config}/")]
        entry: dict[str, Any] = {
            "config_name": config,
            "version": campaign.version,
            "description": f"{schema.CONFIG_DESCRIPTIONS[config]} [{_content(folder, files)}]",
            "data_files": [{"split": schema.SPLIT, "path": f"{config}/{schema.SPLIT}-*.parquet"}],
        }
        if config == schema.DEFAULT_CONFIG:
            entry["default"] = True
        configs.append(entry)
        infos.append(
            {
                "config_name": config,
                "features": features_yaml(config, optional),
                "splits": [
                    {
                        "name": schema.SPLIT,
                        "num_bytes": assembled.bytes[config],
                        "num_examples": assembled.rows[config],
                    }
                ],
                "download_size": sum((folder / name).stat().st_size for name in files),
                "dataset_size": assembled.bytes[config],
            }
        )
    tags = ["tiktok", "crisis-informatics", "social-media", *campaign.tags, "datasets"]
    return {
        "pretty_name": campaign.release_name,
        "license": campaign.licence.data,
        "language": list(campaign.languages),
        "task_categories": ["text-classification", "summarization"],
        "task_ids": ["sentiment-classification"],
        "size_categories": [size],
        "tags": [*tags, "synthetic"] if synthetic else tags,
        **access_form(campaign),
        "configs": configs,
        "dataset_info": infos,
    }


def _content(folder: Path, files: list[str]) -> str:
    """Digest of a config's files. `datasets` caches a local folder by its YAML and not by bytes:
    with the digest in it, a release that was replaced comes back fresh."""
    digests = "".join(file_digest(folder / name) for name in sorted(files))
    return f"content {hashlib.sha256(digests.encode()).hexdigest()[:16]}"


def _configs(campaign: Campaign, assembled: Assembled) -> list[dict[str, Any]]:
    optional = assembled.optional
    coarse = in_words(campaign.privacy)
    return [
        {
            "name": config,
            "rows": assembled.rows[config],
            "description": schema.CONFIG_DESCRIPTIONS[config],
            "columns": [
                {
                    "name": column,
                    "type": _type_name(feature),
                    "description": _meaning(config, column, coarse),
                }
                for column, feature in schema.features_of(config, optional).items()
            ],
        }
        for config in schema.FEATURES
    ]


def _meaning(config: str, column: str, coarse: dict[str, str]) -> str:
    """A column's description, and how coarse this release has it."""
    told = schema.describe(config, column)
    coarsened = config != "events" and column in coarse
    return f"{told}. **{coarse[column].capitalize()}**" if coarsened else told


def _type_name(feature: Any) -> str:
    form = _feature_yaml(feature)
    if "dtype" in form:
        return str(form["dtype"])
    if isinstance(form["list"], str):
        return f"list of {form['list']}"
    return "list of {" + ", ".join(f"{f['name']}: {f['dtype']}" for f in form["list"]) + "}"


def _step(name: str, counts: dict[str, Any]) -> dict[str, Any]:
    notes = [
        f"{value:,} {key}" for key, value in counts.items() if key not in ("in", "out") and value
    ]
    return {
        "name": name,
        "rows_in": counts["in"],
        "rows_out": counts["out"],
        "notes": ", ".join(notes),
    }


def _source_line(sources: dict[str, int], *, synthetic: bool) -> str:
    rows = "SYNTHETIC rows in the form of" if synthetic else "rows of"
    return " and ".join(
        f"{count:,} {rows} {KIND_NAMES.get(kind, kind)}" for kind, count in sources.items()
    )


def _figures_line(campaign: Campaign) -> str:
    return "; ".join(
        f"{figure.name} ({figure.role})" if figure.role else figure.name
        for figure in campaign.public_figures
    )


def _scrubbed_line(scrubbed: dict[str, dict[str, int]]) -> str:
    total: dict[str, int] = {}
    for kinds in scrubbed.values():
        for kind, count in kinds.items():
            total[kind] = total.get(kind, 0) + count
    if not total:
        return "nothing"
    # "2 cedula, 2 email, 1 id" reads like figures dictated behind the word "cedula"
    return ", ".join(f"{kind} ({count:,})" for kind, count in sorted(total.items()))
