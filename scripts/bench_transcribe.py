"""Measures transcription: ours against four others, same weights, same clips, one run.

Clips are put together from real speech (`shared/data/speech`), with music, silence and noise for
a third of the time, as on TikTok. Every system reads the same files with the same decoder
(PyAV) inside its timed region, has the same number of threads and beam 5. Each is measured in a
process of its own, in turn, `--rounds` times; the fastest round counts, because other users of
the machine only ever slow a round down. `cpu_seconds` says what a round really used.

Prints one JSON line. Usage:
    python scripts/bench_transcribe.py [--speech DIR] [--rounds 2] [--only ours,openai-whisper]
"""

from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import os
import platform
import queue
import resource
import sys
import tempfile
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jiwer
import numpy as np

from builder.annotate.transcripts.rules import normalise
from builder.annotate.whisper.weights import WHEEL_MODEL, resolve
from builder.run.ct2 import open_whisper, whisper_library

SPEECH = Path(__file__).parents[2] / "shared" / "data" / "speech"
MUSIC = "librosa-Kevin_MacLeod_-_Vibe_Ace.ogg"
RATE = 16_000
BEAM = 5
THREADS = len(os.sched_getaffinity(0))
Clip = tuple[str, str]  # path, reference ("" where nobody speaks)


def decode_audio(path: str) -> Any:
    """A file's sound as faster-whisper hands it to Whisper: 16 kHz, mono, float32."""
    return whisper_library().decode_audio(path)


def make_clips(speech: Path, folder: Path) -> list[Clip]:
    """Write the clips and return them: single utterances, several in a row, and no speech."""
    with open(speech / "SOURCES.tsv", encoding="utf-8", newline="") as handle:
        rows = [row for row in csv.DictReader(handle, delimiter="\t") if row["reference"]]
    sound = {row["file"]: decode_audio(str(speech / row["file"])) for row in rows}
    clips = [(sound[row["file"]], row["reference"]) for row in rows]
    for language in ("es", "pt", "en"):
        same = [row for row in rows if row["language"] == language]
        group = same[:3]
        pause = np.zeros(RATE // 2, np.float32)
        joined = np.concatenate([part for r in group for part in (sound[r["file"]], pause)])
        clips.append((joined, " ".join(r["reference"] for r in group)))
    music = decode_audio(str(speech / MUSIC))
    rng = np.random.default_rng(5)
    clips += [(music[at * RATE : (at + 20) * RATE], "") for at in (0, 20, 40)]
    clips += [(np.zeros(25 * RATE, np.float32), "")]
    clips += [(0.003 * rng.standard_normal(20 * RATE).astype(np.float32), "")]
    clips += [
        (decode_audio(str(path)), "")
        for path in sorted(speech.iterdir())
        if "empty" in path.name or "bird" in path.name
    ]
    made = []
    for i, (samples, reference) in enumerate(clips):
        path = folder / f"{i + 1}.wav"
        with wave.open(str(path), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(RATE)
            out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
        made.append((str(path), reference))
    return made


def ours(clips: list[Clip]) -> Callable[[], list[str]]:
    """The transcribe stage with the offline profile."""
    import polars as pl

    from builder.annotate.transcribe import Transcribe
    from builder.config.profile import load_profile

    stage = Transcribe(load_profile("offline").asr)
    stage.setup()
    frame = pl.DataFrame(
        {
            "id": range(1, len(clips) + 1),
            "path": [path for path, _ in clips],
            "size": [Path(path).stat().st_size for path, _ in clips],
            "mtime_ns": [0] * len(clips),
        }
    )
    return lambda: [text or "" for text in stage(stage.order(frame)).sort("id")["text"]]


def faster_whisper(compute_type: str, batched: bool) -> Callable[..., Callable[[], list[str]]]:
    """faster-whisper one file at a time, or its own batched pipeline."""

    def load(clips: list[Clip]) -> Callable[[], list[str]]:
        folder = resolve(WHEEL_MODEL).path
        model = open_whisper(folder, device="cpu", compute_type=compute_type, cpu_threads=THREADS)
        run: Any = model.transcribe
        if batched:
            pipeline = whisper_library().BatchedInferencePipeline(model)

            def run(path: str, **options: Any) -> Any:
                return pipeline.transcribe(path, batch_size=8, **options)

        return lambda: [
            " ".join(segment.text for segment in run(path, beam_size=BEAM)[0]) for path, _ in clips
        ]

    return load


def openai_whisper(clips: list[Clip]) -> Callable[[], list[str]]:
    """openai-whisper in float32, the only type it has on CPUs."""
    import torch
    from whisper.model import ModelDimensions, Whisper
    from whisper_weights import dimensions, openai_state, read_variables

    torch.set_num_threads(THREADS)
    state = openai_state(read_variables(resolve(WHEEL_MODEL).path / "model.bin"))
    model = Whisper(ModelDimensions(**dimensions(state)))
    model.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in state.items()}, strict=False)
    model.eval()
    return lambda: [
        model.transcribe(decode_audio(path), beam_size=BEAM, fp16=False)["text"]
        for path, _ in clips
    ]


