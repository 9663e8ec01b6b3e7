"""Books with something in every table of the ledger, for whoever tampers with them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from pointsbank.app import database as databases
from pointsbank.kit import crypto, db
from pointsbank.kit.clock import FixedClock, local_day
from pointsbank.kit.db import Actor
from pointsbank.kit.settings import Settings
from pointsbank.ledger import (
    actions,
    actions_bars,
    actions_budgets,
    actions_flows,
    actions_holds,
    actions_lots,
    actions_opening,
    actions_paper,
    actions_periods,
    actions_reversal,
    queries,
    queries_kinds,
    queries_seal,
)
from pointsbank.ledger import actions_proposals as proposals
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.ledger.actions_seal import change
from pointsbank.ledger.rules import NEVER
from pointsbank.ledger.rules_opening import NewLine
from pointsbank.ledger.sealing import Sealer
from pointsbank.ledger.verify_seals import Deposited, read_head
from tests.governance.merging import merge
from tests.ledger.test_openings import admin, asked, give
from tests.ledger.test_vouchers import adjust, agree, allow, book_of, give_away
from tests.world import NOON, World

NEW_KIND = """
INSERT INTO ledger_book_kind (community_id, code, name, unit, decimals, holder, redeemable, donatable, transferable,
                              balance_max, surplus, base_points, base_every, base_redeemable, spend_above, reset_month,
                              reset_day, carry_over, version)
VALUES (?, 'honour', '荣誉分', '分', 0, 'person', FALSE, FALSE, FALSE, 100, 'pot', 5, 'once', FALSE, 0, 1, 1, TRUE, 1)
RETURNING id
"""
NEW_GIFT = """
INSERT INTO ledger_lot (account_id, kind, expires_on, match_percent, remaining, held) VALUES (?, 'gift', ?, 50, ?, 0)
RETURNING id
"""


async def honour(tx: db.Tx, *, community_id: int) -> None:
    made = await tx.row(NEW_KIND, community_id)
    await tx.run("INSERT INTO ledger_kind_run (kind_id, what, period, upto) VALUES (?, 'base', '2026', 7)", made["id"])
    await change(tx, what="kind", row_id=made["id"])


async def present(tx: db.Tx, *, community_id: int, account_id: int) -> None:
    """Gift points, as any room's action may post them."""
    issued_id = await actions.system_account(tx, community_id=community_id, system="issued")
    entry = await tx.row(
        actions.ENTRY, f"gift:{account_id}", community_id, "gift", tx.now, tx.now, None, None, "tests", "gift", 1,
        "赠分", "", None, None,
    )  # fmt: skip
    account = await tx.row(actions.ADD, 4, account_id)
    await tx.run(actions.MOVE, entry["id"], issued_id, account_id, 4, None, account["balance"])
    lot = await tx.row(NEW_GIFT, account_id, NEVER, 4)
    await tx.run(actions_lots.LOT_USE, entry["id"], lot["id"], -4)
    await tx.run(actions.TAKE_ISSUED, 4, issued_id)


async def gifts(world: World, maker: Actor, person_ids: list[int]) -> None:
    for percent in (50, 70):
        said = {"points": 2, "match_percent": percent, "expires_on": NEVER, "note": "慰问"}
        await db.write(
            vouchers.ask_gifts, actor=maker, community_id=world.home.id, person_ids=person_ids, **said
        )  # fmt: skip


