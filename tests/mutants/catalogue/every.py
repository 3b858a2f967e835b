"""The faults of all areas in one list, by name."""

from __future__ import annotations

from tests.mutants.catalogue.adding_up import MONEY
from tests.mutants.catalogue.assigning import ASSIGNING
from tests.mutants.catalogue.bodies import BODIES
from tests.mutants.catalogue.casting import CASTING
from tests.mutants.catalogue.collecting import COLLECT
from tests.mutants.catalogue.crashing import CRASHING
from tests.mutants.catalogue.creating import CREATE
from tests.mutants.catalogue.finalizing import FINALIZE
from tests.mutants.catalogue.folding import FOLDING
from tests.mutants.catalogue.form import FORM
from tests.mutants.catalogue.isolation import ISOLATION
from tests.mutants.catalogue.keeping import KEEPING
from tests.mutants.catalogue.listing import LIST
from tests.mutants.catalogue.nonsense import NONSENSE
from tests.mutants.catalogue.racing import RACES
from tests.mutants.catalogue.reading import READING
from tests.mutants.catalogue.searching import SEARCH
from tests.mutants.catalogue.several import SEVERAL
from tests.mutants.config import Mutant

CATALOGS = (
    FORM,
    NONSENSE,
    CRASHING,
    CASTING,
    LIST,
    KEEPING,
    SEARCH,
    CREATE,
    BODIES,
    ASSIGNING,
    MONEY,
    FOLDING,
    FINALIZE,
    COLLECT,
    SEVERAL,
    ISOLATION,
    READING,
    RACES,
)


class DuplicateName(ValueError):
    """Two faults of different catalogs have one name."""


def gather() -> dict[str, Mutant]:
    """Raises DuplicateName."""
    faults: dict[str, Mutant] = {}
    for catalog in CATALOGS:
        both = faults.keys() & catalog.faults.keys()
        if both:
            raise DuplicateName(", ".join(sorted(both)))
        faults |= catalog.faults
    return faults


FAULTS: dict[str, Mutant] = gather()
