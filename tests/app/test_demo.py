"""The demo: enough of everything, nothing that a real installation could be mistaken for."""

import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from pointsbank.app import database as databases
from pointsbank.app import demo, demo_cast, demo_facts, demo_today, verifying
from pointsbank.app.demo_year import WEEKS
from pointsbank.awards import actions_panel, queries_gate, queries_panel
from pointsbank.awards.rules_gate import Barred, GateShut
from pointsbank.kit import codes, crypto, db
from pointsbank.kit.clock import Clock, FixedClock, local_day
from pointsbank.kit.errors import Refusal
from pointsbank.kit.settings import Settings
from pointsbank.kit.text import phone_ok
from pointsbank.ledger import queries as ledger
from pointsbank.ledger import verify
from pointsbank.people import queries_roster as roster
from pointsbank.people import sealed
from pointsbank.people.rules_roles import Role
from tests.app.shell import Shell, said, shell_in

SMALL_WEEKS = 3


@pytest.fixture
def facts(small_demo: Path) -> dict:
    result = shell_in(small_demo)("demo", "--folder", str(small_demo), "--facts")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def _count(folder: Path, condition: str) -> int:
    connection = sqlite3.connect(folder / databases.FILE_NAME)
    ((count,),) = connection.execute(f"SELECT COUNT(*) FROM {condition}").fetchall()
    connection.close()
    return count


def test_a_street_of_three_communities_with_four_hundred_residents(small_demo: Path):
    assert _count(small_demo, "people_place WHERE kind = 'street'") == 1
    assert _count(small_demo, "people_community") == 3
    assert _count(small_demo, "people_household") >= 200
    assert _count(small_demo, "people_person WHERE state = 'member' AND household_id IS NOT NULL") >= 400


def test_a_year_at_this_rate_has_attendances_and_orders_enough(small_demo: Path):
    # Orders begin when the first points have settled, so the first weeks have fewer than those that follow.
    assert _count(small_demo, "events_attendance") / SMALL_WEEKS * WEEKS >= 3_000
    assert _count(small_demo, "redemption_order") / (SMALL_WEEKS - 1) * WEEKS >= 1_300


OWN_ACCOUNT = """
SELECT account.id FROM ledger_account account JOIN ledger_passbook book ON book.id = account.passbook_id
  JOIN ledger_book_kind kind ON kind.id = book.kind_id AND kind.code = 'points' WHERE book.person_id = ?
"""
LISTS = {
    "provisional people wait": "people_person WHERE state = 'provisional'",
    "an award waits for its second review": "awards_award WHERE state = 'pending' AND next_role = 'community_admin'",
    "awards are on notice": "awards_award WHERE state = 'noticed'",
    "a finding was told and its days run": "awards_case WHERE state = 'told' AND open_until >= date('now', '+8 hours')",
    "a finding is objected to": "awards_case WHERE state = 'disputed'",
    "a deduction was booked, after advice and a warning": (
        "awards_case it WHERE state = 'booked' AND taken > 0 AND 2 = (SELECT COUNT(*) FROM awards_case earlier"
        " WHERE earlier.person_id = it.person_id AND earlier.step IN ('advice', 'warning') AND earlier.state = 'told')"
    ),
    "somebody is barred by a veto": (
        "awards_case it JOIN ledger_bar bar ON bar.passbook_id = it.passbook_id"
        " WHERE it.step = 'veto' AND it.state = 'booked' AND bar.barred_until > date('now')"
    ),
    "an award waits for votes": "awards_panel WHERE verdict IS NULL AND drawn AND seats = members",
    "an objection waits": "notices_objection WHERE state = 'open'",
    "a line is disputed": "awards_award WHERE state = 'disputed'",
    "a table is drafted": "scoring_version WHERE state = 'draft'",
    "a table is on notice": "scoring_version WHERE state = 'noticed'",
    "shelves are low": "stock_good WHERE stock <= low_at",
    "goods were given": "stock_lot WHERE source = 'donated' AND donor <> ''",
    "gifts were given by two": (
        "ledger_voucher gift JOIN approvals_approval agreed ON agreed.id = gift.approval_id"
        " WHERE gift.what = 'gift' AND gift.state = 'booked' AND agreed.checker_id <> gift.made_by"
    ),
    "gifts wait for a second person": "ledger_voucher WHERE what = 'gift' AND state = 'asked'",
    "a card is lost": "people_card WHERE state = 'lost'",
    "an order was undone": "redemption_order WHERE state = 'undone'",
    "a past activity waits for its organiser": (
        "events_activity WHERE state = 'published' AND arrived > 0 AND ends_at < datetime('now')"
    ),
    "people are in at this moment": "events_attendance WHERE state = 'open' AND in_at > datetime('now', '-2 hours')",
    "somebody has two roles": (
        "(SELECT person_id FROM people_role_grant GROUP BY person_id HAVING COUNT(DISTINCT role) > 1)"
    ),
}


