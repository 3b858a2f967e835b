"""What every report claims about a run, and the making of them."""

from __future__ import annotations

import io
import json
import re
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from junitparser import JUnitXml
from markdown_it import MarkdownIt
from rich.console import Console

from mockserver.contract.rules import Rule
from mockserver.core.errors import Unusable
from mockserver.verify import reports
from mockserver.verify.events import Breach, DriftFound, Event, Note, PhaseStarted, RuleFinished, RunFinished
from mockserver.verify.reports import KNOWN, make
from tests.verify.report_streams import (
    BILLED_TWICE,
    LEAK,
    RULES,
    SERVER_ERROR,
    TARGET,
    Ticking,
    exchange,
    mixed,
    run,
)

ALL_FILES = ("annotations.txt", "report.html", "report.json", "junit.xml", "report.md", "test_breaches.py", "repro.sh")


def written(directory: Path, stream: Sequence[Event], *names: str, close: bool = False) -> dict[str, str]:
    """The files of the named reports, after the stream and, if asked for, a close."""
    made = make(names, directory, rules=RULES, clock=Ticking())
    for event in stream:
        for report in made:
            report(event)
    if close:
        for report in made:
            report.close()
    return {path.name: path.read_text(encoding="utf-8") for path in directory.iterdir()}


def everything(directory: Path, stream: Sequence[Event]) -> dict[str, str]:
    """All files, and the console's text as `console`."""
    files = written(directory, stream, *(name for name in KNOWN if name != "console"))
    return files | {"console": shown(stream)}


def shown(stream: Sequence[Event], *, width: int = 100, close: bool = False) -> str:
    file = io.StringIO()
    console = Console(width=width, file=file)
    (report,) = make(["console"], None, rules=RULES, console=console, live=False)
    for event in stream:
        report(event)
    if close:
        report.close()
    return file.getvalue()


def test_an_unknown_report_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"unknown report 'pdf'; known are console, .*pytest"):
        make(["console", "pdf"], tmp_path, rules=RULES)


def test_a_file_report_without_a_directory_is_refused() -> None:
    with pytest.raises(Unusable, match="junit"):
        make(["junit"], None, rules=RULES)


def test_a_directory_that_cannot_be_written_is_refused_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unusable, match="cannot be written"):
        make(["json"], tmp_path / "file", rules=RULES)


def test_a_report_named_twice_is_made_once(tmp_path: Path) -> None:
    assert len(make(["json", "json"], tmp_path, rules=RULES)) == 1


def test_the_package_exports_what_it_says() -> None:
    assert sorted(reports.__all__) == list(reports.__all__)


def test_each_file_is_written_at_the_end_of_the_run_and_readable(tmp_path: Path) -> None:
    files = everything(tmp_path / "new" / "dir", mixed())
    assert sorted(files) == sorted([*ALL_FILES, "console"])
    assert stat.S_IMODE((tmp_path / "new" / "dir" / "report.html").stat().st_mode) == 0o644


def test_nothing_is_written_before_the_end_nor_left_half_done(tmp_path: Path) -> None:
    assert written(tmp_path, run(finished=False), "json", "html") == {}


@pytest.mark.parametrize("name", [name for name in KNOWN if name != "console"])
def test_a_run_that_broke_off_is_still_reported(tmp_path: Path, name: str) -> None:
    stream = run(BILLED_TWICE, finished=False)
    (text,) = written(tmp_path, stream, name, close=True).values()
    assert "Broke off before its verdict" in text
    assert "CREATE-4" in text


def test_closing_after_the_end_changes_nothing(tmp_path: Path) -> None:
    once = written(tmp_path / "a", mixed(), "json", "html")
    twice = written(tmp_path / "b", mixed(), "json", "html", close=True)
    assert once == twice


def test_closing_a_report_that_heard_nothing_writes_nothing(tmp_path: Path) -> None:
    assert written(tmp_path, [], "json", close=True) == {}


