"""The program that a run starts early: it loads Schemathesis, and then does what it is told by a line of JSON."""

from __future__ import annotations

import json
import os
import sys

import schemathesis.cli

from mockserver.verify.fuzz.exemptions import KNOWN_FILE


def main() -> None:
    """Runs Schemathesis with the arguments, and in the folder, that standard input names; ends if there are none."""
    told = sys.stdin.readline()
    if not told:
        return
    work = json.loads(told)
    os.chdir(work["folder"])
    os.environ[KNOWN_FILE] = os.path.join(work["folder"], "known.json")
    schemathesis.cli.schemathesis(work["arguments"], prog_name="schemathesis")


if __name__ == "__main__":
    main()
