"""When sessions were last used, as this process saw it. A job writes it down, so that no request writes for it.

Each process writes down its own: what it saw stands nowhere else.
"""

from datetime import datetime, timedelta

from pointsbank.kit import db
from pointsbank.people.rules_staff import USES_WRITTEN_EVERY

AT_ONCE = 200
REMEMBERED = timedelta(days=1)  # longer than any session may lie idle that ends by lying idle

last: dict[int, datetime] = {}
"""By session. The look-up of a session writes it with one assignment: see `access`."""

_written: dict[int, datetime] = {}


class _Times:
    database: db.Database | None = None
    due_at: datetime | None = None


def forget_others() -> None:
    """Drop what was seen at another database; called whenever the open one may have changed."""
    if _Times.database is not db.current():
        _Times.database, _Times.due_at = db.current(), None
        last.clear()
        _written.clear()


def is_due(now: datetime) -> bool:
    """Whether it is time to write down; if so, the next time is set."""
    forget_others()
    if _Times.due_at is not None and now < _Times.due_at:
        return False
    _Times.due_at = now + USES_WRITTEN_EVERY
    return True


def unwritten() -> list[tuple[int, datetime]]:
    """At most so many sessions as one transaction should hold, in the order in which rows are taken."""
    forget_others()
    changed = [(number, when) for number, when in last.items() if _written.get(number) != when]
    return sorted(changed)[:AT_ONCE]


def mark_written(some: list[tuple[int, datetime]], now: datetime) -> None:
    """After the commit; what was used meanwhile stays unwritten, what is long past is forgotten."""
    _written.update(some)
    for number, when in list(_written.items()):
        if when < now - REMEMBERED and last.get(number) == when:
            del _written[number], last[number]


def last_of(session_id: int, written: datetime | None) -> datetime | None:
    """The later of what is written down and what this process saw."""
    seen = last.get(session_id)
    return written if seen is None or (written is not None and written > seen) else seen
