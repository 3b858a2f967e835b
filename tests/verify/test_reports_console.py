"""The console report: plain lines without a terminal, live progress with one, the result at any width."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from mockserver.verify.events import Breach, Event, Note, PhaseStarted, Reproduction, RunFinished, RunStarted
from mockserver.verify.reports import make
from tests.verify.report_streams import BILLED_TWICE, LEAK, RULES, SERVER_ERROR, TARGET, exchange, mixed, run

ESCAPE = "\x1b"


def shown(
    stream: list[Event],
    *,
    width: int = 80,
    terminal: bool = False,
    live: bool | None = None,
    verbose: bool = False,
    files: Sequence[str] = (),
    directory: Path = Path("unused"),
) -> str:
    file = io.StringIO()
    console = Console(width=width, file=file, force_terminal=terminal, force_interactive=terminal)
    where = directory if files else None
    report, *_ = make(["console", *files], where, rules=RULES, console=console, live=live, verbose=verbose)
    for event in stream:
        report(event)
    report.close()
    return file.getvalue()


def test_without_a_terminal_there_are_only_plain_lines() -> None:
    text = shown(mixed(), verbose=True)
    assert ESCAPE not in text
    assert "\r" not in text
    assert "[calibrate]\n  create_status: 201\n" in text
    assert "✓ GEN-1 holds (3 times)" in text


def test_nothing_that_a_replay_was_answered_steers_the_terminal() -> None:
    said = Reproduction(0, 0, "it could not be replayed: there is no id in \x1b]0;title")
    assert ESCAPE not in shown(run(replace(SERVER_ERROR, reproduction=said)))


def test_what_is_green_is_told_only_to_those_who_ask() -> None:
    text = shown(mixed())
    for green in ("create_status", "GEN-1", "LIST-1", "Rules ─", "Open choices", "Coverage"):
        assert green not in text
    assert "CREATE-4" in text


def test_it_ends_with_each_broken_rule_what_was_expected_what_came_and_how_to_see_it_again(tmp_path: Path) -> None:
    stream = run(LEAK, BILLED_TWICE, unexercised={"COLLECT-4": "no charge is made (--allow-charges)"})
    text = shown(stream, width=200, files=["html", "script"], directory=tmp_path)
    end = text.partition("Broken ─")[2]
    told = [line for line in end.splitlines() if line.strip()][1:]
    assert re.match(r"✗ CREATE-4 +expected that a second invoice over the same charge .+; came: 201 came", told[0])
    assert told[1] == f"  see again: sh {tmp_path}/repro.sh CREATE-4"
    assert re.match(r"✗ GEN-8 +expected that .+; came: the list of merchant 2 shows invoice 14", told[2])
    assert told[3] == f"  see again: sh {tmp_path}/repro.sh GEN-8"
    assert re.search(r"– COLLECT-4 +no charge is made \(--allow-charges\)", end)  # noqa: RUF001
    assert re.search(rf"2 Reports +{tmp_path}/report.html, {tmp_path}/repro.sh", end)


def test_without_a_script_the_command_of_the_run_shows_the_rule_again() -> None:
    start, *rest = run(BILLED_TWICE)
    assert isinstance(start, RunStarted)
    command = 'mockserver verify http://x/api --token "$TOKEN" --seed 7'
    text = shown([replace(start, command=command), *rest], width=60)
    assert f"  see again: {command} --only CREATE-4\n" in text


def test_a_ci_that_claims_a_terminal_can_be_given_plain_lines() -> None:
    text = shown(mixed(), terminal=True, live=False)
    assert f"{ESCAPE}[?25l" not in text, "the cursor is never hidden"
    assert not re.search(r"\x1b\[\d*[ABJKH]", text), "the cursor is never moved"


def test_a_terminal_sees_progress_and_gets_its_cursor_back() -> None:
    text = shown(mixed(), terminal=True)
    assert f"{ESCAPE}[?25l" in text
    assert text.rindex(f"{ESCAPE}[?25h") > text.rindex(f"{ESCAPE}[?25l")


def test_a_breach_is_told_at_once_and_once() -> None:
    text = shown(mixed())
    assert re.search(r"✗ CREATE-4: [^✗]+, but 201 came", text.partition("[fuzzing]")[0])
    assert len(re.findall(r"✗ GEN-5: [^✗]+, but 500 came", text)) == 1


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_line_but_a_command_is_wider_than_the_screen(width: int) -> None:
    for line in shown(mixed(), width=width, terminal=True, verbose=True).partition("Rules ─")[2].splitlines():
        line = re.sub(r"\x1b\[[\d;]*m", "", line)
        if "curl " not in line and "--data-raw" not in line and width >= 80:
            assert len(line) <= width, line


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_tells_each_rule_with_provenance_and_verdict(width: int) -> None:
    table = shown(mixed(), width=width, verbose=True).partition("Rules ─")[2]
    for rule, text in RULES.items():
        assert re.search(rf"{rule} +{text.level} +[✓✗–~] (holds \d+x|broken|not exercised|accepted)", table), rule  # noqa: RUF001
    assert "(--allow-charges)" in table


def test_choices_coverage_and_what_is_left_behind_are_told() -> None:
    text = shown(mixed(), width=120, verbose=True)
    assert re.search(r"refinalize +accept +finalizing again was answered 200 *\n +the profile says refuse", text)
    assert re.search(r"declined_status +not measured +no merchant with a declining card", text)
    assert re.search(r"^ *Operation +Gives +", text, re.MULTILINE)
    assert re.search(r"collectInvoice +200 .*never +81 +never", text)
    assert "Left behind  9 charges and 5 invoices" in text


def test_a_breach_reads_as_a_bug_report_whose_commands_can_be_pasted() -> None:
    text = shown(run(BILLED_TWICE), width=60)
    told = text.partition("Breach 1: CREATE-4")[2]
    assert f"charge_1=$(curl -sS -X POST {TARGET}/billing/charges/quick-adjustment \\\n" in told
    assert '    -H "Authorization: Bearer $TOKEN" \\\n' in told
    assert """    --data-raw '{"charge_ids": ['"$charge_1"']}'\n""" in told
    assert f"curl -i -X POST {TARGET}/billing/invoices" in told
    for line in told.partition("Broken ─")[0].partition("seed 7")[2].splitlines():
        assert not line.strip() or line.lstrip().startswith(("#", "curl", "charge_1=", "-H", "--data")), line


@pytest.mark.parametrize(
    ("stream", "last"),
    [
        (run(), "Conforms: all 14 rules hold (exit code 0)"),
        (run(BILLED_TWICE), "Does not conform: 1 rule is broken (exit code 1)"),
        ([RunFinished(2, "connection refused", 0.1, 1)], "Could not run: connection refused (exit code 2)"),
        (
            run(unexercised={"GEN-8": "no second token given"}),
            "Not proved: nothing broken, but 1 rule that matters was not exercised (exit code 3)",
        ),
        (run(exit_code=3, idle=["SEARCH-2"]), "Not proved: no rule could be exercised (exit code 3)"),
        (run(exit_code=130, stop_reason="ended by SIGINT"), "Ended by SIGINT before its verdict (exit code 130)"),
    ],
)
def test_the_last_line_is_the_verdict_with_the_exit_code_and_nothing_twice(stream: list[Event], last: str) -> None:
    assert shown(stream, width=160).splitlines()[-1] == last


def test_in_a_log_each_sentence_is_a_line_and_stands_there_once() -> None:
    reason = "a charge can't be made without a merchant (--merchant), which is told at such length that it has no room"
    noted = "the server asked twice to wait (429), which is told at such length that eighty columns are not enough"
    stream = run(LEAK, unexercised={"COLLECT-4": reason}, notes=[Note(noted, "warning"), Note("it ended")])
    text = shown(stream)
    assert f"! {noted}\n" in text
    assert text.count(noted) == text.count("it ended") == 1
    assert f"– COLLECT-4   {reason}\n" in text  # noqa: RUF001
    assert [line for line in text.splitlines() if line != line.rstrip()] == []
    assert "Notes" in shown(stream, terminal=True)


def test_rules_that_were_not_exercised_for_one_reason_are_told_together() -> None:
    reason = "a charge can't be made without a merchant (--merchant)"
    missing = {"GEN-8": "no second token", **dict.fromkeys(["CREATE-1", "CREATE-4", "COLLECT-1"], reason)}
    text = shown(run(unexercised=missing))
    assert f"– 3 rules     {reason}: CREATE-1, CREATE-4, COLLECT-1\n" in text  # noqa: RUF001
    assert "– GEN-8       no second token\n" in text  # noqa: RUF001
    assert "✓ 10 hold   – 4 not exercised\n" in text  # noqa: RUF001


def test_a_run_that_broke_off_before_it_judged_anything_names_no_rules() -> None:
    text = shown(run(finished=False)[:3])
    assert "Broke off before its verdict" in text
    assert "GEN-1" not in text


def test_what_a_run_may_not_do_is_told_as_what_is_to_come() -> None:
    assert "(no charges allowed: no collect that could succeed is sent)" in shown(run(charges_allowed=False))


def test_a_run_that_never_began_has_no_table() -> None:
    start = run()[0]
    text = shown([start, RunFinished(2, "connection refused", 0.1, 1)])
    assert "GEN-1" not in text


def test_control_characters_of_a_server_never_reach_the_terminal() -> None:
    poison = "a\x1b]0;title\x07\x1b[2J\r\u202eb[red]x[/red]\x9b1A"
    breach = Breach(
        "GEN-5",
        poison,
        poison,
        (exchange("GET", "/" + poison, raw=poison.encode(), failure=poison),),
        7,
        "GEN-5 poison",
    )
    text = shown(run(breach, notes=[Note(poison, "warning"), Note(poison)]))
    for char in "\x1b\x07\r\u202e\x9b":
        assert char not in text
    assert "[red]x[/red]" in text
    assert "\\x1b[2J" in text


def test_breaches_that_show_the_same_are_one_card_with_the_others_on_a_line_each() -> None:
    many = [replace(BILLED_TWICE, identity=f"CREATE-4 {place}", actual=f"fault {place} came") for place in range(6)]
    text = shown(run(*many, LEAK), width=300).partition("[fuzzing]")[2]
    assert "Breach 1: CREATE-4, explains 6 breaches in 1 rule ─" in text
    assert "Breach 2: GEN-8 ─" in text
    assert text.count("Expected") == 2
    for place in range(1, 6):
        sent = 'POST /billing/invoices {"charge_ids": [57]}: expected that a second invoice over the same charge'
        assert re.search(rf"CREATE-4 +{re.escape(sent)} .+ 4xx; fault {place} came", text)


def test_what_has_no_card_any_more_is_told_with_what_was_sent_the_most_dangerous_first() -> None:
    different = [
        replace(SERVER_ERROR, identity=f"GEN-5 {n}", exchanges=(exchange("GET", f"/billing/x{n}", status=500),))
        for n in ("abcdefghijklm")
    ]
    text = shown(run(BILLED_TWICE, *different), width=200)
    assert text.index("Breach 1: CREATE-4") < text.index("Breach 2: GEN-5")
    further = text.partition("Further breaches")[2].partition("Broken ─")[0]
    assert re.findall(r"GEN-5 +GET /billing/x(\w): expected that", further) == ["l", "m"]


def test_what_a_run_will_leave_behind_is_told_before_it_makes_anything() -> None:
    console = Console(file=io.StringIO(), width=100, force_terminal=False)
    [report] = make(["console"], None, rules=RULES, console=console)
    report(RunStarted("http://server/api", 1, ("GEN-1",), "0.1.0", "3 charges, 1 draft", False, False))
    assert isinstance(console.file, io.StringIO)
    assert "leave behind" not in console.file.getvalue()
    report(PhaseStarted("calibrate"))
    assert "leave behind: 3 charges, 1 draft" in console.file.getvalue()


def test_a_warning_about_money_comes_last_before_the_verdict() -> None:
    text = shown(run(exit_code=0, notes=[Note("it bills everything", "money"), Note("the queue is slow", "warning")]))
    assert text.index("the queue is slow") < text.rindex("!! it bills everything") < text.rindex("Verdict")
    assert "!! A warning about money: it bills everything" in text
