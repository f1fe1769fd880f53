"""Makes the embedded sample's videos: a dozen small, synthetic MP4s (`builder/sample/videos`).

Speech by espeak-ng, music and pictures by arithmetic; no person speaks and no work of others is
in them. Run again only to change them: they are checked in, users need neither this script nor
espeak-ng.

Usage: python scripts/make_sample_media.py [FOLDER]      (needs espeak-ng on the PATH)
"""

from __future__ import annotations

import datetime as dt
import io
import subprocess
import sys
import tempfile
import wave
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

RATE = 16_000
FPS = 10
FOLDER = Path(__file__).parents[1] / "builder" / "sample" / "videos"
Sound = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Clip:
    """One sample video: when it was "posted", what it holds, how it is broken."""

    number: int
    posted: str
    about: str
    voice: str = ""
    text: str = ""
    music: bool = False
    seconds: float = 0.0
    sound: bool = True
    portrait: bool = True
    damage: str = ""

    @property
    def id(self) -> int:
        """An id in TikTok's form: Unix time in the upper 32 bits."""
        moment = dt.datetime.fromisoformat(self.posted).replace(tzinfo=dt.UTC)
        return (int(moment.timestamp()) << 32) | (0x5A0000 + self.number)


CLIPS = (
    Clip(
        1,
        "2024-01-08T14:05:00",
        "Spanish speech, news tone, portrait",
        voice="es-419",
        text="Atención Ecuador. El gobierno informa que las clases serán virtuales en todo el país "
        "hasta nuevo aviso. Las familias deben permanecer en sus casas durante la noche.",
    ),
    Clip(
        2,
        "2024-01-09T19:30:00",
        "Spanish speech, worried, portrait",
        voice="es-419",
        text="Tenemos mucho miedo. Mi barrio está muy triste y nadie quiere salir a la calle. "
        "Esta violencia es terrible y queremos que termine pronto.",
    ),
    Clip(
        3,
        "2024-01-10T12:00:00",
        "Spanish speech, hopeful, portrait",
        voice="es-419+f3",
        text="Estamos orgullosos de nuestra gente. Muchas gracias a los vecinos que ayudan cada "
        "día. Vamos a salir adelante, con paz y con mucha alegría.",
    ),
    Clip(
        4,
        "2024-01-11T09:15:00",
        "Spanish speech over music, portrait",
        voice="es-419",
        text="Las calles de la ciudad están tranquilas esta mañana. Los mercados abrieron "
        "temprano y el transporte público funciona con normalidad.",
        music=True,
    ),
    Clip(
        5,
        "2024-01-13T17:45:00",
        "Portuguese speech, portrait",
        voice="pt",
        text="Olá, pessoal, tudo bem com vocês? Hoje eu quero falar sobre o Equador. O governo "
        "não abriu as escolas e as pessoas estão com muito medo.",
    ),
    Clip(
        6,
        "2024-01-18T21:10:00",
        "English speech, landscape",
        voice="en-us",
        text="The president of Ecuador declared a state of emergency this week. Soldiers are "
        "now patrolling the streets of the largest cities.",
        portrait=False,
    ),
    Clip(7, "2024-01-21T11:20:00", "music only, portrait", music=True, seconds=15),
    Clip(8, "2024-01-26T08:00:00", "silence, portrait", seconds=8),
    Clip(9, "2024-02-02T16:30:00", "no audio track, portrait", seconds=6, sound=False),
    Clip(
        10,
        "2024-02-10T13:00:00",
        "two Spanish words: a near-empty transcript",
        voice="es-419",
        text="Buenos días.",
    ),
    Clip(
        11,
        "2024-02-17T18:40:00",
        "truncated: the last third of the file is missing",
        voice="es-419",
        text="Hoy recordamos que la paz se construye entre todos. Cuidemos a los niños y a las "
        "niñas del barrio. Mañana habrá una reunión de vecinos en la plaza central.",
        damage="truncated",
    ),
    Clip(
        12,
        "2024-02-28T10:10:00",
        "corrupt: random bytes behind an MP4 name",
        damage="corrupt",
    ),
)