def transformers_pipeline(clips: list[Clip]) -> Callable[[], list[str]]:
    """The transformers ASR pipeline, 30 s chunks, float32."""
    import torch
    import transformers as hf
    from whisper_weights import (
        dimensions,
        openai_state,
        read_variables,
        suppressed_tokens,
        transformers_state,
    )

    torch.set_num_threads(THREADS)
    folder = resolve(WHEEL_MODEL).path
    state = openai_state(read_variables(folder / "model.bin"))
    size = dimensions(state)
    config = hf.WhisperConfig(
        vocab_size=size["n_vocab"],
        d_model=size["n_audio_state"],
        encoder_layers=size["n_audio_layer"],
        decoder_layers=size["n_text_layer"],
        encoder_attention_heads=size["n_audio_head"],
        decoder_attention_heads=size["n_text_head"],
        encoder_ffn_dim=4 * size["n_audio_state"],
        decoder_ffn_dim=4 * size["n_text_state"],
        num_mel_bins=size["n_mels"],
        pad_token_id=50257,
        bos_token_id=50257,
        eos_token_id=50257,
        decoder_start_token_id=50258,
    )
    model = hf.WhisperForConditionalGeneration(config)
    tensors = {k: torch.from_numpy(v.copy()) for k, v in transformers_state(state).items()}
    model.load_state_dict(tensors, strict=False)
    model.eval()
    tokenizer = hf.WhisperTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    known = {token.content: i for i, token in tokenizer.added_tokens_decoder.items()}
    everywhere, first = suppressed_tokens(folder)
    model.generation_config = hf.GenerationConfig(
        is_multilingual=True,
        max_length=448,
        pad_token_id=50257,
        bos_token_id=50257,
        eos_token_id=50257,
        decoder_start_token_id=50258,
        no_timestamps_token_id=known["<|notimestamps|>"],
        prev_sot_token_id=known["<|startofprev|>"],
        suppress_tokens=everywhere,
        begin_suppress_tokens=first,
        task_to_id={k: known[f"<|{k}|>"] for k in ("transcribe", "translate")},
        lang_to_id={k: i for k, i in known.items() if len(k) in (6, 7) and 50259 <= i <= 50357},
    )
    pipe = hf.pipeline(
        "automatic-speech-recognition",
        model=model,
        tokenizer=tokenizer,
        feature_extractor=hf.WhisperFeatureExtractor(feature_size=size["n_mels"]),
        chunk_length_s=30,
        batch_size=1,
    )
    options = {"num_beams": BEAM, "task": "transcribe"}
    return lambda: [pipe(decode_audio(path), generate_kwargs=options)["text"] for path, _ in clips]


SYSTEMS: dict[str, Callable[[list[Clip]], Callable[[], list[str]]]] = {
    "ours": ours,
    "faster-whisper": faster_whisper("default", batched=False),
    "faster-whisper int8": faster_whisper("int8", batched=False),
    "faster-whisper batched": faster_whisper("default", batched=True),
    "faster-whisper batched int8": faster_whisper("int8", batched=True),
    "openai-whisper": openai_whisper,
    "transformers pipeline": transformers_pipeline,
}


