"""The billing API on Express, in JavaScript: hands the choices to node and becomes it.

Choices are, by default, what JavaScript and Express do by themselves: 1.0 is 1, a JSON array is a body without
properties, the wrong method is a 404, and moments have milliseconds. `npm ci` in this folder installs what it needs.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from pathlib import Path

from tests.mutants.frameworks import parties
from tests.mutants.frameworks.choices import Choices, arguments

DEFAULTS = Choices(
    unreadable_body="native",
    created_at_precision="native",
    recollect="accept",
    illegal_state_status=409,
    create_status=201,
)


def main() -> None:
    """Become the server.

    Raises:
        SystemExit: when there is no node.
    """
    given = arguments(DEFAULTS)
    node = shutil.which("node")
    if node is None:
        raise SystemExit("node is not installed")
    known = {
        "merchants": [dataclasses.asdict(one) for one in parties.merchants(given.choices)],
        "tokens": [dataclasses.asdict(one) for one in parties.TOKENS],
        "places": parties.PLACES,
    }
    environment = {
        **os.environ,
        "BILLING_CHOICES": given.choices.to_json(),
        "BILLING_PARTIES": json.dumps(known),
        "BILLING_DATABASE": str(given.directory / "billing.sqlite3"),
        "BILLING_PORT": str(given.port),
    }
    os.execve(node, [node, str(Path(__file__).with_name("server.js"))], environment)


if __name__ == "__main__":
    main()
