"""Every breach is seen twice, and what is written to show it again tells the faulty server from the mended one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from mockserver.contract.contract import Contract
from mockserver.core.resources import openapi_path
from mockserver.verify.events import Breach, RunStarted
from mockserver.verify.options import Options
from mockserver.verify.reports import make
from mockserver.verify.reports.scripts.shell import commands
from mockserver.verify.run import verify
from tests.mutants.catalogue.every import FAULTS
from tests.mutants.config import PROVIDER, Mutant, without_fault
from tests.mutants.reference.messages import Reply, Request
from tests.mutants.server import running
from tests.verify.driving import Elsewhere, Heard, judge, pauses

FAULTY = (
    "crash_on_open_quote",
    "rounds_the_total",
    "day_equals_its_first_moment",
    "finalize_needs_no_token",
    "two_drafts_of_one_charge",
)
"""Faults of several kinds: of form, money, searches by day, tokens, and races."""
CONTRACT = Contract.load(openapi_path())


def filled(fault: Mutant) -> Mutant:
    """The fault on a server whose database was filled before."""
    return replace(fault, nuisances=(*fault.nuisances, "prefilled"))


def token_of(fault: Mutant) -> str:
    return "provider" if fault.arguments == PROVIDER else "merchant1"


@dataclass(frozen=True)
class Written:
    """What a run on a faulty server has found and written."""

    name: str
    heard: Heard
    folder: Path
    while_faulty: tuple[subprocess.CompletedProcess[str], ...]

    @property
    def breaches(self) -> list[Breach]:
        """Each fault as it was told last."""
        return list({breach.identity: breach for breach in self.heard.breaches}.values())


def shown_again(folder: Path, url: str, token: str) -> tuple[subprocess.CompletedProcess[str], ...]:
    """The script and the pytest file, run on that server."""
    environment = os.environ | {"BASE_URL": url, "TOKEN": token, "OTHER_TOKEN": "merchant2", "WAIT": "5"}
    pytest_file = [sys.executable, "-m", "pytest", "-q", "-ra", "-p", "no:cacheprovider", "-c", os.devnull]
    return tuple(
        subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=300)
        for command in (["sh", str(folder / "repro.sh")], [*pytest_file, str(folder / "test_breaches.py")])
    )


@pytest.fixture(scope="module", params=FAULTY)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    fault, folder = FAULTS[request.param], tmp_path_factory.mktemp(request.param)
    heard = Heard()
    with running(filled(fault)) as server:
        reports = make(["script", "pytest"], folder, rules=CONTRACT.rules)
        options = Options(
            url=server.url,
            token=token_of(fault),
            merchant="1",
            other_token="merchant2",
            fuzz=False,
            only=fault.rules,
        )
        verify(options, [heard.events.append, *reports], contract=CONTRACT)
        again = shown_again(folder, server.url, token_of(fault))
    yield Written(request.param, heard, folder, again)


def test_a_breach_is_replayed_before_it_is_told(written: Written) -> None:
    assert written.breaches
    for breach in written.breaches:
        assert breach.reproduction is not None, breach.identity
        assert breach.reproduction.seen > 0, (breach.identity, breach.reproduction.words())


def test_each_sequence_makes_what_it_needs(written: Written) -> None:
    for breach in written.breaches:
        assert breach.from_nothing, breach.identity
        makes = any("quick-adjustment" in exchange.url for exchange in breach.exchanges)
        assert makes or len(breach.exchanges) == 1, breach.identity


def test_while_the_fault_is_there_the_script_ends_with_1_and_the_pytest_file_fails(written: Written) -> None:
    script, file = written.while_faulty
    assert script.returncode == 1, script.stdout + script.stderr
    assert "STILL THERE" in script.stdout
    assert script.stderr == ""
    assert file.returncode == 1, file.stdout + file.stderr
    assert "error" not in file.stdout.splitlines()[-1], file.stdout


def test_once_it_is_gone_the_script_ends_with_0_and_the_pytest_file_passes(written: Written) -> None:
    fault = FAULTS[written.name]
    with running(without_fault(filled(fault))) as server:
        script, file = shown_again(written.folder, server.url, token_of(fault))
    assert script.returncode == 0, script.stdout + script.stderr
    assert "STILL THERE" not in script.stdout
    assert file.returncode == 0, file.stdout + file.stderr
    assert "failed" not in file.stdout
    assert "passed" in file.stdout


def test_the_printed_commands_run_by_themselves(written: Written, tmp_path: Path) -> None:
    """Pasted into a shell, on another server with the fault, they end with the answer that was recorded."""
    fault = FAULTS[written.name]
    environment = os.environ | {"TOKEN": token_of(fault), "OTHER_TOKEN": "merchant2"}
    with running(filled(fault)) as server:
        for breach in written.breaches:
            recorded = written.heard.events[0]
            assert isinstance(recorded, RunStarted)
            lines = "\n".join(commands(breach, recorded.target)).replace(recorded.target, server.url)
            done = subprocess.run(["sh", "-c", lines], env=environment, cwd=tmp_path, capture_output=True, text=True)
            assert done.returncode == 0, lines + done.stderr
            if not any(exchange.race for exchange in breach.exchanges):
                last = re.findall(r"HTTP/[0-9.]+ ([0-9]+)", done.stdout)[-1]
                assert last == str(breach.exchanges[-1].status), lines + done.stdout + done.stderr


def test_a_server_that_refuses_the_token_is_no_mended_one(written: Written) -> None:
    with running(without_fault(filled(FAULTS[written.name]))) as server:
        script, file = shown_again(written.folder, server.url, "nobody")
    assert script.returncode == 2, script.stdout + script.stderr
    assert "refuses the token" in script.stderr
    assert "failed" not in file.stdout
    assert "skipped" in file.stdout


def told(heard: Heard, identity: str) -> Breach:
    """What was said of that fault last."""
    return {breach.identity: breach for breach in heard.breaches}[identity]


def test_a_request_that_makes_the_server_fail_is_shrunk_to_what_makes_it_fail() -> None:
    def crash(request: Request) -> Reply | None:
        return Reply(500, {"message": "no"}) if request.query.get("q") == '"' else None

    with running() as server:
        server.api.before.append(crash)
        heard = judge(server.url, only=("GEN-5",))
    (sent,) = told(heard, "GEN-5:listInvoices 5XX").exchanges
    assert sent.url.partition("?")[2] == "q=%22"
    assert sent.status == 500


class EveryFourth:
    """Fails at every fourth create that names the same charge."""

    def __init__(self) -> None:
        self.seen: Counter[bytes] = Counter()

    def __call__(self, request: Request) -> Reply | None:
        if request.method != "POST" or not request.path.endswith("/billing/invoices") or not request.body:
            return None
        self.seen[request.body] += 1
        return Reply(500, {"message": "no"}) if self.seen[request.body] % 4 == 0 else None


def test_two_breaches_of_one_race_are_each_replayed_as_a_race_of_their_own() -> None:
    with running(FAULTS["two_drafts_of_one_charge"]) as server:
        server.api.before.append(EveryFourth())
        heard = judge(server.url, only=("CREATE-4", "GEN-5"), max_time=280.0)
    found = {identity: told(heard, identity) for identity in {breach.identity for breach in heard.breaches}}
    raced = {identity: breach for identity, breach in found.items() if any(one.race for one in breach.exchanges)}
    assert len(raced) > 1, found
    for identity, breach in raced.items():
        assert breach.reproduction is not None
        assert breach.reproduction.seen > 0, (identity, breach.reproduction.words())


class Once:
    """Answers one finalize wrongly, the third, and no other."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.seen = 0

    def __call__(self, request: Request) -> Reply | None:
        self.seen += request.method == "POST" and request.path.endswith("/finalize")
        if self.seen != 3:
            return None
        self.seen += 1
        return Reply(self.status, {"message": "Try again later."})


