"""The videos of one synthetic day, as the Research API would return them, faults included.

`DayRows` draws a day's numbers at once with NumPy and then yields finished rows in reading order,
a few thousand at a time, so that a day of half a million videos fits in little memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from builder.config.campaign import Campaign
from builder.sources.simulate.dice import OCTAVE, Dice, Ints, exp2, share, share_below
from builder.sources.simulate.faults import VIDEO_ID_SIZE, Row, extra_rows, older_copy, scatter
from builder.sources.simulate.plan import DayPlan, Plan
from builder.sources.simulate.targets import METRICS
from builder.sources.simulate.text import Texts, spoken

CHUNK = 8_192  # rows rendered at a time

# Heavy tails, in doublings (sigma of log2). Views: ln-sigma 2.0, so the mean is about 7 medians.
# The others follow the views with their own noise. All invented.
_SIGMA = {"view_count": 739, "like_count": 300, "comment_count": 420, "share_count": 480}
_LABEL = "SYNTHETIC: get the facts about the state of emergency"
_TAGS = (
    {"number": 1, "type": "Paid partnership"},
    {"number": 3, "type": "AI-generated"},
)
_FOLLOW = {"like_count": 9, "comment_count": 8, "share_count": 8}  # tenths of the views' exponent

# Ecuador's day in UTC: share of videos per hour, in 1/64. Invented: quiet 06-11, busy 23-04.
_HOURS = (5, 5, 4, 4, 3, 2, 1, 1, 0, 0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4, 4, 5)
_HOUR_OF = np.repeat(np.arange(24), _HOURS)
_REPEATED = 15  # percent of transcripts that repeat a popular sound
_JITTER = 60  # seconds between create_time and the time in the id, at most, either way


class DayRows:
    """Rows of the day's file, and what this day hands on to the next day's file.

    Args:
        campaign, texts, plan: of the whole run.
        day: the day to make.
        carried: latest versions of the day before's videos, to be written in this day's file.
        tally: counts planted faults over the whole run; this day adds its own.

    Attributes:
        carry: what to pass to the next day as `carried`, once `chunks` is exhausted.
        whisper: (id, text) rows of the CSV, filled by `chunks`; the caller empties it.
    """

    def __init__(
        self,
        campaign: Campaign,
        texts: Texts,
        plan: Plan,
        day: DayPlan,
        carried: list[Row],
        tally: Counter[str],
    ) -> None:
        self.campaign, self.texts, self.plan = campaign, texts, plan
        self.day, self.tally = day, tally
        self.dice = Dice(plan.seed, 1, day.index)
        self.carry: list[Row] = []
        self.whisper: list[tuple[int, str]] = []
        self.authors = max(plan.targets.videos // 3, 1)
        self.is_last = day is plan.days[-1]
        self._draw()
        self._extras = extra_rows(campaign, texts, plan, day, self.dice, tally) + carried

    def chunks(self) -> Iterator[list[Row]]:
        """Yield the day's rows in reading order: an older copy always precedes the latest."""
        n, extras = self.day.videos, self._extras
        places = np.sort(self.dice.below(n + 1, len(extras))).tolist()
        # Extras come in random order, so that damaged rows are not neighbours.
        order = np.argsort(self.dice.raw(len(extras)), kind="stable").tolist()
        given = 0
        for start in range(0, max(n, 1), CHUNK):
            end = min(start + CHUNK, n)
            rows = self._render(start, end)
            before: dict[int, list[Row]] = {}
            while given < len(extras) and (places[given] < end or end == n):
                before.setdefault(places[given], []).append(extras[order[given]])
                given += 1
            for position in _within(self._duplicates, start, end):
                self._duplicate(position, start, rows, before)
            merged: list[Row] = []
            for position, row in enumerate(rows, start):
                if position in before:
                    merged += before[position]
                merged.append(row)
            yield merged + before.get(end, [])

    def _draw(self) -> None:
        """Draw every number of the day's valid videos."""
        day, dice, n = self.day, self.dice, self.day.videos
        self._counts = self._engagement()
        midnight = self.campaign.window.start_ts + 86_400 * day.index
        self._time = midnight + 3_600 * _HOUR_OF[dice.below(64, n)] + dice.below(3_600, n)
        if n and day.index == 0:
            self._time[0] = midnight
        if n and self.is_last:
            self._time[-1] = midnight + 86_399
        ordinals = np.arange(day.first, day.first + n, dtype=np.uint64)
        jitter = dice.below(2 * _JITTER + 1, n) - _JITTER
        self._ids: Ints = (self._time + jitter << 32) | scatter(ordinals, self.plan.seed).astype(
            np.int64
        )
        self._author = dice.ranks(n, self.authors)
        self._tag_lists(dice)
        self._api = dice.choose(n, day.counts["api"])
        self._whisper = dice.choose(n, day.counts["whisper"])
        unheard = np.setdiff1d(np.arange(n), self._whisper, assume_unique=True)
        empty, near = day.counts["empty_transcript"], day.counts["near_empty_transcript"]
        blank = unheard[dice.choose(len(unheard), empty + near)]
        which = dice.choose(len(blank), empty)
        self._empty, self._near_empty = blank[which], np.delete(blank, which)
        self._identified = {
            "description": dice.choose(n, day.counts["id_description"]),
            "voice": self._api[dice.choose(len(self._api), day.counts["id_voice"])],
            "whisper": self._whisper[dice.choose(len(self._whisper), day.counts["id_whisper"])],
        }
        self._nul = dice.choose(n, day.counts["nul"])
        self._duplicates = dice.choose(n, day.counts["duplicate"])

    def _engagement(self) -> dict[str, Ints]:
        day, dice, n = self.day, self.dice, self.day.videos
        exponent = dice.gauss(n, _SIGMA["view_count"])
        views = share(day.totals["view_count"], exp2(exponent))
        counts = {"view_count": views}
        for metric in METRICS[1:]:
            follow = exponent * _FOLLOW[metric] // 10
            weights = exp2(follow + dice.gauss(n, _SIGMA[metric]))
            if metric == "share_count" and day.silent:
                weights[0] = 0
            counts[metric] = share_below(day.totals[metric], weights, views)
        # A zero is missing from the row three times in four; the promised one always.
        self._missing = {m: (counts[m] == 0) & (dice.below(4, n) < 3) for m in METRICS}
        if day.silent:
            self._missing["share_count"][0] = counts["share_count"][0] == 0
        self.tally["missing_count"] += int(np.any(list(self._missing.values()), axis=0).sum())
        return counts

    def _tag_lists(self, dice: Dice) -> None:
        """Which tags each video has, in random order, some in other spellings or twice."""
        n, tags = self.day.videos, self.plan.tags
        drawn = [dice.choose(n, count) for count in self.day.tags]
        video = np.concatenate([*drawn, np.zeros(0, dtype=np.int64)])
        code = np.repeat(np.arange(len(drawn)), [len(chosen) for chosen in drawn])
        spelling = dice.below(100, len(video))
        code = code + len(tags) * np.select([spelling < 5, spelling < 8], [1, 2], 0)
        again = spelling == 50  # 1 % are there twice, in two spellings
        video = np.concatenate([video, video[again]])
        code = np.concatenate([code, code[again] + len(tags)])
        low = dice.raw(len(video)) >> np.uint64(32)
        order = np.argsort((video.astype(np.uint64) << np.uint64(32)) | low, kind="stable")
        self._spellings = [*tags, *map(str.title, tags), *map(str.upper, tags)]
        self._tag_codes: Ints = code[order]
        self._tag_edges = np.searchsorted(video[order], np.arange(n + 1))
        own = {k.term.casefold() for k in self.campaign.keywords if k.kind == "hashtag"}
        is_own = np.array([tag in own for tag in tags] * 3, dtype=np.bool_)
        self._matched: NDArray[np.bool_] = np.zeros(n, dtype=np.bool_)
        self._matched[video[is_own[code]]] = True
        rare, named = (self.day.counts[k] for k in ("rare_hashtag", "username_hashtag"))
        self._rare, self._named = dice.choose(n, rare), dice.choose(n, named)

    def _render(self, start: int, end: int) -> list[Row]:
        """Rows of the videos start … end-1 of the day; their CSV rows go to `whisper`."""
        dice, texts, n = self.dice, self.texts, end - start
        ids, times = self._ids[start:end].tolist(), self._time[start:end].tolist()
        counts = [self._counts[m][start:end].tolist() for m in METRICS]
        names = [texts.author(rank) for rank in self._author[start:end].tolist()]
        codes = self._tag_codes[self._tag_edges[start] : self._tag_edges[end]].tolist()
        edges = (self._tag_edges[start : end + 1] - self._tag_edges[start]).tolist()
        matched = self._matched[start:end].tolist()
        bits, more = dice.raw(n).tolist(), dice.raw(n).tolist()
        seconds = (exp2(dice.gauss(n, OCTAVE * 3 // 2)) * 30 >> 26).clip(3, 600).tolist()
        sounds = dice.ranks(n, len(texts.popular), 4).tolist()
        base = self._transcripts(start, end, sounds)
        spellings, regions, captions, terms = (
            self._spellings,
            self.campaign.region_codes,
            texts.captions,
            texts.terms,
        )
        rows: list[Row] = []
        for i in range(n):
            b, m = bits[i], more[i]
            tags = [spellings[code] for code in codes[edges[i] : edges[i + 1]]]
            text = captions[b & 511]
            if not matched[i]:
                text = f"{text} · {terms[(b >> 9) % len(terms)]}"
            if tags:
                text = f"{text} #{' #'.join(tags)}"
            row: Row = {
                "id": ids[i],
                "create_time": times[i],
                "username": names[i],
                "region_code": regions[(b >> 20) % len(regions)],
                "video_description": text,
                "music_id": VIDEO_ID_SIZE + (sounds[i] if base[i][1] else m >> 8),
                "like_count": counts[3][i],
                "comment_count": counts[1][i],
                "share_count": counts[2][i],
                "view_count": counts[0][i],
                "effect_ids": [str(m & 1_048_575)] if b >> 40 & 7 == 0 else [],
                "hashtag_names": tags,
                "video_duration": seconds[i],
            }
            if b >> 54 & 3:  # a zero is missing; bits beyond 54 were free
                row["favorites_count"] = 1 + (counts[3][i] * (b >> 56) >> 9)
            if b >> 58 & 31 == 0:
                row["video_label"] = {"content": _LABEL, "type": 3, "vote": False}
            if m >> 58 & 31 == 0:
                row["video_tag"] = dict(_TAGS[m >> 57 & 1])
            if b >> 43 & 31 == 0:
                row["playlist_id"] = VIDEO_ID_SIZE + (m >> 20)
            if b >> 48 & 3 == 0:
                row["voice_to_text"] = ""
            rows.append(row)
        self._touch(start, rows, base)
        return rows

    def _transcripts(self, start: int, end: int, sounds: list[int]) -> list[tuple[str, bool]]:
        """What is said in each video, and whether it is a popular sound; ("", False) if nothing."""
        n, texts = end - start, self.texts
        heard = np.zeros(n, dtype=np.bool_)
        for group in (self._api, self._whisper):
            heard[group[(group >= start) & (group < end)] - start] = True
        topics, bits = self.dice.below(1 << 20, n).tolist(), self.dice.raw(n).tolist()
        repeated = (self.dice.below(100, n) < _REPEATED).tolist()
        said: list[tuple[str, bool]] = []
        for i, has_text in enumerate(heard.tolist()):
            if not has_text:
                said.append(("", False))
            elif repeated[i]:
                said.append((texts.popular[sounds[i]], True))
            else:
                said.append((texts.transcript(topics[i], bits[i]), False))
        return said

    def _touch(self, start: int, rows: list[Row], base: list[tuple[str, bool]]) -> None:
        """Add transcripts, missing keys, rare tags, identifiers and NULs to finished rows."""
        end = start + len(rows)
        for metric, missing in self._missing.items():
            for i in np.flatnonzero(missing[start:end]).tolist():
                del rows[i][metric]
        for group, kind in ((self._rare, "rare_hashtag"), (self._named, "username_hashtag")):
            for position in _within(group, start, end):
                row = rows[position - start]
                rare = f"sim{self.day.first + position}"
                tag = row["username"] if kind == "username_hashtag" else rare
                row["hashtag_names"].append(tag)
                row["video_description"] += f" #{tag}"
                self.tally[kind] += 1
        for position in _within(self._api, start, end):
            rows[position - start]["voice_to_text"] = spoken(base[position - start][0])
        for field, place in (("video_description", "description"), ("voice_to_text", "voice")):
            for position in _within(self._identified[place], start, end):
                rows[position - start][field] += " " + self._identifier()
        for position in _within(self._nul, start, end):
            field = ("username", "video_description")[self.tally["nul"] % 2]
            text = rows[position - start][field]
            rows[position - start][field] = text[:4] + "\0" + text[4:]
            self.tally["nul"] += 1
        self._transcribe(start, rows, base)

    def _transcribe(self, start: int, rows: list[Row], base: list[tuple[str, bool]]) -> None:
        """Add the CSV rows of the videos `rows`, whose first is the day's number `start`."""
        end = start + len(rows)
        spoken_in = {i: base[i - start][0] for i in _within(self._whisper, start, end)}
        for position in _within(self._identified["whisper"], start, end):
            spoken_in[position] += " " + self._identifier()
        for position in _within(self._empty, start, end):
            spoken_in[position] = ""
            self.tally["empty_transcript"] += 1
        for position in _within(self._near_empty, start, end):
            near_empty = self.texts.words["near_empty"]
            spoken_in[position] = near_empty[self.dice.one(len(near_empty))]
            self.tally["near_empty_transcript"] += 1
        self.whisper += [(rows[i - start]["id"], text) for i, text in sorted(spoken_in.items())]

    def _identifier(self) -> str:
        kinds = self.texts.kinds
        kind = kinds[sum(self.tally[f"identifier_{kind}"] for kind in kinds) % len(kinds)]
        self.tally[f"identifier_{kind}"] += 1
        return self.texts.identifier(kind, self.dice)

    def _duplicate(
        self, position: int, start: int, rows: list[Row], before: dict[int, list[Row]]
    ) -> None:
        """Put an older copy before the row at `position`: in turn with the latest one in the next
        day's file, anywhere earlier in this chunk, or right before it."""
        kind, latest = self.tally["duplicate"] % 3, rows[position - start]
        old = older_copy(latest, self.dice)
        self.tally["duplicate"] += 1
        if kind == 0 and not self.is_last:
            self.carry.append(latest)
            rows[position - start] = old
        else:
            place = position if kind == 2 else start + self.dice.one(position - start + 1)
            before.setdefault(place, []).append(old)


def _within(group: Ints, start: int, end: int) -> list[int]:
    """The members of a sorted group from start to end-1."""
    low, high = np.searchsorted(group, (start, end))
    members: list[int] = group[low:high].tolist()
    return members
