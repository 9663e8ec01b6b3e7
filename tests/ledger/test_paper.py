"""The paper passbook: every line once, on the row after the last, and nothing remembered before it is on paper."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsbank.kit import db
from pointsbank.ledger import actions_paper, queries_paper, rules_paper
from pointsbank.ledger.queries_paper import PaperLine
from pointsbank.ledger.rules_paper import BookNotBegun, OtherLines, Place
from pointsbank.people.access import Role
from pointsbank.redemption import actions as redemption
from pointsbank.redemption.rules import Line
from pointsbank.trail import queries as trail
from tests.world import NOON, visiting


def line(number: int) -> PaperLine:
    return PaperLine(number, "award", 1, number, NOON, "测试", None, None)


class Paper:
    """A book as its owner sees it: pages of rows, each written at most once."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, int, int], tuple[int, bool]] = {}

    def feed(self, place: Place, lines: list[PaperLine]) -> None:
        carried = None if not place.carries else line(place.page_after)
        of_page = [one for one in lines if one.move_id > place.page_after]
        for page in rules_paper.pages(place, carried, of_page):
            for at, row in enumerate(page.rows):
                if row.line is not None and not row.is_printed:
                    where = (place.book, page.number, at)
                    assert where not in self.rows
                    self.rows[where] = (row.line.move_id, row.is_carried)


@given(st.lists(st.tuples(st.integers(0, 25), st.booleans()), max_size=12))
def test_every_line_is_printed_once_and_each_page_begins_with_what_the_last_one_ended_with(steps):
    paper, place, lines = Paper(), Place(), []
    for more, renews in steps:
        lines += [line(len(lines) + number + 1) for number in range(more)]
        of_page = [one for one in lines if one.move_id > place.page_after]
        paper.feed(place, lines)
        place = rules_paper.after_printing(place, of_page)
        if renews and place.last_move and (place.page, place.row) != (1, 0):
            place = rules_paper.new_book(place)

    written = [move for (move, is_carried) in paper.rows.values() if not is_carried]
    assert written == [one.move_id for one in lines]
    for (book, page, at), (move, is_carried) in paper.rows.items():
        assert is_carried == (at == 0 and (book, page) != (1, 1))
        if is_carried:
            before = [
                found for where, (found, carried) in paper.rows.items() if where < (book, page, at) and not carried
            ]
            assert move == before[-1]


async def stands(passbook_id: int) -> tuple[int, int, int]:
    place = await queries_paper.place(None, passbook_id)
    return place.book, place.page, place.row


async def print_new(bank, passbook_id: int, upto: int | None = None) -> None:
    place = await queries_paper.place(None, passbook_id)
    account = (await bank.passbook(passbook_id)).account_id
    _carried, lines = await queries_paper.lines(None, account, place)
    last = lines[-1].move_id if lines else place.last_move
    await db.write(actions_paper.note_printed, passbook_id=passbook_id, last_move=place.last_move, upto=upto or last)


@pytest.mark.both
async def test_printing_goes_on_below_the_last_row_and_into_a_new_book(bank):
    passbook_id = await bank.member()
    for points in range(1, 6):
        await bank.award(passbook_id, points)
    await print_new(bank, passbook_id)
    assert await stands(passbook_id) == (1, 1, 5)

    await bank.spend(passbook_id, 3)
    for points in range(1, 5):
        await bank.award(passbook_id, points)
    await print_new(bank, passbook_id)
    assert await stands(passbook_id) == (1, 2, 3)  # the balance brought forward, and two lines

    await db.write(actions_paper.renew, passbook_id=passbook_id, book=1)
    assert await stands(passbook_id) == (2, 1, 0)
    await print_new(bank, passbook_id)
    assert await stands(passbook_id) == (2, 1, 1)
    verbs = [record.verb for record in await trail.history(("passbook", passbook_id))]
    assert verbs == ["passbook.opened", *["passbook.printed"] * 2, "passbook.renewed", "passbook.printed"]


