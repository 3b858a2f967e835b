"""What is answered while a database is away, or when it is not known whether it kept a change."""

from __future__ import annotations

from mockserver.core.messages import Reply


def told_away(reply: Reply) -> None:
    """Fails unless it says that the database is away, and when to try again."""
    assert (reply.status, reply.headers.get("Retry-After")) == (503, "1"), reply
    assert "the world is as it was" in reply.body["message"]


def told_not_known(reply: Reply) -> None:
    """Fails unless it says that nobody can know whether the change was kept, and asks for no second one."""
    assert reply.status == 503
    assert "Retry-After" not in reply.headers
    assert "It is not known whether this was kept" in reply.body["message"]