def test_the_console_tells_a_broken_off_run_once() -> None:
    text = shown(run(BILLED_TWICE, finished=False), close=True)
    assert text.count("Broke off before its verdict; 1 rule is broken so far") == 1
    assert "Breach 1: CREATE-4" in text


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        (run(), "Conforms: all 14 rules hold"),
        (run(rules={"GEN-1": RULES["GEN-1"]}), "Conforms: the one rule holds"),
        (run(idle=["SEARCH-2"]), "Conforms: 13 of 14 rules hold, none is broken"),
        (run(LEAK, accepted=["GEN-8"]), "Conforms: 13 of 14 rules hold, 1 known breach accepted"),
        (run(BILLED_TWICE), "Does not conform: 1 rule is broken"),
        (run(exit_code=2, stop_reason="the token was refused"), "Could not run: the token was refused"),
        (run(unexercised={"GEN-8": "no second token given"}), "Not proved: nothing broken, but 1 rule that matters"),
    ],
)
def test_every_report_states_the_verdict_in_the_same_words(tmp_path: Path, stream: list[Event], said: str) -> None:
    for name, text in everything(tmp_path, stream).items():
        assert said in text.replace("\\", ""), name


def test_every_report_names_each_breach_with_rule_source_and_seed(tmp_path: Path) -> None:
    for name, text in everything(tmp_path, run(BILLED_TWICE, LEAK)).items():
        plain = " ".join(text.replace("\\", "").replace("# ", "").replace("&#39;", "'").split())
        for breach in (BILLED_TWICE, LEAK):
            for word in (breach.rule, breach.expected, breach.actual, RULES[breach.rule].source):
                assert word in plain, (name, word)
        assert re.search(r"seed\W{1,4}7", plain, re.IGNORECASE), name


def test_no_report_shows_more_of_a_secret_than_the_event_does(tmp_path: Path) -> None:
    for name, text in everything(tmp_path, run(BILLED_TWICE, LEAK, SERVER_ERROR)).items():
        after = re.findall(r"Authorization[^A-Za-z]+(?:Bearer )?([^\s\"'&,)\\]+)", text)
        assert set(after) <= {"$TOKEN", "$OTHER_TOKEN"}, name
        assert after or name == "annotations.txt", name


def test_a_fault_seen_again_is_told_once_by_its_shortest_sequence(tmp_path: Path) -> None:
    longer = Breach(
        rule=BILLED_TWICE.rule,
        expected=BILLED_TWICE.expected,
        actual=BILLED_TWICE.actual,
        exchanges=(exchange("GET", "/billing/invoices"), *BILLED_TWICE.exchanges),
        seed=7,
        identity=BILLED_TWICE.identity,
    )
    data = json.loads(written(tmp_path, run(longer, BILLED_TWICE), "json")["report.json"])
    (breach,) = data["breaches"]
    assert (breach["times"], len(breach["exchanges"])) == (2, 3)


def test_a_breach_outweighs_a_later_word_that_the_rule_holds(tmp_path: Path) -> None:
    stream = run(BILLED_TWICE, finished=False)
    stream += [RuleFinished("CREATE-4", "holds", 3), RunFinished(1, "completed", 1.0, 10)]
    data = json.loads(written(tmp_path, stream, "json")["report.json"])
    assert data["rules"]["CREATE-4"]["verdict"] == "broken"


def test_rules_that_the_run_never_came_to_say_so(tmp_path: Path) -> None:
    stream = [*run(finished=False)[:3], RunFinished(3, "time", 60.0, 9)]
    data = json.loads(written(tmp_path, stream, "json")["report.json"])
    assert data["rules"]["GEN-1"]["judged"] is False
    assert data["rules"]["GEN-1"]["reason"] == "the run ended before it was judged"


def test_a_run_that_never_began_is_reported_by_all(tmp_path: Path) -> None:
    for name, text in everything(tmp_path, [RunFinished(2, "connection refused", 0.1, 1)]).items():
        assert "Could not run: connection refused" in text, name


def test_a_rule_that_the_spec_does_not_describe_is_still_shown(tmp_path: Path) -> None:
    stream: list[Event] = [
        PhaseStarted("rules"),
        RuleFinished("NEW-1", "holds", 1),
        RunFinished(0, "completed", 1.0, 1),
    ]
    for name, text in everything(tmp_path, stream).items():
        assert name in ("annotations.txt", "test_breaches.py", "repro.sh", "console") or "NEW-1" in text, name


