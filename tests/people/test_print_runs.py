"""Card sheets: who gets a card, in what order, once for each key; who may; and the end of a whole run."""

import re

import httpx
import pytest

from pointsbank.kit import db
from pointsbank.people import actions, actions_cards, actions_print, rules_cards
from pointsbank.people.rules_cards import Kept, behind, natural
from tests.people.conftest import sign_in

CODE = re.compile(r"8[14]\d\d(?: \d{4}){4}")


def key(number: int) -> str:
    return f"print-key-{number:02}"


@pytest.fixture
async def town(people):
    """Twelve people behind six doors, the doors entered out of order; two of them have cards."""
    town = people
    town.doors = ["1002 室", "201 室", "301 室", "1001 室", "202 室", "101 室"]
    town.members = {}
    for door in town.doors:
        home = await people.household(door=door)
        town.members[door] = [await people.member(name, household_id=home) for name in ("测试小甲", "测试小乙")]
    town.walk = [one for door in sorted(town.doors, key=natural) for one in town.members[door]]
    town.kept = [await people.card(town.members["301 室"][0]), await people.card(town.members["101 室"][0])]
    await people.staff("an")
    return town


def codes_on(answer: httpx.Response) -> list[str]:
    return [found.replace(" ", "") for found in CODE.findall(answer.text)]


async def owners(town, codes: list[str]) -> list[int]:
    return [(await town.take(code)).person_id for code in codes]


def asked(ids, number: int = 1, **more: object) -> dict[str, object]:
    return {"request_key": key(number), "kind": "member", "ids": ",".join(map(str, ids)), **more}


async def count(table: str) -> int:
    return (await db.row(f"SELECT COUNT(*) FROM {table}"))[0]


async def test_whoever_has_no_card_is_listed_and_a_click_prints_them_all(town, browser):
    desk = await sign_in(browser, "an")
    listed = await desk.get("/people/cards")
    ids = re.search(r'name="ids" value="([\d,]+)"', listed.text)[1]
    assert "印 11 张会员卡" in listed.text  # ten of the town, and the admin
    assert "测**甲" in listed.text
    assert "测试小甲" not in listed.text

    printed = await desk.post("/people/cards/print", data=asked(ids.split(",")))

    without = [one for one in town.walk if one not in (town.members["301 室"][0], town.members["101 室"][0])]
    backs = await owners(town, codes_on(printed))
    assert printed.status_code == 200
    assert set(backs[:10]) == set(without)
    assert "没有要印的" in (await desk.get("/people/cards")).text


@pytest.mark.both
async def test_a_card_that_lives_is_printed_again_and_not_issued_anew(town, browser):
    desk = await sign_in(browser, "an")
    printed = await desk.post("/people/cards/print", data=asked(town.walk))
    codes = codes_on(printed)
    assert set(town.kept) <= set(codes)
    assert await count("people_card") == 12
    rows = await owners(town, codes)
    assert rows == [one for two in zip(town.walk[1::2], town.walk[::2], strict=True) for one in two]


async def test_the_same_form_sent_twice_prints_the_same_cards_and_issues_none(town, browser):
    desk = await sign_in(browser, "an")
    first = await desk.post("/people/cards/print", data=asked(town.walk))
    cards, runs = await count("people_card"), await count("people_print_run")
    second = await desk.post("/people/cards/print", data=asked(town.walk))
    assert codes_on(first) == codes_on(second)
    assert (await count("people_card"), await count("people_print_run")) == (cards, runs) == (12, 1)
    other = await desk.post("/people/cards/print", data=asked(town.walk[:3]))
    assert other.status_code == 409
    records = await db.rows("SELECT person_id FROM trail_record WHERE verb = 'cards.run_printed'")
    assert len(records) == 2


