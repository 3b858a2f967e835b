"""Everything that a verification prints or writes, made from its stream of events alone."""

from __future__ import annotations

from mockserver.verify.reports.registry import KNOWN, Kept, Report, make

__all__ = ["KNOWN", "Kept", "Report", "make"]
