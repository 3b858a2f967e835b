"""The rules of behaviour that the spec holds under `x-rules`, with how each is known."""

from __future__ import annotations

from dataclasses import dataclass

from mockserver.contract.node import Node

LEVELS = {
    "documented": "the vendor's invoices page says so",
    "observed": "another public page of the vendor, or an example response on one, shows it",
    "derived": "it follows from those for any billing system worth the name: nobody is billed twice, a refused request "
    "changes nothing, one merchant can't touch another's records",
    "open": "nothing says; servers may differ, and each choice is legal",
}
"""The levels of provenance, and what each is worth."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: `level` is one of `LEVELS`, `source` says where it comes from."""

    id: str
    level: str
    statement: str
    source: str

    @property
    def area(self) -> str:
        """`CREATE` for `CREATE-4`."""
        return self.id.partition("-")[0]


def read_rules(root: Node) -> dict[str, Rule]:
    """The rules by id; raises `Unusable` for one that lacks a part or has an unknown level."""
    found = {}
    for key, node in root.children("x-rules"):
        parts = {name: str(node.child(name).value).strip() for name in ("level", "statement", "source")}
        if parts["level"] not in LEVELS:
            raise node.unusable(f"the level must be {', '.join(LEVELS)}, got {parts['level']!r}")
        found[str(key)] = Rule(str(key), **parts)
    return found
