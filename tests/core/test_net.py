"""What is of this machine alone, on which charges and the control of a server hang."""

from __future__ import annotations

import pytest

from mockserver.core.loopback import is_loopback


@pytest.mark.parametrize(
    ("host", "verdict"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("127.255.255.255", True),
        ("::1", True),
        ("0:0:0:0:0:0:0:1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("LocalHost", True),
        ("localhost.", True),
        ("10.0.0.1", False),
        ("128.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("::2", False),
        ("0.0.0.0", False),
        ("::", False),
        ("0177.0.0.1", False),
        ("2130706433", False),
        ("127.1", False),
        ("127.0.0.1.example.com", False),
        ("localhost.example.com", False),
        ("localhost:evil.example", False),
        ("[::1]", False),
        ("[::1]evil.example", False),
        ("staging", False),
        ("", False),
    ],
)
def test_loopback_is_what_is_written_so(host: str, verdict: bool) -> None:
    assert is_loopback(host) is verdict
