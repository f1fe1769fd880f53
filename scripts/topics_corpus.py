"""Made corpora with planted topics: invented transcripts, so many of each of 20 topics."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path
from typing import Any, Literal

import polars as pl

_FILE = Path(__file__).with_suffix(".toml")
_TOPIC = 0.75  # of the sentences; the others are filler, or another topic's
_OTHER = 0.1

Half = Literal["tune", "heldout"]


def corpus(half: Half, documents: int, seed: int) -> pl.DataFrame:
    """A made corpus.

    Args:
        half: what settings were chosen on, or the half that was not looked at.
        documents: how many; the topics get uneven shares.
        seed: another one gives other sentences.

    Returns:
        video_id (invented, hex), text, planted (name of the topic). Rows by video_id.
    """
    data: dict[str, Any] = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    frames, topics, filler = data[half]["frames"], data[half]["topics"], data["filler"]
    dice = random.Random(f"{half}/{seed}")
    names = sorted(topics)
    weights = [1.0 + 2.0 * place / len(names) for place in range(len(names))]
    dice.shuffle(weights)
    rows = []
    for _ in range(documents):
        planted = dice.choices(names, weights)[0]
        said = []
        for _ in range(dice.randint(2, 5)):
            draw = dice.random()
            if draw > _TOPIC + _OTHER:
                said.append(dice.choice(filler))
                continue
            words = topics[planted if draw < _TOPIC else dice.choice(names)]
            a, b, c = dice.sample(words, 3)
            said.append(dice.choice(frames).format(a=a, b=b, c=c))
        if all(one in filler for one in said):
            said.append(
                dice.choice(frames).format(**dict(zip("abc", topics[planted], strict=False)))
            )
        rows.append((f"{dice.getrandbits(128):032x}", ". ".join(said), planted))
    frame = pl.DataFrame(rows, schema=["video_id", "text", "planted"], orient="row")
    return frame.sort("video_id")
