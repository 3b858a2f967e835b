"""The command that runs a server for long, run for a moment."""

from __future__ import annotations

import sys

import pytest

from tests.soak import __main__ as soak


def test_the_soak_says_what_it_withstood(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    # What is held after so little says nothing of growth.
    monkeypatch.setattr(soak, "GROWTH", 100.0)
    few = ("--requests", "400", "--races", "8", "--minutes", "0.05", "--heard", "700")
    monkeypatch.setattr(sys, "argv", ["soak", *few])
    with pytest.raises(SystemExit) as ended:
        soak.main()
    said = capsys.readouterr().out
    assert ended.value.code == 0, said
    assert "races: 8, 0 wrong" in said
    assert said.endswith("0 wrong\n")
