"""The command line as people type it."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import jsonschema_rs
import pytest
from click.testing import CliRunner

from mockserver.billing.profile import CHOICES
from mockserver.cli.main import main
from mockserver.cli.schema import SCHEMAS
from mockserver.cli.serve import serve
from mockserver.core.health import is_ready
from mockserver.core.resources import profiles_dir
from mockserver.core.yaml_lines import read_document
from mockserver.server.process import Running
from mockserver.server.settings import Settings
from mockserver.state.fixtures.load import load_fixture
from tests.conftest import Api
from tests.ports import own_port

COMMAND = [sys.executable, "-m", "mockserver"]


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=60, env={**os.environ, **environment}
    )


def _refused(*arguments: str, **environment: str) -> list[str]:
    """The lines that a command which can't be done prints."""
    # Somebody may have a server at the usual port, and that would be the first thing to be said.
    done = _run(*arguments, **{"MOCKSERVER_PORT": "0", **environment})
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()


@pytest.mark.parametrize(
    ("arguments", "variable"),
    [
        (["serve"], "MOCKSERVER_STRIPE_DELAY"),
        (["proxy", "http://x/api"], "MOCKSERVER_PROXY_TIMEOUT"),
        (["verify", "http://x/api", "--token", "t"], "MOCKSERVER_VERIFY_MAX_TIME"),
        (["health"], "MOCKSERVER_HEALTH_WAIT"),
    ],
)
def test_a_time_that_is_none_is_told_with_its_variable_and_what_a_time_looks_like(
    arguments: list[str], variable: str
) -> None:
    done = CliRunner(env={variable: "soon"}).invoke(main, arguments)
    assert done.exit_code == 2
    assert (
        f"(env var: '{variable}'): 'soon' is no time: expected seconds, such as 30, or 500ms, 30s, 2m, 1h\n"
        in done.stderr
    )
    assert variable in " ".join(CliRunner().invoke(main, [arguments[0], "--help"], terminal_width=200).output.split())


def test_a_taken_port_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        [line] = _refused("serve", "--port", str(port))
    assert f"127.0.0.1:{port}" in line
    assert "in use" in line


def test_two_servers_cant_share_a_port(server: Running) -> None:
    [line] = _refused("serve", "--port", server.base.rpartition(":")[2])
    assert "in use" in line


