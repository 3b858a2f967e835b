"""What an installed package must bring along."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mockserver.core.resources import javascript_files

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [file] = folder.glob("*.whl")
    return zipfile.ZipFile(file)


def test_the_spec_the_fixtures_and_the_profiles_travel_inside(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert "mockserver/data/openapi.yaml" in names
    for file in (ROOT / "fixtures").rglob("*.yaml"):
        assert f"mockserver/data/{file.relative_to(ROOT)}" in names


def test_the_javascript_client_travels_inside_as_it_is_built(wheel: zipfile.ZipFile) -> None:
    names = {
        name.removeprefix("mockserver/data/clients/javascript/") for name in wheel.namelist() if "/clients/" in name
    }
    assert names == set(javascript_files())


def test_every_file_of_the_package_travels_inside(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    for file in (ROOT / "mockserver").rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts and "data" not in file.parts:
            assert str(file.relative_to(ROOT)) in names


def test_the_command_and_the_pytest_plugin_are_announced(wheel: zipfile.ZipFile) -> None:
    [entries] = [wheel.read(name).decode() for name in wheel.namelist() if name.endswith("entry_points.txt")]
    # Of the two names of the command, pipx and uvx take that of the package.
    for name in ("mockserver", "prepbusiness-mockserver"):
        assert f"\n{name} = mockserver.cli.main:main" in entries
    assert "[pytest11]" in entries
