"""Summaries of transcripts: by a language model, or extracted from the transcript itself.

`extractive` needs nothing and is labelled as such: it quotes the transcript. `llm` asks an
OpenAI-compatible endpoint, `local` a transformers model on this machine. The prompt is a file with
a version in its name; its content is part of the stage's fingerprint.

With `llm` the transcript, which is not scrubbed yet, goes to the server that the profile names:
use one you may send personal data to, or one of your own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol

import polars as pl

from builder.annotate.summary import extractive
from builder.annotate.summary.checks import check, clean
from builder.annotate.summary.endpoint import (
    FATAL_REASONS,
    CallFailed,
    Endpoint,
    EndpointRefused,
    Reply,
)
from builder.annotate.summary.local import LocalModel
from builder.annotate.transcripts.pieces import has_words
from builder.annotate.transcripts.rules import words
from builder.config.profile import ProfileError, SummariesTable
from builder.run.stage import INTERNAL, Stage

PROMPTS = Path(__file__).parent / "prompts"
EXTRACTIVE_MODEL = f"lexrank-mmr@{extractive.VERSION}"
# Settings that change how fast or from where an answer comes, not what it is.
_NOT_OUTPUT = frozenset(
    "token_env concurrency requests_per_minute timeout retries max_wait max_unanswered".split()
)
_EXTRACTIVE = ("method", "max_sentences", "max_words", "min_words")


class Writer(Protocol):
    """What writes summaries: an endpoint, or a local model."""

    name: str

    def complete(self, messages: list[dict[str, str]], *, retries: int | None = None) -> Reply:
        """Answer chat messages. Raises `CallFailed`."""


class Summarize(Stage):
    """Adds a summary of `text`.

    Statuses: `ok`; `skipped` (`no_text`, `no_words`); `failed`: no answer came, the reason says
    why, and the next run tries again; `rejected`: the endpoint will not take this request (400,
    413, 422), and trying again is useless; and for answers that are no summary, which are not kept:
    `empty`, `refused`, `cut_off`, `too_long` (longer than the transcript), `wrong_language`.

    Args:
        table: the `[summaries]` table.
        writer: makes the endpoint or local model, for tests; default by `table.method`.
    """

    name: ClassVar[str] = "summarize"
    version: ClassVar[str] = "1"
    input_columns: ClassVar[tuple[str, ...]] = ("text",)
    output_schema: ClassVar[dict[str, Any]] = {
        "summary": pl.String,
        "method": pl.String,
        "model": pl.String,
        "status": pl.String,
        "reason": pl.String,
        "prompt_tokens": pl.Int64,
        "completion_tokens": pl.Int64,
        "cost": pl.Float64,
    }
    retry_statuses: ClassVar[tuple[str, ...]] = ("failed",)
    batch_size = 32

    def __init__(
        self,
        table: SummariesTable | None = None,
        writer: Callable[[SummariesTable], Writer] | None = None,
    ) -> None:
        self.table = table or SummariesTable()
        self._make = writer or (LocalModel if self.table.method == "local" else Endpoint)
        self._down = False
        self._unanswered = 0  # requests in a row that nobody answered
        self._dead: EndpointRefused | None = None
        if self.table.method == "extractive":
            self.batch_size = 512

    @property
    def params(self) -> dict[str, Any]:
        """What decides the output: of the table, and the prompt's content."""
        table = self.table.model_dump(mode="json")
        if self.table.method == "extractive":
            return {**{key: table[key] for key in _EXTRACTIVE}, "algorithm": EXTRACTIVE_MODEL}
        kept = {key: value for key, value in table.items() if key not in _NOT_OUTPUT}
        kept["prompt"] = Path(self.table.prompt).stem  # its content counts, not where it lies
        prompt = "\n".join(f"{role}:{text}" for role, text in self._prompt())
        return {**kept, "prompt_sha256": hashlib.sha256(prompt.encode()).hexdigest()}

    def check(self) -> None:
        """Prompt, token, endpoint and model name, before hours of other stages.

        Raises:
            ProfileError: no such prompt.
            EndpointRefused, StageFailed: the endpoint cannot be used as the profile says.
        """
        if self.table.method == "extractive":
            return
        read_prompt(self.table.prompt)
        if self._make is Endpoint:
            Endpoint(self.table).probe()

    def load(self) -> Writer | None:
        """Connect to what writes; None for `extractive`. Raises `StageFailed` if impossible."""
        if self.table.method == "extractive":
            return None
        self._prompt()
        return self._make(self.table)

    def _prompt(self) -> list[tuple[str, str]]:
        return read_prompt(self.table.prompt, self.table.language, self.table.subject)

    def order(self, pending: pl.DataFrame) -> pl.DataFrame:
        """Equal texts together: a repeated TikTok sound is asked about once."""
        return pending.sort("text", "id", nulls_last=True)

    def rows(self, batch: pl.DataFrame) -> list[dict[str, Any]]:
        """See `Stage.rows`. The input column `text` may be null.

        Raises:
            EndpointRefused: the endpoint refused every request of the batch for good.
        """
        if self._dead is not None:
            raise self._dead
        texts = batch["text"].to_list()
        wanted = list(dict.fromkeys(text for text in texts if _blank(text) is None))
        if self.table.method == "extractive":
            answers = {text: self.guarded(self._extract, text) for text in wanted}
        else:
            with ThreadPoolExecutor(self.table.concurrency) as pool:
                # Guarded one by one: the answers to the others are paid for.
                asked = pool.map(partial(self.guarded, self._ask), wanted)
                answers = dict(zip(wanted, asked, strict=True))
            self._judge_endpoint(list(answers.values()))
        rows = []
        paid: set[str] = set()
        for text in texts:
            blank = _blank(text)
            if blank:
                rows.append({"status": "skipped", "reason": blank})
                continue
            row = dict(answers[text])
            if text in paid:  # one request: its tokens are counted once
                row.update(prompt_tokens=0, completion_tokens=0, cost=row.get("cost") and 0.0)
            paid.add(text)
            rows.append(row)
        return rows

    def _extract(self, text: str) -> dict[str, Any]:
        summary = extractive.summarize(
            text,
            max_sentences=self.table.max_sentences,
            max_words=self.table.max_words,
            min_words=self.table.min_words,
        )
        return {
            "summary": summary,
            "method": "extractive",
            "model": EXTRACTIVE_MODEL,
            "status": "ok",
            "prompt_tokens": 0,
            "completion_tokens": 0,
            "cost": 0.0,
        }

    def _ask(self, text: str) -> dict[str, Any]:
        table = self.table
        writer: Writer = self.loaded
        if len(words(text)) < table.min_words:
            return self._extract(text)
        sent, cut = _fit(text, table.max_input_chars)
        row: dict[str, Any] = {
            "method": f"{table.method} (first {len(sent):,} characters)" if cut else table.method,
            "model": f"{writer.name} (prompt {Path(table.prompt).stem})",
        }
        messages = [
            {"role": role, "content": content.replace("{text}", sent)}
            for role, content in self._prompt()
        ]
        try:
            reply = writer.complete(messages, retries=0 if self._down else None)
        except CallFailed as failure:
            # Told apart from a passing fault, so that nobody pays for the same refusal daily.
            status = "failed" if failure.passing or failure.fatal else "rejected"
            return {**row, "status": status, "reason": failure.reason}
        answer = clean(reply.text)
        status = check(answer, text, language=table.language, finish=reply.finish)
        if status != "ok":
            row["reason"] = f"answer_{status}"
        return {
            **row,
            "summary": answer if status == "ok" else None,
            "status": status,
            "prompt_tokens": reply.prompt_tokens,
            "completion_tokens": reply.completion_tokens,
            "cost": self._cost(reply),
        }

    def _cost(self, reply: Reply) -> float | None:
        table = self.table
        if table.prompt_price is None or table.completion_price is None:
            return None
        if reply.prompt_tokens is None or reply.completion_tokens is None:
            return None
        dollars = reply.prompt_tokens * table.prompt_price
        return (dollars + reply.completion_tokens * table.completion_price) / 1e6

    def _judge_endpoint(self, answers: list[dict[str, Any]]) -> None:
        asked = [answer for answer in answers if answer.get("method") != "extractive"]
        if not asked:
            return
        reasons = {answer.get("reason") for answer in asked}
        if reasons <= FATAL_REASONS:
            raise EndpointRefused(
                "the summary endpoint refuses every request: "
                + ", ".join(sorted(map(str, reasons))),
                field="summaries",
                way_out="check model and base_url in the profile, the token in the environment "
                f"variable {self.table.token_env}, and that base_url is no redirect; then run "
                "again: finished rows are kept",
            )
        # An endpoint that answered nothing is not waited for again and again: one try a row until
        # it answers.
        self._down = all(answer["status"] == "failed" for answer in asked)
        self._count_unanswered(asked)

    def _count_unanswered(self, asked: list[dict[str, Any]]) -> None:
        """Stop when nobody answers any more: a dead endpoint is not a build without summaries.

        Raises:
            EndpointRefused: `max_unanswered` requests in a row, retries included, failed.
        """
        for answer in asked:
            ours = str(answer.get("reason")).startswith(INTERNAL)
            lost = answer["status"] == "failed" and not ours
            self._unanswered = self._unanswered + 1 if lost else 0
        limit = self.table.max_unanswered
        if not limit or self._unanswered < limit:
            return
        self._dead = EndpointRefused(
            f"the summary endpoint did not answer {self._unanswered} requests in a row "
            f"({asked[-1].get('reason')})",
            field="summaries",
            way_out="see that the server is up (or wait for its limit to pass), then run again: "
            "finished rows are kept; [summaries] max_unanswered = 0 goes on regardless",
        )
        if self._down:
            raise self._dead  # else the answers of this batch are kept first


