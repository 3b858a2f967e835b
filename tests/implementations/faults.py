"""The faults of all areas in one list, by name."""

from __future__ import annotations

from tests.implementations.broken.adding_up import MONEY
from tests.implementations.broken.collecting import COLLECT
from tests.implementations.broken.creating import CREATE
from tests.implementations.broken.finalizing import FINALIZE
from tests.implementations.broken.form import FORM
from tests.implementations.broken.isolation import ISOLATION
from tests.implementations.broken.listing import LIST
from tests.implementations.broken.nonsense import NONSENSE
from tests.implementations.broken.racing import RACES
from tests.implementations.broken.searching import SEARCH
from tests.implementations.setting import Fault

CATALOGS = (FORM, NONSENSE, LIST, SEARCH, CREATE, MONEY, FINALIZE, COLLECT, ISOLATION, RACES)


class DuplicateName(ValueError):
    """Two faults of different catalogs have one name."""


def gather() -> dict[str, Fault]:
    """Raises DuplicateName."""
    faults: dict[str, Fault] = {}
    for catalog in CATALOGS:
        both = faults.keys() & catalog.faults.keys()
        if both:
            raise DuplicateName(", ".join(sorted(both)))
        faults |= catalog.faults
    return faults


FAULTS: dict[str, Fault] = gather()
