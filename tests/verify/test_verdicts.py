"""Correct servers pass and faulty ones are named: a few of each here, all of them by the command beside the servers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from mockserver.verify.verdicts import with_remedy
from tests.mutants.catalogue.every import FAULTS
from tests.mutants.config import PROVIDER, ServerConfig
from tests.mutants.conforming import LEGAL
from tests.mutants.server import running
from tests.verify.driving import Heard, judge

SOME_LEGAL = ("correct", "laravel", "provider")
SOME_FAULTS = ("created_at_in_local_time", "or_binds_tighter", "void_charges_are_taken")


def arguments(setting: ServerConfig) -> dict[str, Any]:
    return {"token": "provider"} if setting.arguments == PROVIDER else {}


@pytest.mark.parametrize("name", SOME_LEGAL)
def test_a_correct_server_conforms(name: str) -> None:
    with running(LEGAL[name]) as server:
        heard = judge(server.url, **arguments(LEGAL[name]))
    assert heard.breaches == []
    assert heard.end.exit_code == 0


@pytest.mark.parametrize("name", SOME_FAULTS)
def test_a_fault_is_named_by_its_rule(name: str) -> None:
    fault = FAULTS[name]
    with running(fault) as server:
        heard = judge(server.url, only=fault.rules, **arguments(fault))
    assert heard.broken & set(fault.rules)
    assert heard.end.exit_code == 1


def test_a_breach_tells_how_to_see_it() -> None:
    with running(FAULTS["total_in_floating_point"]) as server:
        heard = judge(server.url, only=("CREATE-5",), seed=42)
    breach = heard.breaches[0]
    assert (breach.rule, breach.seed) == ("CREATE-5", 42)
    assert breach.exchanges[-1].method in ("POST", "GET")
    assert ("Authorization", "Bearer $TOKEN") in breach.exchanges[-1].headers
    assert breach.expected and breach.actual


def test_the_same_seed_gives_the_same_verdict() -> None:
    def run() -> tuple[int, dict[str, str], list[str]]:
        with running(FAULTS["or_binds_tighter"]) as server:
            heard = judge(server.url, seed=3, only=("SEARCH",))
        return (
            heard.end.exit_code,
            {rule: verdict.verdict for rule, verdict in heard.verdicts.items()},
            sorted(breach.identity for breach in heard.breaches),
        )

    assert run() == run()


def test_fuzzing_walks_from_charge_to_collect_and_finds_nothing_on_a_correct_server(tmp_path: Path) -> None:
    with running() as server:
        heard = judge(server.url, fuzz=True, only=("GEN", "COLLECT"), reports=("json",), report_dir=tmp_path)
    assert heard.breaches == []
    assert "its stateful phase walked from charge to collect" in heard.notes
    assert "the fuzzer ended with code" not in heard.notes
    told = (tmp_path / "schemathesis" / "events.ndjson").read_text()
    assert set(re.findall(r"http://127\.0\.0\.1:\d+/api", told)) == {server.url}


def verdict_of(heard: Heard, rule: str) -> str:
    return heard.verdicts[rule].verdict


def test_without_a_second_token_isolation_is_not_exercised() -> None:
    with running() as server:
        heard = judge(server.url, other_token=None, only=("GEN-8", "CREATE-8", "GEN-1"))
    assert verdict_of(heard, "CREATE-8") == "not_exercised"
    assert heard.verdicts["CREATE-8"].reason == "no second token given (--other-token)"
    assert heard.end.exit_code == 3


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("no second token given (--other-token)", "no second token given (--other-token)"),
        ("this run is read-only", "this run is read-only (leave out --read-only)"),
        ("no invoice got onto Stripe", "no invoice got onto Stripe (--stripe-wait)"),
        ("created_at is no date-time", "created_at is no date-time (no option helps)"),
    ],
)
def test_each_reason_names_the_option_that_would_help_or_says_that_none_does(reason: str, told: str) -> None:
    assert with_remedy(reason) == told


def test_what_is_not_exercised_on_a_server_names_its_option() -> None:
    with running() as server:
        heard = judge(server.url, other_token=None, merchant=None, read_only=True, max_time=20.0)
    reasons = {one.rule: one.reason for one in heard.verdicts.values() if one.verdict == "not_exercised"}
    assert reasons
    assert [told for told in reasons.values() if "--" not in told and "no option helps" not in told] == []


def test_unexercised_rules_may_be_allowed() -> None:
    with running() as server:
        heard = judge(server.url, other_token=None, only=("CREATE-8", "GEN-1"), allow_unexercised=True)
    assert heard.end.exit_code == 0


def test_a_run_that_proved_nothing_never_passes() -> None:
    with running() as server:
        heard = judge(server.url, other_token=None, only=("CREATE-8",), allow_unexercised=True)
    assert heard.end.exit_code == 3


def test_given_charges_are_used_instead_of_made_ones() -> None:
    with running() as server:
        api = server.api
        merchant = api.records.merchants[1]
        charges = [api.records.add_charge(merchant, 1000 + number, "given").id for number in range(60)]
        there = len(api.records.charges)
        heard = judge(server.url, charge_ids=tuple(charges), only=("CREATE-1", "CREATE-4", "LIST"), other_token=None)
    assert heard.breaches == []
    assert len(api.records.charges) == there
    assert verdict_of(heard, "CREATE-1") == "holds"
