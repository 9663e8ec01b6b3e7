"""One of everything in a community, by the names of the route parameters: what doors may be opened with."""

from datetime import timedelta

import msgspec

from pointsbank.awards import actions_questions as questions
from pointsbank.awards.rules_questions import Doubt
from pointsbank.events import actions as events
from pointsbank.governance import actions as governance
from pointsbank.governance import actions_books as books
from pointsbank.governance import actions_merging
from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Actor
from pointsbank.ledger import actions_kinds as kinds
from pointsbank.ledger import actions_opening as openings
from pointsbank.ledger import actions_proposals as proposals
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.ledger.rules import NEVER
from pointsbank.ledger.rules_opening import NewLine
from pointsbank.notices import queries as notices
from pointsbank.people import actions as people_actions
from pointsbank.people import actions_own, actions_tags
from pointsbank.people import queries as people
from pointsbank.people.access import Role
from pointsbank.redemption import actions as redemption
from pointsbank.redemption.rules import Line
from pointsbank.scoring import actions as scoring
from pointsbank.scoring import actions_life, actions_templates
from pointsbank.scoring import queries as tables
from pointsbank.stock import actions as stock
from pointsbank.stock import actions_count as counting
from tests.scoring import lives
from tests.stand_cases import made
from tests.world import COINS, Community, World

FOREIGN_NAME = "邻区测试人"
FIXED: dict[str, object] = {
    "entry_id": 1, "position": 1, "meeting_id": 1, "code": "A01", "token": "0000000000000", "name": "r80-100.css",
}  # fmt: skip


async def furnish(world: World, place: Community) -> dict[str, object]:
    admin, _ = await world.staff(Role.COMMUNITY_ADMIN, place)
    clerk, _ = await world.staff(Role.COUNTER_STAFF, place)
    person_id = await world.person(FOREIGN_NAME, points=100, community=place)
    return {
        **FIXED,
        "person_id": person_id,
        **await _of_people(world, place, admin, person_id),
        **await _of_service(world, place, admin),
        **await _of_scoring(world, place, admin),
        **await _of_goods(world, place, clerk, person_id),
        **await _of_books(world, place, admin, person_id),
    }


async def _of_people(world: World, place: Community, admin: Actor, person_id: int) -> dict[str, object]:
    device_id, _ = await world.phone(await world.person(FOREIGN_NAME, community=place))
    clerk = await db.row("SELECT MAX(id) AS id FROM people_role_grant WHERE place_id = ?", place.id)
    session = await db.row("SELECT id FROM people_session WHERE grant_id = ?", clerk["id"])
    asked = {"person_id": person_id, "field": "name", "value": FOREIGN_NAME}
    return {
        "household_id": (await people.holder_of(None, person_id)).household_id,
        "place_id": place.building_id,
        "grant_id": clerk["id"],
        "session_id": session["id"],
        "device_id": device_id,
        "run_id": await world.card_run(person_id, place),
        "request_id": await db.write(actions_own.ask_correction, **asked),
        "merge_id": await world.merged(place),
        "merge_request_id": await db.write(
            actions_merging.ask,
            actor=admin,
            person_id=await world.person(FOREIGN_NAME, community=place, points=5),
            same_as=await world.person(FOREIGN_NAME, community=place),
        ),
        "tag_id": await db.write(actions_tags.make_tag, actor=admin, community_id=place.id, name="测试标签"),
        "import_id": await world.roster_file(admin, place, FOREIGN_NAME),
    }


async def _of_service(world: World, place: Community, admin: Actor) -> dict[str, object]:
    now = world.clock.now()
    activity_id = await db.write(
        events.create, actor=admin, community_id=place.id, title=f"测试活动{world.word}", venue=f"测试广场{world.word}",
        item_code="A01", contact=f"测试领队{world.word} 10000000003",
        starts_at=now - timedelta(hours=2), ends_at=now + timedelta(minutes=5), seats=None,
    )  # fmt: skip
    await db.write(events.publish, actor=admin, activity_id=activity_id, community_ids=(place.id,))
    notice_id, line_id, award_id = await world.noticed(place)
    return {
        "activity_id": activity_id,
        "notice_id": notice_id,
        "award_id": award_id,
        "case_id": await made(world, admin, await world.person(FOREIGN_NAME, community=place)),
        "objection_id": await db.write(governance.object_to, actor=admin, line_id=line_id, grounds="not_there"),
        "question_id": await db.write(questions.ask, actor=admin, award_id=award_id, doubt=Doubt.MINUTES),
    }


