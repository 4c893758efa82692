"""Which exports there are, and for which companies a config can ask for them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

Export = Literal[
    "sql", "jsonl", "xlsx", "sap", "fec", "gobd", "saf_t", "xbrl_gl", "camt053", "ocel2", "xes", "pyg", "dgl", "neo4j", "graphml"
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reach:
    """The companies that an export is made for. An empty set means all. `who` says it in a message."""

    bytes_per_line: int  # of its files for each journal line, measured
    who: str = "every company"
    countries: frozenset[str] = frozenset()
    frameworks: frozenset[str] = frozenset()
    longest_code: int = 10  # characters that the format has for a company code

    def holds(self, country: object, framework: object) -> bool:
        fits_country = not self.countries or country in self.countries
        return fits_country and (not self.frameworks or framework in self.frameworks)


# The exports that this release makes. A group gets them for the companies that they apply to.
REACH: Final[Mapping[str, Reach]] = {
    "fec": Reach(160, "companies in France with the framework pcg", frozenset({"FR"}), frozenset({"pcg"})),
    "gobd": Reach(210, "companies in Germany", frozenset({"DE"})),
    "saf_t": Reach(380),
    "camt053": Reach(100),
    "sap": Reach(350, longest_code=4),
    "xbrl_gl": Reach(1_100),
    "sql": Reach(380),
    "jsonl": Reach(800),
    "xlsx": Reach(170),
}


def reached(export: str, companies: Iterable[tuple[object, object]]) -> list[int]:
    """Places of the companies, each given as country and framework, that an export is made for."""
    reach = REACH[export]
    return [
        number for number, (country, framework) in enumerate(companies) if reach.holds(country, framework)
    ]
