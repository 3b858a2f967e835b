"""The console report: what happens while the run goes on, and the whole result at its end."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from mockserver.verify.events import (
    BreachFound,
    ChoiceMeasured,
    DriftFound,
    Event,
    Note,
    PhaseStarted,
    RuleFinished,
    RunFinished,
    RunStarted,
)
from mockserver.verify.reports.console.summary import Places, summary
from mockserver.verify.reports.console.tables import STYLES
from mockserver.verify.reports.phrases import (
    MARKS,
    MONEY,
    choice_value,
    drift_line,
    limits,
    printed,
    target,
    visible,
    word,
)
from mockserver.verify.reports.run_state import RuleResult, RunState


class ConsoleReport:
    """Live progress on a terminal, plain lines elsewhere, and the result when the run ends or is closed."""

    def __init__(
        self, state: RunState, console: Console, *, live: bool, places: Places | None = None, verbose: bool = False
    ) -> None:
        """`places`: where the reports lie that are files. `verbose`: tell of what is green, too."""
        self._state = state
        self._places = places or {}
        self._verbose = verbose
        # The terminal is drawn by another thread, which must never see a fold half done.
        self._shown = state.result()
        self._console = console
        self._done = False
        self._live: Live | None = None
        self._spinner = Spinner("dots", style="cyan")
        if live:
            self._live = Live(get_renderable=self._progress, console=console, transient=True, refresh_per_second=8)

    def __call__(self, event: Event) -> None:
        new = isinstance(event, BreachFound) and self._state.is_new(event.breach)
        self._state.add(event)
        if self._live:
            self._shown = self._state.result()
        if isinstance(event, RunFinished):
            self._finish()
            return
        if self._live and isinstance(event, RunStarted):
            self._live.start()
        line = self._line(event, new=new)
        if line is not None:
            self._console.print(line, soft_wrap=self._live is None)

    def close(self) -> None:
        """Tells what was learned when the run broke off; does nothing after its proper end."""
        if self._state.anything:
            self._finish()

    def _finish(self) -> None:
        if self._done:
            return
        self._done = True
        if self._live:
            self._live.stop()
        told = summary(
            self._state.result(),
            self._console.width,
            places=self._places,
            verbose=self._verbose,
            # A log has told each as it came.
            notes=self._live is not None,
        )
        # Uncropped: a command runs over the edge of the screen, and can be pasted. A log is not wrapped at all.
        self._console.print(told, crop=False, soft_wrap=self._live is None)

    def _line(self, event: Event, *, new: bool) -> Text | None:
        """The line that stays on the screen for this event, if any."""
        run = self._state.result() if isinstance(event, RunStarted | PhaseStarted) else self._shown
        start, first = run.start, len(run.phases) == 1
        match event:
            case RunStarted():
                if event.watched:
                    return Text(f"Watching {printed(target(run))}", style="bold")
                text = Text(f"Verifying {printed(target(run))}, seed {event.seed}", style="bold")
                return text.append(f" ({limits(run)})" if limits(run) else "", style="yellow")
            case PhaseStarted() if first and start is not None and not start.watched:
                # Nothing but reading came before this.
                text = Text(f"It will leave behind: {printed(start.left_behind)}")
                return text if self._live else text.append(f"\n[{printed(event.name)}]")
            case BreachFound() if new:
                breach = event.breach
                return Text.assemble(
                    ("✗ ", STYLES["broken"]),
                    (printed(breach.rule), STYLES["broken"]),
                    f": {printed(breach.expected)}, but {printed(breach.actual)}",
                )
            case DriftFound():
                return Text(printed(f"{MARKS['broken']} {drift_line(event)}"), style=STYLES["broken"])
            case Note(level="money"):
                return Text(visible(f"!! {MONEY}: {event.text}"), style=STYLES["broken"])
            case Note(level="warning"):
                return Text.assemble(("! ", "yellow"), printed(event.text))
            case _:
                return None if self._live else self._plain(event)

    def _plain(self, event: Event) -> Text | None:
        """What a terminal would show in place and a log needs as lines."""
        match event:
            case PhaseStarted():
                return Text(f"[{printed(event.name)}]")
            case ChoiceMeasured() if self._verbose:
                told = choice_value(event.value) if event.measured else f"not measured: {event.evidence}"
                return Text(printed(f"  {event.key}: {told}"))
            case RuleFinished() if self._verbose:
                told = f"{MARKS[event.verdict]} {event.rule} {word(event.verdict, event.exercised)}"
                return Text(printed("  " + told + (f": {event.reason}" if event.reason else "")))
            case Note():
                return Text(printed(f"  {event.text}"))
            case _:
                return None

    def _progress(self) -> RenderableType:
        run = self._shown
        phase = run.phases[-1] if run.phases else None
        self._spinner.update(
            text=Text.assemble(
                (printed(phase.name) if phase else "starting", "bold"),
                (f"  {printed(run.progress)}", "dim"),
            )
        )
        table = Table.grid(padding=(0, 2))
        for area, results in run.areas.items():
            table.add_row(Text(area, style="bold"), _squares(results))
        bar: list[RenderableType] = []
        if phase and phase.steps:
            bar = [ProgressBar(total=phase.steps, completed=run.step, width=40)]
        return Group(table, Text(), self._spinner, *bar)


def _squares(results: tuple[RuleResult, ...]) -> Text:
    """Each rule by its number, coloured once there is a verdict."""
    line = Text()
    for result in results:
        number = result.rule.rpartition("-")[2]
        if result.verdict == "broken" or result.judged:
            line.append(f"{MARKS[result.verdict]}{number}", style=STYLES[result.verdict])
        else:
            line.append(f"·{number}", style="dim")
        line.append("  ")
    return line
