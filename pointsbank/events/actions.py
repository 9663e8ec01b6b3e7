"""Plan activities: draft, publish, cancel."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pointsbank.events.models import Activity
from pointsbank.events.rules import (
    CONTACT_LENGTH_MAX,
    SEATS_MAX,
    TITLE_LENGTH_MAX,
    VENUE_LENGTH_MAX,
    BadActivity,
    NotADraft,
    NotAnEventItem,
    PeopleAreIn,
    check_plan,
)
from pointsbank.kit import codes
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Row, Tx
from pointsbank.kit.errors import NotFound
from pointsbank.kit.text import BadText, clean
from pointsbank.scoring import queries as scoring
from pointsbank.scoring.rules import is_for_activities
from pointsbank.trail import actions as trail

# Taking the activity's row first makes whoever checks in at the same moment wait for us, or us for them.
TAKE_TO_CANCEL = """
UPDATE events_activity SET state = 'cancelled'
 WHERE id = ? AND state IN ('draft', 'published')
RETURNING community_id, arrived
"""
PUBLISH = """
UPDATE events_activity SET state = 'published' WHERE id = ? AND state = 'draft' AND ends_at > ?
RETURNING community_id
"""


async def create(
    tx: Tx,
    *,
    community_id: int,
    title: str,
    venue: str,
    item_code: str,
    contact: str,
    starts_at: datetime,
    ends_at: datetime,
    seats: int | None,
) -> int:
    """Draft an activity whose organiser is the actor; returns its id. Only staff see it until it is published."""
    assert tx.actor.person_id is not None
    facts = await _checked(
        tx,
        community_id=community_id,
        title=title,
        venue=venue,
        item_code=item_code,
        contact=contact,
        starts_at=starts_at,
        ends_at=ends_at,
        seats=seats,
    )
    made = await Activity.create(
        using_db=tx.db,
        community_id=community_id,
        arrived=0,
        organiser_id=tx.actor.person_id,
        state="draft",
        poster_token=codes.new_poster_token(),
        made_at=tx.now,
        **facts,
    )
    await trail.record(tx, "activity.drafted", subject=("activity", made.id), item=item_code, seats=seats)
    return int(made.id)


async def change(
    tx: Tx,
    *,
    activity_id: int,
    community_ids: Sequence[int],
    title: str,
    venue: str,
    item_code: str,
    contact: str,
    starts_at: datetime,
    ends_at: datetime,
    seats: int | None,
) -> None:
    """Change a draft; what residents have read already is cancelled and copied instead."""
    found = await Activity.filter(id=activity_id).using_db(tx.db).first()
    if found is None or found.community_id not in community_ids:
        raise NotFound
    facts = await _checked(
        tx,
        community_id=found.community_id,
        title=title,
        venue=venue,
        item_code=item_code,
        contact=contact,
        starts_at=starts_at,
        ends_at=ends_at,
        seats=seats,
    )
    if await Activity.filter(id=activity_id, state="draft").using_db(tx.db).update(**facts) != 1:
        raise NotADraft
    await trail.record(tx, "activity.changed", subject=("activity", activity_id), item=item_code, seats=seats)


async def publish(tx: Tx, *, activity_id: int, community_ids: Sequence[int]) -> None:
    """Show an activity to residents and let its codes work."""
    _check_community(await tx.row(PUBLISH, activity_id, tx.now), community_ids)
    await trail.record(tx, "activity.published", subject=("activity", activity_id))


async def cancel(tx: Tx, *, activity_id: int, community_ids: Sequence[int]) -> None:
    """Call an activity off, as long as nobody has come."""
    taken = _check_community(await tx.row(TAKE_TO_CANCEL, activity_id), community_ids)
    if taken["arrived"]:
        raise PeopleAreIn(count=taken["arrived"])
    await trail.record(tx, "activity.cancelled", subject=("activity", activity_id))


def _check_community(taken: Row | None, community_ids: Sequence[int]) -> Row:
    """A row that another state kept back is told of only to those who may see the activity: their page read it."""
    if taken is None:
        raise NotADraft
    if taken["community_id"] not in community_ids:
        raise NotFound
    return taken


async def _checked(tx: Tx, *, community_id: int, **facts: Any) -> dict[str, Any]:
    """The columns, once their texts are clean, the hours make sense, and the item is one for activities."""
    check_plan(facts["starts_at"], facts["ends_at"], tx.now)
    lengths = {"title": TITLE_LENGTH_MAX, "venue": VENUE_LENGTH_MAX, "contact": CONTACT_LENGTH_MAX}
    for name, most in lengths.items():
        try:
            facts[name] = clean(facts[name])
        except BadText:
            raise BadActivity from None
        if not 0 < len(facts[name]) <= most:
            raise BadActivity
    if facts["seats"] is not None and not 0 < facts["seats"] <= SEATS_MAX:
        raise BadActivity
    version = await scoring.version_on(tx, community_id=community_id, day=local_day(facts["starts_at"]))
    item = version.items.get(facts["item_code"])
    if item is None or not is_for_activities(item):
        raise NotAnEventItem(item_code=facts["item_code"])
    return facts
