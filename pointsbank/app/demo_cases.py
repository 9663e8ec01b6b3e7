"""Deductions in the demo: somebody was told, somebody objects, and from somebody points were taken in the end.

And a veto: somebody redeems nothing for some months.
"""

from datetime import date, timedelta
from typing import TypedDict

from pointsbank.app.demo_places import OTHERS_CARD, STAIRS, Community
from pointsbank.app.demo_scene import Scene
from pointsbank.approvals.rules import facts_hash
from pointsbank.awards import actions_cases as cases
from pointsbank.awards import actions_deductions as deductions
from pointsbank.awards import queries_cases
from pointsbank.awards.rules_cases import How
from pointsbank.kit import crypto, db
from pointsbank.kit.db import Actor
from pointsbank.people import actions_staff as staff
from pointsbank.people.rules_roles import Role


class Found(TypedDict):
    item_code: str
    what: str
    evidence: str


LOGIN = "SELECT password_hash FROM people_login WHERE id = ?"
WELL_OFF = """
SELECT book.person_id FROM ledger_passbook book JOIN ledger_account account ON account.passbook_id = book.id
 WHERE book.community_id = ? AND book.person_id IS NOT NULL ORDER BY account.balance DESC, book.id LIMIT 3 OFFSET 4
"""
WITH_LITTLE = """
SELECT book.person_id FROM ledger_passbook book JOIN ledger_account account ON account.passbook_id = book.id
 WHERE book.community_id = ? AND book.person_id IS NOT NULL AND account.balance >= ? ORDER BY account.balance, book.id
"""
AFTERNOON = 16
ADVISED, WARNED, TAKEN = 13, 10, 7
"""Days ago; each letter leaves three days to object before the next finding."""
BLOCKED_STAIRS: Found = {"item_code": STAIRS.code, "what": "楼道里堆着纸箱，过不去轮椅", "evidence": "巡查记录和照片"}
FOREIGN_CARD: Found = {"item_code": OTHERS_CARD.code, "what": "拿邻居的卡换走两袋米", "evidence": "当天的日结单"}
WORDS = "那天是邻居搬家，箱子当晚就拿走了，不是我家的。"


async def find(scene: Scene, community: Community) -> None:
    """The weeks before the last days: advice, a warning and a deduction for one; advice alone for two others.

    The veto is for one who could have redeemed, though not for who is shown at the counter first.
    """
    taken, told, objecting = [found["person_id"] for found in await db.rows(WELL_OFF, community.id)]
    for days_ago in (ADVISED, WARNED, TAKEN):
        await _letter(scene, community, taken, scene.today - timedelta(days=days_ago))
    cheapest = min(good.points for good in community.goods.values())
    spared = {taken, told, objecting, community.residents[0].person_id}
    poor = [found["person_id"] for found in await db.rows(WITH_LITTLE, community.id, cheapest)]
    barred = next(person_id for person_id in poor if person_id not in spared)
    await _letter(scene, community, barred, scene.today - timedelta(days=TAKEN), FOREIGN_CARD)
    await _letter(scene, community, told, scene.today - timedelta(days=2))
    case_id = await _letter(scene, community, objecting, scene.today - timedelta(days=3))
    await db.write(deductions.object_to, actor=Actor(objecting), case_id=case_id, said=WORDS)


async def _letter(scene: Scene, community: Community, person_id: int, day: date, found: Found = BLOCKED_STAIRS) -> int:
    """Written down by one, confirmed by another, and brought the same afternoon."""
    scene.at(day, AFTERNOON, pace_seconds=60)
    worker = community.actor(Role.GRID_WORKER)
    case_id = await db.write(
        cases.make,
        actor=worker,
        person_id=person_id,
        found_on=day,
        **found,
    )
    seen = facts_hash(await queries_cases.facts_of(None, await queries_cases.case_in(None, case_id)))
    await db.write(cases.agree, actor=await _signed_in(community.deputy_id), case_id=case_id, seen=seen)
    await db.write(cases.tell, actor=worker, case_id=case_id, told_on=day, how=How.IN_PERSON)
    return case_id


async def _signed_in(person_id: int) -> Actor:
    """Whoever confirms has to be at work."""
    login = await db.row(LOGIN, person_id)
    assert login is not None
    digest = crypto.token_digest(crypto.new_token())
    made = await db.write(staff.sign_in, person_id=person_id, password_hash=login["password_hash"], token_digest=digest)
    return Actor(person_id, made.session_id)
