"""The spec, the profile and the fixture can be changed under a running server, and a mistake in one does no harm."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from mockserver.core import resources
from mockserver.core.health import is_ready
from mockserver.core.messages import Request
from mockserver.server.pipeline import respond
from mockserver.server.reload import Reloader
from mockserver.server.service import Current, open_service
from mockserver.server.settings import Settings
from tests import plain
from tests.ports import own_port

FIXTURE = """\
description: One merchant.
merchants:
  - {id: 1, name: Acme, currency: USD, card: pm_card_visa}
charges:
  - {id: 1, merchant: 1, created_at: 2026-01-05T08:00:00Z, amount: 5, description: A fee}
"""
TWO_CHARGES = FIXTURE + "  - {id: 2, merchant: 1, created_at: 2026-01-06T08:00:00Z, amount: 7, description: Another}\n"
BAD_FIXTURE = FIXTURE.replace("pm_card_visa", "pm_card_vsia")
BAD_PROFILE = "description: Mine.\ncreate_status: 204\n"
HEADERS = {"authorization": "Bearer provider", "x-selected-client-id": "1", "content-type": "application/json"}
PATIENCE = 20.0


@dataclass
class Files:
    """The three files of a server, and what was told of them."""

    spec: Path
    profile: Path
    fixture: Path
    log: list[str]

    @property
    def settings(self) -> Settings:
        return Settings(spec=str(self.spec), profile=str(self.profile), fixture=str(self.fixture), reload=True)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    files = Files(tmp_path / "openapi.yaml", tmp_path / "profile.yaml", tmp_path / "fixture.yaml", [])
    files.spec.write_text(resources.openapi_path().read_text("utf-8"), "utf-8")
    files.profile.write_text("description: Mine.\ncreate_status: 201\n", "utf-8")
    files.fixture.write_text(FIXTURE, "utf-8")
    return files


@pytest.fixture
def current(files: Files) -> Current:
    return Current(open_service(files.settings))


@pytest.fixture
def reloader(files: Files, current: Current) -> Reloader:
    return Reloader(current, files.log.append)


def rewrite(path: Path, text: str) -> None:
    """As editors do it: a new file, put in the place of the old one."""
    new = path.with_suffix(".new")
    new.write_text(text, "utf-8")
    new.replace(path)


def test_a_changed_profile_holds_from_then_on(files: Files, current: Current, reloader: Reloader) -> None:
    before = current.service
    rewrite(files.profile, "description: Mine.\ncreate_status: 200\n")
    reloader.look()
    assert current.service.profile.create_status == 200
    assert before.profile.create_status == 201, "a request that is under way keeps to what it began with"
    assert current.service.worlds is before.worlds


def test_a_setting_stands_above_a_changed_profile(files: Files) -> None:
    settings = Settings(profile=str(files.profile), fixture=str(files.fixture), set=("per_page_max=7",))
    current = Current(open_service(settings))
    rewrite(files.profile, "description: Mine.\nper_page_max: 9\n")
    Reloader(current, files.log.append).look()
    assert current.service.profile.per_page_max == 7
    assert current.service.profile_name == "profile, per_page_max=7"


def test_a_mistake_in_the_profile_leaves_the_last_good_one_in_force(
    files: Files, current: Current, reloader: Reloader
) -> None:
    rewrite(files.profile, BAD_PROFILE)
    reloader.look()
    assert current.service.profile.create_status == 201
    (mistake,) = current.service.mistakes
    assert mistake.startswith(f"{files.profile}:2: create_status: must be")
    assert files.log[0] == f"reload: {mistake}"
    assert "the last good one stays in force" in files.log[1]


def test_a_mistake_is_forgotten_once_it_is_mended(files: Files, current: Current, reloader: Reloader) -> None:
    for text in (BAD_PROFILE, "description: Mine.\ncreate_status: 200\n"):
        rewrite(files.profile, text)
        reloader.look()
    assert (current.service.mistakes, current.service.profile.create_status) == ((), 200)


def test_a_changed_spec_holds_from_then_on(files: Files, current: Current, reloader: Reloader) -> None:
    before = current.service.contract
    rewrite(files.spec, current.service.spec_text + "x-changed: true\n")
    reloader.look()
    assert current.service.contract is not before
    assert current.service.contract.document["x-changed"] is True
    assert current.service.spec_text.endswith("x-changed: true\n")


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ("operationId: listInvoices", "operationId: listBills", "the operation listBills is not one that this server"),
        ("operationId: listInvoices", "operationId: [", "not valid YAML"),
        ("openapi: 3.1", "openapi: 2.1", "not OpenAPI 3.1"),
    ],
)
def test_a_mistake_in_the_spec_leaves_the_last_good_one_in_force(
    files: Files, current: Current, reloader: Reloader, old: str, new: str, mistake: str
) -> None:
    before = current.service
    rewrite(files.spec, before.spec_text.replace(old, new))
    reloader.look()
    assert current.service.contract is before.contract
    assert re.match(rf"{re.escape(str(files.spec))}:\d+: .*{mistake}", current.service.mistakes[0])


def test_worlds_made_from_then_on_have_the_changed_fixture(files: Files, current: Current, reloader: Reloader) -> None:
    worlds = current.service.worlds
    old = worlds.enter("old")
    rewrite(files.fixture, TWO_CHARGES)
    reloader.look()
    assert charges(worlds.enter("new")) == 2
    assert (charges(old), charges(worlds.common)) == (1, 1), "what is in a world stays until it is reset"
    old.reset()
    assert charges(old) == 2


def charges(world: Any) -> int:
    return len(list(world.state.store.charges()))


def test_a_mistake_in_the_fixture_leaves_the_last_good_one_in_force(
    files: Files, current: Current, reloader: Reloader
) -> None:
    before = current.service.worlds.blueprint
    rewrite(files.fixture, BAD_FIXTURE)
    reloader.look()
    assert current.service.worlds.blueprint is before
    assert current.service.mistakes[0].startswith(f"{files.fixture}:3: ")


@pytest.mark.parametrize("name", ["spec", "profile", "fixture"])
def test_a_file_that_is_gone_leaves_the_last_good_one_in_force(
    files: Files, current: Current, reloader: Reloader, name: str
) -> None:
    path: Path = getattr(files, name)
    text = path.read_text("utf-8")
    path.unlink()
    reloader.look()
    (mistake,) = current.service.mistakes
    assert mistake.startswith(str(path))
    path.write_text(text, "utf-8")
    reloader.look()
    assert current.service.mistakes == ()


def test_mistakes_of_several_files_are_told_together(files: Files, current: Current, reloader: Reloader) -> None:
    rewrite(files.profile, BAD_PROFILE)
    rewrite(files.fixture, BAD_FIXTURE)
    reloader.look()
    assert [mistake.partition(":")[0] for mistake in current.service.mistakes] == [
        str(files.profile),
        str(files.fixture),
    ]


def test_a_file_that_was_only_touched_is_not_read_again(files: Files, current: Current, reloader: Reloader) -> None:
    before = current.service
    for path in (files.spec, files.profile, files.fixture):
        os.utime(path, (0, 0))
    reloader.look()
    assert current.service is before
    assert files.log == []


def test_requests_that_are_under_way_keep_to_the_profile_they_began_with(
    files: Files, current: Current, reloader: Reloader
) -> None:
    done = threading.Event()
    seen: set[int] = set()

    def ask() -> None:
        while not done.is_set():
            current.service.worlds.common.reset()
            request = Request("POST", "/billing/invoices", headers=HEADERS, body=b"{}")
            exchange = respond(request, current.service, address="http://test/api/billing/invoices")
            seen.add(exchange.reply.status)
            assert exchange.broken is None

    asking = threading.Thread(target=ask)
    asking.start()
    for status in (200, 201) * 20:
        rewrite(files.profile, f"description: Mine.\ncreate_status: {status}\n")
        reloader.look()
        assert current.service.mistakes == ()
        time.sleep(0.005)
    done.set()
    asking.join()
    assert seen == {200, 201}


@dataclass
class Live:
    """A server that reloads, and what it printed."""

    child: subprocess.Popen[str]
    base: str
    lines: list[str]

    def health(self) -> Any:
        return plain.get(f"{self.base}/_mock/health").json()


@pytest.fixture
def live(files: Files) -> Iterator[Live]:
    port = own_port()
    command = [sys.executable, "-m", "mockserver", "serve", "--reload", "--port", str(port)]
    command += ["--spec", str(files.spec), "--profile", str(files.profile), "--fixture", str(files.fixture)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as child:
        lines: list[str] = []
        threading.Thread(target=lambda: lines.extend(iter(child.stderr or ())), daemon=True).start()
        live = Live(child, f"http://127.0.0.1:{port}", lines)
        try:
            eventually(lambda: is_ready(live.base + "/_mock"))
            yield live
        finally:
            child.terminate()
            child.wait()


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_running_server_takes_over_changes_and_shows_mistakes(files: Files, live: Live) -> None:
    with plain.Client(headers={"Authorization": "Bearer provider@reloaded", "X-Selected-Client-Id": "1"}) as client:

        def create() -> int:
            client.post(f"{live.base}/_mock/reset")
            return client.post(f"{live.base}/api/billing/invoices", json={}).status_code

        assert create() == 201
        rewrite(files.profile, "description: Mine.\ncreate_status: 200\n")
        eventually(lambda: create() == 200)
        rewrite(files.profile, BAD_PROFILE)
        eventually(lambda: live.health()["mistakes"] != [])
        assert live.health()["mistakes"][0].startswith(f"{files.profile}:2: ")
        assert live.health()["status"] == "ok"
        assert create() == 200
        rewrite(files.profile, "description: Mine.\ncreate_status: 201\n")
        eventually(lambda: live.health()["mistakes"] == [])
        assert create() == 201
        rewrite(files.fixture, TWO_CHARGES)
        eventually(lambda: owed_after_a_reset(client, live.base) == 12)


def test_invoices_that_were_listed_before_are_shown_by_the_new_profile(files: Files, live: Live) -> None:
    with plain.Client(headers={"Authorization": "Bearer provider@listed", "X-Selected-Client-Id": "1"}) as client:

        def listed() -> tuple[object, str]:
            [row] = client.get(f"{live.base}/api/billing/invoices").json()["data"]
            return row["chargee_id"], row["created_at"][19:]

        client.post(f"{live.base}/api/billing/invoices", json={})
        assert isinstance(listed()[0], str)
        rewrite(files.profile, "description: Mine.\nparty_id_type: integer\ncreated_at_precision: seconds\n")
        eventually(lambda: listed() == (1, "Z"))


def owed_after_a_reset(client: httpx.Client, base: str) -> float:
    client.post(f"{base}/_mock/reset")
    rows = client.get(f"{base}/api/billing/charges").json()["data"]
    return float(sum(row["amount"] for row in rows))


def test_a_server_that_reloads_ends_quietly(live: Live) -> None:
    live.child.send_signal(signal.SIGINT)
    assert live.child.wait(timeout=60) == 0
    assert "".join(live.lines) == ""
