"""Who owns whom: the trees of companies in a config."""

from dataclasses import dataclass

from generation.engine.config.model import Config

MILLION = 1_000_000


@dataclass(frozen=True)
class Tree:
    """A parent with everything below it.

    members: places in the config, children before their parents, so that the root is the last; parent: of each member but the
    root; ownership: share that the parent holds, in millionths.
    """

    root: int
    members: tuple[int, ...]
    parent: dict[int, int]
    ownership: dict[int, int]

    def children(self, company: int) -> list[int]:
        return [child for child in self.members if self.parent.get(child) == company]


def trees(config: Config) -> tuple[Tree, ...]:
    """Every tree of at least two companies, in the order of their roots."""
    places = {company.code: place for place, company in enumerate(config.companies)}
    parent = {
        place: places[company.parent]
        for place, company in enumerate(config.companies)
        if company.parent is not None
    }
    ownership = {place: round(config.companies[place].ownership * MILLION) for place in parent}
    found = []
    for root in range(len(config.companies)):
        if root not in parent and root in parent.values():
            members = tuple(reversed(_below(root, parent)))
            inside = {place: parent[place] for place in members if place != root}
            found.append(Tree(root, members, inside, {place: ownership[place] for place in inside}))
    return tuple(found)


def _below(company: int, parent: dict[int, int]) -> list[int]:
    """The company and all below it, parents first."""
    children = [child for child, above in sorted(parent.items()) if above == company]
    return [company, *(place for child in children for place in _below(child, parent))]
