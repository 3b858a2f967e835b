"""The billing API on FastAPI, pydantic and SQLAlchemy, served by uvicorn.

Choices are, by default, what pydantic does by itself: it takes "1", "+1", 1.0 and true for integers, and null for no
value.
"""

from __future__ import annotations

from tests.mutants.frameworks.choices import Choices, arguments
from tests.mutants.frameworks.fastapi_server.app import create_app
from tests.mutants.frameworks.fastapi_server.billing import Billing
from tests.mutants.frameworks.fastapi_server.tables import opened
from tests.mutants.frameworks.serving import serve

DEFAULTS = Choices(
    create_status=201,
    finalize_status=202,
    illegal_state_status=409,
    per_page_above_max="refuse",
    party_id_type="integer",
    companion_status=201,
)


def main() -> None:
    """Serve until told to stop."""
    given = arguments(DEFAULTS)
    billing = Billing(opened(given.directory / "billing.sqlite3", given.choices), given.choices)
    serve(create_app(billing, given.choices), given.port)


if __name__ == "__main__":
    main()
