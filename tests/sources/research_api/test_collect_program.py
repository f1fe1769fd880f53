"""The command `collect` as a program: kills, signals, credentials, proxies, exit codes."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fakes.research_api import KEY, SECRET, ResearchApi
from fakes.research_corpus import make_corpus
from fakes.research_kit import (
    CAMPAIGN,
    DAYS,
    command,
    environment,
    expected,
    ids_of,
    of_days,
    program,
)


def corpus(a_day: int = 150) -> list[dict[str, Any]]:
    return make_corpus(CAMPAIGN, DAYS, a_day=a_day)


def complete_days(out: Path) -> set[str]:
    return {path.parent.name for path in out.glob("*/COLLECTED.json")}


def killed_run(api: ResearchApi, out: Path, requests: int, how: signal.Signals) -> int:
    """Start the program and end it when the service has seen some more requests."""
    seen = len(api.asked)
    process = subprocess.Popen(
        command(api.url, out), env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    while process.poll() is None and len(api.asked) < seen + requests:
        time.sleep(0.002)
    time.sleep(random.Random(requests).random() * 0.03)
    process.send_signal(how)
    process.communicate(timeout=30)
    return process.returncode


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_at_any_moment_it_goes_on(how: signal.Signals, tmp_path: Path) -> None:
    with ResearchApi(corpus()) as api:
        moments = [1, 2, 1, 3] if how is signal.SIGKILL else [2]
        for requests in moments:
            done = complete_days(tmp_path)
            before = len(api.asked)
            code = killed_run(api, tmp_path, requests, how)
            assert code in (0, -signal.SIGKILL if how is signal.SIGKILL else 130)
            got = ids_of(tmp_path)
            whole = {day for day in DAYS if day.isoformat() in complete_days(tmp_path)}
            assert of_days(got, whole) == of_days(expected(api), whole) == got
            asked = {body["start_date"] for body in api.queries[before:]}
            assert not asked & {day.replace("-", "") for day in done}
        done, before = complete_days(tmp_path), len(api.asked)
        last = program(api, tmp_path)
        assert last.returncode == 0, last.stderr
        assert ids_of(tmp_path) == expected(api)
        asked = {body["start_date"] for body in api.queries[before:]}
        assert not asked & {day.replace("-", "") for day in done}


def test_a_killed_day_goes_on_where_its_search_lives(tmp_path: Path) -> None:
    with ResearchApi(corpus(450)) as api:
        killed_run(api, tmp_path, 3, signal.SIGKILL)
        assert not complete_days(tmp_path)
        before = len(api.asked)
        assert program(api, tmp_path).returncode == 0
        first = api.queries[before]
        assert first["cursor"] > 0 and "search_id" in first
        assert ids_of(tmp_path) == expected(api)


def test_a_killed_day_begins_again_where_its_search_is_gone(tmp_path: Path) -> None:
    with ResearchApi(corpus(450)) as api:
        killed_run(api, tmp_path, 3, signal.SIGKILL)
        api.searches.clear()
        done = program(api, tmp_path, "--retry-wait", "0.01")
        assert done.returncode == 0, done.stderr
        assert ids_of(tmp_path) == expected(api)


def test_two_programs_in_one_folder(tmp_path: Path) -> None:
    with ResearchApi(corpus(450)) as api:
        api.delay = 0.3
        first = subprocess.Popen(
            command(api.url, tmp_path), env=environment(), stdout=-3, stderr=-3
        )
        while not api.asked:
            time.sleep(0.01)
        second = program(api, tmp_path)
        assert second.returncode == 1
        assert "another collector is running in this folder" in second.stderr
        api.delay = 0
        assert first.wait(60) == 0


def test_exit_codes_and_what_is_said(tmp_path: Path) -> None:
    with ResearchApi(corpus()) as api:
        stopped = program(api, tmp_path, "--requests-a-day", "5")
        assert stopped.returncode == 3
        assert "2024-01-12: not_asked" in stopped.stdout
        assert "00:00 UTC" in stopped.stdout and "5 of 5 requests" in stopped.stdout
        done = program(api, tmp_path)
        assert done.returncode == 0 and "4 complete; 600 videos" in done.stdout
        shown = program(api, tmp_path, "--status")
        assert shown.returncode == 0 and "2024-01-09  complete" in shown.stdout
        estimated = program(api, tmp_path, "--estimate")
        assert "every day is complete" in estimated.stdout
        outside = program(api, tmp_path, "--to", "2026-01-01")
        assert outside.returncode == 2 and "window" in outside.stderr


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"client_key": KEY, "client_secret": SECRET}),
        f"client_key = {KEY}\nclient_secret = '{SECRET}'\n",
        f"client_key: {KEY}\nclient_secret: {SECRET}\n",
        f"export TIKTOK_CLIENT_KEY={KEY}\nexport TIKTOK_CLIENT_SECRET={SECRET}\n",
    ],
)
def test_credentials_from_a_private_file(content: str, tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text(content)
    nothing = {"TIKTOK_CLIENT_KEY": "", "TIKTOK_CLIENT_SECRET": ""}
    with ResearchApi(corpus(3)) as api:
        file.chmod(0o640)
        refused = program(api, tmp_path / "p", "--credentials", str(file), **nothing)
        assert refused.returncode == 1 and "0640" in refused.stderr
        file.chmod(0o600)
        done = program(api, tmp_path / "p", "--credentials", str(file), **nothing)
        assert done.returncode == 0, done.stderr


def test_wrong_or_missing_credentials_are_said_and_never_shown(tmp_path: Path) -> None:
    wrong = "very-private-secret"
    with ResearchApi(corpus(3)) as api:
        missing = program(api, tmp_path, TIKTOK_CLIENT_SECRET="")
        assert missing.returncode == 1 and "client secret is missing" in missing.stderr
        for more in ([], ["--debug"]):
            done = program(api, tmp_path, *more, TIKTOK_CLIENT_SECRET=wrong)
            assert done.returncode == 1
            assert "does not accept this client key and secret" in done.stderr
            for text in (done.stdout, done.stderr):
                assert wrong not in text and KEY not in text
        assert not api.asked


def test_nothing_on_disk_or_on_the_screen_holds_a_secret(tmp_path: Path) -> None:
    with ResearchApi(corpus(3)) as api:
        api.plan = lambda number, body: "500" if number % 2 else None
        done = program(api, tmp_path, "--retry-wait", "0.01", "--debug")
        secrets = [KEY, SECRET, *api.tokens]
        kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
        assert len(kept) > 4
        for secret in secrets:
            assert secret not in done.stdout + done.stderr
            assert not any(secret.encode() in content for content in kept)


def test_a_redirect_does_not_carry_the_token_away(tmp_path: Path) -> None:
    got: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(str(self.headers.get("authorization")))

    other = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    with ResearchApi(corpus(3)) as api:
        api.plan = lambda number, body: "redirect" if number < 2 else None
        done = program(api, tmp_path, "--retry-wait", "0.01")
        assert done.returncode == 0, done.stderr
    other.shutdown()
    assert not got


def test_a_proxy_of_the_environment_is_used(tmp_path: Path) -> None:
    through: Counter[str] = Counter()
    with ResearchApi(corpus(3)) as api:

        class Proxy(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                through[self.path.split("?")[0]] += 1
                content = self.rfile.read(int(self.headers["content-length"]))
                path = self.path.removeprefix("http://research.invalid")
                names = ("authorization", "content-type")
                headers = {n: self.headers[n] for n in names if n in self.headers}
                answer = httpx2.post(api.url + path, content=content, headers=headers)
                self.send_response(answer.status_code)
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, *_: Any) -> None:
                pass

        proxy = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        done = subprocess.run(
            command("http://research.invalid", tmp_path),
            env=environment(HTTP_PROXY=f"http://127.0.0.1:{proxy.server_address[1]}"),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        proxy.shutdown()
        assert done.returncode == 0, done.stderr
        assert ids_of(tmp_path) == expected(api)
    assert through["http://research.invalid/v2/research/video/query/"] >= 4


@pytest.mark.slow
def test_collected_pages_are_a_source_of_regenerate(tmp_path: Path) -> None:
    import polars as pl

    with ResearchApi(corpus(30)) as api:
        api.plan = lambda number, body: "quota" if number == 5 else None
        assert program(api, tmp_path / "pages").returncode == 3
        done = complete_days(tmp_path / "pages")
        assert 0 < len(done) < 4

        def videos() -> int:
            out = tmp_path / "EcuadorCrisisTikTok"
            built = subprocess.run(
                [
                    *command("http://x", tmp_path)[:3],
                    *("regenerate", str(tmp_path / "pages"), "--work", str(tmp_path / "work")),
                    *("--out", str(out), "--profile", "offline", "--replace"),
                    *("--skip", "probe,transcribe,language,sentiment,summarize,entailment"),
                ],
                env=environment(),
                capture_output=True,
                text=True,
                timeout=180,
                check=False,
            )
            assert built.returncode == 0, built.stderr
            return pl.read_parquet(next(out.rglob("metadata/*.parquet"))).height

        assert videos() == 30 * len(done)
        assert program(api, tmp_path / "pages").returncode == 0
        assert videos() == 120
