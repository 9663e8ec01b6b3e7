"""Life of a scoring table (the room's door plate), on a real database."""

import asyncio
from datetime import date
from functools import partial

import msgspec
import pytest
from tortoise.exceptions import IntegrityError, OperationalError

from pointsbank.kit import db
from pointsbank.kit.db import Actor
from pointsbank.kit.errors import Refusal
from pointsbank.ledger import actions_kinds as kinds
from pointsbank.people import actions as people
from pointsbank.scoring import actions, actions_life, actions_sheet, queries, rules_form_table
from pointsbank.scoring.rules import HasTable, NoTableInForce, NotADraft, TableFaults, Validity, ValidityKind
from pointsbank.scoring.rules_edit import Cells, Row
from pointsbank.scoring.rules_form import marks_of
from pointsbank.scoring.rules_sheet import SheetStale
from pointsbank.scoring.scheme_file import parse
from tests.scoring.lives import lived

TODAY = date(2026, 11, 21)
TABLE = parse("""
name = "测试积分标准"
place = "测试社区"
document = "测试文件"
kind = "service_hours"

[[items]]
code = "A01"
category = "志愿服务"
name = "楼道清洁"
basis = "per_minutes"
points = 8
evidence = "现场签到"
""")


SEEN = Cells("楼道清洁", "8", "", "现场签到", ended=False)
INSERT_ITEM = """
INSERT INTO scoring_item (version_id, position, code, category, name, rule)
SELECT id, 9, 'Z9', '', '', '' FROM scoring_version
"""


def priced(points):
    return msgspec.structs.replace(TABLE, items=(msgspec.structs.replace(TABLE.items[0], points=points),))


@pytest.fixture
async def community_id(database):
    street = await db.write(people.make_place, parent_id=None, kind="street", name="测试街道")
    community_id = await db.write(
        people.make_community,
        street_id=street,
        name="测试社区",
        unit_name="测试社区居委会",
        holder="person",
        service_phone="10000000001",
        oversight_phone="10000000002",
    )
    await db.write(kinds.make_main_kind, community_id=community_id)
    return community_id


@pytest.fixture
async def publisher(community_id):
    made = {"household_id": None, "name": "测试甲", "phone": "10000000003", "consent_publication": True}
    return Actor(await db.write(people.make_person, community_id=community_id, **made))


async def adopt(community_id, since=TODAY):
    return await db.write(actions.adopt, community_id=community_id, table=TABLE, in_force_from=since)


async def points_on(community_id, day):
    return (await queries.version_on(None, community_id=community_id, day=day)).items["A01"].points


async def test_a_first_table_is_in_force_at_once_and_only_once(community_id):
    await adopt(community_id)

    assert await points_on(community_id, TODAY) == 8
    with pytest.raises(HasTable):
        await adopt(community_id)


async def test_before_the_first_table_nothing_is_scored(community_id):
    await adopt(community_id)

    with pytest.raises(NoTableInForce):
        await points_on(community_id, date(2026, 11, 20))


async def test_a_version_counts_from_its_day_and_never_before(community_id, clock, publisher):
    await adopt(community_id)
    await lived(clock, publisher, community_id, priced(10), date(2026, 11, 22))

    assert await points_on(community_id, TODAY) == 8
    assert await points_on(community_id, date(2026, 11, 22)) == 10


async def test_the_job_retires_what_was_in_force(community_id, clock, publisher):
    await adopt(community_id)
    draft = await lived(clock, publisher, community_id, priced(10), date(2026, 11, 22))

    early = [await db.write(actions_life.enter_force_due) for _ in range(2)]
    clock.advance(days=1)
    due = await db.write(actions_life.enter_force_due)

    assert (early, due) == ([1, 0], 1)  # the notice is closed first
    assert [(line.version_id, line.state) for line in await queries.versions(community_id)] == [
        (draft, "in_force"),
        (draft - 1, "retired"),
    ]
    assert await points_on(community_id, TODAY) == 8


async def test_what_is_published_is_not_edited(community_id, clock, publisher):
    await adopt(community_id)
    published = await lived(clock, publisher, community_id, priced(10), date(2026, 11, 22))

    with pytest.raises(NotADraft):
        await db.write(actions.save_draft, community_id=community_id, version_id=published, table=priced(99))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE scoring_item SET rule = ''",
        "DELETE FROM scoring_item",
        "UPDATE scoring_version SET rules = '{}'",
        "DELETE FROM scoring_version",
        "UPDATE scoring_version SET state = 'draft', in_force_from = NULL",
        "UPDATE scoring_version SET state = 'scheduled'",
        INSERT_ITEM,
    ],
)
async def test_the_database_itself_refuses_to_change_what_is_in_force(community_id, statement):
    await adopt(community_id)

    async def tamper(tx):
        await tx.run(statement)

    with pytest.raises((IntegrityError, OperationalError), match="scoring_"):
        await db.write(tamper)


