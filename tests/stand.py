"""The furnished world in which changes are tried: what the braces of `tests.changes` name, and who asks."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from pointsbank.approvals.rules import facts_hash
from pointsbank.awards import actions as awards
from pointsbank.events import actions as events
from pointsbank.events import actions_attendance as attendance
from pointsbank.events.rules import Way
from pointsbank.governance import actions_estates, actions_merging
from pointsbank.governance import queries as governance
from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Actor, Tx
from pointsbank.ledger import actions as ledger
from pointsbank.ledger import actions_opening as openings
from pointsbank.ledger import (
    actions_paper,
    actions_proposals,
    actions_vouchers,
    queries,
    queries_flows,
    queries_kinds,
    queries_opening,
    queries_paper,
    queries_proposals,
    rules_opening,
)
from pointsbank.ledger.rules import NEVER
from pointsbank.ledger.rules_opening import NewLine
from pointsbank.ledger.rules_paper import Place
from pointsbank.notices import queries as notices
from pointsbank.people import (
    actions_household_cards,
    actions_import,
    actions_own,
    actions_places,
    importing,
    queries_import,
)
from pointsbank.people import queries as people
from pointsbank.people.access import Role
from pointsbank.people.rules import CONSENT_VERSION
from pointsbank.people.rules_import import Plan, guess_columns
from pointsbank.redemption import actions as redemption
from pointsbank.redemption.rules import Line
from pointsbank.scoring import actions_life, rules_form_table, rules_sheet
from pointsbank.scoring import queries as scoring
from pointsbank.stock import actions_count
from pointsbank.stock.rules import Counted
from tests.changes import ADMIN, CLERK, ENDS, MEETS, NEIGHBOUR, NEXT_DOOR, RESIDENT, SHOWS, STREET, VISITOR, WORKER
from tests.furniture import furnish
from tests.ledger.test_vouchers import allow
from tests.scoring import lives
from tests.stand_cases import cases, judged_by
from tests.stand_phones import phones
from tests.world import Community, World

LAST_MONTH = datetime(2026, 10, 20, 4, tzinfo=UTC)
AGREED = """
INSERT INTO people_consent (person_id, purpose, version, given_at, how) VALUES (?, 'tags', ?, ?, 'file')
"""
ROSTER = [
    ["姓名", "手机", "楼栋", "门牌"],
    ["测试庚", "10055550001", "", ""],
    ["测", "10055550002", "", ""],
    ["测试辛", "10055550003", "测试 77 号楼", "101"],
]


@dataclass
class Sessions:
    """A cookie and a token for each identity."""

    cookies: dict[str, str] = field(default_factory=dict)
    bearers: dict[str, str] = field(default_factory=dict)

    def session(self, who: str, *, is_api: bool) -> dict[str, str]:
        return {"bearer": self.bearers[who]} if is_api else {"cookie": self.cookies[who]}


@dataclass
class Stand(Sessions):
    """The furniture by the names of the route parameters, those who ask, and others in the same roles."""

    own: dict[str, object] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)
    colleagues: Sessions = field(default_factory=Sessions)


async def stand(world: World) -> Stand:
    made = Stand(own=await furnish(world, world.home))
    made.own["line_id"] = (await world.noticed(world.home))[1]
    for role in (ADMIN, WORKER, CLERK, STREET):
        made.actors[role] = await sign_in(world, role, made)
        await sign_in(world, role, made.colleagues)
    second = await db.row("SELECT MAX(id) FROM people_session WHERE person_id = ?", made.actors[ADMIN].person_id)
    made.own["second_session_id"] = second[0]
    await _people(world, made)
    await _service(world, made)
    await _goods(world, made)
    await _books(world, made)
    await _openings(world, made)
    await cases(world, made.own, made.actors[ADMIN], made.actors[RESIDENT].person_id)
    await phones(world, made)
    await next_door(world, made)
    await lives_of_tables(world, made)
    return made


async def sign_in(world: World, role: Role, into: Sessions, place: Community | None = None, who: str = "") -> Actor:
    """Somebody new in this role, whose sessions are kept under `who`, or under the name of the role."""
    actor, into.cookies[who or role] = await world.staff(role, place)
    grant = await db.row("SELECT id FROM people_role_grant WHERE person_id = ?", actor.person_id)
    _, into.bearers[who or role] = await world.session(actor.person_id, grant["id"], "token")
    await world.session(actor.person_id, grant["id"], "staff")
    return actor


async def _people(world: World, made: Stand) -> None:
    own, place = made.own, world.home
    resident_id = await world.person("测试居民", points=20)
    own["resident_id"] = resident_id
    own["resident_device_id"], made.cookies[RESIDENT] = await world.phone(resident_id)
    visitor_id = await world.person("测试来客")
    _, made.cookies[VISITOR] = await world.phone(visitor_id)
    made.actors |= {RESIDENT: Actor(resident_id), VISITOR: Actor(visitor_id)}
    own["second_device_id"], _ = await world.phone(resident_id)
    own["own_request_id"] = await db.write(
        actions_own.ask_correction, person_id=resident_id, field="phone", value="10077770001"
    )
    own["mate_id"] = await world.person("测试同户", household_id=await world.household())
    own["leaver_id"] = await world.person("测试迁出")
    own["provisional_id"] = await world.provisional()
    colleague, _ = await world.staff(Role.EVENT_ORGANISER)
    own["colleague_id"], own["colleague_session_id"] = colleague.person_id, colleague.session_id
    number = await db.row("SELECT member_number FROM people_person WHERE id = ?", own["mate_id"])
    own["number"] = number[0]
    own["leaver_number"] = await people.member_number(None, own["leaver_id"])
    own["twice_id"] = await world.person("测试两次", points=8)
    own["rich_id"] = await world.person("测试富翁", points=120)
    for name, named in (("grid_id", "测试三网格"), ("ended_grid_id", "测试四网格")):
        own[name] = await db.write(
            actions_places.add_place, community_id=place.id, kind="grid", name=named, grid_id=None
        )
    await db.write(actions_places.end_place, community_id=place.id, place_id=own["ended_grid_id"])
    await db.write(tagged, person_id=resident_id, tag_id=own["tag_id"])
    own["checked_id"] = await _checked_roster(world, made)
    asked = await governance.merge_request((place.id,), own["merge_request_id"])
    own["merge_seen"] = facts_hash(await governance.merge_facts(None, asked))
    own["own_merge_request_id"] = await db.write(
        actions_merging.ask, actor=made.actors[ADMIN], person_id=await world.person("测试又名"),
        same_as=await world.person("测试又名"),
    )  # fmt: skip


async def tagged(tx: Tx, *, person_id: int, tag_id: int) -> None:
    """As a roster from a file would."""
    await tx.run(AGREED, person_id, CONSENT_VERSION, tx.now)
    await tx.run(
        "INSERT INTO people_person_tag (person_id, tag_id, given_at) VALUES (?, ?, ?)", person_id, tag_id, tx.now
    )


async def _checked_roster(world: World, made: Stand) -> int:
    """A file that was checked: one row is good, one is asked about, and one names a building that nobody knows."""
    actor, place = made.actors[ADMIN], world.home.id
    import_id = await db.write(actions_import.begin, actor=actor, community_id=place, digest=b"checked", kind="csv")
    shown = await queries_import.view([place], import_id)
    await importing.take_in(import_id, shown.key, list(enumerate(ROSTER, start=1)))
    await db.write(actions_import.uploaded, actor=actor, import_id=import_id, head=1)
    plan = msgspec.json.encode(Plan(guess_columns(ROSTER[0]), 1, publication=True)).decode()
    await db.write(
        actions_import.choose_columns, actor=actor, import_id=import_id, community_id=place, head=1, plan=plan,
        header=b"head", columns="{}", skipped=[],
    )  # fmt: skip
    await importing.work_on(import_id, place)
    return import_id


async def _service(world: World, made: Stand) -> None:
    own, where = made.own, {"community_ids": (world.home.id,)}
    organiser, _ = await world.staff(Role.EVENT_ORGANISER)
    present_id, other_id = await world.person("测试在场"), await world.person("测试他人", points=60)
    own["card"], own["other_card"] = await world.card(own["person_id"]), await world.card(other_id)
    own["other_id"], own["other_number"] = other_id, await people.member_number(None, other_id)
    own["present_id"], own["present_card"] = present_id, await world.card(present_id)

    async def activity(begins: timedelta, ends: timedelta, *, is_open: bool = True) -> int:
        now = world.clock.now()
        number = await db.write(
            events.create, actor=organiser, community_id=world.home.id, title="测试活动", venue="测试广场",
            item_code="A01", contact="10000000003", starts_at=now + begins, ends_at=now + ends, seats=None,
        )  # fmt: skip
        if is_open:
            await db.write(events.publish, actor=organiser, activity_id=number, **where)
        return number

    async def came(number: int, who: int = present_id) -> None:
        await db.write(attendance.check_in_picked, actor=organiser, person_id=who, activity_id=number, **where)

    own["left_id"] = await activity(-timedelta(minutes=5), timedelta(hours=2))
    await db.write(
        attendance.check_in_picked,
        actor=organiser,
        person_id=made.actors[VISITOR].person_id,
        activity_id=own["left_id"],
        **where,
    )
    own["ended_id"] = await activity(-timedelta(hours=2), timedelta(minutes=5))
    own["nobody_came_id"] = await activity(-timedelta(hours=2), timedelta(minutes=5))
    await came(own["ended_id"])
    world.clock.advance(minutes=10)
    drafted = (await scoring.version((world.home.id,), own["version_id"])).table
    own["draft_seen"], own["draft_marks"] = rules_sheet.digest(drafted), rules_form_table.marks_of(drafted)
    own["activity_id"] = await activity(-timedelta(minutes=5), timedelta(hours=2))
    await came(own["activity_id"])
    world.clock.advance(minutes=2)
    own["draft_id"] = await activity(timedelta(hours=3), timedelta(hours=5), is_open=False)
    found = await db.row("SELECT id FROM events_attendance WHERE activity_id = ?", own["ended_id"])
    own["attendance_id"] = found[0]
    own["nonce"] = "nonce-of-a-phone-that-saw-it"
    for name, number in (("ticket", own["activity_id"]), ("ticket_out", own["left_id"])):
        own[name] = attendance.seal_ticket(number, Way.SCREEN, world.clock.now(), own["nonce"])
    pending = await db.write(
        awards.record_act, community_id=world.home.id, person_id=present_id, source=("tests", "pending", 1),
        item_code="B01", what="测试推荐", evidence="card", began_at=world.clock.now() - timedelta(hours=3), minutes=0,
        planned_minutes=0,
    )  # fmt: skip
    own["pending_award_id"] = pending.award_id
    own["judged_id"] = await judged_by(world, made.actors[VISITOR].person_id)


async def _goods(world: World, made: Stand) -> None:
    own, place = made.own, world.home
    begun = await db.write(
        redemption.order, actor=made.actors[CLERK], counter_id=place.counter_id, code=own["other_card"],
        lines=[Line(quantity=1, good=own["good_id"])], community_ids=(place.id,),
    )  # fmt: skip
    ordered = await db.write(
        redemption.order, actor=made.actors[CLERK], counter_id=place.counter_id, code=own["card"],
        lines=[Line(quantity=1, good=own["good_id"])], community_ids=(place.id,),
    )  # fmt: skip
    lot = await db.row("SELECT MIN(id) FROM stock_lot WHERE good_id = ?", own["good_id"])
    visit = await db.write(
        redemption.open_visit, actor=made.actors[CLERK], counter_id=place.counter_id, code=own["card"],
        community_ids=(place.id,),
    )  # fmt: skip
    own["visit_id"] = visit.visit_id
    own["order_id"], own["lot_id"] = ordered.order_id, lot[0]
    own["begun_order_id"] = begun.order_id
    book = await queries.passbook_of(person_id=own["other_id"], household_id=None, holder="person")
    own["begun_book_id"] = book.passbook_id
    _, lines = await queries_paper.lines(None, book.account_id, Place())
    await db.write(actions_paper.note_printed, passbook_id=book.passbook_id, last_move=0, upto=lines[0].move_id)
    counted = [Counted(own["good_id"], 6)]  # one less than there are
    await db.write(actions_count.write_counted, count_id=own["count_id"], counted=counted)


async def _books(world: World, made: Stand) -> None:
    own, admin, place = made.own, made.actors[ADMIN], world.home
    asked = await queries_opening.opening_list((place.id,), own["list_id"])
    own["seen"] = await queries_opening.facts_of(None, asked)
    for name, person_id in (("own_list_id", own["resident_id"]), ("draft_list_id", own["present_id"])):
        own[name] = await db.write(
            openings.make_list, actor=admin, community_id=place.id, day=local_day(world.clock.now()),
            expires_on=NEVER, lines=[NewLine(person_id, None, 30, "")],
        )  # fmt: skip
    await db.write(openings.ask, actor=admin, list_id=own["own_list_id"])
    await allow(world)
    facts = (await queries_flows.voucher((place.id,), own["voucher_id"])).facts
    own["voucher_seen"] = facts_hash(facts)
    own["own_voucher_id"] = await db.write(
        actions_vouchers.grant_to, actor=admin, community_id=place.id, person_id=own["resident_id"], points=5,
        expires_on=NEVER, reason="hardship", note="",
    )  # fmt: skip
    own["proposal_seen"] = facts_hash((await queries_proposals.proposal((place.id,), own["proposal_id"])).facts)
    [*_, coins] = await queries_kinds.kinds(place.id)
    own["own_proposal_id"] = await db.write(
        actions_proposals.change_kind, actor=admin, community_id=place.id, kind_id=coins.id, version=coins.version,
        settings=msgspec.structs.replace(coins.settings, base_points=5, base_every="month"),
    )  # fmt: skip
    own["gifts_seen"] = facts_hash([one.facts for one in await queries_flows.batch_in(None, own["batch_id"])])
    own["own_batch_id"] = await db.write(
        actions_vouchers.ask_gifts, actor=admin, community_id=place.id, person_ids=[own["resident_id"]], points=5,
        match_percent=50, expires_on=NEVER, note="测试慰问",
    )  # fmt: skip
    other, _ = await world.staff(ADMIN)
    passed = await db.write(
        actions_estates.pass_on, actor=other, person_id=await world.person("测试逝者", points=130), heir_id=None,
        reason="death", note="测试依据",
    )  # fmt: skip
    [own["estate_id"]] = passed.voucher_ids
    own["estate_seen"] = facts_hash((await queries_flows.voucher((place.id,), own["estate_id"])).facts)
    book = await queries.passbook_of(person_id=own["resident_id"], household_id=None, holder="person")
    own["award_book_id"] = book.passbook_id
    posted = await db.write(
        ledger.post_award, community_id=place.id, passbook_id=book.passbook_id, points=2, posting_key="test:award",
        effective_at=world.clock.now(), expires_on=NEVER, member_id=own["resident_id"],
        version_id=world.home.version_id, source=("awards", "award", 0), summary="测试发分",
    )  # fmt: skip
    own["award_entry_id"] = posted.entry_id
    await world.give(own["resident_id"], 1)
    given = {"from_id": book.passbook_id, "to_person": None, "points": 1, "how": "paper"}
    await db.write(
        actions_vouchers.hand_over, actor=admin, community_id=place.id, what=actions_vouchers.What.DONATION, **given
    )
    own["given_entry_id"] = (await queries.lines(book.account_id))[0].entry_id


async def _openings(world: World, made: Stand) -> None:
    """A list that another admin made: its booking was cut off after the first of two lines."""
    own = made.own
    maker, _ = await world.staff(ADMIN)
    lines = [NewLine(await world.person("测试旧折"), None, 40, "") for _ in range(2)]
    own["cut_off_list_id"] = await db.write(
        openings.make_list, actor=maker, community_id=world.home.id, day=local_day(world.clock.now()),
        expires_on=NEVER, lines=lines,
    )  # fmt: skip
    await db.write(openings.ask, actor=maker, list_id=own["cut_off_list_id"])
    asked = await queries_opening.opening_list((world.home.id,), own["cut_off_list_id"])
    seen = await queries_opening.facts_of(None, asked)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules_opening, "SLICE_LINES", 1)
        await db.write(openings.give, actor=made.actors[ADMIN], list_id=asked.id, seen=seen)


async def next_door(world: World, made: Stand) -> None:
    """A community whose households have one passbook; its last month can be closed."""
    own, place = made.own, world.communities[1]
    made.actors[NEXT_DOOR] = await sign_in(world, ADMIN, made, place, NEXT_DOOR)
    await sign_in(world, ADMIN, made.colleagues, place, NEXT_DOOR)
    own["next_door_id"], own["last_month"] = place.id, 202610
    own["next_good_id"] = await world.good(community=place)
    own["shared_home_id"] = await world.household(place)
    person_id = await world.person(community=place, household_id=own["shared_home_id"])
    await db.write(actions_household_cards.issue_household_card, household_id=own["shared_home_id"])
    today = world.clock.now()
    world.clock.set(LAST_MONTH)
    await world.give(person_id, 5, place)
    world.clock.set(today)


async def lives_of_tables(world: World, made: Stand) -> None:
    """A community for each step that a version of a table may be at."""
    own, clock = made.own, world.clock
    own["today"] = local_day(clock.now()).isoformat()
    places = [await world.community(f"测试议事{number}社区", holder="person", notice_days=3) for number in range(3)]
    admins = [
        await sign_in(world, ADMIN, made, place, who) for place, who in zip(places, (MEETS, SHOWS, ENDS), strict=True)
    ]
    made.actors |= dict(zip((MEETS, SHOWS, ENDS), admins, strict=True))
    table = msgspec.structs.replace(
        (await scoring.version((places[0].id,), places[0].version_id)).table, name="测试新表"
    )
    own["discussed_id"] = (await lives.discussed(clock, places[0].id, table))["version_id"]
    own["ended_version_id"] = (await lives.over(clock, admins[2], places[2].id, table))[0]["version_id"]
    _, notice_id = await lives.noticed(clock, admins[1], places[1].id, table)
    own["told_notice_id"], own["told_line_id"] = notice_id, (await notices.all_lines(notice_id))[0].id
    neighbour_id = await world.person("测试邻居", community=places[1])
    _, made.cookies[NEIGHBOUR] = await world.phone(neighbour_id)
    made.actors[NEIGHBOUR] = Actor(neighbour_id)
    said = {"community_id": places[1].id, "line_id": own["told_line_id"], "words": "测试意见"}
    own["open_objection_id"] = await db.write(actions_life.object_to, actor=Actor(neighbour_id), **said)
