"""Questions for the small NLI model that it was not trained on: other events, places, names, words.

The Spanish ones are made from patterns: a true statement, the same with one fact changed, a denial,
an open one, the premise itself. The Portuguese and English ones are a few written pairs.
"""

from __future__ import annotations

NAMES = [("Verónica Tapia", "Ximena Naranjo"), ("Óscar Pilco", "Hernán Yépez")]
# (premise, true, changed to {b} or {m} or {who2}: false, denied: false, open: neutral)
PROBES = [
    (
        "Hubo un incendio en el mercado de {a} y se quemaron {n} puestos.",
        "Se quemaron {n} puestos en {a}.",
        ["Se quemaron {n} puestos en {b}.", "Se quemaron {m} puestos en {a}."],
        "No hubo ningún incendio en {a}.",
        "El incendio empezó en una cocina.",
    ),
    (
        "{who} abrió una panadería en {a} con {n} empleados.",
        "{who} tiene una panadería en {a}.",
        ["{who2} tiene una panadería en {a}.", "{who} abrió una panadería en {b}."],
        "{who} no abrió ninguna panadería.",
        "{who} vende también helados.",
    ),
    (
        "Los médicos de {a} atendieron a {n} pacientes con dengue esta semana.",
        "En {a} hay pacientes con dengue.",
        [
            "Los médicos de {b} atendieron a {n} pacientes.",
            "Los médicos atendieron a {m} pacientes.",
        ],
        "Los médicos no atendieron a ningún paciente.",
        "Los pacientes con dengue son niños.",
    ),
    (
        "La carretera a {a} está cerrada por un derrumbe desde hace {n} días.",
        "No se puede pasar por la carretera a {a}.",
        ["La carretera a {b} está cerrada.", "La carretera está cerrada desde hace {m} días."],
        "La carretera a {a} está abierta.",
        "El derrumbe mató a una vaca.",
    ),
    (
        "Anoche robaron {n} computadoras del colegio de {a}, denunció la rectora {who}.",
        "Hubo un robo en el colegio de {a}.",
        ["Robaron en el colegio de {b}.", "Robaron {m} computadoras.", "{who2} denunció el robo."],
        "Nadie robó en el colegio de {a}.",
        "Los ladrones eran alumnos del colegio.",
    ),
    (
        "{who} cantó en las fiestas de {a} ante {n} mil personas.",
        "{who} cantó en {a}.",
        ["{who2} cantó en {a}.", "{who} cantó en {b}.", "Asistieron {m} mil personas."],
        "{who} no cantó en las fiestas.",
        "{who} cobró mucho dinero por cantar.",
    ),
]
PLACES = [("Latacunga", "Tulcán"), ("Babahoyo", "Zamora"), ("Puyo", "Macas")]
COUNTS = [(9, 27), (14, 41), (35, 6)]
E, N, C = "entailment", "neutral", "contradiction"
OTHER_LANGUAGES = {
    "pt": [
        ("O trem para Campinas atrasou duas horas.", "O trem atrasou.", E),
        ("O trem para Campinas atrasou duas horas.", "O trem chegou na hora.", C),
        ("O trem para Campinas atrasou duas horas.", "O trem para Santos atrasou.", C),
        ("O trem para Campinas atrasou duas horas.", "O maquinista estava doente.", N),
        ("A vizinha adotou três cachorros.", "A vizinha tem cachorros.", E),
        ("A vizinha adotou três cachorros.", "A vizinha adotou sete cachorros.", C),
        ("A vizinha adotou três cachorros.", "A vizinha não gosta de animais.", C),
        ("A vizinha adotou três cachorros.", "Os cachorros são pretos.", N),
        ("Ninguém sabe onde está o prefeito.", "O paradeiro do prefeito é desconhecido.", E),
        ("Ninguém sabe onde está o prefeito.", "Todos sabem onde está o prefeito.", C),
        ("Ninguém sabe onde está o prefeito.", "O prefeito viajou com a família.", N),
        ("O rio transbordou e alagou a rua.", "A rua está alagada.", E),
    ],
    "en": [
        ("The ferry to Galway sank at night.", "The ferry sank.", E),
        ("The ferry to Galway sank at night.", "The ferry arrived safely.", C),
        ("The ferry to Galway sank at night.", "The ferry to Cork sank.", C),
        ("The ferry to Galway sank at night.", "The captain was asleep.", N),
        ("My aunt planted eleven apple trees.", "My aunt planted trees.", E),
        ("My aunt planted eleven apple trees.", "My aunt planted three apple trees.", C),
        ("My aunt planted eleven apple trees.", "My aunt has never planted a tree.", C),
        ("My aunt planted eleven apple trees.", "My aunt sells the apples.", N),
        ("Nobody has seen the mayor since Friday.", "The mayor has not been seen lately.", E),
        ("Nobody has seen the mayor since Friday.", "The mayor was seen yesterday.", C),
        ("Nobody has seen the mayor since Friday.", "The mayor took the money.", N),
        ("The river flooded the road.", "The road is under water.", E),
    ],
}


def probes() -> list[tuple[str, str, str, str]]:
    """(kind, premise, hypothesis, label)"""
    made = []
    for k, (a, b) in enumerate(PLACES):
        n, m = COUNTS[k]
        who, who2 = NAMES[k % len(NAMES)]
        fill = {"a": a, "b": b, "n": n, "m": m, "who": who, "who2": who2}
        for premise, true, changed, denied, open_text in PROBES:
            texts = [("true", true, "entailment"), ("denied", denied, "contradiction")]
            texts.append(("open", open_text, "neutral"))
            for text in changed:
                kind = "name" if "{who2}" in text else "place" if "{b}" in text else "number"
                texts.append((f"changed {kind}", text, "contradiction"))
            said = premise.format(**fill)
            made += [(kind, said, text.format(**fill), label) for kind, text, label in texts]
            made.append(("itself", said, said, "entailment"))
    return made
