"""Once against a real OpenAI-compatible server, and the local back end; both with a tiny model."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from builder.annotate.summarize import Summarize
from builder.config.profile import SummariesTable

torch = pytest.importorskip("torch", reason="the tiny language model needs torch")
transformers = pytest.importorskip("transformers", reason="the tiny language model needs it")
# torch is installed for the slow step only
pytestmark = pytest.mark.slow

SAID = (
    "Hoy el presidente declaró el estado de excepción. " * 4,
    "Los militares están en las calles de Guayaquil. " * 4,
)
ROWS = pl.DataFrame({"id": [1, 2], "text": SAID})
# Random weights say nothing sensible: any verdict on the answer will do, as long as one came.
VERDICTS = {"ok", "empty", "cut_off", "wrong_language", "too_long"}
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture(scope="module")
def tiny_llm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-layer Qwen2 over bytes, with a chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    folder = tmp_path_factory.mktemp("llm") / "tiny"
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate([*special, *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.Qwen2Config(
        vocab_size=len(vocabulary), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=8192,
        eos_token_id=2, pad_token_id=0, bos_token_id=None,
    )  # fmt: skip
    transformers.Qwen2ForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture
def server(tiny_llm: Path, tmp_path: Path) -> Iterator[str]:
    """`transformers serve` on a free port of this machine."""
    pytest.importorskip("fastapi", reason="transformers serve needs fastapi, uvicorn, accelerate")
    pytest.importorskip("accelerate", reason="transformers serve needs accelerate")
    command = shutil.which("transformers", path=str(Path(sys.executable).parent))
    if command is None:
        pytest.skip("the transformers command is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HF_HOME": str(tmp_path)}
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen(
            [command, "serve", "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)],
            stdout=log, stderr=log, env=env,
        )  # fmt: skip
        try:
            _wait(f"http://127.0.0.1:{port}/health", process)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(30)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.skip("transformers serve does not start here")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.5)
    pytest.fail("transformers serve did not answer within two minutes")


@pytest.mark.slow
def test_against_transformers_serve(
    server: str, tiny_llm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    table = SummariesTable(
        method="llm", model=str(tiny_llm), base_url=server, max_tokens=16, timeout=120
    )
    made = Summarize(table)(ROWS)
    assert set(made["status"]) <= VERDICTS
    assert made["prompt_tokens"].min() > 100
    assert made["completion_tokens"].to_list() == [16, 16]


def test_local_model_is_greedy_and_counts_tokens(tiny_llm: Path) -> None:
    table = SummariesTable(method="local", model=str(tiny_llm), max_tokens=16)
    first, second = Summarize(table)(ROWS), Summarize(table)(ROWS)
    assert first.equals(second)
    assert set(first["status"]) <= VERDICTS
    assert first["prompt_tokens"].min() > 100
    assert first["method"].to_list() == ["local", "local"]


def test_a_prompt_beyond_the_local_model_is_a_row_with_a_reason(tiny_llm: Path) -> None:
    table = SummariesTable(method="local", model=str(tiny_llm), max_tokens=16)
    long: Any = pl.DataFrame({"id": [1], "text": ["Los militares están en la calle. " * 400]})
    (row,) = Summarize(table)(long).iter_rows(named=True)
    assert (row["status"], row["reason"]) == ("rejected", "prompt_too_long")
