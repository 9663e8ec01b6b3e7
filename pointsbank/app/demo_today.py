"""The last days of the demo, so that every list has something on it, and what is brought to today at each start."""

from datetime import datetime, timedelta

from pointsbank.app import demo_cases, demo_cast, demo_events, demo_gifts, demo_tables
from pointsbank.app.demo_events import CONTACT, Held
from pointsbank.app.demo_people import Resident
from pointsbank.app.demo_places import VISITS, Community
from pointsbank.app.demo_scene import Scene, moment
from pointsbank.app.demo_year import JUST_AFTER_MIDNIGHT, until_done
from pointsbank.awards import actions as awards
from pointsbank.awards import actions_deductions, actions_settle
from pointsbank.awards import actions_questions as questions
from pointsbank.awards.rules_questions import Doubt
from pointsbank.events import actions as events
from pointsbank.events import actions_attendance as attendance
from pointsbank.events.rules import Way
from pointsbank.governance import actions as governance
from pointsbank.kit import crypto, db
from pointsbank.kit.clock import local_day
from pointsbank.kit.codes import new_poster_token
from pointsbank.kit.db import Actor
from pointsbank.ledger import actions_expiry
from pointsbank.notices.rules import Grounds
from pointsbank.people import actions_cards as cards
from pointsbank.people import actions_staff as staff
from pointsbank.people import queries_roster as roster
from pointsbank.people.rules_roles import Role
from pointsbank.redemption import actions as redemption
from pointsbank.redemption.rules import Line, UndoReason
from pointsbank.stock import actions as stock

BEFORE, AFTER, LEFT_MIN = timedelta(hours=1), timedelta(hours=2), timedelta(minutes=20)
STRANGERS = ("苏晓棠", "唐初桐")

NOTICE_LINE = """
SELECT line.id FROM notices_line line JOIN notices_notice notice ON notice.id = line.notice_id
 WHERE notice.community_id = ? AND notice.closed_at IS NULL ORDER BY line.id LIMIT 1
"""
SETTLED = """
SELECT id, person_id FROM awards_award WHERE community_id = ? AND state = 'settled' AND points > 0
 ORDER BY id DESC LIMIT 1
"""
RICHEST = """
SELECT book.person_id FROM ledger_passbook book JOIN ledger_account account ON account.passbook_id = book.id
  JOIN ledger_book_kind kind ON kind.id = book.kind_id AND kind.code = 'points'
 WHERE book.community_id = ? ORDER BY account.balance DESC, book.id LIMIT 1
"""
LAST_ORDER = "SELECT id FROM redemption_order WHERE counter_id = ? ORDER BY id DESC LIMIT 1"
LOGINS = "SELECT id, password_hash FROM people_login ORDER BY id"
COMMUNITIES = "SELECT id FROM people_community ORDER BY id"
ORGANISER = """
SELECT person_id FROM people_role_grant
 WHERE role = 'event_organiser' AND place_id = ? AND ended_at IS NULL ORDER BY id LIMIT 1
"""
RUNNING = """
SELECT id FROM events_activity
 WHERE community_id = ? AND state = 'published' AND starts_at <= ? AND ends_at > ? ORDER BY id DESC LIMIT 1
"""
COMING = "SELECT id FROM events_activity WHERE community_id = ? AND state = 'published' AND starts_at > ? LIMIT 1"
EVENT_ITEM = """
SELECT item_code, title, venue FROM events_activity
 WHERE community_id = ? AND state <> 'cancelled' ORDER BY id DESC LIMIT 1
"""
FREE_CARDS = """
SELECT card.id, card.generation FROM people_card card JOIN people_person person ON person.id = card.person_id
 WHERE person.community_id = ? AND card.state = 'live' AND person.state = 'member'
   AND NOT EXISTS (SELECT 1 FROM events_attendance here WHERE here.person_id = person.id AND here.state = 'open')
 ORDER BY card.id LIMIT 5
"""
FIRST_RESIDENT = """
SELECT id FROM people_person
 WHERE community_id = ? AND state = 'member' AND household_id IS NOT NULL ORDER BY id LIMIT 1
"""