async def test_what_was_not_seen_is_not_noted_as_printed(bank):
    passbook_id = await bank.member()
    other = await bank.member()
    await bank.award(passbook_id, 5)
    await bank.award(other, 5)
    with pytest.raises(BookNotBegun):
        await db.write(actions_paper.renew, passbook_id=passbook_id, book=1)
    for last_move, upto in ((0, 2), (1, 1), (0, 0), (0, 99)):  # another's line, stood elsewhere, nothing, not there yet
        with pytest.raises(OtherLines):
            await db.write(actions_paper.note_printed, passbook_id=passbook_id, last_move=last_move, upto=upto)
    await print_new(bank, passbook_id)
    with pytest.raises(OtherLines):
        await print_new(bank, passbook_id)
    with pytest.raises(OtherLines):
        await db.write(actions_paper.renew, passbook_id=passbook_id, book=2)

    assert await stands(passbook_id) == (1, 1, 1)


async def paper_url(person_id: int) -> str:
    found = await db.row("SELECT id FROM ledger_passbook WHERE person_id = ?", person_id)
    return f"/ledger/passbooks/{found['id']}/paper"


def hidden(text: str, action: str) -> dict[str, str]:
    """What the form that sends to `action` carries."""
    form = text.split(f'action="{action}"')[1].split("</form>", maxsplit=1)[0]
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))


@pytest.mark.both
async def test_staff_print_what_is_new_and_say_so_and_only_then_it_is_remembered(world):
    person_id = await world.person(points=7)
    url = await paper_url(person_id)
    _actor, token = await world.staff(Role.GRID_WORKER)
    async with visiting(world, cookie=token) as client:
        for _look in range(2):
            shown = await client.get(url)
            assert "从第 1 行打起，新的 1 笔" in shown.text
            assert "测*甲" in shown.text
            assert "测试甲" not in shown.text
        form = hidden(shown.text, f"{url}/printed")
        assert (await client.post(f"{url}/printed", data=form)).headers["location"] == url
        await world.give(person_id, 5)
        shown = await client.get(url)
        assert "从第 2 行打起，新的 1 笔" in shown.text
        assert shown.text.count('class="is-printed"') == 1
        assert shown.text.count("测试发分") == 2

        again = await client.get(f"{url}?again=1")
        assert again.text.count("测试发分") == 1
        assert "is-printed" not in again.text
        stale = await client.post(f"{url}/printed", data={**form, "request_key": "another-key-1"})
        assert stale.status_code == 409

        renewed = hidden(shown.text, f"{url}/renew")
        assert (await client.post(f"{url}/renew", data=renewed)).status_code == 303
        shown = await client.get(url)
        assert "第 2 本" in shown.text
        assert shown.text.index("承前页") < shown.text.index("测试发分")


async def test_a_household_passbook_says_whose_line_it_is(clock, settings, database):
    from tests.world import World

    world = await World(clock, settings).found(holder="household", count=1)
    person_id = await world.person(points=7)
    found = await db.row("SELECT id FROM ledger_passbook")
    _actor, token = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=token) as client:
        shown = await client.get(f"/ledger/passbooks/{found['id']}/paper")
        member = await client.get(f"/people/{person_id}")

    assert "（全家）" in shown.text
    assert "测*甲 测试发分" in shown.text
    assert f"/ledger/passbooks/{found['id']}/paper" in member.text


async def test_a_clerk_prints_the_passbook_of_whom_he_has_just_served_and_no_other(world):
    person_id, good_id = await world.person(points=50), await world.good(points=5)
    clerk, token = await world.staff(Role.COUNTER_STAFF)
    _other, colleague = await world.staff(Role.COUNTER_STAFF)
    made = await db.write(
        redemption.order, actor=clerk, counter_id=world.home.counter_id, code=await world.card(person_id),
        lines=[Line(1, good_id)], community_ids=(world.home.id,),
    )  # fmt: skip
    url = f"/redemption/orders/{made.order_id}/passbook"
    async with visiting(world, cookie=colleague) as client:
        assert (await client.get(url)).status_code == 404
    async with visiting(world, cookie=token) as client:
        assert (await client.get(await paper_url(person_id))).status_code == 403
        shown = await client.get(url)
        assert "新的 2 笔" in shown.text
        sent = await client.post(f"{url}/printed", data=hidden(shown.text, f"{url}/printed"))
        assert sent.headers["location"] == url
        shown = await client.get(url)
        assert "纸上已打到第 1 页第 2 行" in shown.text
        assert (await client.post(f"{url}/renew", data=hidden(shown.text, f"{url}/renew"))).status_code == 303
        world.clock.advance(minutes=11)
        for method, where in (("GET", url), ("POST", f"{url}/printed"), ("POST", f"{url}/renew")):
            assert (await client.request(method, where)).status_code == 404
