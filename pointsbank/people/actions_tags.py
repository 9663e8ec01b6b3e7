"""The tags of a community: a short list of its own, from which rosters may take."""

from pointsbank.kit.db import Tx
from pointsbank.kit.errors import NotFound
from pointsbank.people.rules_import import TAGS_MAX, TagTaken, TooManyTags, check_tag
from pointsbank.trail import actions as trail

HOLD_COMMUNITY = "UPDATE people_community SET roster_version = roster_version WHERE id = ?"
TAGS = "SELECT COUNT(*) AS tags FROM people_tag WHERE community_id = ? AND ended_at IS NULL"
MAKE_TAG = """
INSERT INTO people_tag (community_id, name) VALUES (?, ?)
ON CONFLICT (community_id, name) DO UPDATE SET ended_at = NULL WHERE people_tag.ended_at IS NOT NULL RETURNING id
"""
END_TAG = "UPDATE people_tag SET ended_at = ? WHERE id = ? AND ended_at IS NULL"
UNTAG = "DELETE FROM people_person_tag WHERE tag_id = ?"


async def make_tag(tx: Tx, *, community_id: int, name: str) -> int:
    check_tag(name)
    await tx.run(HOLD_COMMUNITY, community_id)
    found = await tx.row(TAGS, community_id)
    assert found is not None
    if found["tags"] >= TAGS_MAX:
        raise TooManyTags(most=TAGS_MAX)
    made = await tx.row(MAKE_TAG, community_id, name)
    if made is None:
        raise TagTaken
    await trail.record(tx, "tag.made", subject=("tag", made["id"]), community_id=community_id)
    return int(made["id"])


async def end_tag(tx: Tx, *, tag_id: int) -> None:
    """Take a tag from everybody; it can be made again, empty."""
    if await tx.run(END_TAG, tx.now, tag_id) == 0:
        raise NotFound
    people = await tx.run(UNTAG, tag_id)
    await trail.record(tx, "tag.ended", subject=("tag", tag_id), people=people)
