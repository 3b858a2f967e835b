"""What answers requests: the contract, the open choices and the worlds, put together from the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mockserver import resources
from mockserver.contract import Contract
from mockserver.errors import Unusable
from mockserver.fixtures import load_fixture
from mockserver.operations import OPERATIONS
from mockserver.profile import Profile, load_profile, parse_overrides
from mockserver.settings import Settings
from mockserver.worlds import Worlds


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


@dataclass(slots=True)
class Current:
    """The service that answers. A reload puts another in its place, so a request reads it once and keeps to it."""

    service: Service


def open_service(settings: Settings, *, progress: Callable[[int, int], None] | None = None) -> Service:
    """Everything that the settings name, read and checked; raises `Unusable` with every mistake found.

    `progress` is told (done, of how many) while rows are generated.
    """
    spec = resources.openapi_path()
    text = spec.read_text(encoding="utf-8")
    contract = Contract.parse(text, path=spec)
    check_covered(contract)
    named = load_profile(settings.profile)
    blueprint = load_fixture(settings.fixture, seed=settings.seed, progress=progress)
    worlds = Worlds(blueprint, most=settings.most_worlds, idle=settings.world_idle)
    overrides = parse_overrides(settings.set)
    name = ", ".join([named.name, *(f"{key}={value}" for key, value in overrides.items())])
    return Service(settings, contract, text, named.profile.changed(overrides), name, worlds)


def check_covered(contract: Contract) -> None:
    """Raises `Unusable` unless every operation of the spec has its function, and every function its operation."""
    missing = sorted(set(contract.operations) - set(OPERATIONS))
    surplus = sorted(set(OPERATIONS) - set(contract.operations))
    problems = [f"the spec's operation {name} is not one that this server knows" for name in missing]
    problems += [f"the spec has no operation {name}" for name in surplus]
    if problems:
        raise Unusable(*problems)
