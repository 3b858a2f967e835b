"""A runner whose cache holds what the action would install."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.deploy.runner import Runner

ROOT = Path(__file__).parents[2]
QUICK = {
    "MOCKSERVER_VERIFY_TOKEN": "merchant1",
    "MOCKSERVER_VERIFY_MERCHANT": "1",
    "MOCKSERVER_VERIFY_FUZZ": "0",
    "MOCKSERVER_VERIFY_ONLY": "LIST-1 CREATE-1",
    "MOCKSERVER_VERIFY_OTHER_TOKEN": "merchant2",
}


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    """A runner whose cache holds an environment already: this one."""
    monkeypatch.setenv("NO_COLOR", "1")
    workspace, temp = tmp_path / "workspace", tmp_path / "temp"
    binaries = temp / "mockserver" / "bin"
    workspace.mkdir()
    binaries.mkdir(parents=True)
    scripts = {
        # What would install the package is left out: the environment of the tests must stay as it is.
        "python": f'case "$*" in *"pip install"*) exit 0;; esac; exec {sys.executable} "$@"',
        "mockserver": f'exec {sys.executable} -m mockserver "$@"',
    }
    for name, script in scripts.items():
        (binaries / name).write_text(f"#!/bin/sh\n{script}\n")
        (binaries / name).chmod(0o755)
    environment = {"PYTHONPATH": str(ROOT), **QUICK}
    return Runner(ROOT, workspace, temp, {"python": {"python-path": sys.executable}}, environment)