def test_equal_streams_give_equal_files_whatever_the_order_of_the_breaches(tmp_path: Path) -> None:
    one = written(tmp_path / "a", run(BILLED_TWICE, LEAK), "markdown", "pytest", "junit")
    other = written(tmp_path / "b", run(LEAK, BILLED_TWICE), "markdown", "pytest", "junit")
    assert one == other


def test_junit_has_a_case_for_each_rule_and_one_for_the_run(tmp_path: Path) -> None:
    written(tmp_path, mixed(), "junit")
    (suite,) = JUnitXml.fromfile(str(tmp_path / "junit.xml"))
    assert (suite.tests, suite.failures, suite.skipped, suite.errors) == (len(RULES) + 1, 2, 3, 0)
    cases = {case.name: case for case in suite}
    assert set(RULES) < set(cases)
    (failure,) = cases["CREATE-4"].result
    assert "curl -i -X POST" in failure.text
    assert "charges are not allowed" in cases["COLLECT-4"].result[0].message
    assert cases["GEN-5"].result[0].message.startswith("accepted: known since spring")


def test_junit_has_one_failure_for_each_broken_rule_however_often_it_is_broken(tmp_path: Path) -> None:
    many = [replace(BILLED_TWICE, identity=f"CREATE-4 {place}", actual=f"fault {place} came") for place in range(6)]
    written(tmp_path, run(*many, LEAK), "junit")
    (suite,) = JUnitXml.fromfile(str(tmp_path / "junit.xml"))
    assert suite.failures == 2
    (failure,) = next(case for case in suite if case.name == "CREATE-4").result
    assert "(and 5 more)" in failure.message
    assert all(f"fault {place} came" in failure.text for place in range(6))


def test_junit_carries_choices_and_seed_as_properties(tmp_path: Path) -> None:
    written(tmp_path, mixed(), "junit")
    (suite,) = JUnitXml.fromfile(str(tmp_path / "junit.xml"))
    found = {prop.name: prop.value for prop in suite.properties()}  # type: ignore[no-untyped-call]
    assert found["seed"] == "7"
    assert found["choice.create_status"] == "201"
    assert found["choice.per_page_max"] == "null"
    assert found["choice.declined_status"] == "not measured"


@pytest.mark.parametrize(
    ("stream", "failures", "errors"),
    [
        (run(), 0, 0),
        (run(unexercised={"GEN-8": "no second token given"}), 1, 0),
        (run(unexercised={"GEN-8": "no second token given"}, exit_code=0), 0, 0),
        (run(exit_code=2, stop_reason="unreachable"), 0, 1),
    ],
)
def test_junit_is_green_only_for_exit_code_0(tmp_path: Path, stream: list[Event], failures: int, errors: int) -> None:
    written(tmp_path, stream, "junit")
    (suite,) = JUnitXml.fromfile(str(tmp_path / "junit.xml"))
    assert (suite.failures, suite.errors) == (failures, errors)


def test_markdown_folds_what_is_long_and_counts_the_verdicts(tmp_path: Path) -> None:
    text = written(tmp_path, mixed(), "markdown")["report.md"]
    assert text.startswith("## ❌ Does not conform: 2 rules are broken")
    assert "| 9 | 2 | 2 | 1 |" in text
    assert text.count("<details") == text.count("</details>") == 6


def test_markdown_fits_a_comment_and_says_what_it_left_out(tmp_path: Path) -> None:
    many = [
        Breach("GEN-5", "x" * 300, f"{n} " + "y" * 300, SERVER_ERROR.exchanges, 7, f"GEN-5 {n}") for n in range(200)
    ]
    text = written(tmp_path, run(*many), "markdown")["report.md"]
    assert len(text) < 65_536
    assert re.search(r"\*\*\d+ further breaches\*\* are left out", text)


def test_markdown_text_from_a_server_is_no_markup(tmp_path: Path) -> None:
    hostile = Breach(
        "GEN-5",
        "nothing",
        "<script>x</script> | @everyone [a](javascript:1)\n# title ```",
        (exchange("GET", "/x", raw=b"````\n</details>\n@team <img src=x>"),),
        7,
        "GEN-5 hostile",
    )
    text = written(tmp_path, run(hostile, notes=[Note("see https://evil.example |`")]), "markdown")["report.md"]
    tokens = [
        token
        for outer in MarkdownIt("commonmark").enable("table").parse(text)
        for token in (outer, *(outer.children or ()))
    ]
    assert not {"link_open", "image"} & {token.type for token in tokens}
    html = "".join(token.content for token in tokens if token.type.startswith("html_"))
    assert set(re.findall(r"<(/?\w+)", html)) <= {"details", "/details", "summary", "/summary", "br"}
    fenced = [token for token in tokens if token.type == "fence"]
    assert len(fenced) == 1, "no fence of the server's closes ours"
    outside = text.replace(fenced[0].content, "")
    assert "@everyone" not in outside
    assert "https://evil" not in outside


