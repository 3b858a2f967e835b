from __future__ import annotations

from pathlib import Path

import pytest

from mockserver.core import resources
from mockserver.core.errors import Unusable


def test_the_spec_and_the_fixtures_are_there() -> None:
    assert resources.openapi_path().read_text(encoding="utf-8").startswith("openapi: 3.1")
    assert resources.fixtures_dir().is_dir()


def test_an_installed_package_brings_its_own_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "mockserver" / "data" / "fixtures").mkdir(parents=True)
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "mockserver")
    assert resources.fixtures_dir() == tmp_path / "mockserver" / "data" / "fixtures"
    assert resources.openapi_path() == tmp_path / "openapi.yaml"


def test_a_file_is_found_by_its_bare_name_or_its_path(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text("")
    assert resources.find(tmp_path, "small", kind="fixture") == tmp_path / "small.yaml"
    path = str(tmp_path / "small.yaml")
    assert resources.find(Path("/nowhere"), path, kind="fixture") == tmp_path / "small.yaml"


def test_an_unknown_name_is_answered_with_those_that_there_are(tmp_path: Path) -> None:
    for name in ("declines", "default"):
        (tmp_path / f"{name}.yaml").write_text("")
    with pytest.raises(Unusable) as caught:
        resources.find(tmp_path, "defualt", kind="fixture")
    assert caught.value.problems == [
        "no fixture is called 'defualt': did you mean default? known are declines, default, or give a path"
    ]
    with pytest.raises(Unusable, match="no such fixture file"):
        resources.find(tmp_path, "missing.yaml", kind="fixture")
