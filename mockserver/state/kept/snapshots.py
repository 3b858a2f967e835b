"""Snapshots and what fixtures made, as bytes: each written once, whole, and never changed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from dataclasses import astuple
from itertools import chain
from typing import Any

from mockserver.billing.records import Provider
from mockserver.state.kept.form import KeptRow, dump, head_of, read_state, rows_of
from mockserver.state.outbox import NOBODY, Subscription
from mockserver.state.world import Blueprint, Snapshot

_QUICKLY = 1
"""Of zlib's levels: a large world takes half a minute at the usual one."""


def pack_base(blueprint: Blueprint) -> bytes:
    """What a fixture made; the same always gives the same bytes."""
    people = {
        "name": blueprint.name,
        "description": blueprint.description,
        "provider": astuple(blueprint.provider),
        "tokens": {token: sorted(scope) for token, scope in blueprint.tokens.items()},
        "head": head_of(blueprint.state, None, NOBODY),
    }
    return _pack(people, rows_of(blueprint.state, None))


def unpack_base(data: bytes) -> Blueprint:
    """What was packed so, ready to be copied."""
    people, rows = _unpack(data)
    state = read_state(people["head"], rows, None, NOBODY)
    tokens = {token: frozenset(scope) for token, scope in people["tokens"].items()}
    state.store.prepare(tokens.values())
    # A first copy settles what copies share.
    state.copy()
    return Blueprint(people["name"], people["description"], Provider(*people["provider"]), tokens, state)


def pack_snapshot(snapshot: Snapshot, usual: Subscription) -> bytes:
    """The snapshot without its base."""
    state, base = snapshot.blueprint.state, snapshot.blueprint.root.state
    about = {"name": snapshot.name, "taken_at": snapshot.taken_at}
    if state is base:
        return _pack(about, ())
    return _pack(about | {"head": head_of(state, base, usual)}, rows_of(state, base))


def unpack_snapshot(data: bytes, base: Blueprint, usual: Subscription) -> Snapshot:
    """What was packed so, on that base."""
    about, rows = _unpack(data)
    if "head" not in about:
        return Snapshot(about["name"], about["taken_at"], base)
    state = read_state(about["head"], rows, base.state, usual)
    grown = Blueprint(base.name, base.description, base.provider, base.tokens, state, base)
    return Snapshot(about["name"], about["taken_at"], grown)


def _pack(about: dict[str, Any], rows: Iterable[KeptRow]) -> bytes:
    lines = (dump(one) + "\n" for one in chain([about], rows))
    packer = zlib.compressobj(_QUICKLY)
    packed = [packer.compress(line.encode()) for line in lines]
    return b"".join((*packed, packer.flush()))


def _unpack(data: bytes) -> tuple[dict[str, Any], Iterable[KeptRow]]:
    lines = iter(zlib.decompress(data).splitlines())
    return json.loads(next(lines)), (KeptRow(*json.loads(line)) for line in lines)
