"""The servers that the verifier is proved on are what they claim: the legal ones right, the faulty ones wrong."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from pathlib import Path

import httpx
import pytest
import yaml

from tests import plain
from tests.mutants.catalogue.every import CATALOGS, FAULTS
from tests.mutants.client import Talk
from tests.mutants.config import Mutant, ServerConfig, without_fault
from tests.mutants.conforming import CORRECT, LEGAL
from tests.mutants.frameworks.variants import startable
from tests.mutants.noise import NUISANCES
from tests.mutants.non_apis import NON_APIS, posing
from tests.mutants.processes import PROJECT, SPEC, served
from tests.mutants.reference.choices import LISTED, UNLISTED, Choices, UnknownChoice, choose, read_choice
from tests.mutants.run_table import CONFORMING, jobs_of, main, read_arguments
from tests.mutants.scenarios.bed import CHECKS
from tests.mutants.scenarios.every import broken, first_broken, keep
from tests.mutants.server import Running, running
from tests.mutants.showing import totals

HERE = Path(__file__).parent
SAMPLE = ("correct", "laravel", "lenient", "terse", "busy", "provider", "no_minor_unit", "declining", "pays_later")
"""Legal servers in which every choice takes another value somewhere; the command goes through all."""
FIRST: dict[str, Mutant] = {}
"""For each rule the first fault that was made for it; the command goes through all."""
for fault in FAULTS.values():
    FIRST.setdefault(fault.rules[0], fault)


@contextmanager
def talking(*nuisances: str, **config: object) -> Iterator[tuple[Talk, Running]]:
    """A client of a server with these nuisances."""
    made = ServerConfig(name="test", says="made for one test", nuisances=nuisances, **config)  # type: ignore[arg-type]
    with running(made) as server, closing(Talk(server.url, "merchant1", 1)) as talk:
        yield talk, server


@pytest.mark.parametrize("name", SAMPLE)
def test_a_legal_server_keeps_every_rule(name: str) -> None:
    keep(LEGAL[name])


@pytest.mark.parametrize("rule", FIRST)
def test_a_fault_breaks_a_rule_that_it_is_named_by(rule: str) -> None:
    assert first_broken(FIRST[rule]) is not None


def test_a_fault_needs_nothing_but_its_patch() -> None:
    """Without the patch the same server keeps the rule, so that it is the patch that breaks it."""
    for rule in ("CREATE-5", "COLLECT-3", "GEN-7"):
        assert list(broken(without_fault(FIRST[rule]), [rule])) == []


def test_every_rule_of_the_spec_has_a_scenario_and_a_fault() -> None:
    rules = set(yaml.safe_load(SPEC.read_text(encoding="utf-8"))["x-rules"])
    assert set(CHECKS) == rules
    assert {rule for fault in FAULTS.values() for rule in fault.rules} == rules
    assert set(FIRST) == rules


def test_faults_are_many_and_of_every_area() -> None:
    assert len(FAULTS) >= 75
    assert {fault.area for fault in FAULTS.values()} == {catalog.area for catalog in CATALOGS}
    assert len({fault.area for fault in FAULTS.values()}) == 8


def test_every_other_value_of_every_choice_is_a_legal_server() -> None:
    taken = {(key, value) for config in LEGAL.values() for key, value in config.choices.items()}
    wanted = {(key, value) for key, values in (LISTED | UNLISTED).items() for value in values[1:]}
    assert wanted <= taken
    assert {name for config in LEGAL.values() for name in config.nuisances} == set(NUISANCES)


def test_the_defaults_are_the_first_values_of_the_tables() -> None:
    defaults = {item.name: item.default for item in fields(Choices)}
    assert defaults == {key: values[0] for key, values in (LISTED | UNLISTED).items()}


@pytest.mark.parametrize("values", [{"refinalise": "accept"}, {"refinalize": "maybe"}, {"per_page_max": 0}])
def test_an_unknown_choice_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(UnknownChoice):
        choose(values)


def test_choices_are_read_from_a_command_line() -> None:
    assert read_choice("per_page_max=null") == ("per_page_max", None)
    assert read_choice("per_page_max=7") == ("per_page_max", 7)
    assert read_choice("refinalize=accept") == ("refinalize", "accept")


def test_the_servers_know_nothing_of_the_fake() -> None:
    for path in HERE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.partition(".")[0] == "mockserver" for name in names), path


def test_a_throttled_server_says_when_to_come_again() -> None:
    with talking("strict_throttle") as (_, server), plain.Client() as client:
        answers = [client.get(f"{server.url}/billing/invoices") for _ in range(30)]
    late = [answer for answer in answers if answer.status_code == 429]
    assert late and all(answer.headers["Retry-After"] == "1" and answer.json()["message"] for answer in late)


def test_a_slow_server_takes_its_time() -> None:
    with talking("slow") as (talk, _):
        started = time.monotonic()
        assert talk.page().status == 200
        assert time.monotonic() - started >= 0.05


def test_a_prefilled_server_has_thousands_of_invoices() -> None:
    with talking("prefilled") as (talk, server):
        assert len(server.api.records.invoices) > 5_000
        assert talk.page(per_page=1).document["total"] > 2_500


def test_a_busy_server_is_written_to_by_others() -> None:
    with talking("busy", "crowded") as (talk, server):
        before = talk.page().document["total"]
        until = time.monotonic() + 10
        while time.monotonic() < until and talk.page().document["total"] == before:
            time.sleep(0.02)
        assert talk.page().document["total"] > before
        assert {invoice.merchant for invoice in list(server.api.records.invoices.values())[24:]} > {1}


def test_a_late_queue_creates_on_stripe_without_a_further_call() -> None:
    with talking(stripe_delay=0.3) as (talk, _):
        number = talk.draft(5)
        talk.finalize(number)
        assert talk.look(number)["stripe_invoice_id"] is None
        time.sleep(0.4)
        assert talk.look(number)["stripe_invoice_id"]


def test_nobody_is_charged_twice_whoever_asks_how_often() -> None:
    with talking(choices={"recollect": "accept"}) as (talk, server):
        number = talk.draft(5)
        talk.finalize(number)
        for _ in range(3):
            assert talk.collect(number).status == 200
        assert server.api.stripe.charged == [(number, 500)]


def test_an_amount_below_the_minimum_is_not_charged() -> None:
    with talking() as (talk, _):
        number = talk.draft(0.49)
        talk.finalize(number)
        assert talk.collect(number).status == 402
        assert talk.look(number)["stripe_invoice_status"] == "open"


def test_extra_properties_and_links_are_there_when_asked_for() -> None:
    with talking("extra", "http_1_0") as (talk, _):
        answer = talk.page(per_page=1)
        assert {"links", "path", "next_page_url"} <= answer.document.keys()
        assert "number" in answer.rows[0]
        assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("name", [name for name in NON_APIS if name != "falls_silent"])
def test_what_is_no_api_does_not_answer_as_one(name: str) -> None:
    what = NON_APIS[name]
    with posing(what) as server, plain.Client(timeout=2, headers={"Authorization": "Bearer merchant1"}) as client:
        for _ in range(what.after):
            assert client.get(f"{server.url}/billing/invoices").status_code == 200
        try:
            answer = client.get(f"{server.url}/billing/invoices")
            page = answer.json()
        except (httpx.TransportError, json.JSONDecodeError):
            return
        assert answer.status_code >= 400 or not isinstance(page, dict) or "data" not in page


def test_a_server_of_its_own_process_counts_its_requests() -> None:
    with served("--fault", "page_size_ignored", "--choice", "create_status=201") as server:
        with closing(Talk(server.url, "merchant1", 1)) as talk:
            assert talk.page(per_page=1).document["per_page"] == 15
            assert talk.create(talk.charge(5)).status == 201
    assert server.requests == 3


def test_a_wrong_choice_on_the_command_line_is_one_clear_line() -> None:
    command = [sys.executable, "-m", "tests.mutants.server", "--choice", "colour=red"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("no choice is called 'colour'") and done.stderr.count("\n") == 1


def test_the_table_takes_everything_unless_it_is_told_what() -> None:
    jobs = jobs_of(read_arguments(["--seeds", "2"]))
    assert len(jobs) == len(FAULTS) + len(NON_APIS) + 2 * len(CONFORMING)
    assert len(jobs_of(read_arguments(["--faults", "races", "total_in_cents"]))) == len(CATALOGS[-1].faults) + 1
    assert len(jobs_of(read_arguments(["--legal", "--seeds", "1"]))) == len(CONFORMING)
    assert len(CONFORMING) == len(LEGAL) + len(startable()), "no two servers have one name"


def test_the_table_counts_and_writes_what_came(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "table.json"
    assert main(["--faults", "total_in_cents", "--plain", "--no-verify", "--json", str(path)]) == 0
    assert "total_in_cents" in capsys.readouterr().out
    document = json.loads(path.read_text())
    assert document["totals"] == {"faults": 1, "faults_seen_by_plain_scenarios": 1, "longest_seconds": 0.0}
    assert document["rows"][0]["plain"] == "CREATE-5"
    assert totals([]) == {"longest_seconds": 0.0}
    assert main(["--faults", "no_such_fault"]) == 2


def test_the_correct_server_is_a_legal_one_with_the_defaults() -> None:
    assert LEGAL["correct"] is CORRECT and not CORRECT.choices and not CORRECT.nuisances
