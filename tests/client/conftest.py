"""The Python client of the common world and of a world of one test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mockserver.client import Control
from mockserver.server.process import Running
from tests.conftest import Api


@pytest.fixture(scope="module")
def root(server: Running) -> Iterator[Control]:
    control = Control(server.base)
    yield control
    control.close()


@pytest.fixture
def control(root: Control, api: Api) -> Control:
    """A client for the world of `api`."""
    return root.world(api.world)