def main() -> int:
    """Write the clips, `clips.tsv` and nothing else; returns the exit code."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["id\tdescription\tspoken_text"]
    for clip in CLIPS:
        (folder / f"{clip.id}.mp4").write_bytes(render(clip))
        lines.append(f"{clip.id}\t{clip.about}\t{clip.text}")
    (folder / "clips.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    total = sum(path.stat().st_size for path in folder.glob("*.mp4"))
    print(f"{len(CLIPS)} clips, {total / 1e6:.2f} MB in {folder}")
    return 0


def render(clip: Clip) -> bytes:
    """The bytes of one clip, damage included."""
    if clip.damage == "corrupt":
        return np.random.default_rng(clip.number).bytes(6_000)
    sound = _sound(clip)
    whole = _mux(clip, sound)
    return whole[: len(whole) * 2 // 3] if clip.damage == "truncated" else whole


def _sound(clip: Clip) -> Sound:
    speech = _speak(clip.voice, clip.text) if clip.text else np.zeros(0, np.float32)
    length = max(len(speech) + RATE, int(clip.seconds * RATE))
    sound = np.zeros(length, np.float32)
    sound[RATE // 2 : RATE // 2 + len(speech)] = 0.8 * speech
    if clip.music:
        sound += (0.06 if clip.text else 0.3) * _music(length)
    return np.clip(sound, -1, 1)


def _speak(voice: str, text: str) -> Sound:
    command = ["espeak-ng", "-v", voice, "-s", "145", "--stdout", text]
    done = subprocess.run(command, capture_output=True, check=True)
    with wave.open(io.BytesIO(done.stdout)) as handle:
        rate = handle.getframerate()
        raw = handle.readframes(handle.getnframes())
    samples = np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.float32) / 32768
    places = np.arange(0, len(samples) - 1, rate / RATE)
    return np.interp(places, np.arange(len(samples)), samples).astype(np.float32)


def _music(length: int) -> Sound:
    """Plucked notes of a pentatonic tune over a bass: nothing that could be taken for a voice."""
    rng = np.random.default_rng(7)
    out = np.zeros(length + RATE, np.float32)
    beat = RATE * 3 // 10
    for i, start in enumerate(range(0, length, beat)):
        note = 220.0 * 2 ** (rng.choice([0, 3, 5, 7, 10, 12]) / 12)
        for frequency, volume in ((note, 0.5), (note * 2, 0.2), (55.0 * (1 + i % 4 // 2), 0.5)):
            span = np.arange(min(RATE, length + RATE - start)) / RATE
            tone = np.sin(2 * np.pi * frequency * span) * np.exp(-5 * span)
            out[start : start + len(span)] += (volume * tone).astype(np.float32)
    out /= np.abs(out).max()
    return out[:length]


def _mux(clip: Clip, sound: Sound) -> bytes:
    width, height = (180, 320) if clip.portrait else (320, 180)
    frames = int(len(sound) / RATE * FPS)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "clip.mp4"
        _write(path, clip, sound, (width, height), frames)
        return path.read_bytes()


def _write(path: Path, clip: Clip, sound: Sound, size: tuple[int, int], frames: int) -> None:
    width, height = size
    # The index first, as TikTok serves its files: a truncated one can still be played.
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as out:
        video = out.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.options = {"crf": "38", "preset": "veryslow", "threads": "1"}
        audio = out.add_stream("aac", rate=RATE, layout="mono") if clip.sound else None
        if audio is not None:
            audio.bit_rate = 32_000
        for i in range(frames):
            picture = av.VideoFrame.from_ndarray(_picture(width, height, i, clip.number), "rgb24")
            picture.pts, picture.time_base = i, Fraction(1, FPS)
            out.mux(video.encode(picture))
            if audio is not None:
                _encode(out, audio, sound, i * RATE // FPS, (i + 1) * RATE // FPS)
        out.mux(video.encode(None))
        if audio is not None:
            out.mux(audio.encode(None))


def _encode(out: object, stream: object, sound: Sound, start: int, stop: int) -> None:
    frame = av.AudioFrame.from_ndarray(sound[None, start:stop], format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
    out.mux(stream.encode(frame))  # type: ignore[attr-defined]


def _picture(width: int, height: int, step: int, seed: int) -> npt.NDArray[np.uint8]:
    """A disc that wanders over a plain ground: obviously no recording."""
    y, x = np.mgrid[0:height, 0:width]
    ground = np.array([30 + 15 * (seed % 5), 40 + 12 * (seed % 7), 90], np.uint8)
    image = np.broadcast_to(ground, (height, width, 3)).copy()
    at_x = width / 2 + width / 3 * np.cos(step / 12 + seed)
    at_y = height / 2 + height / 3 * np.sin(step / 17 + seed)
    image[(x - at_x) ** 2 + (y - at_y) ** 2 < (min(width, height) / 8) ** 2] = (230, 200, 60)
    return image


if __name__ == "__main__":
    raise SystemExit(main())
