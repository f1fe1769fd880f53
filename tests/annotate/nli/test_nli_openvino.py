"""The OpenVINO back end: the same scores, in any company, converted once, chosen only if faster."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nli_checkpoints import TEXTS, write_checkpoint

from builder.annotate.nli.backends import choice, on_openvino
from builder.annotate.nli.backends.choice import fastest, measure, remembered
from builder.annotate.nli.backends.on_openvino import FILES, converted
from builder.annotate.nli.checkpoint import MODELS
from builder.annotate.nli.engine import NliEngine
from builder.annotate.nli.problems import ModelProblem

pytest.importorskip("openvino", reason="the extra `openvino` is not installed")

ROOT = Path(__file__).resolve().parents[3]
PREMISES = [TEXTS[i % 8] * (1 + i % 4) for i in range(24)]
HYPOTHESES = [TEXTS[(3 * i + 1) % 8] for i in range(24)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("openvino")


def engine(home: Path, kind: str, backend: Any = "openvino", **options: Any) -> NliEngine:
    options.setdefault("precision", "float32")
    if not (home / kind).is_dir():
        write_checkpoint(home / kind, kind)
    return NliEngine.load(home / kind, backend, cache_dir=home / "cache", **options)


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_the_scores_are_those_of_ctranslate2(home: Path, kind: str) -> None:
    ours, theirs = engine(home, kind), engine(home, kind, "ctranslate2")
    mine, other = ours.score(PREMISES, HYPOTHESES), theirs.score(PREMISES, HYPOTHESES)
    # weights are kept in float16
    assert np.abs(mine - other).max() < 5e-3
    assert (mine.argmax(axis=1) == other.argmax(axis=1)).all()
    assert np.ptp(mine, axis=0).min() > 0.01, "the fixture must tell pairs apart"
    assert "openvino" in ours.model and "float32" in ours.model


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_a_pair_scores_the_same_bit_for_bit_in_any_company(home: Path, kind: str) -> None:
    ours = engine(home, kind)
    together = ours.logits(PREMISES, HYPOTHESES)
    alone = [ours.logits([p], [h])[0] for p, h in zip(PREMISES, HYPOTHESES, strict=True)]
    assert np.array_equal(together, np.stack(alone))
    order = random.Random(0).sample(range(24), 9)
    some = ours.logits([PREMISES[i] for i in order], [HYPOTHESES[i] for i in order])
    assert np.array_equal(some, together[order])
    one = engine(home, kind, threads=1)
    assert np.array_equal(one.logits(PREMISES, HYPOTHESES), together)
    assert ours.logits([], []).shape == (0, 3)


def test_it_is_converted_once_and_again_when_damaged(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = engine(home, "bert").logits(PREMISES[:4], HYPOTHESES[:4])
    folder = converted(home / "bert", cache_dir=home / "cache")
    assert all((folder / name).is_file() for name in FILES)
    made: list[int] = []
    build = on_openvino.encoder_graph
    monkeypatch.setattr(
        on_openvino, "encoder_graph", lambda *args: (made.append(1), build(*args))[1]
    )
    assert converted(home / "bert", cache_dir=home / "cache") == folder and not made
    weights = folder / "encoder.bin"
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 255
    weights.chmod(0o600)
    weights.write_bytes(data)
    again = engine(home, "bert").logits(PREMISES[:4], HYPOTHESES[:4])
    assert made and np.array_equal(again, expected)


def test_what_it_cannot_do_is_said(home: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelProblem, match="CTranslate2 only"):
        NliEngine.load(MODELS / "mini_nli", "openvino")
    with pytest.raises(ModelProblem, match="no precision 'int8'"):
        engine(home, "bert", precision="int8")
    deberta = write_checkpoint(tmp_path / "deberta")
    told = (deberta / "config.json").read_text().replace('"bert"', '"deberta-v2"')
    (deberta / "config.json").write_text(told)
    with pytest.raises(ModelProblem, match="deberta-v2"):
        NliEngine.load(deberta, "openvino", cache_dir=tmp_path / "cache")


def test_torch_stays_out(home: Path) -> None:
    engine(home, "bert")
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from builder.annotate.nli.engine import NliEngine\n"
        f"home = Path({str(home)!r})\n"
        "e = NliEngine.load(home / 'bert', 'openvino', cache_dir=home / 'cache')\n"
        "print(e.score(['hoy'], ['no']).shape, e.backend.kind)\n"
        "assert not {'torch', 'transformers', 'openvino_telemetry'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "(1, 3) openvino" in done.stdout


class Slow:
    """A back end of a known speed, in the clock of the test."""

    def __init__(self, kind: str, seconds: float, clock: list[float]) -> None:
        self.kind, self._seconds, self._clock = kind, seconds, clock

    def logits(self, pairs: Any) -> Any:
        self._clock[0] += self._seconds
        return np.zeros((len(pairs), 3), np.float32)


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ({"ctranslate2": 1.0, "openvino": 0.5}, "openvino"),
        ({"ctranslate2": 1.0, "openvino": 2.0}, "ctranslate2"),
        ({"ctranslate2": 1.0, "openvino": 0.98}, "ctranslate2"),
        ({"ctranslate2": 1.0, "openvino": 0.8, "torch": 0.6}, "torch"),
        ({"ctranslate2": 1.0, "openvino": 1.2, "torch": 0.99}, "ctranslate2"),
    ],
)
def test_another_back_end_is_chosen_only_where_it_is_clearly_faster(
    seconds: dict[Any, float], chosen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(choice.time, "perf_counter", lambda: clock[0])
    makers: Any = {
        kind: lambda kind=kind, took=took: Slow(kind, took, clock) for kind, took in seconds.items()
    }
    config = {"model_type": "bert", "vocab_size": 100}
    assert remembered(config, makers, tmp_path) is None
    assert measure(config, makers, tmp_path) == chosen
    assert remembered(config, makers, tmp_path) == chosen
    # with other candidates it is measured anew
    assert remembered(config, [*makers, "another"], tmp_path) is None  # type: ignore[list-item]
    assert fastest({"ctranslate2": 1.0, "openvino": 1.04}) == "ctranslate2"


def test_auto_takes_what_was_measured(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def measured(config: Any, makers: Any, cache_dir: Any) -> Any:
        seen.append(list(makers))
        return "openvino" if "openvino" in makers else "ctranslate2"

    monkeypatch.setattr("builder.annotate.nli.opening.measure", measured)
    monkeypatch.setattr("builder.annotate.nli.opening.remembered", lambda *args: None)
    assert engine(home, "bert", "auto", precision="auto").backend.kind == "openvino"
    assert engine(home, "bert", "auto", precision="int8").backend.kind == "ctranslate2"
    assert seen[0][:2] == ["ctranslate2", "openvino"]
    assert all("openvino" not in kinds for kinds in seen[1:]), "it has no int8"


@pytest.mark.slow
def test_parity_on_real_texts(tmp_path: Path) -> None:
    """The shipped model, its weights written out in float32: labels >= 99.5 %, scores <= 0.01."""
    sys.path.insert(0, str(ROOT / "scripts"))
    parity = pytest.importorskip("parity_nli")
    if not (parity.TEXTS / "umsab-es-val.tsv").is_file():
        pytest.skip("the evaluation texts (shared/data/text) are not on this machine")
    result = parity.against_ctranslate2(MODELS / "mini_nli", parity.real_texts(parity.TEXTS, 850))
    assert result["label_agreement"] >= parity.AGREEMENT, result
    assert result["mean_abs_difference"] <= parity.DIFFERENCE, result
