"""Our own fake conforms under every profile, and each choice that it is set to is measured as that."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import httpx
import pytest

from mockserver.billing.profile import load_profile, profiles
from mockserver.server.service import Current, open_service
from mockserver.server.settings import Settings
from mockserver.server.web.app import create_app
from mockserver.server.web.request_log import RequestLog
from tests.mutants.reference.choices import LISTED
from tests.verify.driving import judge, pauses

TURNS = max(map(len, LISTED.values()))
ADDRESS = "http://127.0.0.1/api"


def fake(**settings: Any) -> httpx.WSGITransport:
    """The fake as it is served, without a network."""
    service = open_service(Settings(**{"stripe_delay": 0.05, "payment_delay": 0.05, **settings}))
    return httpx.WSGITransport(app=create_app(Current(service), RequestLog(io.StringIO(), "text")))


def turned(turn: int) -> dict[str, Any]:
    """A profile in which every choice has another of its values than in the turn before."""
    choices = {key: values[(turn + number) % len(values)] for number, (key, values) in enumerate(LISTED.items())}
    if choices["per_page_max"] is None:
        choices["per_page_above_max"] = "clamp"
    return choices


def shown(value: Any) -> str:
    return "null" if value is None else str(value)


@pytest.mark.parametrize("name", [profile.name for profile in profiles()])
def test_the_fake_conforms_under_every_profile(name: str) -> None:
    heard = judge(ADDRESS, token="provider", connection=fake(profile=name))
    assert heard.breaches == []
    assert heard.end.exit_code == 0
    expected = load_profile(name).profile.values()
    if expected["per_page_max"] is None:
        del expected["per_page_above_max"]
    assert heard.choices == expected


def test_a_payment_that_is_reported_between_an_answer_and_the_list_is_shown_later() -> None:
    heard = judge(
        ADDRESS, token="provider", connection=fake(profile="strict", payment_delay=0.0), only=("COLLECT", "GEN-9")
    )
    assert heard.breaches == []
    assert heard.choices["payment_shown"] == "later"


def test_the_queue_for_stripe_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """All checks that need it are begun before the first of them waits."""
    paused = pauses(monkeypatch)
    delay = 2.0
    only = ("FINALIZE-2", "FINALIZE-4", "COLLECT-2", "COLLECT-3", "COLLECT-4")
    heard = judge(ADDRESS, token="provider", connection=fake(stripe_delay=delay), only=only)
    assert set(heard.verdicts) == set(only)
    assert heard.end.exit_code == 0
    assert sum(paused) < 2 * delay


@pytest.mark.parametrize("currency", ["HUF", "HKD", "THB"])
def test_charges_are_as_large_as_stripe_wants_them(currency: str, tmp_path: Path) -> None:
    fixture = tmp_path / "world.yaml"
    fixture.write_text(f"merchants: [{{id: 1, name: One, currency: {currency}}}]\ntokens: {{provider: all}}\n")
    heard = judge(ADDRESS, token="provider", other_token=None, connection=fake(fixture=str(fixture)), only=("COLLECT",))
    assert heard.breaches == []
    assert heard.choices["collect_status"] == 200


@pytest.mark.parametrize("name", [profile.name for profile in profiles()])
def test_a_fake_with_the_written_profile_behaves_as_the_server_that_was_measured(name: str, tmp_path: Path) -> None:
    path = tmp_path / "measured.yaml"
    brief: dict[str, Any] = {"token": "provider", "only": ("COLLECT-5",)}
    first = judge(ADDRESS, connection=fake(profile=name), write_profile=path, **brief)
    again = judge(ADDRESS, connection=fake(profile=str(path)), **brief)
    written = load_profile(str(path)).profile.values()
    assert again.choices == first.choices == {key: written[key] for key in first.choices}


@pytest.mark.parametrize("turn", range(TURNS))
def test_each_value_of_each_choice_goes_round(turn: int, tmp_path: Path) -> None:
    choices = turned(turn)
    path = tmp_path / "measured.yaml"
    heard = judge(
        ADDRESS,
        token="provider",
        connection=fake(fixture="declines", set=tuple(f"{key}={shown(value)}" for key, value in choices.items())),
        only=("COLLECT-5",),
        write_profile=path,
    )
    assert heard.end.exit_code == 0
    assert load_profile(str(path)).profile.values() == choices
    if choices["per_page_max"] is None:
        del choices["per_page_above_max"]
    assert heard.choices == choices


def test_every_value_has_its_turn() -> None:
    had = {(key, value) for turn in range(TURNS) for key, value in turned(turn).items()}
    assert had >= {(key, value) for key, values in LISTED.items() for value in values}
