"""The server over TLS: its own client, health and pytest's plugin speak it too."""

from __future__ import annotations

import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trustme
from click.testing import CliRunner

from mockserver.cli.main import main
from mockserver.client import Control
from mockserver.core.health import NotReady, health
from mockserver.server.process import Running, running


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def files(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("tls")
    issued = authority.issue_cert("127.0.0.1", "localhost")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    for part in issued.cert_chain_pems:
        part.write_to_path(folder / "cert.pem", append=True)
    return str(folder / "cert.pem"), str(folder / "key.pem")


@pytest.fixture(scope="module")
def secure(files: tuple[str, str]) -> Iterator[Running]:
    with running("--tls-cert", files[0], "--tls-key", files[1]) as server:
        yield server


def test_the_api_speaks_https_and_its_links_too(secure: Running, authority: trustme.CA) -> None:
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    with httpx.Client(verify=trust, headers={"Authorization": "Bearer provider"}) as client:
        page = client.get(f"{secure.api}/billing/invoices?per_page=1").json()
        assert page["next_page_url"].startswith("https://127.0.0.1:")
        assert client.get(page["next_page_url"]).json()["current_page"] == 2
        with pytest.raises(httpx.TransportError):
            client.get(f"{secure.api}/billing/invoices", headers={"Prefer": "fault=reset"})


def test_plain_http_is_not_answered_there(secure: Running) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.get(secure.base.replace("https:", "http:") + "/_mock/health")


def test_the_client_and_the_health_check_speak_https(secure: Running) -> None:
    control = Control(secure.base, "provider@tls")
    assert control.health()["status"] == "ok"
    control.close()
    assert health(secure.control).fixture == "default"
    command = [sys.executable, "-m", "mockserver", "fixtures", "export", "--url", secure.base]
    assert "merchants:" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_health_check_of_plain_http_is_told_that_something_else_listens_there(secure: Running) -> None:
    with pytest.raises(NotReady, match="what listens there is no mock server"):
        health(secure.control.replace("https:", "http:"))


def test_the_command_health_asks_the_server_of_the_environment_as_that_speaks(
    secure: Running, files: tuple[str, str]
) -> None:
    port = secure.base.rpartition(":")[2]
    # As the health check of a container has them.
    described = {"MOCKSERVER_HOST": "0.0.0.0", "MOCKSERVER_PORT": port, "MOCKSERVER_TLS_CERT": files[0]}
    done = CliRunner().invoke(main, ["health"], env=described)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(f"{secure.base} is ready: ")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--tls-cert", "CERT"], "belong together"),
        (["--tls-key", "KEY"], "belong together"),
        (["--tls-cert", "nowhere.pem", "--tls-key", "KEY"], "nowhere.pem is no file that can be read"),
        (["--tls-cert", "KEY", "--tls-key", "CERT"], "make no pair"),
    ],
)
def test_what_no_server_can_speak_tls_with_is_told(
    files: tuple[str, str], tmp_path: Path, options: list[str], told: str
) -> None:
    named = dict(zip(("CERT", "KEY"), files, strict=True))
    command = [sys.executable, "-m", "mockserver", "serve", "--port", "0", *(named.get(one, one) for one in options)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 2, done
    assert told in done.stderr
    assert "Traceback" not in done.stderr