def measure(name: str, clips: list[Clip], out: Any) -> None:
    """Child process: load, run once, send wall and CPU seconds, peak memory and texts."""
    run = SYSTEMS[name](clips)
    before, started = os.times(), time.perf_counter()
    texts = run()
    wall, after = time.perf_counter() - started, os.times()
    cpu = after.user - before.user + after.system - before.system
    out.put((wall, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, texts))


def score(clips: list[Clip], texts: list[str]) -> dict[str, Any]:
    """Pooled WER over everything, over the speech only, and the words invented elsewhere."""
    spoken = [(normalise(r), normalise(t)) for (_, r), t in zip(clips, texts, strict=True) if r]
    result = jiwer.process_words([r for r, _ in spoken], [t for _, t in spoken])
    invented = sum(
        len(normalise(text).split()) for (_, r), text in zip(clips, texts, strict=True) if not r
    )
    edits = result.substitutions + result.deletions + result.insertions
    total = edits + result.hits - result.insertions
    return {
        "wer": round((edits + invented) / total, 4),
        "wer_on_speech": round(result.wer, 4),
        "words_invented": invented,
    }


def main() -> int:
    """Run the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--speech", type=Path, default=SPEECH)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", default=",".join(SYSTEMS))
    arguments = parser.parse_args()
    if not arguments.speech.is_dir():
        print(f"no folder of speech at {arguments.speech}: give --speech", file=sys.stderr)
        return 2
    # On a machine others use, threads that wait by spinning waste the cores everyone waits for
    # (openai-whisper needed four times the CPU time); nobody is slower for sleeping instead.
    os.environ |= {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as scratch:
        clips = make_clips(arguments.speech, Path(scratch))
        seconds = [len(decode_audio(path)) / RATE for path, _ in clips]
        total = sum(seconds)
        quiet = sum(s for s, (_, r) in zip(seconds, clips, strict=True) if not r)
        systems: dict[str, dict[str, Any]] = {}
        for _ in range(arguments.rounds):
            for name in arguments.only.split(","):
                box = context.Queue()
                child = context.Process(target=measure, args=(name, clips, box))
                child.start()
                wall, cpu, memory, texts = _receive(box, child)
                best = systems.setdefault(name, {"wall_seconds": wall, "cpu_seconds": cpu})
                best["wall_seconds"] = min(best["wall_seconds"], wall)
                best["cpu_seconds"] = min(best["cpu_seconds"], cpu)
                best |= {"peak_mb": round(memory), **score(clips, texts)}
                print(name, json.dumps(best), file=sys.stderr, flush=True)
    for found in systems.values():
        found["audio_per_second"] = round(total / found["wall_seconds"], 2)
        found["audio_per_cpu_second"] = round(total / found["cpu_seconds"], 2)
        found |= {k: round(found[k], 2) for k in ("wall_seconds", "cpu_seconds")}
    report = {
        "benchmark": "transcribe",
        "clips": len(clips),
        "audio_seconds": round(total, 1),
        "share_without_speech": round(quiet / total, 3),
        "threads": THREADS,
        "machine": platform.processor() or platform.machine(),
        "load_average": round(os.getloadavg()[0], 1),
        "systems": systems,
    }
    if "ours" in systems:
        mine = systems["ours"]
        report["speedup_of_ours"] = {
            name: {
                "wall": round(found["wall_seconds"] / mine["wall_seconds"], 2),
                "cpu": round(found["cpu_seconds"] / mine["cpu_seconds"], 2),
            }
            for name, found in systems.items()
            if name != "ours"
        }
    print(json.dumps(report))
    return 0


def _receive(box: Any, child: Any) -> Any:
    while child.is_alive() or not box.empty():
        try:
            found = box.get(timeout=1)
        except queue.Empty:
            continue
        child.join()
        return found
    raise SystemExit(f"a measured system ended with exit code {child.exitcode}")


if __name__ == "__main__":
    raise SystemExit(main())
