"""The typed TypeScript client that `tests/generated_clients/check` builds works against the server."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mockserver.server.process import Running

WALK = Path(__file__).parent / "build" / "walk.js"
NODE = shutil.which("node")


@pytest.mark.skipif(
    NODE is None or not WALK.exists(), reason="needs node, and tests/generated_clients/check to have run"
)
def test_the_client_walks_from_a_charge_to_a_paid_invoice(server: Running) -> None:
    command = [str(NODE), str(WALK), server.api, "provider@typescript-client", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("is paid\n")
