"""Everything that a verification prints or writes, made from its stream of events alone."""

from __future__ import annotations

from mockserver.verify.reports.gathered import RuleText
from mockserver.verify.reports.making import KNOWN, Report, make

__all__ = ["KNOWN", "Report", "RuleText", "make"]
