"""Recordings read as streams: which kind it is, its entries one by one, and what could not be read of it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import ijson
from ijson.backends import python

from mockserver.core.errors import Unusable
from mockserver.verify.reports.phrases import count
from mockserver.watch.loading.addresses import Addresses
from mockserver.watch.loading.clocks import RecordedClock
from mockserver.watch.loading.har import NoEntry, har_entry
from mockserver.watch.loading.journal import journal_entry
from mockserver.watch.passing import Passing

_HEAD = 65_536
"""Bytes in which the kind of a recording shows."""
_CHUNK = 262_144
QUEUEING = 5.0
"""Seconds before a request is sent that Playwright leaves out: in the browser's queue, or for a question of CORS."""
_MARK = b"\xef\xbb\xbf"
"""What some programs of Windows put before a text of UTF-8."""
_UNREADABLE = (ijson.JSONError, UnicodeDecodeError)
_KINDS: dict[str, tuple[str, Callable[..., Passing | str]]] = {
    "log": ("log.entries.item", har_entry),
    "data": ("data.item", journal_entry),
}
"""By the first name that tells: where the entries are, and what reads one."""


@dataclass(slots=True)
class Recording:
    """One file, while it is read."""

    name: str
    stream: io.BufferedReader
    addresses: Addresses
    entries: int = 0
    broken: int = 0
    """Entries that are none."""
    end: str = ""
    """Why it could not be read to its end."""
    distrusted: int = 0
    """Entries whose time is missing, or can't be."""

    def read(self) -> Iterator[Passing | str]:
        """Its exchanges; for one that can't be judged a key of `NOT_JUDGED`. Raises `Unusable` for no recording."""
        if self.stream.peek(len(_MARK))[: len(_MARK)] == _MARK:
            self.stream.read(len(_MARK))
        head = self.stream.peek(_HEAD)
        where, reader = self._kind(head)
        clock = RecordedClock(unseen=QUEUEING if _creator(head) == "Playwright" else 0.0)
        try:
            for entry in self._items(where):
                self.entries += 1
                try:
                    found = reader(entry, self.entries, self.addresses, clock)
                except NoEntry:
                    self.broken += 1
                    continue
                if isinstance(found, Passing):
                    found.place = f"entry {self.entries} of {self.name}"
                self.distrusted = clock.distrusted
                yield found
        except _UNREADABLE as error:
            self.end = f"{self.name} can't be read beyond entry {self.entries}: {_words(error)}"

    def _items(self, where: str) -> Iterator[object]:
        """The entries. What is beyond the quick parser is left to the patient one, where that can begin anew."""
        begin = self.stream.tell() if self.stream.seekable() else None
        count = 0
        try:
            for entry in ijson.items(self.stream, where, use_float=True, buf_size=_CHUNK):
                count += 1
                yield entry
        except _UNREADABLE as error:
            if begin is None or not (isinstance(error, UnicodeDecodeError) or "overflow" in str(error)):
                raise
            self.stream.seek(begin)
            for entry in islice(python.items(self.stream, where, use_float=True, buf_size=_CHUNK), count, None):
                # Half a pair of surrogates, which JSON can hold, is no text.
                yield json.loads(json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace"))

    def _kind(self, head: bytes) -> tuple[str, Callable[..., Passing | str]]:
        for name in _first_names(head):
            if name in _KINDS:
                return _KINDS[name]
        raise Unusable(
            f'{self.name} is no recording: expected a HAR file ({{"log": …}}), or a fake\'s journal ({{"data": …}}) '
            "as GET /_mock/journal gives it"
        )

    def notes(self) -> Iterator[str]:
        """What could not be read, a sentence each."""
        if self.end:
            yield self.end
        if self.broken:
            yield f"{self.name}: {count(self.broken, 'entry has', 'entries have')} no request, answer, method or URL"
        if self.distrusted:
            entries = count(self.distrusted, "entry has", "entries have")
            yield f"{self.name}: {entries} no time, or one that can't be; no order is concluded"


def _first_names(head: bytes) -> Iterator[str]:
    try:
        for prefix, event, value in ijson.parse(io.BytesIO(head)):
            if prefix == "" and event == "map_key":
                yield value
    except _UNREADABLE:
        return


def _creator(head: bytes) -> str:
    """The program that made a HAR file, empty where it does not say so at once."""
    try:
        events = ijson.parse(io.BytesIO(head))
        return next((str(value) for prefix, _, value in events if prefix == "log.creator.name"), "")
    except _UNREADABLE:
        return ""


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