async def test_a_table_with_faults_is_kept_as_a_draft_and_goes_no_further(community_id):
    await adopt(community_id)
    draft = await db.write(actions.draft_from_current, community_id=community_id)

    faults = await db.write(actions.save_draft, community_id=community_id, version_id=draft, table=priced(-1))

    assert faults == 1
    with pytest.raises(TableFaults):
        await db.write(actions_life.submit, community_id=community_id, version_id=draft)


async def test_there_is_one_draft_at_a_time(community_id):
    await adopt(community_id)

    drafts = [await db.write(actions.draft_from_current, community_id=community_id) for _ in range(2)]

    assert drafts[0] == drafts[1]


async def test_a_dropped_draft_leaves_what_is_in_force(community_id):
    await adopt(community_id)
    draft = await db.write(actions.draft_from_current, community_id=community_id)

    await db.write(actions.drop_draft, community_id=community_id, version_id=draft)

    assert await queries.draft_of(community_id) is None
    assert await points_on(community_id, TODAY) == 8


@pytest.mark.both
async def test_two_who_begin_a_draft_at_once_share_it(community_id):
    await adopt(community_id)

    begun = await asyncio.gather(*(db.write(actions.draft_from_current, community_id=community_id) for _ in range(4)))

    assert len(set(begun)) == 1


@pytest.mark.both
async def test_whoever_types_in_another_row_at_once_keeps_it_too(community_id):
    codes = [f"A{number:02}" for number in range(1, 7)]
    items = tuple(msgspec.structs.replace(TABLE.items[0], code=code) for code in codes)
    table = msgspec.structs.replace(TABLE, items=items)
    draft = await db.write(actions.import_draft, community_id=community_id, table=table)

    def edit(code):
        row = Row(code=code, name="测试改名", points="9", day_cap="18", evidence="照片", seen=SEEN)
        return db.write(
            actions_sheet.edit_cells, community_id=community_id, version_id=draft, rows=[row], ended=[], in_force=[]
        )

    await asyncio.gather(*map(edit, codes))

    found = (await queries.draft_of(community_id)).table
    assert {item.code: (item.name, item.points) for item in found.items} == dict.fromkeys(codes, ("测试改名", 9))


@pytest.mark.both
async def test_whoever_changes_another_setting_or_an_item_at_once_keeps_it_too(community_id):
    draft = await db.write(actions.import_draft, community_id=community_id, table=TABLE)
    which = {"community_id": community_id, "version_id": draft}
    item = msgspec.structs.replace(TABLE.items[0], name="测试改名")
    settings = {
        "notice_days": 9,
        "appeal": "测试申诉",
        "notes": ("测试说明",),
        "validity": Validity(ValidityKind.YEAR_END),
    }

    put_settings = partial(db.write, actions_sheet.put_settings, seen=rules_form_table.marks_of(TABLE))

    await asyncio.gather(
        db.write(actions_sheet.put_item, **which, item=item, seen=marks_of(TABLE.items[0])),
        *(put_settings(**which, settings={name: one}) for name, one in settings.items()),
    )

    assert (await queries.draft_of(community_id)).table == msgspec.structs.replace(TABLE, items=(item,), **settings)


@pytest.mark.both
async def test_of_two_who_type_in_one_field_of_an_item_at_once_one_is_told(community_id):
    draft = await db.write(actions.import_draft, community_id=community_id, table=TABLE)
    which = {"community_id": community_id, "version_id": draft, "seen": marks_of(TABLE.items[0])}
    named = [msgspec.structs.replace(TABLE.items[0], name=name) for name in ("测试一", "测试二")]

    put = (db.write(actions_sheet.put_item, **which, item=item) for item in named)
    told = await asyncio.gather(*put, return_exceptions=True)

    assert [type(one) for one in told if not isinstance(one, int)] == [SheetStale]
    kept = next(item for item, one in zip(named, told, strict=True) if isinstance(one, int))
    assert (await queries.draft_of(community_id)).table.items == (kept,)


@pytest.mark.both
async def test_what_was_checked_is_what_goes_on(community_id):
    """Somebody else saves or drops the draft in the same moment."""
    await adopt(community_id)
    for _ in range(5):
        draft = await db.write(actions.draft_from_current, community_id=community_id)
        which = {"community_id": community_id, "version_id": draft}
        await db.write(actions.save_draft, **which, table=priced(9))
        told = await asyncio.gather(
            db.write(actions_life.submit, **which),
            db.write(actions.save_draft, **which, table=priced(-1)),
            db.write(actions.drop_draft, **which),
            return_exceptions=True,
        )
        assert all(isinstance(one, int | Refusal | None) for one in told), told
        left = await db.row("SELECT state FROM scoring_version WHERE id = ?", draft)
        if left is not None and left["state"] == "discussion":
            assert (await queries.version((community_id,), draft)).table.items[0].points == 9
            await db.write(actions_life.send_back, **which, reason="other")
        if left is not None:
            await db.write(actions.drop_draft, **which)