def test_an_unreadable_fixture_is_told_by_file_line_and_key(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("description: bad\nmerchants:\n  - {id: 1, name: A, currency: USD, card: pm_card_viza}\n")
    lines = _refused("serve", "--fixture", str(file))
    assert any(f"{file}:3" in line and "card" in line and "pm_card_visa" in line for line in lines)


def test_an_unknown_fixture_or_profile_is_one_clear_line() -> None:
    [line] = _refused("serve", "--fixture", "defualt")
    assert "did you mean default?" in line
    [line] = _refused("serve", "--profile", "nowhere.yaml")
    assert "nowhere.yaml" in line


def test_an_unknown_profile_key_or_value_is_one_clear_line(tmp_path: Path) -> None:
    [line] = _refused("serve", "--set", "create_statu=201")
    assert "did you mean create_status?" in line
    [line] = _refused("serve", MOCKSERVER_SET="create_status=999")
    assert "200 or 201" in line
    file = tmp_path / "mine.yaml"
    file.write_text("description: mine\ncreate_status: 201\nrefinalise: accept\n")
    [line] = _refused("serve", "--profile", str(file))
    assert f"{file}:3" in line
    assert "did you mean refinalize?" in line


@pytest.mark.parametrize("origin", ["localhost:3000", "http://a:3000,http://b:3000", "http://a:3000/page", "a b"])
def test_what_is_no_origin_of_a_page_ends_the_start_with_a_clear_line(origin: str) -> None:
    [line] = _refused("serve", "--control-cors", origin)
    assert "--control-cors takes the origin of a page, such as http://localhost:3000" in line
    assert origin in line


def test_a_secret_that_is_no_text_ends_the_start_with_a_clear_line() -> None:
    [line] = _refused("serve", MOCKSERVER_WEBHOOK_SECRET=os.fsdecode(b"caf\xe9"))
    assert "--webhook-secret" in line
    assert "UTF-8" in line


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_the_start_tells_all_and_ctrl_c_ends_it_at_once_without_a_traceback() -> None:
    port = own_port()
    child = subprocess.Popen(
        [*COMMAND, "serve", "--set", "create_status=201"],
        env={**os.environ, "MOCKSERVER_PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    started = time.monotonic()
    while not is_ready(f"http://127.0.0.1:{port}/_mock"):
        assert time.monotonic() - started < 60
        time.sleep(0.01)
    time.sleep(0.3)
    os.killpg(child.pid, signal.SIGINT)
    printed, errors = child.communicate(timeout=30)
    assert "Traceback" not in errors
    assert child.returncode == 0
    base = f"http://127.0.0.1:{port}"
    for told in (f"{base}/api", f"{base}/_mock/", "default", "provider", "merchant1", "create_status=201", "spec.yaml"):
        assert told in printed


def test_the_curl_of_the_start_works_when_pasted(server: Running) -> None:
    port = own_port()
    with subprocess.Popen([*COMMAND, "serve", "--port", str(port)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        line = next(line for line in child.stdout if "curl" in line)
        found = re.search(r"curl .*", line)
        assert found
        answer = subprocess.run(shlex.split(found.group()), capture_output=True, text=True, timeout=10)
        child.terminate()
    assert json.loads(answer.stdout)["per_page"] == 2


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_schema_of_each_kind_of_file_is_printed(kind: str) -> None:
    printed = json.loads(_run("schema", kind).stdout)
    jsonschema_rs.meta.validate(printed)
    assert printed["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert printed["title"]


def test_the_shipped_profiles_fit_the_printed_schema() -> None:
    validator = jsonschema_rs.validator_for(SCHEMAS["profile"]())
    shipped = {path.stem: read_document(path).value for path in profiles_dir().glob("*.yaml")}
    assert shipped.keys() >= {"default", "laravel", "alternative"}
    for values in shipped.values():
        validator.validate(values)
        assert not validator.is_valid({**values, "create_status": 204})


def test_rules_are_listed_and_explained() -> None:
    rules = json.loads(_run("rules", "--json").stdout)
    assert {rule["level"] for rule in rules} == {"documented", "observed", "derived"}
    assert "CREATE-4" in _run("rules").stdout
    explained = _run("rules", "create-4").stdout
    assert "derived" in explained
    assert "Source:" in explained
    areas = json.loads(_run("rules", "collect", "--json").stdout)
    assert {rule["id"].partition("-")[0] for rule in areas} == {"COLLECT"}
    [line] = _refused("rules", "CREATE99")
    assert "did you mean CREATE-" in line
    [line] = _refused("rules", "CREATE-99")
    assert "CREATE-99" in line


def test_fixtures_and_profiles_are_listed() -> None:
    names = {one["name"] for one in json.loads(_run("fixtures", "--json").stdout)}
    assert {"default", "empty", "declines", "large"} <= names
    listed: Any = json.loads(_run("profiles", "--json").stdout)
    assert set(listed["choices"]) == set(CHOICES)
    assert listed["profiles"][0]["name"] == "default"
    assert "declines" in _run("fixtures", COLUMNS="200").stdout
    assert "refinalize" in _run("profiles", COLUMNS="200").stdout


def test_a_running_servers_world_is_exported_as_a_fixture_that_starts(api: Api, tmp_path: Path) -> None:
    invoice = api.collect(api.finalized(7)["id"]).json()["invoice"]
    file = tmp_path / "world.yaml"
    done = _run("fixtures", "export", str(file), "--url", api.server.base, "--token", f"provider@{api.world}")
    assert done.returncode == 0, done.stderr
    assert invoice["stripe_invoice_id"] in file.read_text()


def test_the_command_that_an_export_tells_starts_from_it_whatever_its_name(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["fixtures", "export", "empty", "--url", api.server.base])
    assert done.exit_code == 0, done.output
    assert done.stderr.endswith(" mockserver serve --fixture ./empty\n")
    assert len(load_fixture("./empty").state.store.merchants()) == len(load_fixture("default").state.store.merchants())
    done = CliRunner().invoke(main, ["fixtures", "export", "-", "--url", api.server.base])
    assert "merchants:" in done.stdout
    assert not Path("-").exists()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9", "http://127.0.0.1:1 x", "http://127.0.0.1/a b", "ftp://127.0.0.1"]
)
def test_an_export_from_what_is_no_server_is_one_clear_line(url: str) -> None:
    [line] = _refused("fixtures", "export", "--url", url)
    assert url in line


def test_an_export_asks_no_proxy_of_the_environment(server: Running) -> None:
    done = _run("fixtures", "export", "--url", server.api, http_proxy="http://127.0.0.1:9")
    assert done.returncode == 0, done.stderr


def test_a_seed_that_no_fixture_can_hold_is_refused() -> None:
    """An export writes it into one."""
    assert "10" in _refused("serve", "--seed", str(10**18 + 1))[-1]


def test_every_option_has_its_variable_and_its_help() -> None:
    options = {one.name: one for one in serve.params if isinstance(one, click.Option)}
    for one in fields(Settings):
        option = options["no_cors" if one.name == "cors" else one.name]
        assert option.envvar == f"MOCKSERVER_{option.opts[0][2:].replace('-', '_').upper()}"
        assert option.help
    [line] = [line for line in _refused("serve", MOCKSERVER_LOG_FORMAT="xml") if "Error" in line]
    assert "log-format" in line