async def test_a_print_that_broke_off_is_finished_by_its_repeat(town, browser, monkeypatch):
    monkeypatch.setattr("pointsbank.people.routes_cards.SLICE", 5)
    desk = await sign_in(browser, "an")
    fill, calls = actions_print.fill_run, []

    async def breaks_off(tx, **facts):
        calls.append(facts["start"])
        if len(calls) == 2:
            raise rules_cards.RunVoided
        return await fill(tx, **facts)

    breaks_off.__annotations__ = fill.__annotations__
    monkeypatch.setattr(breaks_off, "__module__", fill.__module__)
    monkeypatch.setattr(breaks_off, "__qualname__", fill.__qualname__)
    with monkeypatch.context() as broken:
        broken.setattr(actions_print, "fill_run", breaks_off)
        broken.setattr("pointsbank.kit.db.command.STORED_REFUSALS", set())
        assert (await desk.post("/people/cards/print", data=asked(town.walk))).status_code == 409
    assert await count("people_print_run_card") == 5
    printed = await desk.post("/people/cards/print", data=asked(town.walk))
    assert len(codes_on(printed)) == 12
    assert (await count("people_print_run_card"), await count("people_card")) == (12, 12)


async def test_only_those_ticked_are_printed(town, browser):
    desk = await sign_in(browser, "an")
    chosen = town.walk[4:6]
    printed = await desk.post(
        "/people/cards/print", data=asked(town.walk, which="picked", pick=[str(one) for one in chosen])
    )
    assert set(await owners(town, codes_on(printed))) == set(chosen)
    nobody = await desk.post("/people/cards/print", data=asked(town.walk, 2, which="picked"))
    assert nobody.status_code == 400
    assert "还没有选给谁印" in nobody.text


async def test_a_filter_lists_a_building_a_grid_or_a_day(town, browser, clock):
    grid = await db.write(actions.make_place, parent_id=town.place.community, kind="grid", name="测试网格")
    block = await db.write(actions.make_place, parent_id=grid, kind="building", name="94 号楼")
    clock.advance(days=1)
    home = await db.write(actions.make_household, community_id=town.place.community, building_id=block, door="1")
    late = await town.member("测试丙", household_id=home)
    desk = await sign_in(browser, "an")
    for query in (f"place={grid}", f"place={block}", "day=2026-11-22"):
        listed = (await desk.get(f"/people/cards?{query}")).text
        assert f'name="ids" value="{late}"' in listed, query
    assert "没有要印的" in (await desk.get("/people/cards?day=2026-11-20")).text
    assert "印 14 张会员卡" in (await desk.get("/people/cards?who=all")).text


async def test_slips_come_apart_from_cards_and_in_their_order(town, browser):
    desk = await sign_in(browser, "an")
    await desk.post("/people/cards/print", data=asked(town.walk))
    run = (await db.row("SELECT id FROM people_print_run"))["id"]
    await db.write(actions_cards.report_lost, person_id=town.walk[0])
    slips = await desk.post(f"/people/cards/runs/{run}/slips", data={"request_key": key(2)})
    tails = re.findall(r"卡号尾号 (\d{4})", slips.text)
    cards = await desk.post(f"/people/cards/runs/{run}/print", data={"request_key": key(3)})
    by_place = [found[-4:] for found in codes_on(cards)]
    assert sorted(tails) == sorted(by_place)
    assert len(tails) == 11  # the lost card's is dead, and is not printed again
    assert codes_on(slips) == []
    assert "测试小甲" not in slips.text
    only = await desk.post(f"/people/cards/runs/{run}/slips", data={"request_key": key(4), "sheet": "2"})
    assert re.findall(r"卡号尾号 (\d{4})", only.text) == tails[-2:]


@pytest.mark.both
async def test_a_stolen_print_is_ended_as_a_whole_and_printed_anew(town, browser):
    desk = await sign_in(browser, "an")
    printed = await desk.post("/people/cards/print", data=asked(town.walk[:4]))
    run = (await db.row("SELECT id FROM people_print_run"))["id"]
    page = f"/people/cards/runs/{run}"
    for unsure in ({"reason": "missing"}, {"sure": "1"}, {"reason": "nonsense", "sure": "1"}):
        assert (await desk.post(f"{page}/void", data={"request_key": key(2), **unsure})).status_code == 400
    await db.write(actions_cards.issue_card, person_id=town.walk[3])  # a new card is on no stolen sheet

    ended = await desk.post(f"{page}/void", data={"request_key": key(3), "reason": "missing", "sure": "1"})

    assert ended.headers["location"] == page
    states = await db.rows("SELECT person_id, state FROM people_card ORDER BY id")
    assert [one["state"] for one in states if one["person_id"] in town.walk[:3]] == ["lost"] * 3
    assert [one["state"] for one in states if one["person_id"] == town.walk[3]] == ["replaced", "live"]
    record = await db.row("SELECT facts FROM trail_record WHERE verb = 'cards.run_voided'")
    assert '"cards":3' in record["facts"]
    assert await db.row("SELECT 1 FROM outbox") is not None
    assert "印好的卡丢了" in (await desk.get(page)).text
    for again in ("print", "slips"):
        assert (await desk.post(f"{page}/{again}", data={"request_key": key(4)})).status_code == 409
    late = {"run_id": run, "kind": Kept.MEMBER, "start": 4, "holder_ids": town.walk[4:6]}
    with pytest.raises(rules_cards.RunVoided):
        await db.write(actions_print.fill_run, **late)
    anew = await desk.post("/people/cards/print", data=asked(town.walk[:3], 5))
    assert len(codes_on(anew)) == 3
    assert not set(codes_on(anew)) & set(codes_on(printed))


