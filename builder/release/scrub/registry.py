"""The recognisers there are: every module under `generic/`, and those of the countries asked for.

A new recogniser is a new module under `generic/` with a `RECOGNISER`; a new country a new module of
`countries/`, called after its ISO code, with a `COUNTRY`. Nothing else lists them.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Sequence
from types import ModuleType

from builder.release.scrub import countries, generic
from builder.release.scrub.recogniser import Country, Recogniser


def _modules(room: ModuleType) -> list[ModuleType]:
    below = pkgutil.walk_packages(room.__path__, f"{room.__name__}.")
    return [importlib.import_module(name) for name in sorted(m.name for m in below if not m.ispkg)]


def generic_recognisers() -> list[Recogniser]:
    """Recognisers of what looks the same everywhere."""
    found: list[Recogniser] = [module.RECOGNISER for module in _modules(generic)]
    return found


def known_countries() -> dict[str, Country]:
    """ISO code -> country, of those with a module."""
    found: list[Country] = [module.COUNTRY for module in _modules(countries)]
    return {country.code: country for country in found}


def load(codes: Sequence[str]) -> tuple[list[Recogniser], list[Country], tuple[str, ...]]:
    """The recognisers of a campaign.

    Args:
        codes: ISO codes of the campaign's country and its neighbours.

    Returns:
        The generic recognisers and those of the countries that have a module, by `order`; these
        countries; and the codes without one.
    """
    known = known_countries()
    wanted = [code.upper() for code in dict.fromkeys(codes) if code]
    loaded = [known[code] for code in wanted if code in known]
    recognisers = generic_recognisers() + [r for c in loaded for r in c.recognisers]
    missing = tuple(code for code in wanted if code not in known)
    return sorted(recognisers, key=lambda r: r.order), loaded, missing


def coverage(codes: Sequence[str]) -> dict[str, list[str]]:
    """Which of a campaign's countries have recognisers: `loaded` and `missing` ISO codes."""
    _, loaded, missing = load(codes)
    return {"loaded": [country.code for country in loaded], "missing": list(missing)}


def missing_note(missing: Sequence[str]) -> str | None:
    """What a build says about countries without a module; None if there is none."""
    if not missing:
        return None
    return (
        f"no recognisers for {', '.join(missing)}: national numbers and plates of that country are "
        "not looked for, only what looks the same everywhere"
    )


def kinds_of(recognisers: Iterable[Recogniser]) -> tuple[str, ...]:
    """Their kinds in order of precedence, each once."""
    return tuple(dict.fromkeys(r.kind for r in sorted(recognisers, key=lambda r: r.order)))


def all_kinds() -> tuple[str, ...]:
    """Every kind any module knows: a tag of each is left alone, whichever are loaded."""
    everyone = [r for country in known_countries().values() for r in country.recognisers]
    return kinds_of(generic_recognisers() + everyone)