async def finish(scene: Scene, communities: list[Community]) -> None:
    """The day before yesterday up to now."""
    wutong, guihua, wangxi = communities
    first, second = scene.today - timedelta(days=2), scene.today - timedelta(days=1)

    await demo_cases.find(scene, wutong)
    scene.at(first, 7)
    early = [(place, place.plan.programmes[0], moment(first, 9)) for place in (guihua, wangxi)]
    held = await demo_events.publish(scene, early, 0)
    await demo_events.attend(scene, held)
    scene.at(first, 18, pace_seconds=20)
    await demo_events.confirm(scene, held)
    scene.at(second, JUST_AFTER_MIDNIGHT)
    jobs = (awards.gather_notices, actions_settle.settle_due, actions_deductions.book_due, actions_expiry.expire_due)
    for job in jobs:
        await until_done(job)

    scene.at(second, 7)
    await _sign_in(but=wangxi.actor(Role.EVENT_ORGANISER))
    await demo_cast.name_panel(guihua)
    programmes = [(guihua, VISITS), (guihua, guihua.plan.programmes[1]), (wutong, wutong.plan.programmes[0])]
    late = [(place, programme, moment(second, 9)) for place, programme in programmes]
    judged, reviewed, waiting = await demo_events.publish(scene, late, 1)
    demo_cast.visit(judged)
    await demo_events.attend(scene, [judged, reviewed, waiting])
    await _strangers(scene, waiting, wutong.residents[20])
    scene.at(second, 14)
    await demo_events.confirm(scene, [judged, reviewed])
    await _desk_work(scene, communities)

    await _plan_ahead(scene.now)
    scene.clock.set(scene.now - BEFORE + timedelta(minutes=5))
    scene.clock.pace = timedelta(seconds=50)
    await _welcome(scene.now)
    scene.clock.set(scene.now)
    scene.clock.pace = timedelta()


async def _sign_in(but: Actor) -> None:
    """Staff came to work; one has not been seen for long, so that the reminder has somebody to name."""
    for person_id, password_hash in await db.rows(LOGINS):
        if person_id != but.person_id:
            digest = crypto.token_digest(crypto.new_token())
            await db.write(staff.sign_in, person_id=person_id, password_hash=password_hash, token_digest=digest)


async def _strangers(scene: Scene, one: Held, known: Resident) -> None:
    """Three phones that nobody knows yet: one gives the name and number of a person on the roster."""
    scene.clock.set(one.plan.starts_at + timedelta(minutes=20))
    names = [(known.name, known.phone), *((name, f"100{99_000_001 + n}") for n, name in enumerate(STRANGERS))]
    arrived = []
    for name, phone in names:
        nonce = new_poster_token()
        ticket = attendance.seal_ticket(one.activity_id, Way.POSTER, scene.clock.moment, nonce)
        arrived.append(
            db.write(
                attendance.join,
                ticket=ticket,
                nonce=nonce,
                name=name,
                phone=phone,
                consent_publication=True,
                old_device=None,
                new_device=crypto.token_digest(crypto.new_token()),
                session_digest=crypto.token_digest(crypto.new_token()),
            )
        )
    await scene.all(arrived)


async def _desk_work(scene: Scene, communities: list[Community]) -> None:
    """Yesterday afternoon: gifts, an objection, a question, tables under way, a lost card, an order undone."""
    wutong, guihua, _ = communities
    scene.at(scene.today - timedelta(days=1), 15, pace_seconds=30)
    await demo_gifts.give(scene, wutong)
    line = await db.row(NOTICE_LINE, guihua.id)
    assert line is not None
    await db.write(
        governance.object_to, actor=guihua.actor(Role.GRID_WORKER), line_id=line["id"], grounds=Grounds.MINUTES
    )
    award = await db.row(SETTLED, wutong.id)
    assert award is not None
    await db.write(questions.ask, actor=Actor(award["person_id"]), award_id=award["id"], doubt=Doubt.UNCLEAR)
    await demo_tables.draw_up(scene, on_notice=wutong, drafting=guihua)
    admin = wutong.actor(Role.COMMUNITY_ADMIN)
    await db.write(cards.report_lost, actor=admin, person_id=wutong.residents[-1].person_id)
    for community in communities:
        await _run_low(community)
    order = await db.row(LAST_ORDER, wutong.counter_id)
    if order is not None:
        await _undo(wutong)


