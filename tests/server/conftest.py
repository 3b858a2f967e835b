"""A receiver of webhooks for those tests that want one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.receiving import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made
