"""How requests leave: no faster than asked for, and over TLS by the certificates that one trusts."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner, Result

from mockserver.cli.main import main
from tests.mutants.config import build
from tests.mutants.conforming import CORRECT
from tests.mutants.reference.messages import Request
from tests.mutants.reference.web import Server, serving
from tests.mutants.server import running
from tests.verify.driving import judge

QUICK = ("--no-fuzz", "--token", "merchant1", "--merchant", "1", "--only", "LIST-1")


def test_no_more_requests_a_second_are_sent_than_asked_for() -> None:
    moments: list[float] = []

    def record(_: Request) -> None:
        moments.append(time.monotonic())

    with running() as server:
        server.api.before.append(record)
        heard = judge(server.url, rate_limit=40.0, only=("GEN-1", "CREATE-6"), max_time=20.0)
    assert heard.end.exit_code == 0
    assert len(moments) > 60
    a_second = [sum(start <= moment < start + 1.0 for moment in moments) for start in moments]
    # What was sent on time may arrive a little late, and so beside its successors.
    assert max(a_second) <= 44


@contextmanager
def secured(certificate: trustme.LeafCert) -> Iterator[str]:
    """The address of a correct server that speaks TLS alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    api, _ = build(CORRECT)
    server = Server(api, 0)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with serving(server):
        yield server.url.replace("http://", "https://")


def verify(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["verify", url, *QUICK, *arguments])


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def test_a_certificate_that_nobody_vouches_for_is_told_in_one_line(authority: trustme.CA) -> None:
    with secured(authority.issue_cert("127.0.0.1")) as url:
        result = verify(url)
    assert result.exit_code == 2
    assert result.stderr == ""
    line = result.stdout.splitlines()[-1]
    assert "certificate" in line
    assert "--tls-verify" in line


def test_a_server_is_verified_by_the_certificates_of_a_file(authority: trustme.CA, tmp_path: Path) -> None:
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    with secured(authority.issue_cert("127.0.0.1")) as url:
        result = verify(url, "--tls-verify", str(file))
    assert result.exit_code == 0, result.output


def test_a_file_without_certificates_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    result = verify("https://127.0.0.1:9", "--tls-verify", str(tmp_path / "empty.pem"))
    assert result.exit_code == 2
    assert "expected a file of certificates" in result.stderr


def test_certificates_may_be_left_unverified(authority: trustme.CA) -> None:
    with secured(authority.issue_cert("elsewhere.example")) as url:
        result = verify(url, "--tls-verify", "false")
    assert result.exit_code == 0, result.output


def test_a_certificate_of_another_host_is_refused(authority: trustme.CA, tmp_path: Path) -> None:
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    with secured(authority.issue_cert("elsewhere.example")) as url:
        result = verify(url, "--tls-verify", str(file))
    assert result.exit_code == 2
