"""A tag becomes a release only if it names the version of the package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOW: Any = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text("utf-8"))
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
[BUILD] = [step["run"] for step in WORKFLOW["jobs"]["packages"]["steps"] if step.get("id") == "build"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the packages are built of, in a folder of its own, so that nothing is left in this one."""
    folder = tmp_path / "checkout"
    skipped = shutil.ignore_patterns("node_modules", "__pycache__", "*_cache", ".hypothesis", ".git")
    shutil.copytree(ROOT, folder, ignore=skipped)
    shutil.rmtree(folder / "dist", ignore_errors=True)
    return folder


def build(folder: Path, tag: str) -> subprocess.CompletedProcess[str]:
    command = f'hatchling() {{ {sys.executable} -m hatchling "$@"; }}\n{BUILD}'
    output = folder.parent / "output"
    output.touch()
    variables = {**os.environ, "TAG": tag, "GITHUB_OUTPUT": str(output)}
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", command],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_a_tag_that_is_the_version_makes_wheel_and_source_archive(checkout: Path) -> None:
    done = build(checkout, f"v{VERSION}")
    assert done.returncode == 0, done.stdout + done.stderr
    name = f"prepbusiness_mockserver-{VERSION}"
    assert {file.name for file in (checkout / "dist").iterdir()} == {f"{name}-py3-none-any.whl", f"{name}.tar.gz"}
    assert (checkout.parent / "output").read_text() == f"version={VERSION}\n"
    with tarfile.open(checkout / "dist" / f"{name}.tar.gz") as archive:
        packed = {member.name.removeprefix(f"{name}/") for member in archive}
    for file in (
        "Dockerfile",
        "action.yml",
        "docs/ci.md",
        "clients/javascript/dist/index.js",
        ".github/workflows/release.yml",
    ):
        assert file in packed
    assert not [one for one in packed if "node_modules" in one]


def test_any_other_tag_is_refused_before_anything_is_built(checkout: Path) -> None:
    done = build(checkout, "v99.0.0")
    assert done.returncode == 1
    assert f"the tag is v99.0.0, but pyproject.toml says version {VERSION}" in done.stdout
    assert not (checkout / "dist").exists()


def test_nothing_is_released_before_the_checks_have_passed() -> None:
    assert WORKFLOW["jobs"]["packages"]["needs"] == "checks"
    assert WORKFLOW["jobs"]["image"]["needs"] == "packages"
    for job in WORKFLOW["jobs"].values():
        assert all("${{" not in step.get("run", "") for step in job["steps"])


def test_the_image_is_for_both_kinds_of_machine_that_clouds_have() -> None:
    steps = {step["uses"].partition("@")[0]: step for step in WORKFLOW["jobs"]["image"]["steps"] if "uses" in step}
    assert steps["docker/build-push-action"]["with"]["platforms"] == "linux/amd64,linux/arm64"
    # Docker's own driver builds for one kind alone: https://docs.docker.com/build/building/multi-platform/
    assert {"docker/setup-qemu-action", "docker/setup-buildx-action"} <= steps.keys()
