"""Made videos of known kinds: SYNTHETIC pictures for scripts/eval_clusters.py and the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
KINDS = ("talking_head", "slideshow", "screen_text", "landscape", "black", "near_duplicate")
WIDTH, HEIGHT, FRAMES, RATE = 144, 256, 24, 8


def write_video(path: Path, kind: str, seed: int) -> None:
    """One video of a kind; `near_duplicate`: copies of one clip that differ in noise only."""
    dice = np.random.default_rng([KINDS.index(kind), seed])
    makers: dict[str, Callable[[np.random.Generator], Iterator[Picture]]] = {
        "talking_head": _head,
        "slideshow": _slides,
        "screen_text": _text,
        "landscape": _landscape,
        "black": _black,
        "near_duplicate": _copy,
    }
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.bit_rate = 800_000
        for picture in makers[kind](dice):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def _flat(colour: Any) -> Picture:
    return np.full((HEIGHT, WIDTH, 3), colour, np.uint8)


def _ellipse(
    picture: Picture, middle: tuple[Any, Any], size: tuple[float, float], colour: Any
) -> None:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    inside = ((rows - middle[0]) / size[0]) ** 2 + ((columns - middle[1]) / size[1]) ** 2 < 1
    picture[inside] = colour


def _head(dice: np.random.Generator) -> Iterator[Picture]:
    wall, shirt = dice.integers(90, 230, 3), dice.integers(20, 200, 3)
    skin = np.array([150, 110, 80]) + dice.integers(-30, 70)
    row, column = 110 + dice.integers(-15, 15), 72 + dice.integers(-12, 12)
    for number in range(FRAMES):
        picture = _flat(wall)
        nod = 5 * np.sin(number / 2 + dice.random())
        _ellipse(picture, (HEIGHT + 20, column), (110, 64), shirt)
        _ellipse(picture, (row + nod, column), (52, 38), skin)
        _ellipse(picture, (row - 34 + nod, column), (24, 38), [40, 28, 20])
        for side in (-14, 14):
            _ellipse(picture, (row - 6 + nod, column + side), (4, 6), [250, 250, 250])
            _ellipse(picture, (row - 6 + nod, column + side), (3, 3), [20, 20, 20])
        _ellipse(picture, (row + 26 + nod, column), (2 + 5 * (number % 3), 13), [130, 40, 40])
        yield picture


def _slides(dice: np.random.Generator) -> Iterator[Picture]:
    slide = _flat([0, 0, 0])
    for number in range(FRAMES):
        if number % 6 == 0:
            slide = _flat(dice.integers(0, 255, 3))
            for _ in range(12):
                top, left = dice.integers(0, HEIGHT - 60), dice.integers(0, WIDTH - 50)
                high, wide = dice.integers(20, 60), dice.integers(20, 50)
                slide[top : top + high, left : left + wide] = dice.integers(0, 255, 3)
        yield slide


def _text(dice: np.random.Generator) -> Iterator[Picture]:
    dark = dice.random() < 0.5
    paper, ink = ([18, 18, 22], [235, 235, 235]) if dark else ([245, 245, 245], [20, 20, 20])
    whole = np.full((HEIGHT * 2, WIDTH, 3), paper, np.uint8)
    for line in range(8, HEIGHT * 2 - 12, 14):
        at = 8
        while at < WIDTH - 20:
            wide = int(dice.integers(3, 8))
            for stroke in range(at, at + wide, 2):
                whole[line : line + int(dice.integers(5, 9)), stroke : stroke + 1] = ink
            at += wide + (2 if dice.random() < 0.8 else 7)
    for number in range(FRAMES):
        yield np.ascontiguousarray(whole[number * 4 : number * 4 + HEIGHT])


def _landscape(dice: np.random.Generator) -> Iterator[Picture]:
    across = np.linspace(0, 1, WIDTH * 2)
    waves = sum(
        dice.random() * np.sin(across * dice.integers(3, 30) + dice.random() * 6) for _ in range(6)
    )
    edge = (HEIGHT * (0.45 + 0.07 * np.asarray(waves))).astype(int)
    sky = np.array([110, 160, 220]) + dice.integers(-30, 30, 3)
    ground = np.array([60, 100, 50]) + dice.integers(-30, 40, 3)
    noise = dice.normal(0, 22, (HEIGHT, WIDTH * 2, 1))
    whole = np.where(np.arange(HEIGHT)[:, None, None] < edge[None, :, None], sky, ground + noise)
    shaded = np.clip(whole + np.linspace(30, -30, HEIGHT)[:, None, None], 0, 255).astype(np.uint8)
    for number in range(FRAMES):
        yield np.ascontiguousarray(shaded[:, number * 4 : number * 4 + WIDTH])


def _black(dice: np.random.Generator) -> Iterator[Picture]:
    for _ in range(FRAMES):
        yield np.clip(dice.normal(2, 2, (HEIGHT, WIDTH, 3)), 0, 12).astype(np.uint8)


def _copy(dice: np.random.Generator) -> Iterator[Picture]:
    for picture in _slides(np.random.default_rng(99)):
        yield np.clip(picture + dice.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)