async def test_grid_workers_print_one_card_and_no_sheets(town, browser):
    await town.staff("ling", "grid_worker")
    desk = await sign_in(browser, "ling")
    one = town.members["301 室"][0]
    single = await desk.post(f"/people/{one}/card/print", data={"request_key": key(1)})
    assert codes_on(single) == [town.kept[0]]
    assert "激活条" in single.text
    assert "/people/cards" not in (await desk.get("/people")).text
    assert (await desk.get("/people/cards")).status_code == 403
    assert (await desk.post("/people/cards/print", data=asked(town.walk))).status_code == 403
    assert await count("people_print_run") == 0


async def test_nobody_prints_cards_of_another_community(town, browser):
    desk = await sign_in(browser, "an")
    stranger = await town.member("测试外人", community=town.place.elsewhere)
    answer = await desk.post("/people/cards/print", data=asked([town.walk[0], stranger]))
    assert answer.status_code == 404
    assert await count("people_print_run") == 0
    run = await db.write(
        actions_print.open_run, community_id=town.place.elsewhere, kind=Kept.MEMBER, holder_ids=[stranger]
    )
    await db.write(actions_print.fill_run, run_id=run.run_id, kind=Kept.MEMBER, start=0, holder_ids=[town.walk[0]])
    assert await count("people_print_run_card") == 0, "who is not of the run's community is passed over"


async def test_a_plate_leads_staff_to_the_household_and_tells_others_nothing(town, browser):
    home = (await db.row("SELECT household_id AS id FROM people_person WHERE id = ?", town.walk[0]))["id"]
    desk = await sign_in(browser, "an")
    form = {"request_key": key(1), "kind": "plate", "ids": str(home)}
    printed = await desk.post("/people/cards/print", data=form)
    assert "101 室" in printed.text
    again = await desk.post("/people/cards/print", data={**form, "request_key": key(2)})
    assert (printed.status_code, again.status_code, await count("people_plate")) == (200, 200, 1)
    token = (await db.row("SELECT token FROM people_plate"))["token"]
    assert (await desk.get(f"/d/{token.lower()}")).headers["location"] == f"/people/households/{home}"
    await town.staff("elsewhere", "grid_worker", place=town.place.elsewhere)
    for other in (browser(), await sign_in(browser, "elsewhere")):
        seen = await other.get(f"/d/{token}")
        assert seen.status_code == 200
        assert "梧桐里社区的积分门牌" in seen.text
        assert not re.search("93 号楼|小甲|小乙|101 室|households", seen.text)
    assert (await browser().get("/d/0000000000000")).status_code == 404
    for scanned in (token, f"http://points.test/d/{token}"):
        with pytest.raises(rules_cards.Refusal):
            await town.take(scanned)


def test_doors_are_walked_by_number():
    doors = ["10 号楼", "9 号楼", "２ 单元 1001", "2 单元 201", "东 3", "101"]
    assert sorted(doors, key=natural) == ["2 单元 201", "２ 单元 1001", "9 号楼", "10 号楼", "101", "东 3"]


@pytest.mark.parametrize(
    ("sheet", "back"), [([1], [None, 1]), ([1, 2], [2, 1]), ([1, 2, 3], [2, 1, None, 3]), ([], [])]
)
def test_the_back_of_a_sheet_is_its_front_turned_over_the_long_edge(sheet, back):
    assert behind(sheet) == back
