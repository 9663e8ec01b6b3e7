"""SQLite files that tests pass on, with the connections to them.

A new connection reads the whole schema first, and a short test opens six: that would take longer than the test. So
connections stay open from test to test, and the file below them is written anew with the bytes of its template.
"""

import os
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiosqlite
import pytest

from pointsbank.kit.db import sqlite as inline

PAGES, PAGE_BYTES = "PRAGMA page_count", 4096
Wanted = tuple[tuple[str, Any], ...]


class Connection(sqlite3.Connection):
    """Closing hands it back."""

    file: "File"
    wanted: Wanted

    def close(self) -> None:
        if self in self.file.out:
            self.file.take_back(self)


@dataclass
class File:
    """Kept in a folder of its own, with its log; where a test looks for it stands a link to it alone."""

    path: Path
    out: set[Connection] = field(default_factory=set)
    idle: dict[Wanted, list[Connection]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        # Not closed before its connections: a process that closes any descriptor of a file lets go of all its locks.
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT)

    def connect(self, wanted: Wanted) -> Connection:
        if self.idle[wanted]:
            one = self.idle[wanted].pop()
        else:
            one = sqlite3.connect(self.path, factory=Connection, **{**dict(wanted), "check_same_thread": False})
            one.file, one.wanted = self, wanted
        self.out.add(one)
        return one

    def take_back(self, one: Connection) -> None:
        one.rollback()
        one.row_factory = None
        self.out.discard(one)
        self.idle[one.wanted].append(one)

    def renew(self, whole: bytes) -> bool:
        """Write it as it was; not where somebody still has it open, or reads in it."""
        kept = [one for some in self.idle.values() for one in some]
        if self.out or (kept and kept[0].execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]):
            return False
        log = self.path.with_name(f"{self.path.name}-wal")
        if log.exists() and log.stat().st_size:  # a connection ended without a word: this would be read over our bytes
            return False
        if kept and kept[0].execute(PAGES).fetchone()[0] * PAGE_BYTES < len(whole):  # they would not read to the end
            return False
        os.pwrite(self.descriptor, whole, 0)  # they say how many pages count
        # Connections believe their memory of pages until they hear of a commit, which one makes that remembers none.
        with closing(sqlite3.connect(self.path, isolation_level=None)) as new:
            new.execute("PRAGMA user_version = 0")
        return True

    def forget(self) -> None:
        for one in [*self.out, *(one for some in self.idle.values() for one in some)]:
            sqlite3.Connection.close(one)
        os.close(self.descriptor)


@dataclass
class Files:
    folder: Path
    empty: bytes
    made: int = 0
    free: list[File] = field(default_factory=list)
    lent: dict[str, File] = field(default_factory=dict)

    @contextmanager
    def lending(self, path: Path, whole: bytes, *, is_new: bool = False) -> Iterator[None]:
        """A database of these bytes stands at this path. In one that was lent before, the end may lie further on."""
        one = self._new(whole) if is_new else self._renewed(whole)
        path.symlink_to(one.path)
        self.lent[str(path)] = one
        try:
            yield
        finally:
            del self.lent[str(path)]
            path.unlink(missing_ok=True)
            if is_new:
                one.forget()
            else:
                self.free.append(one)

    def _renewed(self, whole: bytes) -> File:
        while self.free:
            one = self.free.pop()
            if one.renew(whole):
                return one
            one.forget()
        return self._new(whole)

    def _new(self, whole: bytes) -> File:
        self.made += 1
        new = File(self.folder / f"{self.made}.db")
        assert new.renew(whole)
        return new

    def connect(self, path: str, **wanted: Any) -> sqlite3.Connection:
        """As `sqlite3` does; to a file that is lent the connection may be open already."""
        one = self.lent.get(path)
        return one.connect(tuple(wanted.items())) if one else sqlite3.connect(path, **wanted)

    @contextmanager
    def keeping_connections(self) -> Iterator[None]:
        """What the program opens to a file that is lent, it finds open the next time."""
        ours = SimpleNamespace(**{**vars(sqlite3), "connect": self.connect})
        with pytest.MonkeyPatch.context() as patch:
            for module in (inline, aiosqlite.core):
                patch.setattr(module, "sqlite3", ours)
            yield
        for one in self.free:
            one.forget()
