"""The program that a run starts early: it loads what fuzzing needs, and then does what it is told by a line of JSON."""

from __future__ import annotations

import json
import os
import sys

import schemathesis.cli
from hypothesis import strategies

from mockserver.verify.fuzz.exemptions import KNOWN_FILE


def main() -> None:
    """Runs Schemathesis with the arguments, and in the folder, that standard input names; ends if there are none."""
    # On a machine that has not kept it, the table of all characters takes another two seconds.
    strategies.characters(codec="utf-8").validate()
    told = sys.stdin.readline()
    if not told:
        return
    work = json.loads(told)
    os.chdir(work["folder"])
    os.environ[KNOWN_FILE] = os.path.join(work["folder"], "known.json")
    schemathesis.cli.schemathesis(work["arguments"], prog_name="schemathesis")


if __name__ == "__main__":
    main()
