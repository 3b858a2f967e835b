"""The command `rules`: what must hold, and where each rule comes from."""

from __future__ import annotations

from dataclasses import asdict

import click
from rich.console import Console

from mockserver.cli.printing import JSON_OPTION, print_json, table_of
from mockserver.contract.contract import Contract
from mockserver.contract.rules import LEVELS, Rule
from mockserver.core import resources
from mockserver.core.errors import Unusable
from mockserver.core.text import guess


@click.command(short_help="List the rules of the contract, or explain one.")
@click.argument("rule_id", metavar="[RULE|AREA]", required=False)
@JSON_OPTION
def rules(rule_id: str | None, *, as_json: bool) -> None:
    """List the rules of the contract, or those of an area; or explain one, with its provenance and source."""
    contract = Contract.load(resources.openapi_path())
    wanted = (rule_id or "").upper()
    found = [rule for rule in contract.rules.values() if wanted in ("", rule.id, rule.area)]
    if not found:
        hint = guess(wanted, contract.rules)
        raise Unusable(f"there is no rule or area {rule_id!r}{hint}; `mockserver rules` lists them")
    if found[0].id == wanted:
        _explain(found[0], contract, as_json=as_json)
        return
    if as_json:
        print_json([asdict(rule) for rule in found])
        return
    table = table_of("Rules of the contract", "Rule", "Provenance", "What must hold")
    for rule in found:
        table.add_row(rule.id, rule.level, rule.statement)
    Console().print(table)


def _explain(rule: Rule, contract: Contract, *, as_json: bool) -> None:
    operations = [f"{one.method} {one.path}" for one in contract.operations.values() if rule.id in one.rules] or [
        "every operation"
    ]
    if as_json:
        print_json({**asdict(rule), "operations": operations})
        return
    console = Console()
    console.print(f"[bold]{rule.id}[/bold] ({rule.level})", highlight=False)
    console.print(rule.statement, highlight=False, markup=False)
    console.print(f"\nProvenance: {rule.level}; {LEVELS[rule.level]}", highlight=False, markup=False)
    console.print(f"Source:     {rule.source}", highlight=False, markup=False)
    console.print(f"Holds for:  {', '.join(operations)}", highlight=False, markup=False)
