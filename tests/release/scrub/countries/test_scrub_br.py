"""Brazil's recognisers: CPF, CNPJ, RG, plates, phones."""

from __future__ import annotations

import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.br import cnpj, cpf  # type: ignore[import-untyped]

from builder.release.scrub.countries.br import is_cnpj, is_cpf
from builder.release.scrub.scrubber import Scrubber

HOME = Scrubber(country="BR", languages=["pt"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("meu CPF é 390.533.447-05", "meu CPF é [CPF]"),
        ("39053344705 sem pontos", "[CPF] sem pontos"),
        ("39053344706 visualizações", "39053344706 visualizações"),
        ("CPF 390.533.447-06", "CPF [CPF]"),
        ("CNPJ 16.727.230/0001-97", "CNPJ [CNPJ]"),
        ("16727230000197", "[CNPJ]"),
        ("meu RG 12.345.678-X aqui", "meu RG [RG] aqui"),
        ("identidade 24.678.131-4", "identidade [RG]"),
        ("placa ABC1D23 e BRA-2E19", "placa [PLATE] e [PLATE]"),
        ("carro QRS1D23 e QRS-1234", "carro [PLATE] e [PLATE]"),
        ("liga para (61) 99876-5432 ou 61998765432", "liga para [PHONE] ou [PHONE]"),
        ("+55 61 99876-5432", "[PHONE]"),
        ("nove nove oito sete seis cinco quatro três dois", "[PHONE]"),
        ("nove meia oito vinte e um meia cinco quatro três", "[PHONE]"),
        ("CPF três nove zero cinco três três quatro quatro sete zero cinco", "CPF [CPF]"),
        ("manda para ana arroba gmail ponto com", "manda para [EMAIL]"),
        ("está em meublog ponto com ponto br", "está em [URL]"),
        ("Cheguei em Brasília. Com ele foi diferente. Com ela não.",) * 2,
        ("quatro mil pessoas, 1.500 presos, 8 de janeiro de 2023, R$ 1.500.000,00",) * 2,
        ("PEC 1234, STF 2023, CPI 8 e BR-040",) * 2,
    ],
)
def test_at_home(text: str, expected: str) -> None:
    assert HOME.scrub(text).text == expected


def test_an_ecuadorian_cedula_is_just_a_number_there() -> None:
    assert HOME.scrub("são 1710034065").text == "são 1710034065"
    assert Scrubber(country="EC").scrub("son 1710034065").text == "son [CEDULA]"
    assert "cedula" not in HOME.kinds


@settings(max_examples=examples(100), deadline=None)
@given(
    st.text("0123456789", min_size=9, max_size=9), st.text("0123456789", min_size=12, max_size=12)
)
def test_check_digits_agree_with_python_stdnum(person: str, company: str) -> None:
    number = person + cpf._calc_check_digits(person)
    assert is_cpf(number) == (len(set(number)) > 1)
    assert not is_cpf(number[:10] + str((int(number[10]) + 1) % 10))
    number = company + cnpj.calc_check_digits(company)
    assert is_cnpj(number) == (len(set(number)) > 1)
    assert not is_cnpj(number[:13] + str((int(number[13]) + 1) % 10))
