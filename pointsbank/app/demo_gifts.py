"""Gifts in the demo: a batch that one admin asked for and another gave, and one that still waits."""

from datetime import timedelta

from pointsbank.app.demo_places import Community
from pointsbank.app.demo_scene import Scene
from pointsbank.approvals.rules import facts_hash
from pointsbank.kit import db
from pointsbank.ledger import actions_batches as batches
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.ledger import queries_flows as flows
from pointsbank.people.rules_roles import Role

SESSION = "SELECT id FROM people_session WHERE person_id = ? AND ended_at IS NULL ORDER BY id DESC LIMIT 1"
LAPSES_IN, LASTS = timedelta(days=25), timedelta(days=120)


async def give(scene: Scene, community: Community) -> None:
    """To the heads of the first households; the ones given lapse so soon that their holders are told of it."""
    admin, deputy = [await _at_work(one) for one in (community.staff_ids[Role.COMMUNITY_ADMIN], community.deputy_id)]
    heads = [one.person_id for one in community.residents if one.is_head]
    batch_id = await db.write(
        vouchers.ask_gifts,
        actor=admin,
        community_id=community.id,
        person_ids=heads[:6],
        expires_on=scene.today + LAPSES_IN,
        points=30,
        match_percent=50,
        note="重阳慰问",
    )
    seen = facts_hash([gift.facts for gift in await flows.batch_in(None, batch_id)])
    await db.write(batches.give_gifts, actor=deputy, batch_id=batch_id, seen=seen)
    await db.write(
        vouchers.ask_gifts,
        actor=deputy,
        community_id=community.id,
        person_ids=heads[6:10],
        expires_on=scene.today + LASTS,
        points=20,
        match_percent=100,
        note="楼组长辛苦了",
    )


async def _at_work(person_id: int) -> db.Actor:
    """Whoever agrees has to be signed in."""
    session = await db.row(SESSION, person_id)
    assert session is not None
    return db.Actor(person_id, session["id"])