async def busy_books(world: World) -> None:
    """Something in every table of the ledger."""
    maker, checker = await admin(world), await admin(world)
    one, other = await world.person(points=10), await world.person(points=7)
    await world.give(other, 5)
    home = await world.household()
    await db.write(actions.open_passbook, community_id=world.home.id, household_id=home)
    listed = [await world.person() for _ in range(3)]
    list_id = await asked(world, maker, *((person, 20) for person in listed))
    await give(world, list_id, checker)
    await db.write(
        actions_opening.reverse, actor=await admin(world), list_id=list_id, position=2, reason="wrong_points"
    )
    for _ in range(2):
        refused = await db.write(
            actions_opening.make_list, actor=maker, community_id=world.home.id, day=date(2026, 11, 20),
            expires_on=NEVER, lines=[NewLine(await world.person(), None, 3, "旧折")],
        )  # fmt: skip
        await db.write(actions_opening.withdraw, actor=maker, list_id=refused)
    books = [await queries.passbook_of(person_id=person, household_id=None, holder="person") for person in (one, other)]
    for number in range(2):
        day = local_day(world.clock.now()) + timedelta(days=number)
        await db.write(actions_budgets.set_rate, actor=maker, community_id=world.home.id, from_day=day, cents_per_100=7)
        budget = {"year": day.year + number, "programme": "", "points": 9, "cents": 9}
        await db.write(actions_budgets.make_budget, actor=maker, community_id=world.home.id, **budget)
    await gifts(world, maker, [one, other])
    for place in world.communities:
        await db.write(honour, community_id=place.id)
    for number, book in enumerate(books):
        await db.write(present, community_id=world.home.id, account_id=book.account_id)
        facts: dict[str, Any] = {
            "community_id": world.home.id, "account_id": book.account_id, "points": 3,
            "outlet_id": world.home.outlet_id, "member_id": one, "source": ("tests", "order", number),
            "summary": "兑换 食用盐",
        }  # fmt: skip
        spent = await db.write(actions.spend, posting_key=f"order:{number}", **facts)
        await db.write(actions.spend, posting_key=f"again:{number}", **facts | {"points": 1})
        await db.write(actions_reversal.reverse, entry_id=spent.entry_id, reason="wrong_goods")
        for key in ("open", "released", "captured"):
            await db.write(
                actions_holds.hold, account_id=book.account_id, points=1, hold_key=f"{key}:{number}",
                overdue_at=world.clock.now() + timedelta(days=1), member_id=one, source=("tests", "act", 1),
            )  # fmt: skip
        await db.write(actions_holds.release, hold_key=f"released:{number}")
        await db.write(
            actions_holds.capture, hold_key=f"captured:{number}", outlet_id=world.home.outlet_id,
            posting_key=f"captured:{number}", summary="自提 食用盐",
        )  # fmt: skip
        [*_, last] = reversed(await queries.lines(book.account_id))
        await db.write(actions_paper.note_printed, passbook_id=book.passbook_id, last_move=0, upto=last.move_id)
    for month in (date(2026, 11, 1), date(2026, 12, 1)):
        world.clock.advance(days=31)
        period_id = await db.write(actions_periods.close, actor=maker, community_id=world.home.id, month=month)
        while await db.write(actions_periods.count, period_id=period_id):
            pass

    await shut(world, [book.passbook_id for book in books])
    await propose(world, maker)
    await hand_over(world, one, other, maker)


async def propose(world: World, maker: Actor) -> None:
    """Settings that wait for a second person, and such as were taken back."""
    kinds = await queries_kinds.kinds(world.home.id)
    for kind in kinds:
        asked = {"community_id": world.home.id, "kind_id": kind.id, "version": kind.version}
        for spend_above in (1, 2):
            settings = msgspec.structs.replace(kind.settings, spend_above=spend_above)
            proposal_id = await db.write(proposals.change_kind, actor=maker, **asked, settings=settings)
            if spend_above == 1:
                await db.write(proposals.withdraw, actor=maker, proposal_id=proposal_id)
    await db.write(proposals.set_alone_max, actor=maker, community_id=world.home.id, points=999)


async def shut(world: World, passbook_ids: list[int]) -> None:
    """A gate for two kinds of passbook, and two passbooks that have passed it."""
    kinds = await db.rows("SELECT id FROM ledger_book_kind WHERE community_id = ? ORDER BY id", world.home.id)
    for minutes, (kind_id,) in enumerate(kinds, start=60):
        await db.write(actions_bars.set_gate, kind_id=kind_id, minutes=minutes)
    for passbook_id in passbook_ids:
        await db.write(actions_bars.pass_gate, passbook_id=passbook_id)


async def hand_over(world: World, one: int, other: int, maker: Actor) -> None:
    """Vouchers in every state, and a passbook that is closed."""
    await allow(world)
    for person in (one, other):
        await give_away(world, person, 1, other if person == one else one)
    for step in (vouchers.refuse, vouchers.withdraw):
        voucher_id = await adjust(world, one, 3, maker)
        facts = {"reason": "没有依据"} if step is vouchers.refuse else {}
        actor = maker if step is vouchers.withdraw else await admin(world)
        await db.write(step, actor=actor, voucher_id=voucher_id, **facts)
    past_day = local_day(world.clock.now()) - timedelta(days=1)
    await adjust(world, one, 3, maker, past_day=past_day)
    await adjust(world, other, 3, maker, past_day=past_day - timedelta(days=1))
    await agree(world, await adjust(world, other, 2, maker))
    for _ in range(2):
        await merge(world, await world.person(points=2), one)
    gone = await book_of(world, await world.person())
    await db.write(actions_flows.close, passbook_id=gone.passbook_id)


async def heads() -> list[Deposited]:
    found = [read_head(head.shown) for head in await queries_seal.heads()]
    return [head for head in found if head is not None and head.position]


@dataclass(frozen=True)
class Filled:
    """Books that are filled once: whatever an intruder does in them is rolled back."""

    settings: Settings
    moment: datetime
    heads: list[Deposited]


async def fill(settings: Settings, keys: crypto.Keys) -> Filled:
    crypto.hold(keys)
    clock = FixedClock(NOON)
    async with databases.opened(settings, clock):
        world = await World(clock, settings).found()
        await busy_books(world)
        clock.advance(minutes=2)  # what is not sealed by now has no excuse
        await world.person(points=2)
        await Sealer().run()
        return Filled(settings, clock.now(), await heads())