@pytest.mark.parametrize("condition", LISTS.values(), ids=LISTS)
def test_every_list_has_something_on_it(small_demo: Path, condition: str):
    assert _count(small_demo, condition) > 0


def test_communities_differ_in_kind(small_demo: Path):
    connection = sqlite3.connect(small_demo / databases.FILE_NAME)
    tables = [
        json.loads(rules) for (rules,) in connection.execute("SELECT rules FROM scoring_version WHERE number = 1")
    ]
    connection.close()
    assert len({table["kind"] for table in tables}) == 3
    assert {table["passbook"] for table in tables} == {"person", "household"}
    assert {0, 3} <= {table["notice_days"] for table in tables}
    assert any(table["caps"] for table in tables)


@pytest.fixture
async def opened(small_demo: Path, tmp_path: Path) -> AsyncIterator[FixedClock]:
    """A copy of the demo, open, with a clock that the test moves."""
    shutil.copytree(small_demo, tmp_path / "demo")
    settings, clock = Settings(data=tmp_path / "demo"), FixedClock(Clock().now())
    async with databases.opened(settings, clock):
        await demo.check_demo(settings)
        yield clock


async def test_the_books_are_clean_and_every_phone_is_nobodys(opened: FixedClock):
    report = await verify.verify()
    assert report.is_clean, report.findings
    assert await verifying.of_other_rooms() == []
    people = await db.rows("SELECT member_number, wrapped_key, name, phone FROM people_person WHERE phone IS NOT NULL")
    phones = {sealed.person_field(person, "phone") for person in people}
    assert len(phones) >= 400
    assert all(phone.startswith("100") and phone_ok(phone) for phone in phones)


async def test_nothing_is_later_than_now(opened: FixedClock):
    latest = await db.row("SELECT MAX(at) FROM trail_record")
    assert latest is not None
    assert str(latest[0]) <= (opened.now() + timedelta(seconds=1)).isoformat(" ")


async def test_a_demo_of_some_days_age_is_brought_to_today(opened: FixedClock):
    opened.advance(days=40)
    for community_id in await demo_today.community_ids():
        assert await demo_today.running(community_id, opened.now()) is None
    before = await demo_today.slip()
    await demo_today.freshen()
    for community_id in await demo_today.community_ids():
        assert await demo_today.running(community_id, opened.now()) is not None
    assert (await demo_today.slip()).activation_token != before.activation_token
    for part in await demo_cast.cast(local_day(opened.now())):
        page = await roster.person_page((part.community_id,), part.person_id, opened.now())
        assert page.cards[0].slip_good, part.shows
    made = await db.row("SELECT COUNT(*) FROM events_activity")
    await demo_today.freshen()
    again = await db.row("SELECT COUNT(*) FROM events_activity")
    assert (made[0], (await verify.verify()).is_clean) == (again[0], True)


def test_each_role_has_a_sign_in_and_a_token_in_its_place(facts: dict, small_demo: Path):
    local = {Role.COMMUNITY_ADMIN, Role.EVENT_ORGANISER, Role.GRID_WORKER, Role.COUNTER_STAFF}
    wanted = {(role, place) for role in local for place in ("梧桐里社区", "桂花巷社区", "望溪社区")}
    wanted |= {(role, "云杉街道") for role in (Role.SUPERVISOR, Role.AUDITOR, Role.STREET_ADMIN)}
    assert {(login["role"], login["place"]) for login in facts["logins"]} == wanted
    assert {(token["role"], token["place"]) for token in facts["tokens"]} == wanted

    login = facts["logins"][0]
    connection = sqlite3.connect(small_demo / databases.FILE_NAME)
    ((hashed,),) = connection.execute("SELECT password_hash FROM people_login WHERE login = ?", (login["login"],))
    ((tokens,),) = connection.execute(
        "SELECT COUNT(*) FROM people_session WHERE token_digest = ?",
        (crypto.token_digest(facts["tokens"][0]["token"]),),
    )
    connection.close()
    assert crypto.password_matches(hashed, login["password"])
    assert tokens == 1


