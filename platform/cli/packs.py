"""`datasynth packs`: the country packs of this release, and whether a pack file is one."""

from __future__ import annotations

import json
from argparse import Namespace

from cli.console import facts
from cli.problems import DONE, Refused
from generation.engine.packs.pack import COUNTRIES, CountryPack, pack_for, pack_text
from generation.engine.packs.schema import PackError, json_schema, read_pack


def run(options: Namespace) -> int:
    """List, show, check or describe packs. Raises: Refused: there is no such pack, or the file is none."""
    if options.action == "show":
        if options.country not in COUNTRIES:
            raise Refused(
                f"there is no country pack for {options.country!r}; there are {', '.join(COUNTRIES)}"
            )
        print(pack_text(options.country), end="")
    elif options.action == "check":
        try:
            pack = read_pack(options.file)
        except PackError as error:
            raise Refused(f"the pack cannot be used\n{error}") from error
        facts([("pack", f"{options.file}, valid"), (pack.country, _summary(CountryPack(pack)))])
    elif options.action == "schema":
        print(json.dumps(json_schema(), ensure_ascii=False, indent=1))
    else:
        facts([(country, _summary(pack_for(country))) for country in COUNTRIES])
    return DONE


def _summary(pack: CountryPack) -> str:
    tax, file = pack.tax, pack.file
    rate = "by region" if tax.regions else f"{tax.standard_rate_bp / 100:g} %"
    return f"{pack.currency}, {tax.kind} {rate}, {file.identifiers.tax_id}, {file.bank.account}, {len(pack.cities)} cities"
