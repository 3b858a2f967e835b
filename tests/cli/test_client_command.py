"""`mockserver client`: what it writes out is whole, and nothing of others is touched."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from mockserver.cli.main import main


def write(folder: Path) -> Result:
    return CliRunner().invoke(main, ["client", "javascript", str(folder)])


def test_the_package_is_written_out_with_all_that_it_exports(tmp_path: Path) -> None:
    folder = tmp_path / "vendor" / "mockserver"
    done = write(folder)
    assert done.exit_code == 0
    assert f"npm install --save-dev {folder.as_posix()}" in done.stdout
    package = json.loads((folder / "package.json").read_text("utf-8"))
    for target in package["exports"].values():
        assert (folder / target).is_file()
        assert (folder / target).with_suffix(".d.ts").is_file()
    assert not {"dependencies", "devDependencies", "scripts"} & package.keys()


def test_a_package_that_was_written_before_is_replaced(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "dist" / "index.js").write_text("old")
    assert write(tmp_path).exit_code == 0
    assert "startServer" in (tmp_path / "dist" / "index.js").read_text("utf-8")


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text("{}")
    done = write(tmp_path)
    assert done.exit_code == 2
    assert "holds something else" in done.stderr
    assert (tmp_path / "package.json").read_text() == "{}"


def test_a_folder_that_can_t_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = write(tmp_path / "file" / "below")
    assert done.exit_code == 2
    assert "can't be written" in done.stderr
