"""What the small NLI model that ships has to get right; loaded by eval_mini_nli, without torch."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "builder" / "models" / "mini_nli"
TEMPLATE = "El sentimiento de este texto es {}."
ARREST = "La policía detuvo a cuatro hombres en Quito."


@pytest.fixture(scope="module")
def scorer():
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        spec = importlib.util.spec_from_file_location(
            "eval_mini_nli", ROOT / "scripts" / "eval_mini_nli.py"
        )
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(ROOT / "scripts"))
    return module


@pytest.fixture(scope="module")
def model(scorer):
    return scorer.Model(FOLDER)


def test_labels_stand_in_the_checkpoints_own_order(model):
    assert model.labels == ["entailment", "neutral", "contradiction"]


def test_folder_is_complete_and_small():
    names = {p.relative_to(FOLDER).as_posix() for p in FOLDER.rglob("*") if p.is_file()}
    needed = {"config.json", "tokenizer.json", "head.safetensors", "ct2/model.bin", "README.md"}
    assert needed <= names
    assert sum((FOLDER / name).stat().st_size for name in names) <= 30_000_000


@pytest.mark.parametrize(
    ("premise", "hypothesis", "label"),
    [
        (ARREST, "Cuatro hombres fueron detenidos.", "entailment"),
        (ARREST, "La policía no detuvo a nadie.", "contradiction"),
        (ARREST, "Los hombres habían robado un banco.", "neutral"),
        ("A vizinha adotou três cachorros.", "A vizinha tem cachorros.", "entailment"),
        ("A vizinha adotou três cachorros.", "A vizinha não gosta de animais.", "contradiction"),
        ("My aunt planted eleven apple trees.", "My aunt planted trees.", "entailment"),
        ("My aunt planted eleven apple trees.", "My aunt never planted a tree.", "contradiction"),
        pytest.param(
            *("As aulas foram suspensas em Loja.", "Não há aulas em Loja.", "entailment"),
            marks=pytest.mark.xfail(reason="known: a true 'não há' reads as a contradiction"),
        ),
        pytest.param(
            *("Schools are closed today.", "Schools are open today.", "contradiction"),
            marks=pytest.mark.xfail(reason="known: English antonyms in near-equal sentences"),
        ),
    ],
)
def test_plain_cases_in_three_languages(model, premise, hypothesis, label):
    assert model.predict([(premise, hypothesis)]) == [label]


@pytest.mark.parametrize(
    ("premise", "true", "false"),
    [
        ("Explosión hoy en Guayaquil.", "Explosión en Guayaquil.", "Hubo una explosión en Quito."),
        ("Hay 178 guías retenidos.", "Hay 178 guías retenidos.", "Hay 25 guías retenidos."),
        ("Daniel Noboa firmó la ley.", "Noboa firmó la ley.", "Rafael Correa firmó la ley."),
    ],
)
def test_a_changed_place_number_or_name_is_not_entailed(model, premise, true, false):
    assert model.predict([(premise, true), (premise, false)])[0] == "entailment"
    assert model.predict([(premise, false)]) != ["entailment"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Tenemos mucho miedo, esto es horrible, ya no aguantamos más 😢", "negativo"),
        ("¡Qué alegría tan grande, gracias a todos, estoy feliz! 😍", "positivo"),
    ],
)
def test_zero_shot_sentiment_of_plain_feelings(model, text, word):
    words = ["negativo", "neutral", "positivo"]
    logits = model.logits([(text, TEMPLATE.format(w)) for w in words])
    assert words[int(logits[:, model.labels.index("entailment")].argmax())] == word


def test_same_pairs_same_logits_whatever_the_batch(model):
    pair = ("El bus salió de Loja.", "El bus llegó a Loja.")
    others = [("¿Qué? " * n, "Sí.") for n in (1, 7, 30)]
    alone = model.logits([pair])
    assert np.array_equal(alone, model.logits([pair]))
    assert np.allclose(alone[0], model.logits([*others, pair])[-1], atol=0.05)


def test_odd_texts_are_scored_without_unknowns_taking_over(model):
    ids = model.tokenizer.encode("😂🔥🇪🇨 ÑANDÚ ¿¡qué!? ñukanchik llakta", "").ids
    unknown = model.tokenizer.token_to_id("<unk>")
    assert ids.count(unknown) <= 1
    assert np.isfinite(model.logits([("", ""), ("😂", "a"), ("x" * 5000, "b")])).all()


def test_the_card_prints_the_scores_of_the_evaluation():
    scores = json.loads((FOLDER / "scores.json").read_text(encoding="utf-8"))
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    for value in (
        scores["xnli_es_held_out"]["accuracy"],
        scores["umsab_es_val_zero_shot"]["macro_f1"],
        scores["probes"]["accuracy"],
    ):
        assert f"{value:.3f}" in card


def test_absent_data_is_said_plainly(scorer, tmp_path):
    with pytest.raises(SystemExit, match=r"inferes_train\.csv is absent"):
        scorer.read_texts(tmp_path)


def test_absent_model_is_said_plainly(scorer, tmp_path):
    with pytest.raises(SystemExit, match="no model in"):
        scorer.Model(tmp_path)
