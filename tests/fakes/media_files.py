"""Makes media files for tests, good and broken, with PyAV alone."""

from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

RATE = 16_000


def tone(seconds: float, frequency: float = 440.0) -> np.ndarray:
    """A sine, float32."""
    return (0.3 * np.sin(2 * np.pi * frequency * np.arange(int(seconds * RATE)) / RATE)).astype(
        np.float32
    )


def write_wav(path: Path, samples: np.ndarray) -> Path:
    """16 kHz mono, 16 bit."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def write_mp4(
    path: Path,
    seconds: float = 2.0,
    *,
    sound: np.ndarray | None = None,
    audio: bool = True,
    video: bool = True,
    size: tuple[int, int] = (90, 160),
    rate: int = 10,
    container: str = "mp4",
    options: dict[str, str] | None = None,
) -> Path:
    """A small H.264/AAC file; `sound` None is a tone."""
    if sound is None:
        sound = tone(seconds)
    settings = {"movflags": "faststart"} if options is None else options
    with av.open(str(path), "w", format=container, options=settings) as out:
        pictures: Any = out.add_stream("libx264", rate=rate) if video else None
        if pictures is not None:
            pictures.width, pictures.height, pictures.pix_fmt = *size, "yuv420p"
            pictures.options = {"preset": "ultrafast", "crf": "40"}
        voice: Any = out.add_stream("aac", rate=RATE, layout="mono") if audio else None
        for i in range(round(seconds * rate)):
            if pictures is not None:
                grey = np.full((size[1], size[0], 3), i * 5 % 255, np.uint8)
                frame = av.VideoFrame.from_ndarray(grey, "rgb24")
                frame.pts, frame.time_base = i, Fraction(1, rate)
                out.mux(pictures.encode(frame))
            part = sound[i * RATE // rate : (i + 1) * RATE // rate]
            if voice is not None and len(part):
                heard = av.AudioFrame.from_ndarray(part[None], format="fltp", layout="mono")
                heard.sample_rate, heard.pts = RATE, i * RATE // rate
                heard.time_base = Fraction(1, RATE)
                out.mux(voice.encode(heard))
        for stream in (pictures, voice):
            if stream is not None:
                out.mux(stream.encode(None))
    return path


def broken_files(folder: Path) -> dict[str, Path]:
    """Everything that can be wrong with a download, by what it is."""
    folder.mkdir(parents=True, exist_ok=True)
    ids = iter(range(7_320_000_000_000_000_001, 7_320_000_000_000_000_100))

    def name(extension: str = "mp4") -> Path:
        return folder / f"{next(ids)}.{extension}"

    files = {"ok": write_mp4(name())}
    files["no_audio"] = write_mp4(name(), audio=False)
    files["audio_only_mp4"] = write_mp4(name(), video=False)
    files["audio_only_wav"] = write_wav(name("wav"), tone(1))
    files["zero_byte"] = name()
    files["zero_byte"].write_bytes(b"")
    files["random_bytes"] = name()
    files["random_bytes"].write_bytes(np.random.default_rng(0).bytes(20_000))
    files["text"] = name()
    files["text"].write_text("<html>404 not found</html>" * 50)
    files["wrong_extension"] = name()
    write_wav(files["wrong_extension"], tone(1))
    whole = write_mp4(folder / "whole.tmp", 6.0).read_bytes()
    files["truncated"] = name()
    files["truncated"].write_bytes(whole[: len(whole) * 6 // 10])
    files["header_only"] = name()
    files["header_only"].write_bytes(whole[:40])
    slow = write_mp4(folder / "slow.tmp", 4.0, options={}).read_bytes()
    files["index_cut_off"] = name()  # the index stands at the end, and the end is missing
    files["index_cut_off"].write_bytes(slow[: len(slow) * 8 // 10])
    for leftover in ("whole.tmp", "slow.tmp"):
        (folder / leftover).unlink()
    files["one_frame"] = write_mp4(name(), 0.1, audio=False)
    files["encrypted"] = write_mp4(
        name(),
        options={
            "encryption_scheme": "cenc-aes-ctr",
            "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb",
            "encryption_kid": "a7e61c373e219033c21091fa607bf3b8",
        },
    )
    files["password_zip"] = name()
    # A ZIP entry with the flag "encrypted": PyPI has no writer for those.
    files["password_zip"].write_bytes(b"PK\x03\x04\x14\x00\x01\x00\x08\x00" + bytes(200))
    files["directory"] = name()
    files["directory"].mkdir()
    files["dangling_link"] = name()
    files["dangling_link"].symlink_to(folder / "gone.mp4")
    return files
