"""Two files for each community's trial run: the order, which is there as long as somebody wants it, and the answer.

Files, because a page may be asked of another server process than the one that started the run. They name people by
their row numbers alone.
"""

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from pointsbank.kit.settings import Settings
from pointsbank.reports.rules_trial import Outcome
from pointsbank.scoring.rules import Table

FOLDER = "trials"
T = TypeVar("T")


class Order(msgspec.Struct, frozen=True):
    """What is tried. `rules` tells whether the draft is still as it was, `key` is the request's."""

    key: str
    community_id: int
    version_id: int
    months: int
    today: date
    rules: str
    made_at: datetime


class Asked(msgspec.Struct, frozen=True):
    """What the process is told: the order, the rules to try, and where the installation is.

    The draft may be written on between the order and the process, which must not read other rules than were ordered.
    """

    order: Order
    table: Table
    data: str
    database_url: str | None

    @property
    def settings(self) -> Settings:
        return Settings(data=Path(self.data), database_url=self.database_url)


class Answer(msgspec.Struct, frozen=True):
    """`outcome` is None until all acts are done; `is_broken` once that will never be."""

    key: str
    done: int = 0
    total: int = 0
    outcome: Outcome | None = None
    is_broken: bool = False


def order_file(settings: Settings, community_id: int) -> Path:
    return settings.data / FOLDER / f"{community_id}.order.json"


def answer_file(settings: Settings, community_id: int) -> Path:
    return settings.data / FOLDER / f"{community_id}.answer.json"


def read(path: Path, kind: type[T]) -> T | None:
    """None where there is nothing, or what an earlier version of the program left behind."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def put(path: Path, content: Order | Answer) -> None:
    """Replaced as a whole, so that nobody reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_bytes(msgspec.json.encode(content))
    draft.replace(path)


def said_at(path: Path) -> datetime | None:
    """When it was last written."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None