def read_prompt(name: str, language: str = "", subject: str = "") -> list[tuple[str, str]]:
    """The messages of a prompt file: parts headed by `[system]` or `[user]`; `{text}` once.

    `{language}` becomes the code of the language, `{subject}` the subject; a line that names a
    subject is left out where there is none.

    Args:
        name: a path, or a name under `builder/annotate/prompts`: `NAME.LANGUAGE.txt` where it
            exists, else `NAME.txt`.
        language: ISO 639-1 code of the summaries.
        subject: what the videos are about.

    Raises:
        ProfileError: no such file, or no place for the transcript.
    """
    own = PROMPTS / f"{name}.{language}.txt"
    embedded = own if own.is_file() else PROMPTS / f"{name}.txt"
    path = Path(name) if Path(name).is_file() else embedded
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(
            f"cannot read the prompt {name!r}",
            field="summaries.prompt",
            way_out="give a path, or one of "
            + ", ".join(sorted(file.stem for file in PROMPTS.glob("*.txt"))),
        ) from error
    messages: list[tuple[str, list[str]]] = []
    for line in lines:
        if "{subject}" in line and not subject:
            continue
        line = line.replace("{subject}", subject).replace("{language}", language)
        if line.strip() in ("[system]", "[user]"):
            messages.append((line.strip()[1:-1], []))
        elif messages:
            messages[-1][1].append(line)
    found = [(role, "\n".join(body).strip()) for role, body in messages]
    if sum(content.count("{text}") for _, content in found) != 1:
        raise ProfileError(
            "a prompt needs {text} once, in its [system] or [user] part",
            file=path,
            way_out="see builder/annotate/prompts/summary_v1.txt",
        )
    return found


def _blank(text: str | None) -> str | None:
    if not (text or "").strip():
        return "no_text"
    return None if has_words(text) else "no_words"


def _fit(text: str, limit: int) -> tuple[str, bool]:
    if len(text) <= limit:
        return text, False
    return text[:limit].rsplit(None, 1)[0] or text[:limit], True
