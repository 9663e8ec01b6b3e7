"""One writing process at a time on SQLite.

SQLite versions before 3.51.3 can, rarely, corrupt a WAL database that two connections write and checkpoint at once.
The process that writes holds an OS lock on a file of the data folder; the file says where a server listens, so that a
writing command that finds the lock taken can send itself there.
"""

import contextlib
import json
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOCK_NAME = "writer.lock"
ADDRESS_NAME = "writer.json"
SECRET_NAME = "local.secret"  # noqa: S105  a file name


class LockTaken(Exception):
    """Another process writes to this database; `address` is the server's, if it is one."""

    def __init__(self, address: str | None) -> None:
        super().__init__("另一个程序正在使用这个数据库。请先关掉它，或在它的页面上操作。")
        self.address = address


def _lock(file: IO[Any]) -> None:
    if sys.platform == "win32":
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextlib.contextmanager
def held(data: Path, address: str | None = None) -> Iterator[None]:
    """Hold the lock while the block runs; raises LockTaken. `address` is where a server will listen."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / LOCK_NAME).open("a+") as file:
        try:
            _lock(file)
        except OSError:
            raise LockTaken(address_of(data)) from None
        try:
            (data / ADDRESS_NAME).write_text(json.dumps({"address": address, "pid": os.getpid()}), "utf-8")
            yield
        finally:
            (data / ADDRESS_NAME).unlink(missing_ok=True)


def address_of(data: Path) -> str | None:
    """Where the server of this data folder listens, as it said itself; one that was killed leaves its word behind."""
    with contextlib.suppress(OSError, ValueError):
        found: dict[str, Any] = json.loads((data / ADDRESS_NAME).read_text("utf-8"))
        return found.get("address")
    return None


def local_secret(data: Path) -> str:
    """What a command shows the server to prove that it may read the data folder; made on first use, mode 0600."""
    path = data / SECRET_NAME
    if not path.exists() or path.stat().st_size == 0:
        draft = path.with_name(f".{SECRET_NAME}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32))
        draft.replace(path)  # appears whole or not at all
    return path.read_text("ascii")
