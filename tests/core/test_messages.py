from __future__ import annotations

import pytest

from mockserver.core.messages import Call, Reply, Request


@pytest.mark.parametrize("value", [Request("GET", "/"), Call("a", {}, {}, {}, {}), Reply(200, None)])
def test_the_values_of_an_exchange_take_no_stray_attributes(value: object) -> None:
    with pytest.raises(AttributeError):
        setattr(value, "stray", 1)  # noqa: B010  # a plain assignment would not pass mypy


def test_a_call_knows_the_merchant_that_it_is_restricted_to() -> None:
    assert Call("a", {}, {}, {"x-selected-client-id": 2}, {}).merchant == 2
    assert Call("a", {}, {}, {}, {}).merchant is None


def test_replies_do_not_share_their_headers() -> None:
    Reply(200, None).headers["X-Mock-Warning"] = "x"
    assert Reply(200, None).headers == {}
