"""A profile as one campaign uses it: the campaign's language decides wording and priors.

A profile names models. What they are asked, and in which language, belongs to the campaign: its
``[annotate]`` table first, then what the profile's file says itself, then the campaign's language
(`wording.toml`; English where that has no table).
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from builder.config.asr import WHISPER_LANGUAGES, AsrTable
from builder.config.campaign import Campaign
from builder.config.profile import Profile, SentimentTable, SummariesTable
from builder.errors import CampaignError

WORDING: dict[str, dict[str, str]] = tomllib.loads(
    Path(__file__).with_name("wording.toml").read_text(encoding="utf-8")
)
FALLBACK = "en"
# Before anything was heard, the campaign's own language is likelier than others.
FIRST_LANGUAGE, OTHER_LANGUAGES = 4.0, 2.0


def for_campaign(profile: Profile, campaign: Campaign) -> Profile:
    """The profile with the campaign's language in it.

    Args:
        profile: as its file has it.
        campaign: its languages, title and ``[annotate]`` table.

    Returns:
        A profile whose `sentiment` wording, `summaries` language, prompt and subject, and
        `asr.language_weights` are settled.

    Raises:
        CampaignError: a language weight for a language Whisper does not know.
    """
    return profile.model_copy(
        update={
            "sentiment": _sentiment(profile.sentiment, campaign),
            "summaries": _summaries(profile.summaries, campaign),
            "asr": _asr(profile.asr, campaign),
        }
    )


def _sentiment(table: SentimentTable, campaign: Campaign) -> SentimentTable:
    words = dict(WORDING.get(campaign.language, WORDING[FALLBACK]))
    words |= {name: getattr(table, name) for name in words if name in table.model_fields_set}
    words |= campaign.annotate.sentiment.model_dump(exclude_none=True)
    return table.model_copy(update=words)


def _summaries(table: SummariesTable, campaign: Campaign) -> SummariesTable:
    ours, given = campaign.annotate, table.model_fields_set
    language = table.language if "language" in given else campaign.language
    subject = table.subject if "subject" in given else campaign.title
    return table.model_copy(
        update={
            "language": ours.summary_language or language,
            "prompt": ours.prompt or table.prompt,
            "subject": ours.subject or subject,
        }
    )


def _asr(table: AsrTable, campaign: Campaign) -> AsrTable:
    weights = campaign.annotate.language_weights or table.language_weights
    if not weights:
        weights = dict.fromkeys(campaign.languages, OTHER_LANGUAGES)
        weights[campaign.language] = FIRST_LANGUAGE
        weights = {code: weight for code, weight in weights.items() if code in WHISPER_LANGUAGES}
    strange = sorted({*weights} - {*WHISPER_LANGUAGES})
    if strange:
        raise CampaignError(
            f"Whisper knows no language {', '.join(strange)}",
            file="campaign.toml",
            field="annotate.language_weights",
            way_out="leave it out; Whisper then takes it for one it knows",
        )
    return table.model_copy(update={"language_weights": dict(weights)})
