"""Findings in each of their states, and awards before a panel, for the changes that are tried."""

from datetime import timedelta

from pointsbank.approvals.rules import facts_hash
from pointsbank.awards import actions as awards
from pointsbank.awards import actions_cases, actions_deductions, queries_cases
from pointsbank.awards.rules_cases import How, remedy_facts
from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Actor, Tx
from pointsbank.people import actions_staff
from pointsbank.people.access import Role
from tests.world import BLOCKED_STAIRS, JUDGED, Community, World

FOUND = {"item_code": BLOCKED_STAIRS.code, "what": "测试门口堆了纸箱", "evidence": "测试巡查记录"}
REMEDIED = "测试已经搬走"


async def made(world: World, actor: Actor, person_id: int) -> int:
    found_on = local_day(world.clock.now())
    return await db.write(actions_cases.make, actor=actor, person_id=person_id, found_on=found_on, **FOUND)


async def judged_by(world: World, member_id: int) -> int:
    """An award that waits for this person's vote."""
    named = {"person_id": member_id, "role": Role.PANEL_MEMBER.value, "place_id": world.home.id}
    await db.write(actions_staff.grant, **named)
    made = await db.write(
        awards.record_act, community_id=world.home.id, person_id=await world.person("测试推荐"),
        source=("tests", "judged", member_id), item_code=JUDGED.code, what=f"测试好邻居{world.word}",
        evidence=f"测试邻居推荐{world.word}", began_at=world.clock.now() - timedelta(hours=3), minutes=0,
        planned_minutes=0,
    )  # fmt: skip
    return made.award_id


async def seen(case_id: int) -> str:
    return facts_hash(await queries_cases.facts_of(None, await queries_cases.case_in(None, case_id)))


async def told(world: World, place: Community, person_id: int, *, takes: bool = False) -> int:
    """By others than those who ask; with `takes` as if advice and a warning had come before."""
    (worker, _), (admin, _) = [await world.staff(role, place) for role in (Role.GRID_WORKER, Role.COMMUNITY_ADMIN)]
    case_id = await made(world, worker, person_id)
    await db.write(actions_cases.agree, actor=admin, case_id=case_id, seen=await seen(case_id))
    day = local_day(world.clock.now())
    await db.write(actions_cases.tell, actor=worker, case_id=case_id, told_on=day, how=How.IN_PERSON)
    if takes:
        await db.write(warned_before, case_id=case_id)
    return case_id


async def warned_before(tx: Tx, *, case_id: int) -> None:
    await tx.run("UPDATE awards_case SET step = 'deduction', points = 2 WHERE id = ?", case_id)


async def cases(world: World, own: dict[str, object], admin: Actor, resident_id: int) -> None:
    place = world.home
    worker, _ = await world.staff(Role.GRID_WORKER, place)
    own["case_seen"] = await seen(own["case_id"])
    own["own_case_id"] = await made(world, admin, await world.person("测试撤回"))
    own["agreed_case_id"] = await made(world, worker, await world.person("测试送达"))
    agreed = {"case_id": own["agreed_case_id"], "seen": await seen(own["agreed_case_id"])}
    await db.write(actions_cases.agree, actor=admin, **agreed)
    own["agreed_day"] = local_day(world.clock.now()).isoformat()
    own["told_case_id"] = await told(world, place, resident_id)
    own["disputed_case_id"] = await told(world, place, await world.person("测试异议"))
    await db.write(actions_deductions.note_objection, actor=worker, case_id=own["disputed_case_id"], said="测试不是")
    own["due_case_id"] = await told(world, place, await world.person("测试补救"), takes=True)
    own["remedied_case_id"] = await told(world, place, await world.person("测试已补救"), takes=True)
    await db.write(actions_deductions.remedy, actor=worker, case_id=own["remedied_case_id"], said=REMEDIED)
    own["remedy_seen"] = facts_hash(remedy_facts(own["remedied_case_id"], REMEDIED))