def test_what_is_seen_once_and_does_not_come_again_fails_no_run() -> None:
    with running() as server:
        server.api.before.append(Once(409))
        heard = judge(server.url, only=("FINALIZE-1",))
    breach = told(heard, "FINALIZE-1:valid finalize refused")
    assert breach.reproduction is not None
    assert breach.reproduction.words() == "seen once, not reproduced in 2 tries"
    assert heard.end.exit_code == 0
    finished = heard.verdicts["FINALIZE-1"]
    assert finished.verdict == "holds"
    assert "seen once, not reproduced" in finished.reason


def test_what_is_proof_by_itself_fails_the_run_though_it_never_comes_again() -> None:
    with running() as server:
        server.api.before.append(Once(500))
        heard = judge(server.url, only=("GEN-5",))
    breach = told(heard, "GEN-5:finalizeInvoice 5XX")
    assert breach.reproduction is not None
    assert (breach.reproduction.seen, breach.proves) == (0, True)
    assert heard.end.exit_code == 1


def test_a_read_only_run_replays_by_get_alone() -> None:
    with running(FAULTS["total_is_one_too_many"]) as server:
        sent: list[str] = []
        server.api.before.append(lambda request: sent.append(request.method))
        heard = judge(server.url, read_only=True)
    assert set(sent) == {"GET"}
    replayed = {breach.identity: breach.reproduction for breach in heard.breaches}
    assert any(done is not None and done.seen == 2 for done in replayed.values())


def test_no_replay_collects_where_no_charge_is_allowed() -> None:
    fault = FAULTS["draft_is_paid"]
    with running(fault) as server:
        connection = Elsewhere(server.url)
        heard = judge("http://billing.example/api", connection=connection)
    assert not [path for method, path in connection.sent if path.endswith("/collect")]
    assert heard.end.requests > 0


def test_what_never_comes_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where searches are ignored, the row that a replay waits for is none of its own, and never comes onto Stripe."""
    waited = pauses(monkeypatch)
    with running(FAULTS["search_is_ignored"]) as server:
        heard = judge(server.url, only=("SEARCH-4", "SEARCH-6"))
    assert heard.broken == {"SEARCH-4", "SEARCH-6"}
    assert sum(waited) < 30


def test_how_long_the_queue_may_take_is_not_known_unless_it_is_said() -> None:
    with running(FAULTS["never_on_stripe"]) as server:
        heard = judge(server.url, only=("FINALIZE-2",), max_time=30.0, stripe_wait=None)
    assert heard.breaches == []
    assert heard.verdicts["FINALIZE-2"].verdict == "not_exercised"
    assert "no invoice got onto Stripe within" in heard.verdicts["FINALIZE-2"].reason
    assert "--stripe-wait" in heard.verdicts["FINALIZE-2"].reason
    assert heard.end.exit_code == 3


def test_the_time_of_the_run_holds_for_replays_too() -> None:
    with running(FAULTS["never_on_stripe"]) as server:
        began = time.monotonic()
        heard = judge(server.url, only=("FINALIZE-2",), max_time=12.0, stripe_wait=4.0)
    assert time.monotonic() - began < 13
    breach = told(heard, "FINALIZE-2:never on stripe")
    assert breach.reproduction is not None
    assert heard.end.exit_code == 1
