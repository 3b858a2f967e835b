"""The written pytest file runs, fails while the breach is there, and passes once it is gone."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from mockserver.core.loopback import is_loopback
from mockserver.verify.claims.claims import Body, Const, Count, Get, Is, Many, Status, Where
from mockserver.verify.events import Breach, Reproduction
from mockserver.verify.reports import make
from mockserver.verify.transport.placeholders import filled
from tests.servers import Quiet, serving
from tests.verify.report_streams import BILLED_TWICE, LEAK, RULES, SERVER_ERROR, charge, exchange, invoice, run


class Billing(Quiet):
    """As much of the API as these sequences need, with ids unlike the recorded ones; `faulty` bills twice."""

    faulty: bool
    broken_lists: bool
    taken: set[int]
    heard: list[tuple[str, str, str]]
    last: int
    lock: threading.Lock

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        with self.lock:
            type(self).last += 1
            number = self.last
            if "quick-adjustment" in self.path:
                return self.answer(201, {"charge": {"id": number}, "charge_items": []})
            if self.path.endswith("/collect"):
                return self.answer(200, {"message": "Paid"})
            if not self.faulty and self.taken & set(body["charge_ids"]):
                return self.answer(422, {"message": "The charge is invoiced"})
            if not all(1000 < charge for charge in body["charge_ids"]):
                return self.answer(422, {"message": "No such charge"})
            self.taken.update(body["charge_ids"])
            made = {"id": number, "status": "Draft", "total": 12.5, "stripe_invoice_id": None}
            return self.answer(201, {"message": "Invoice created", "invoice": made})

    def do_GET(self) -> None:
        if self.broken_lists:
            return self.answer(500, {"message": "no"})
        return self.answer(200, {"data": [], "total": 0})

    def answer(self, status: int, value: object) -> None:
        self.heard.append((self.command, self.path, self.headers.get("Authorization", "")))
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def billing(*, faulty: bool, broken_lists: bool = False) -> Iterator[tuple[str, type[Billing]]]:
    class Here(Billing):
        taken: set[int] = set()  # noqa: RUF012 - one class a server
        heard: list[tuple[str, str, str]] = []  # noqa: RUF012
        last = 1000
        lock = threading.Lock()

    Here.faulty, Here.broken_lists = faulty, broken_lists
    with serving(Here) as address:
        yield f"{address}/api", Here


def written(directory: Path, *breaches: Breach, target: str = "http://127.0.0.1:8000/api") -> Path:
    (report,) = make(["pytest"], directory, rules=RULES)
    for event in run(*breaches, target=target):
        report(event)
    return directory / "test_breaches.py"


def replayed(file: Path, base: str, **environment: str) -> tuple[int, str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-ra", "-c", os.devnull, str(file)],
        cwd=file.parent,
        env=kept | {"BASE_URL": base, "TOKEN": "t1", "OTHER_TOKEN": "t2", "WAIT": "0"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def test_it_fails_while_the_breach_is_there(tmp_path: Path) -> None:
    with billing(faulty=True) as (base, server):
        code, told = replayed(written(tmp_path, BILLED_TWICE), base)
    assert code == 1, told
    assert "CREATE-4: expected that a second invoice over the same charge is refused" in told
    assert {token for _, _, token in server.heard} == {"Bearer t1"}


def test_it_passes_once_the_breach_is_gone(tmp_path: Path) -> None:
    with billing(faulty=False) as (base, _):
        code, told = replayed(written(tmp_path, BILLED_TWICE), base)
    assert (code, "1 passed" in told) == (0, True), told


@pytest.mark.parametrize("broken", [True, False])
def test_a_5xx_is_known_again_whatever_its_body(tmp_path: Path, broken: bool) -> None:
    with billing(faulty=False, broken_lists=broken) as (base, _):
        code, told = replayed(written(tmp_path, SERVER_ERROR), base)
    assert code == (1 if broken else 0), told


def test_another_token_is_taken_from_its_own_variable(tmp_path: Path) -> None:
    with billing(faulty=False) as (base, server):
        code, told = replayed(written(tmp_path, LEAK), base)
    assert code == 0, told
    method, path, token = server.heard[-1]
    assert (method, token) == ("GET", "Bearer t2")
    assert re.search(r"q=id%3A%22100\d%22", path), "the live id stands in the search"


def test_a_missing_token_is_named(tmp_path: Path) -> None:
    with billing(faulty=False) as (base, server):
        code, told = replayed(written(tmp_path, BILLED_TWICE), base, TOKEN="")
    assert code == 1
    assert "set TOKEN to that of the run" in told
    assert server.heard == []


def test_a_server_that_goes_another_way_is_skipped_with_the_reason(tmp_path: Path) -> None:
    astray = replace(
        BILLED_TWICE,
        exchanges=(invoice(12, [57]), *BILLED_TWICE.exchanges),
        check=Is(Status(3), ">=", Const(400)),
    )
    with billing(faulty=False) as (base, _):
        code, told = replayed(written(tmp_path, astray), base)
    assert (code, "1 skipped" in told) == (0, True), told
    assert "cannot tell: request 1 got 422" in told


def test_a_check_decides_even_when_a_mended_server_stops_the_sequence(tmp_path: Path) -> None:
    followed = replace(
        BILLED_TWICE,
        exchanges=(*BILLED_TWICE.exchanges, exchange("POST", "/billing/invoices/13/finalize")),
    )
    with billing(faulty=False) as (base, _):
        code, told = replayed(written(tmp_path, followed), base)
    assert (code, "1 passed" in told) == (0, True), told


@pytest.mark.parametrize("faulty", [True, False])
def test_a_race_is_run_as_a_race(tmp_path: Path, faulty: bool) -> None:
    race = replace(
        BILLED_TWICE,
        exchanges=(charge(57), *(replace(invoice(number, [57]), race=2) for number in (12, 13))),
        found_by="race",
        check=Is(Count(Where(Many((Status(1), Status(2))), (), "<", Const(300))), "<=", Const(1)),
    )
    with billing(faulty=faulty) as (base, _):
        file = written(tmp_path, race)
        code, told = replayed(file, base)
    assert file.read_text().count("race=2,") == 2
    assert code == (1 if faulty else 0), told


def test_no_collect_is_sent_to_a_server_that_could_charge(tmp_path: Path) -> None:
    collect = Breach(
        "COLLECT-1",
        "a refusal",
        "200",
        (exchange("POST", "/billing/invoices/3/collect"),),
        7,
        "COLLECT-1",
        check=Is(Status(0), ">=", Const(400)),
    )
    code, told = replayed(written(tmp_path, collect), "http://staging.invalid/api")
    assert (code, "1 skipped" in told) == (0, True), told
    assert "ALLOW_CHARGES=1" in told


def test_it_knows_this_machine_and_placeholders_as_the_run_did(tmp_path: Path) -> None:
    text = written(tmp_path, BILLED_TWICE).read_text(encoding="utf-8")
    assert inspect.getsource(is_loopback) in text
    assert inspect.getsource(filled) in text
    names = [node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    assert (names.count("is_loopback"), names.count("filled")) == (1, 1)
    assert "ip_address(" not in text.replace(inspect.getsource(is_loopback), "")


def test_a_server_that_is_gone_fails_what_it_should_answer(tmp_path: Path) -> None:
    with billing(faulty=False) as (base, _):
        pass
    code, told = replayed(written(tmp_path, BILLED_TWICE), base)
    assert code == 1, told
    assert "no answer: ConnectError" in told


ONCE = replace(BILLED_TWICE, reproduction=Reproduction(0, 2), proves=False)


@pytest.mark.parametrize(
    ("breaches", "accepted", "told"),
    [
        ([], [], "No breach was found, so"),
        ([SERVER_ERROR], ["GEN-5"], "No breach that isn't accepted was found, so"),
        ([ONCE], [], "No breach that isn't accepted and that came again was found, so"),
        ([SERVER_ERROR, ONCE], ["GEN-5"], "No breach that isn't accepted and that came again was found, so"),
    ],
)
def test_where_nothing_is_to_be_shown_again_both_files_say_so_and_are_green(
    breaches: list[Breach], accepted: list[str], told: str, tmp_path: Path
) -> None:
    for report in make(["pytest", "script"], tmp_path, rules=RULES):
        for event in run(*breaches, accepted=accepted, exit_code=0):
            report(event)
    file = tmp_path / "test_breaches.py"
    assert f"# {told} there is nothing to replay." in file.read_text()
    code, printed = replayed(file, "http://127.0.0.1:9")
    assert code == 0, printed
    assert "1 passed" in printed
    done = subprocess.run(["sh", "repro.sh"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, f"{told} there is nothing to show again.\n"), done.stderr


def test_what_a_server_sent_never_becomes_code(tmp_path: Path) -> None:
    poison = "'''\"\"\"\n)\nimport os; os.system('touch hacked')\n\r\x0c\u2028#{x}"
    breach = Breach(
        "GEN-5\n" + poison,
        poison,
        poison,
        (exchange("GET", "/" + poison, raw=poison.encode(), headers=[(poison, poison)], failure=poison, status=200),),
        7,
        poison,
        check=Is(Get(Body(0), (poison,)), "is", Const(poison)),
    )
    file = written(tmp_path, breach)
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    assert "system" not in {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    assert "__import__" not in {node.id for node in nodes if isinstance(node, ast.Name)}
    replayed(file, "http://127.0.0.1:9/api")
    assert not (tmp_path / "hacked").exists()


def test_a_name_in_an_answer_is_no_command_of_the_script(tmp_path: Path) -> None:
    name = "'; touch pwned; '"
    told = exchange(
        "POST",
        "/billing/charges/quick-adjustment",
        status=201,
        sends={"amount": 5, "description": "x"},
        answers={"charge": {"id": 9}, name: {"invoice": {"id": 57}}},
    )
    finalized = exchange("POST", "/billing/invoices/57/finalize", status=500, answers={"message": "no"})
    breach = replace(SERVER_ERROR, exchanges=(told, finalized), check=Is(Status(1), "<", Const(500)))
    (report,) = make(["script"], tmp_path, rules=RULES)
    for event in run(breach):
        report(event)
    report.close()
    lines = [line for line in (tmp_path / "repro.sh").read_text("utf-8").splitlines() if "$(from" in line]
    assert lines, "an answer is needed by the next request"
    stubs = 'from() { return 1; }\ncannot_tell() { echo "$1"; }\n'
    done = subprocess.run(["sh", "-c", stubs + "\n".join(lines)], cwd=tmp_path, capture_output=True, text=True)
    assert name in done.stdout
    assert not (tmp_path / "pwned").exists()
