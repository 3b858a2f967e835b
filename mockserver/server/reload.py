"""Hot reload: watches the spec, the profile and the fixture, and puts what they say now in force if it can be used."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from watchfiles import watch

from mockserver.core import resources
from mockserver.core.errors import Unusable
from mockserver.server.service import Current, read_profile, read_spec, spec_path
from mockserver.state.fixtures.load import find_fixture, load_fixture

_LOOK_ANYWAY = 1000
"""Milliseconds after which the files are looked at though nothing told of a change, as on some network drives."""
_QUIET = 50
"""Milliseconds without a change after which a save counts as finished."""


@dataclass(slots=True)
class _Watched:
    """One file: `seen` is what the disk said of it, `digest` what it held, when it was last read."""

    path: Path
    read: Callable[[], str]
    seen: tuple[int, int, int] | None
    digest: bytes | None
    mistakes: tuple[str, ...] = ()


class Reloader:
    """Keeps `current` at what the files on disk say; a file that can't be used changes nothing but the mistakes.

    A new spec or profile holds from the next request on, and no world changes. A new fixture is what worlds start
    from that are made or reset from then on; those that there are keep their records.
    """

    def __init__(self, current: Current, tell: Callable[[str], None]) -> None:
        settings = current.service.settings
        profile = resources.find(resources.profiles_dir(), settings.profile, kind="profile")
        fixture, _ = find_fixture(settings.fixture)
        self._current = current
        self._tell = tell
        self._files = [
            _Watched(path, read, _seen(path), _digest(path))
            for path, read in (
                (spec_path(settings), self._read_spec),
                (profile, self._read_profile),
                (fixture, self._read_fixture),
            )
        ]

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop` is set."""
        folders = {file.path.resolve().parent for file in self._files} | {file.path.parent for file in self._files}
        # Editors replace a file rather than write it, so it is its folder that must be watched.
        for _ in watch(
            *folders,
            watch_filter=None,
            debounce=4 * _QUIET,
            step=_QUIET,
            stop_event=stop,
            rust_timeout=_LOOK_ANYWAY,
            yield_on_timeout=True,
            recursive=False,
        ):
            self.look()

    def look(self) -> None:
        """Read those files again that hold something else than when they were last read."""
        for file in self._files:
            seen = _seen(file.path)
            if seen == file.seen:
                continue
            digest = _digest(file.path)
            changed, file.seen, file.digest = digest != file.digest, seen, digest
            if changed:
                self._reload(file)

    def _reload(self, file: _Watched) -> None:
        try:
            done = file.read()
        except Unusable as unusable:
            file.mistakes = tuple(unusable.problems)
            for problem in unusable.problems:
                self._tell(f"reload: {problem}")
            self._tell(f"reload: {file.path} can't be used; the last good one stays in force")
        else:
            file.mistakes = ()
            self._tell(f"reload: {file.path} {done}")
        mistakes = tuple(mistake for one in self._files for mistake in one.mistakes)
        self._current.service = replace(self._current.service, mistakes=mistakes)

    def _read_spec(self) -> str:
        contract, text = read_spec(spec_path(self._current.service.settings), validate=True)
        contract.warm()
        self._current.service = replace(self._current.service, contract=contract, spec_text=text)
        return "is in force"

    def _read_profile(self) -> str:
        profile, name = read_profile(self._current.service.settings)
        self._current.service = replace(self._current.service, profile=profile, profile_name=name)
        return "is in force"

    def _read_fixture(self) -> str:
        settings = self._current.service.settings
        self._current.service.worlds.replace_blueprint(load_fixture(settings.fixture, seed=settings.seed))
        return "is what worlds start from that are made or reset from now on; the others keep their records"


def _seen(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _digest(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return None
