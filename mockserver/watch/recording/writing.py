"""`--record`: the files that a recording becomes, whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mockserver.billing.profile import Value, dump_profile
from mockserver.core.errors import Unusable
from mockserver.core.resources import by_path
from mockserver.state.fixtures.load import parse_fixture
from mockserver.verify.reports.registry import write_whole
from mockserver.watch.recording.disguise import Disguise
from mockserver.watch.recording.gather import Gather
from mockserver.watch.recording.world import WorldWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSettings:
    """What is to be recorded, and how much of it is disguised."""

    file: Path
    seed: int = 1
    amounts: bool = False
    """Whether amounts are jittered."""
    dates: bool = False
    """Whether dates are."""

    @property
    def profile(self) -> Path:
        return self.file.with_name(f"{self.file.stem}-profile.yaml")


def check_writable(settings: RecordSettings) -> None:
    """Tells before the traffic, not after it, that nothing could be written. Raises `Unusable`."""
    if settings.file.is_dir() or not settings.file.parent.is_dir():
        raise Unusable(f"--record {settings.file}: expected a file in a folder that there is")


def write_recording(settings: RecordSettings, gathered: Gather, choices: dict[str, Value]) -> list[str]:
    """Writes the fixture and the profile; what was written and what could not be known, in sentences.

    Raises `Unusable`.
    """
    world, others = gathered.largest()
    if world is None:
        return [f"nothing is recorded in {settings.file}: the traffic showed no records that were there at its end"]
    writer = WorldWriter(world, Disguise(settings.seed, amounts=settings.amounts, dates=settings.dates), others)
    text = writer.text()
    # What can't be loaded would be of no use to anybody.
    parse_fixture(text, called=str(settings.file))
    profile = dump_profile(choices, description=f"Seen in the traffic with {world.base}")
    try:
        write_whole(settings.file, text)
        write_whole(settings.profile, profile)
    except OSError as error:
        raise Unusable(f"--record {settings.file}: {error.strerror}") from error
    count = f"{writer.invoices:,} invoices and {writer.charges:,} charges"
    served = f"mockserver serve --fixture {by_path(settings.file)} --profile {by_path(settings.profile)}"
    return [f"{count} are recorded: {served}", *writer.unknown()]