async def _of_scoring(world: World, place: Community, admin: Actor) -> dict[str, object]:
    """A version that was shown and has come, somebody's objection to it, and a draft of the next."""
    publisher, _ = await world.staff(Role.COMMUNITY_ADMIN, place)
    table = (await tables.version((place.id,), place.version_id)).table
    now = world.clock.now()
    world.clock.set(now - timedelta(days=10))
    shown = msgspec.structs.replace(table, name=f"测试新表{world.word}")
    version, notice_id = await lives.noticed(world.clock, publisher, place.id, shown)
    about = (await notices.all_lines(notice_id))[0].id
    said = {"community_id": place.id, "line_id": about, "words": f"测试意见{world.word}"}
    objection_id = await db.write(actions_life.object_to, actor=admin, **said)
    answered = {"objection_id": objection_id, "upheld": False, "words": f"测试答复{world.word}"}
    await db.write(actions_life.answer, actor=publisher, community_id=place.id, **answered)
    world.clock.set(now - timedelta(days=2))
    await db.write(actions_life.publish, actor=publisher, **version, in_force_from=local_day(now) - timedelta(days=1))
    world.clock.set(now)
    draft_id = await db.write(scoring.draft_from_current, actor=admin, community_id=place.id)
    draft = {"community_id": place.id, "version_id": draft_id}
    changed = msgspec.structs.replace(table, name=f"测试又新表{world.word}")
    await db.write(scoring.save_draft, actor=admin, **draft, table=changed)
    street_id = world.street_id
    if place is not world.home:
        street_id = await db.write(
            people_actions.make_place, parent_id=None, kind="street", name=f"测试外街{world.word}"
        )
    return {
        "version_id": draft_id,
        "scoring_notice_id": notice_id,
        "scoring_objection_id": objection_id,
        "template_id": await db.write(actions_templates.keep_template, place_id=street_id, table=shown),
    }


async def _of_goods(world: World, place: Community, clerk: Actor, person_id: int) -> dict[str, object]:
    good_id = await world.good(community=place)
    made = await db.write(
        redemption.order, actor=clerk, counter_id=place.counter_id, code=await world.card(person_id),
        lines=[Line(quantity=1, good=good_id)], community_ids=(place.id,),
    )  # fmt: skip
    return {
        "good_id": good_id,
        "counter_id": place.counter_id,
        "order_id": made.order_id,
        "count_id": await db.write(counting.open_count, community_id=place.id, outlet_id=place.outlet_id),
        "photo": await db.write(stock.hang_photo, good_id=good_id, picture=b"x", thumbnail=b"x"),
    }


async def _of_books(world: World, place: Community, admin: Actor, person_id: int) -> dict[str, object]:
    passbook = await db.row("SELECT id FROM ledger_passbook WHERE person_id = ?", person_id)
    list_id = await db.write(
        openings.make_list, actor=admin, community_id=place.id, day=local_day(world.clock.now()), expires_on=NEVER,
        lines=[NewLine(person_id, None, 120, "")],
    )  # fmt: skip
    await db.write(openings.ask, actor=admin, list_id=list_id)
    budget = {"year": world.clock.now().year, "programme": "", "points": 100_000, "cents": None}
    budget_id = await db.write(books.make_budget, actor=admin, community_id=place.id, **budget)
    kind = await db.row("SELECT id FROM ledger_book_kind WHERE community_id = ?", place.id)
    await db.write(kinds.make_kind, community_id=place.id, code="coins", settings=COINS)
    voucher_id = await db.write(
        vouchers.adjust, actor=admin, community_id=place.id, passbook_id=passbook["id"], points=5, is_up=True,
        expires_on=NEVER, reason="missed", note="测试依据",
    )  # fmt: skip
    proposal_id = await db.write(proposals.set_alone_max, actor=admin, community_id=place.id, points=999)
    gifts = {"points": 5, "match_percent": 50, "expires_on": NEVER, "note": "测试慰问"}
    batch_id = await db.write(
        vouchers.ask_gifts, actor=admin, community_id=place.id, person_ids=[person_id], **gifts
    )  # fmt: skip
    return {
        "batch_id": batch_id,
        "budget_id": budget_id,
        "community_id": place.id,
        "month": 202611,
        "passbook_id": passbook["id"],
        "list_id": list_id,
        "kind_id": kind["id"],
        "voucher_id": voucher_id,
        "proposal_id": proposal_id,
    }
