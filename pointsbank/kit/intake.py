"""Files that strangers send: read in a child process with limits, so that the worst of them ends the child alone.

What a file is, its content says; its name is never asked. The refusals stand in `rules_intake`.
"""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal
from weakref import WeakKeyDictionary

import msgspec

from pointsbank.kit.errors import Busy, Refusal
from pointsbank.kit.rules_intake import (
    BYTES_MAX,
    COLUMNS_MAX,
    PDF_ACTIVE,
    PDF_END,
    PDF_END_WITHIN,
    PDF_HEAD,
    ROWS_MAX,
    ActiveDocument,
    FileDamaged,
    FileEmpty,
    FileRefused,
    FileTooLarge,
    FileTooMuch,
    NoDocument,
    NoPhoto,
)

# Days arrive as ISO text, times as 14:30:00. Whole numbers are int as far as a float is exact (2**53); a float beyond
# has lost digits, which is how a number of an ID card betrays what Excel did to it.
Cell = str | int | float | bool | None

CHILDREN_MAX = 2
WAITING_MAX = 8
SECONDS_MAX = 60
PHOTO_SIDE_MAX = 1280
COMMAND = (sys.executable, "-I", "-m", "pointsbank.kit.intake_child")
ENVIRONMENT = {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP") if name in os.environ}
# A child that ran out of time (SIGXCPU), or whose allocator gave up (SIGABRT) or was stopped by the system (SIGKILL).
EXHAUSTED = {-24, -6, -9}

log = logging.getLogger(__name__)


class Sheet(msgspec.Struct, frozen=True):
    """The first sheet that has something in it. `rows[0]` is the first row of the file, whether empty or not.

    `merged` and `formulas` are row and column, from 1, of merged areas (of books) and formulas (of xlsx): what is read
    of them is a value in the first cell, and a value of the last time that somebody's program reckoned.
    """

    rows: list[list[Cell]]
    kind: Literal["xlsx", "xls", "csv"]
    encoding: str | None
    name: str
    merged: list[tuple[int, int]]
    formulas: list[tuple[int, int]]


class Photo(msgspec.Struct, frozen=True):
    """A JPEG of our own making: upright, and nothing of the file in it but its picture."""

    content: bytes
    width: int
    height: int


class Document(msgspec.Struct, frozen=True):
    """A paper as it was photographed (a JPEG of our own making) or a PDF as it came, to be handed out and not shown."""

    content: bytes
    kind: Literal["jpeg", "pdf"]


class _Head(msgspec.Struct):
    refused: str | None = None
    facts: dict[str, str | int] = {}
    kind: Literal["xlsx", "xls", "csv"] = "csv"
    encoding: str | None = None
    name: str = ""
    merged: list[tuple[int, int]] = []
    formulas: list[tuple[int, int]] = []
    width: int = 0
    height: int = 0


class _Places:
    """Who is being read and who waits; a loop has its own."""

    def __init__(self) -> None:
        self.free = asyncio.Semaphore(CHILDREN_MAX)
        self.waiting = 0


_places: "WeakKeyDictionary[asyncio.AbstractEventLoop, _Places]" = WeakKeyDictionary()


async def read_sheet(content: bytes, *, rows_max: int = ROWS_MAX, columns_max: int = COLUMNS_MAX) -> Sheet:
    """Read a table from xlsx, xls or separated text. Raises a FileRefused, or Busy when too many files wait."""
    answer = await _ask(["sheet", str(rows_max), str(columns_max)], content)
    first, _newline, rest = answer.partition(b"\n")
    head = _head(first)
    rows: list[list[Cell]] = []
    for some in rest.splitlines():
        rows += msgspec.json.decode(some, type=list[list[Cell]])
        await asyncio.sleep(0)  # others have their turn between slices of a large table
    return Sheet(rows, head.kind, head.encoding, head.name, head.merged, head.formulas)


async def read_photo(content: bytes, *, side_max: int = PHOTO_SIDE_MAX, bytes_max: int = BYTES_MAX) -> Photo:
    """Read a JPEG, PNG or WebP. The longest side of the result is `side_max`; quality gives way to `bytes_max`."""
    first, _newline, made = (await _ask(["photo", str(side_max), str(bytes_max)], content)).partition(b"\n")
    head = _head(first)
    return Photo(made, head.width, head.height)


async def read_document(content: bytes, *, side_max: int = PHOTO_SIDE_MAX, bytes_max: int = BYTES_MAX) -> Document:
    """Read a photo of a paper, or a PDF. Of a PDF only its frame is looked at: nothing here draws one."""
    if not content.startswith(PDF_HEAD):
        try:
            return Document((await read_photo(content, side_max=side_max, bytes_max=bytes_max)).content, "jpeg")
        except NoPhoto:
            raise NoDocument from None
    if len(content) > BYTES_MAX:
        raise FileTooLarge(megabytes=BYTES_MAX >> 20)
    if PDF_END not in content[-PDF_END_WITHIN:]:
        raise FileDamaged
    if any(name in content for name in PDF_ACTIVE):
        raise ActiveDocument
    return Document(content, "pdf")


def _head(line: bytes) -> _Head:
    head = msgspec.json.decode(line, type=_Head)
    if head.refused is not None:
        raise _refusal(head.refused)(**head.facts)
    return head


def _refusal(code: str) -> type[Refusal]:
    known = Refusal.known[code]
    assert issubclass(known, FileRefused)
    return known


async def _ask(what: list[str], content: bytes) -> bytes:
    if not content:
        raise FileEmpty
    if len(content) > BYTES_MAX:
        raise FileTooLarge(megabytes=BYTES_MAX >> 20)
    async with _place():
        pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        child = await asyncio.create_subprocess_exec(
            *COMMAND, *what, stdin=pipe, stdout=pipe, stderr=nowhere, env=ENVIRONMENT
        )
        try:
            async with asyncio.timeout(SECONDS_MAX):
                answer, _none = await child.communicate(content)
        except TimeoutError:
            raise FileTooMuch from None
        finally:
            await _end(child)
    if child.returncode:
        log.warning("the reader of a file ended with %s", child.returncode)
        raise FileTooMuch if child.returncode in EXHAUSTED else FileDamaged
    if not answer:  # it could not even say so
        raise FileDamaged
    return answer


async def _end(child: asyncio.subprocess.Process) -> None:
    """Nobody waits for the answer any more: the child is stopped, and its pipes are emptied so that they close."""
    if child.returncode is None:
        child.kill()
        await child.communicate()


@asynccontextmanager
async def _place() -> AsyncIterator[Any]:
    places = _places.setdefault(asyncio.get_running_loop(), _Places())
    if places.waiting >= WAITING_MAX:
        raise Busy
    places.waiting += 1
    try:
        await places.free.acquire()
    finally:
        places.waiting -= 1
    try:
        yield
    finally:
        places.free.release()