def test_facts_name_cards_goods_and_a_running_event(facts: dict):
    assert facts["base_url"].startswith("http://127.0.0.1:")
    assert all(codes.is_checked(card["code"]) and card["code"].startswith("81") for card in facts["cards"])
    assert facts["cards"][0]["balance"] > 0
    assert {"id", "barcode", "points", "stock", "counter_id", "outlet_id"} <= set(facts["goods"][0])
    assert len(facts["counters"]) == 3
    assert codes.parse_scan(facts["event"]["poster"]).kind is codes.CodeKind.POSTER
    assert codes.parse_scan(facts["event"]["screen"]).kind is codes.CodeKind.EVENT
    assert "/a/" in facts["residents"][0]["activation"]
    assert set(facts["cast"]) == {"votes", "barred", "gate_waits", "gate_passed"}
    assert all("/a/" in one["activation"] for one in facts["cast"].values())


async def test_each_of_the_cast_shows_what_is_said_of_them(opened: FixedClock):
    person = {part.shows: part.person_id for part in await demo_cast.cast(local_day(opened.now()))}
    assert await queries_panel.waiting_for(person["votes"])
    why = {shows: await _why_shut(person[shows]) for shows in ("barred", "gate_waits", "gate_passed")}
    assert isinstance(why["barred"], Barred)
    assert isinstance(why["gate_waits"], GateShut)
    assert why["gate_passed"] is None
    home, *_ = await demo_today.community_ids()
    richest = next(card["id"] for card in await db.rows(demo_facts.CARDS) if card["community_id"] == home)
    for served in (richest, await demo_today.first_resident(home)):
        assert await _why_shut(served) is None


async def _why_shut(person_id: int) -> Refusal | None:
    found = await db.row(OWN_ACCOUNT, person_id)
    assert found is not None
    account = await ledger.account(None, found["id"], today=local_day(Clock().now()))
    return await queries_gate.why_shut(None, account)


async def test_whoever_has_voted_makes_room_for_another(opened: FixedClock):
    voted = []
    while (part := (await demo_cast.cast(local_day(opened.now())))[0]).shows == "votes":
        first, *_ = await queries_panel.waiting_for(part.person_id)
        await db.write(
            actions_panel.vote, actor=db.Actor(part.person_id), award_id=first.award_id, agrees=True, reason=None
        )
        voted.append(part.person_id)
    assert len(set(voted)) > 1
    assert await db.rows("SELECT 1 FROM awards_panel WHERE verdict IS NULL") == []


def test_sign_ins_are_for_the_owner_of_the_folder_alone(small_demo: Path):
    assert (small_demo / "demo-sign-ins.json").stat().st_mode & 0o777 == 0o600


async def test_a_demo_that_is_there_is_used_again(small_demo: Path, tmp_path: Path):
    folder = tmp_path / "demo"
    shutil.copytree(small_demo, folder)
    before = (folder / "root.key").read_bytes()
    await demo.prepare(Settings(data=folder), weeks=1)
    assert (folder / "root.key").read_bytes() == before


def test_a_real_database_is_refused(shell: Shell, folder: Path):
    before = (folder / databases.FILE_NAME).read_bytes()
    assert "不是演示数据" in said(shell("demo", "--folder", str(folder), "--facts"))
    assert "不是演示数据" in said(shell("demo", "--folder", str(folder)))
    assert (folder / databases.FILE_NAME).read_bytes() == before


def test_the_key_of_an_installation_elsewhere_is_not_overwritten(shell: Shell, folder: Path):
    (folder / databases.FILE_NAME).unlink()
    key = (folder / "root.key").read_bytes()
    assert "不是演示数据" in said(shell("demo", "--folder", str(folder)))
    assert (folder / "root.key").read_bytes() == key


def test_facts_of_no_demo_are_told_to_be_missing(tmp_path: Path):
    assert "没有数据库" in said(shell_in(tmp_path)("demo", "--folder", str(tmp_path), "--facts"))


async def test_the_welcome_says_where_and_how(small_demo: Path):
    settings = Settings(data=small_demo, public_url="http://192.0.2.7:8000")
    text = await demo.welcome(settings, lan=True)
    assert text.count("http://192.0.2.7:8000") >= 3
    assert "wutong-counter" in text
    for words in ("等他投票", "这几个月不能兑换", "服务还没满 3 小时", "服务满了 3 小时"):
        assert words in text
    assert "▀" in text or "█" in text
