"""The databases that worlds are kept in, for each test an empty one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.state.kept.databases import Postgres, postgres
from tests.state.kept.used import OPENED


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgres]:
    """One server for all tests of a worker."""
    with postgres() as server:
        yield server


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Let go of the connections of every service that the test has opened."""
    yield
    while OPENED:
        OPENED.pop().service.worlds.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'team.db'}"
    server: Postgres = request.getfixturevalue("postgresql")
    return server.new_database()