async def _undo(community: Community) -> None:
    staff = community.actor(Role.COUNTER_STAFF)
    richest = await db.row(RICHEST, community.id)
    assert richest is not None
    buyer = next(one for one in community.residents if one.person_id == richest["person_id"])
    made = await db.write(
        redemption.order,
        actor=staff,
        counter_id=community.counter_id,
        code=buyer.code,
        lines=[Line(quantity=1, good=min(community.goods))],
        community_ids=(community.id,),
    )
    await db.write(
        redemption.undo,
        actor=staff,
        order_id=made.order_id,
        reason=UndoReason.CHANGED_MIND,
        community_ids=(community.id,),
    )


async def _run_low(community: Community) -> None:
    """Have two goods stand below the mark at which the admin is told."""
    few = sorted((left, good_id) for good_id, left in community.stock.items())[:2]
    for left, good_id in few:
        good = community.goods[good_id]
        await db.write(
            stock.change_good,
            actor=community.actor(Role.COMMUNITY_ADMIN),
            good_id=good_id,
            name=good.name,
            unit=good.unit,
            points=good.points,
            monthly_max=good.monthly_max,
            low_at=left + 2,
        )


# What a demo of some days' age is brought to today with


async def freshen() -> None:
    """At each start: an activity that is on, one for tomorrow, and slips that still work for whoever is shown."""
    now = db.current().writer.clock.now()
    await _plan_ahead(now)
    await _welcome(now)
    shown = [(community_id, await first_resident(community_id)) for community_id in await community_ids()]
    shown += [(part.community_id, part.person_id) for part in await demo_cast.cast(local_day(now))]
    for community_id, person_id in shown:
        page = await roster.person_page((community_id,), person_id, now)
        if not page.cards[0].slip_good:
            await db.write(cards.issue_card, person_id=person_id)


async def community_ids() -> list[int]:
    return [found["id"] for found in await db.rows(COMMUNITIES)]


async def first_resident(community_id: int) -> int:
    found = await db.row(FIRST_RESIDENT, community_id)
    assert found is not None
    return int(found["id"])


async def slip() -> roster.Printed:
    """The card and the activation of the resident that the demo shows first."""
    community_id = (await community_ids())[0]
    return await roster.printed_card((community_id,), await first_resident(community_id))


async def running(community_id: int, now: datetime) -> int | None:
    found = await db.row(RUNNING, community_id, now, now + LEFT_MIN)
    return None if found is None else int(found["id"])


async def _plan_ahead(now: datetime) -> None:
    for community_id in await community_ids():
        if await running(community_id, now) is None:
            started = now - BEFORE - timedelta(minutes=now.minute % 10, seconds=now.second)
            await _announce(community_id, started, started + BEFORE + AFTER)
        if await db.row(COMING, community_id, now + AFTER) is None:
            tomorrow = moment(local_day(now) + timedelta(days=1), 14.5)
            await _announce(community_id, tomorrow, tomorrow + AFTER)


async def _announce(community_id: int, starts_at: datetime, ends_at: datetime) -> None:
    """Another activity like the last one."""
    model, organiser = await db.row(EVENT_ITEM, community_id), await db.row(ORGANISER, community_id)
    assert model is not None
    assert organiser is not None
    actor = db.Actor(organiser["person_id"])
    activity_id = await db.write(
        events.create,
        actor=actor,
        community_id=community_id,
        title=model["title"],
        venue=model["venue"],
        item_code=model["item_code"],
        contact=CONTACT,
        starts_at=starts_at,
        ends_at=ends_at,
        seats=30,
    )
    await db.write(events.publish, actor=actor, activity_id=activity_id, community_ids=(community_id,))


async def _welcome(now: datetime) -> None:
    """The first guests of an activity that nobody has come to yet."""
    for community_id in await community_ids():
        activity_id, organiser = await running(community_id, now), await db.row(ORGANISER, community_id)
        assert activity_id is not None
        assert organiser is not None
        if await db.row("SELECT 1 FROM events_activity WHERE id = ? AND arrived > 0", activity_id):
            continue
        for card_id, generation in await db.rows(FREE_CARDS, community_id):
            await db.write(
                attendance.check_in,
                actor=db.Actor(organiser["person_id"]),
                activity_id=activity_id,
                code=cards.card_code_of(card_id, generation),
                community_ids=(community_id,),
            )
