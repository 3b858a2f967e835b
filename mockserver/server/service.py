"""What answers requests: the contract, the open choices and the worlds, put together from the settings."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeAlias

from mockserver.billing.profile import Profile, load_profile, parse_overrides
from mockserver.contract.contract import Contract
from mockserver.core import resources
from mockserver.core.errors import Unusable
from mockserver.core.yaml_lines import parse_document
from mockserver.server.operations import OPERATIONS
from mockserver.server.settings import Settings
from mockserver.server.webhook_targets import check_target
from mockserver.server.webhook_worker import WebhookWorker
from mockserver.state.fixtures.load import load_fixture
from mockserver.state.outbox import Subscription, check_url
from mockserver.state.worlds import Keep, Worlds
from mockserver.traffic.journal import Exchange
from mockserver.traffic.journal_budget import JournalBudget

Watch: TypeAlias = Callable[[Exchange, str, float], list[str]]
"""Says how an exchange breaks the contract, a sentence each; it is told too of the era of its world in which all of it
happened, and of when it began by `perf_counter`."""
BeginWatch: TypeAlias = Callable[[Contract], Watch]


@dataclass(slots=True)
class Service:
    """One running fake."""

    settings: Settings
    contract: Contract
    spec_text: str
    """The spec as it was read, YAML."""
    profile: Profile
    profile_name: str
    worlds: Worlds
    mistakes: tuple[str, ...] = ()
    """What is wrong with files that changed on disk since, each with file and line; the last good ones are in force."""
    begin_watch: BeginWatch | None = None
    """What looks whether this fake contradicts itself, begun anew."""
    watch: Watch | None = field(init=False, default=None)
    """What looks now."""

    def __post_init__(self) -> None:
        # Another spec or profile is another story, of which nothing is known that was said before.
        self.watch = None if self.begin_watch is None else self.begin_watch(self.contract)


@dataclass(slots=True)
class Current:
    """The service that answers. A reload puts another in its place, so a request reads it once and keeps to it."""

    service: Service


def open_service(
    settings: Settings,
    *,
    progress: Callable[[int, int], None] | None = None,
    begin_watch: BeginWatch | None = None,
) -> Service:
    """Everything that the settings name, read and checked; raises `Unusable` with every mistake found.

    `progress` is told (done, of how many) while rows are generated.
    """
    contract, text = read_spec(spec_path(settings))
    profile, name = read_profile(settings)
    blueprint = load_fixture(settings.fixture, seed=settings.seed, progress=progress)
    worlds = Worlds(
        blueprint,
        most=settings.most_worlds,
        idle=settings.world_idle,
        subscription=_subscription(settings),
        wake=WebhookWorker(partial(check_target, settings=settings)).wake,
        journal_size=settings.journal_size,
        journal_budget=JournalBudget(settings.journal_bytes),
        keep=None if settings.state is None else _keep(settings.state),
    )
    return Service(settings, contract, text, profile, name, worlds, begin_watch=begin_watch)


def spec_path(settings: Settings) -> Path:
    """Where the spec lies."""
    return resources.openapi_path() if settings.spec is None else Path(settings.spec)


def read_spec(path: Path, *, validate: bool = False) -> tuple[Contract, str]:
    """The spec, compiled, and its text; `validate` holds it to all that OpenAPI says, which takes a while."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    contract = Contract.parse(text, path=path, validate=validate)
    check_covered(contract, text, path)
    return contract, text


def read_profile(settings: Settings) -> tuple[Profile, str]:
    """The open choices that the settings make, and what they are called."""
    named = load_profile(settings.profile)
    overrides = parse_overrides(settings.set)
    name = ", ".join([named.name, *(f"{key}={'null' if value is None else value}" for key, value in overrides.items())])
    return named.profile.changed(overrides), name


def _subscription(settings: Settings) -> Subscription:
    try:
        settings.webhook_secret.encode()
    except UnicodeEncodeError as error:
        raise Unusable("--webhook-secret holds bytes that are no text: give it in UTF-8") from error
    if not settings.webhook_url:
        return Subscription(secret=settings.webhook_secret)
    try:
        return Subscription(url=check_url(settings.webhook_url), secret=settings.webhook_secret)
    except ValueError as error:
        raise Unusable(f"--webhook-url: {error}") from error


def _keep(address: str) -> Keep:
    # Imported only when it is asked for: it is an extra, and takes a fifth of a second.
    try:
        database = importlib.import_module("mockserver.state.kept.database")
    except ModuleNotFoundError as error:
        problem = f"--state: {error.name} is missing; pip install 'prepbusiness-mockserver[state]'"
        raise Unusable(problem) from error
    keep: Keep = database.open_database(address)
    return keep


def check_covered(contract: Contract, text: str, path: Path) -> None:
    """Raises `Unusable` unless every operation of the spec has its function, and every function its operation."""
    missing = [one for one in contract.operations.values() if one.id not in OPERATIONS]
    surplus = sorted(set(OPERATIONS) - set(contract.operations))
    if missing or surplus:
        # Read once more, for the lines, which a contract that is in use doesn't need.
        where = parse_document(text, path).where
        problems = [
            f"{where('paths', one.path, one.method.lower(), 'operationId')}: "
            f"the operation {one.id} is not one that this server knows"
            for one in missing
        ]
        problems += [f"{where('paths')}: there is no operation {name}" for name in surplus]
        raise Unusable(*problems)