def test_a_target_other_than_the_default_is_shown(tmp_path: Path) -> None:
    for name, text in everything(tmp_path, run(LEAK, target="https://staging.example/api")).items():
        assert "staging.example/api" in text, name
    assert TARGET != "https://staging.example/api"


def test_a_warning_about_money_is_told_apart_from_breaches_in_every_report(tmp_path: Path) -> None:
    told = "a client's broken JSON bills everything"
    stream = run(exit_code=0, notes=[Note("the queue is slow", "warning"), Note(told, "money")])
    texts = everything(tmp_path, stream)
    assert texts["report.md"].index("[!CAUTION]") < texts["report.md"].index("the queue is slow")
    assert "broken JSON" in texts["report.md"].partition("[!CAUTION]")[2].partition("| ✅")[0]
    assert 'role="alert"' in texts["report.html"]
    assert {"level": "money", "text": told} in json.loads(texts["report.json"])["notes"]
    for name, text in texts.items():
        assert "broken JSON bills everything" in text.replace("&#39;", "'") or name.endswith((".py", ".sh")), name


def test_a_choice_that_is_not_as_recorded_is_named_in_every_report_and_fails_the_run(tmp_path: Path) -> None:
    drift = DriftFound("create_status", 200, 201, "a create is answered with 201")
    texts = everything(tmp_path, run(drifts=[drift]))
    for name, text in texts.items():
        assert "Does not conform: 1 choice is not as recorded" in text, name
        if name not in ("report.json", "report.md", "test_breaches.py", "repro.sh"):
            assert "create_status was recorded as 200 and is 201" in text, name
    assert r"create\_status was recorded as 200 and is 201" in texts["report.md"]
    assert json.loads(texts["report.json"])["drifts"] == [
        {"key": "create_status", "recorded": 200, "measured": 201, "evidence": "a create is answered with 201"}
    ]
    assert texts["console"].splitlines()[-1].endswith("Does not conform: 1 choice is not as recorded (exit code 1)")
    (suite,) = JUnitXml.fromfile(str(tmp_path / "junit.xml"))
    assert suite.failures == 1


def test_broken_rules_and_drift_are_counted_apart(tmp_path: Path) -> None:
    drift = DriftFound("create_status", 200, 201, "a create is answered with 201")
    text = shown(run(BILLED_TWICE, drifts=[drift]))
    assert "Does not conform: 1 rule is broken, 1 choice is not as recorded" in text


def test_a_source_that_names_its_level_itself_is_told_once(tmp_path: Path) -> None:
    rule = Rule("GEN-8", "derived", "A token reaches its own records.", "Derived: nobody may see another's money.")
    made = make([name for name in KNOWN if name != "console"], tmp_path, rules={"GEN-8": rule})
    for event in run(LEAK):
        for report in made:
            report(event)
    for file in tmp_path.iterdir():
        assert "derived, Derived" not in file.read_text(), file
        assert "derived: Derived" not in file.read_text(), file


def test_annotations_tell_rules_that_were_not_exercised_for_one_reason_as_one(tmp_path: Path) -> None:
    stream = run(unexercised={"GEN-8": "no second token", "CREATE-1": "no merchant", "CREATE-4": "no merchant"})
    _, *warnings = written(tmp_path, stream, "github")["annotations.txt"].splitlines()
    assert [line.partition("::")[2].partition("::")[0] for line in warnings] == [
        "warning title=GEN-8 was not exercised",
        "warning title=2 rules were not exercised",
    ]
    assert f"no merchant%0ACREATE-1: {RULES['CREATE-1'].statement}" in warnings[1]


def test_rule_texts_are_values() -> None:
    assert Rule("A-1", "derived", "a", "b") == Rule("A-1", "derived", "a", "b")
