"""The command `check`: its files, its exit codes and its reports."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from mockserver.cli.main import main
from mockserver.state.fixtures.load import load_fixture
from tests.watch.har import Entry, entry, har
from tests.watch.traffic import finalized, invoice, page


def check(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["check", *map(str, arguments)])


def _shows(row: dict[str, object], second: int) -> Entry:
    text = json.dumps(page([row]))
    at = f"2026-11-02T10:00:{second:02}.000Z"
    return entry(startedDateTime=at, response__content__text=text, response__content__size=len(text))


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    file = tmp_path / "sound.har"
    file.write_bytes(har(_shows(invoice(1), 1), _shows(finalized(1), 2)))
    return file


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    file = tmp_path / "broken.har"
    file.write_bytes(har(_shows(finalized(1), 1), _shows(invoice(1), 2)))
    return file


def test_sound_traffic_ends_with_0(sound: Path) -> None:
    result = check(sound)
    assert result.exit_code == 0, result.output
    assert "2 exchanges with the API were judged" in result.output
    last = result.output.splitlines()[-1]
    assert re.fullmatch(r"Nothing broken: \d of \d+ rules were met, and hold \(exit code 0\)", last)
    assert "Left behind" not in result.output
    assert "https://portal.example.com/api" in result.output


@pytest.mark.skipif(sys.platform == "win32", reason="its pipes break otherwise")
@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize(
    ("recording", "reports", "code"), [("sound", "console,html", 0), ("broken", "console", 1), ("sound", "nothing", 2)]
)
def test_a_reader_that_goes_away_changes_neither_the_verdict_nor_the_files(
    recording: str,
    reports: str,
    code: int,
    buffered: bool,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file: Path = request.getfixturevalue(recording)
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb", 8192 if buffered else 0) as raw:
        # Never flushed: what is in them can't be written.
        streams = {name: io.TextIOWrapper(raw, "utf-8", write_through=True) for name in ("stdout", "stderr")}
        for name, stream in streams.items():
            monkeypatch.setattr(sys, name, stream)
            monkeypatch.setattr(sys, f"__{name}__", stream)
        with pytest.raises(SystemExit) as ended:
            main(["check", str(file), "--report", reports, "--report-dir", str(file.parent)])
        monkeypatch.undo()
        for stream in streams.values():
            stream.detach()
    assert ended.value.code == code
    assert file.with_name("report.html").exists() == ("html" in reports)


def test_a_breach_ends_with_1_and_names_its_entry_and_time(broken: Path) -> None:
    result = check(broken)
    assert result.exit_code == 1, result.output
    assert "FINALIZE-1: a finalized invoice is a draft no more, but status is" in result.output
    told = " ".join(result.output.split())
    assert f"entry 2 of {broken.name}" in told.replace(f"{broken.parent}/", "")
    assert "2026-11-02T10:00:02.000Z" in told


def test_nothing_is_said_of_chance_where_nothing_was_generated(broken: Path) -> None:
    reports = broken.with_name("reports")
    result = check(broken, "--report=console,html,json,junit,markdown", f"--report-dir={reports}")
    [file] = reports.glob("*.json")
    assert json.loads(file.read_text("utf-8"))["seed"] is None
    told = [result.output, *(other.read_text("utf-8") for other in reports.iterdir() if other != file)]
    assert len(told) == 4
    assert [text for text in told if "seed" in text.lower()] == []


def test_the_same_traffic_in_two_files_is_not_taken_to_have_happened_twice(sound: Path, broken: Path) -> None:
    twin = sound.with_name("twin.har")
    twin.write_bytes(sound.read_bytes())
    assert check(sound, twin).exit_code == 0
    assert check(sound, broken).exit_code == 1


def test_traffic_of_other_things_ends_with_3(tmp_path: Path) -> None:
    file = tmp_path / "other.har"
    file.write_bytes(har(entry("https://cdn.example.com/app.js")))
    result = check(file)
    assert result.exit_code == 3
    assert result.output.splitlines()[-1] == "Not proved: nothing of the API was in it (exit code 3)"


@pytest.mark.parametrize("content", [b"", b"<html>", None])
def test_what_is_no_recording_ends_with_2(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "x.har"
    if content is not None:
        file.write_bytes(content)
    result = check(file)
    assert result.exit_code == 2
    assert "x.har" in result.output
    assert "Traceback" not in result.output
    if content is not None:
        [*_, last] = result.stdout.splitlines()
        assert last.startswith(f"Could not run: {file} is no recording: expected a HAR file")
        assert "GEN-1" not in result.stdout


@pytest.mark.parametrize("option", ["--write-profile", "--record"])
def test_a_file_that_cant_be_written_is_told_before_anything_is_judged(sound: Path, option: str) -> None:
    result = check(sound, option, "/nowhere/x.yaml")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert f"Invalid value for '{option}'" in result.stderr
    assert "'/nowhere/x.yaml' can't be written: /nowhere: No such file or directory" in result.stderr


@pytest.mark.parametrize("option", ["--write-profile", "--record"])
def test_a_dash_is_no_file_to_write(sound: Path, option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sound.parent)
    result = check(sound, option, "-")
    assert result.exit_code == 2
    assert "'-' is no file" in result.stderr
    assert not Path("-").exists()


@pytest.mark.parametrize(
    ("name", "fixture", "profile"),
    [
        ("world.yaml", "world.yaml", "world-profile.yaml"),
        ("world", "./world", "world-profile.yaml"),
        ("a world.yaml", "a world.yaml", "a world-profile.yaml"),
        ("empty", "./empty", "empty-profile.yaml"),
    ],
)
def test_the_command_that_is_told_serves_what_was_recorded(
    sound: Path, name: str, fixture: str, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sound.parent)
    result = check(sound, "--record", name)
    assert result.exit_code == 0, result.output
    # The console breaks lines.
    told = " ".join(result.stdout.split())
    assert f"mockserver serve --fixture {shlex.quote(fixture)} --profile {shlex.quote(profile)}" in told
    assert [one.id for one in load_fixture(fixture).state.store.invoices()] == [1]


def test_a_refused_variable_is_named(sound: Path) -> None:
    result = CliRunner(env={"MOCKSERVER_CHECK_WRITE_PROFILE": "/nowhere/x.yaml"}).invoke(main, ["check", str(sound)])
    assert result.exit_code == 2
    assert "(env var: 'MOCKSERVER_CHECK_WRITE_PROFILE')" in result.output


def test_a_file_that_is_cut_off_is_judged_as_far_as_it_goes(broken: Path) -> None:
    broken.write_bytes(broken.read_bytes()[:-3])
    result = check(broken)
    assert result.exit_code == 1
    assert "can't be read beyond entry 2" in result.output.replace("\n", " ")


def test_the_reports_are_those_of_verify(broken: Path, tmp_path: Path) -> None:
    where = tmp_path / "reports"
    result = check(broken, "--report", "html,junit,json,markdown", "--report-dir", where)
    assert result.exit_code == 1, result.output
    report = json.loads((where / "report.json").read_text())
    assert [breach["rule"] for breach in report["breaches"]] == ["FINALIZE-1"]
    assert {file.name for file in where.iterdir()} == {"report.html", "junit.xml", "report.json", "report.md"}


def test_a_report_that_replays_is_refused(sound: Path) -> None:
    result = check(sound, "--report", "script")
    assert result.exit_code == 2
    assert "script" in result.output


def test_the_choices_that_show_are_written_as_a_profile(sound: Path, tmp_path: Path) -> None:
    file = tmp_path / "profile.yaml"
    assert check(sound, "--write-profile", file).exit_code == 0
    profile = yaml.safe_load(file.read_text())
    assert profile["finalized_label"] == "Finalized"
    assert profile["range_base"] == 1


def test_the_standard_input_is_read(broken: Path) -> None:
    command = [sys.executable, "-m", "mockserver", "check", "-"]
    done = subprocess.run(command, input=broken.read_bytes(), capture_output=True)
    assert done.returncode == 1, done.stderr
    assert b"entry 2 of standard input" in done.stdout
