"""The pages of findings: for whoever writes them down, whoever confirms them, and the holder on the phone."""

import re

import pytest

from pointsbank.awards import queries_cases
from pointsbank.awards.rules_cases import CaseState
from pointsbank.people.access import Role
from pointsbank.scoring.rules import Basis
from pointsbank.scoring.rules_table import Level, Veto
from tests.awards.cases import WORDS, a_deduction, patrol_in
from tests.awards.neighbours import an_item
from tests.world import BLOCKED_STAIRS, visiting


@pytest.fixture
async def patrol(neighbours, world):
    await neighbours.adopt(an_item(), BLOCKED_STAIRS)
    return await patrol_in(neighbours, world)


def key_in(page) -> str:
    return re.search(r'name="request_key" value="([^"]+)"', page.text)[1]


async def test_from_the_finding_to_the_letter_and_the_answer(patrol, neighbours, world):
    person = await neighbours.person("测试居民")
    (_, worker), (_, admin), (_, third) = [
        await world.staff(role, patrol.place) for role in (Role.GRID_WORKER, *[Role.COMMUNITY_ADMIN] * 2)
    ]
    _device, phone = await world.phone(person)
    async with visiting(world, cookie=worker) as desk:
        form = await desk.get(f"/awards/people/{person}/cases")
        assert "6 个月里：先劝导 1 次，再警告 1 次，以后每次扣 2 分。" in form.text
        facts = {"request_key": key_in(form), "item_code": "K01", "found_on": patrol.today.isoformat(), **WORDS}
        made = await desk.post(f"/awards/people/{person}/cases", data=facts)
        url = made.headers["location"]
        assert "自己记的，自己不能确认" in (await desk.get(url)).text
        assert (await desk.get(f"{url}/letter")).status_code == 404
    async with visiting(world, cookie=phone) as resident:
        assert (await resident.get(url)).status_code == 404
    async with visiting(world, cookie=admin) as desk:
        assert url in (await desk.get("/todo")).text
        shown = await desk.get(url)
        assert "确认以后是：劝导" in shown.text
        seen = re.search(r'name="seen" value="(\w+)"', shown.text)[1]
        await desk.post(f"{url}/give", data={"request_key": key_in(shown), "seen": seen})
        letter = (await desk.get(f"{url}/letter")).text
    assert "劝导书" in letter
    assert "三天里把东西搬走" in letter
    assert "测试居民" not in letter
    async with visiting(world, cookie=worker) as desk:
        assert url in (await desk.get("/todo")).text
        told = {"request_key": "told-it-just-now", "told_on": patrol.today.isoformat(), "how": "door"}
        await desk.post(f"{url}/tell", data=told)
    async with visiting(world, cookie=phone) as resident:
        assert url in (await resident.get("/home")).text
        page = await resident.get(url)
        assert "这是劝导，不扣分" in page.text
        await resident.post(f"{url}/object", data={"request_key": key_in(page), "said": "那不是我家的箱子"})
        assert "等社区答复" in (await resident.get(url)).text
    async with visiting(world, cookie=third) as desk:
        assert url in (await desk.get("/todo")).text
        ruled = {"request_key": "answered-just-now", "verdict": "upheld", "answer": "看了照片，是隔壁单元的"}
        await desk.post(f"{url}/rule", data=ruled)
    async with visiting(world, cookie=phone) as resident:
        assert "看了照片，是隔壁单元的" in (await resident.get(url)).text
    assert (await queries_cases.case_in(None, int(url.rpartition("/")[2]))).state == CaseState.DROPPED


async def test_only_the_holder_and_the_staff_who_deal_with_it_see_a_finding(patrol, neighbours, world):
    home = await neighbours.household()
    person, mate = [await neighbours.person(household_id=home) for _ in "ab"]
    case = await patrol.found(person)
    here, elsewhere = world.communities
    sessions = {
        "own": (await world.phone(person))[1],
        "mate": (await world.phone(mate))[1],
        "worker": (await world.staff(Role.GRID_WORKER, here))[1],
        "organiser": (await world.staff(Role.EVENT_ORGANISER, here))[1],
        "auditor": (await world.staff(Role.AUDITOR, here))[1],
        "elsewhere": (await world.staff(Role.COMMUNITY_ADMIN, elsewhere))[1],
    }
    found = {}
    for who, cookie in sessions.items():
        async with visiting(world, cookie=cookie) as client:
            found[who] = (await client.get(f"/awards/cases/{case.id}")).status_code

    # The passbook is the person's own, and so is the letter.
    assert found == {"own": 200, "mate": 404, "worker": 200, "organiser": 404, "auditor": 404, "elsewhere": 404}


async def test_what_is_refused_is_said_on_the_page(patrol, neighbours, world):
    person = await neighbours.person()
    _, worker = await world.staff(Role.GRID_WORKER, patrol.place)
    async with visiting(world, cookie=worker) as desk:
        facts = {"request_key": "too-long-ago-1", "item_code": "K01", "found_on": "2026-01-02", **WORDS}
        answer = await desk.post(f"/awards/people/{person}/cases", data=facts)

    assert answer.status_code == 400
    assert "30 天以前的事不能再记" in answer.text
    assert WORDS["what"] in answer.text


LEVELLED = a_deduction(
    "K02", name="乱停车", basis=Basis.PER_LEVEL, points=None, levels=(Level("占道", 2), Level("堵门", 5))
)
RANGED = a_deduction("K03", name="高空抛物", range_max=6)
COUNTED = a_deduction("K04", name="乱贴广告", basis=Basis.PER_ITEM, counted="处")
SHED = Veto("V01", "私搭乱建", "no_redemption", 3, ground="居民公约第五条", make_good="拆掉")


@pytest.fixture
async def strict(neighbours, world):
    await neighbours.adopt(an_item(), BLOCKED_STAIRS, LEVELLED, RANGED, COUNTED, veto_rules=(SHED,))
    return await patrol_in(neighbours, world)


def marked(text) -> list[str]:
    """The inputs that are said to be wrong, each described by the words beside it."""
    found = re.findall(r'id="(\w+)" name="\w+"[^>]*aria-invalid="true" aria-describedby="(\w+)-wrong', text)
    assert all(field == described for field, described in found)
    return [field for field, _ in found]


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"item_code": "K02"}, "level", "是哪一级"),
        ({"item_code": "K02", "level": "K03/占道"}, "level", "没有写"),
        ({"item_code": "K01", "level": "K02/占道"}, "level", "是哪一级"),
        ({"item_code": "V01", "level": "K02/占道"}, "level", "是哪一级"),
        ({"item_code": "K03"}, "value", "分值"),
        ({"item_code": "K03", "value": "7"}, "value", "范围"),
        ({"item_code": "K03", "value": "两三分"}, "value", "范围"),
        ({"item_code": "K01", "value": "2"}, "value", "分值"),
        ({"item_code": "V01", "value": "2"}, "value", "分值"),
        ({"item_code": "K01", "quantity": "2"}, "quantity", "数量"),
        ({"item_code": "V01", "quantity": "2"}, "quantity", "数量"),
        ({"item_code": "K04", "quantity": "0"}, "quantity", "几处"),
        ({"item_code": "K04", "quantity": "两"}, "quantity", "几处"),
        ({"item_code": "K09"}, "item_code", "K09"),
        ({"found_on": "2026-01-02"}, "found_on", "30 天以前"),
        ({"found_on": "2027-01-02"}, "found_on", "不能晚于今天"),
        ({"evidence": "x"}, "evidence", "凭据"),
    ],
)
async def test_what_is_wrong_marks_its_own_field_and_keeps_what_was_typed(strict, changes, field, said):
    person = await strict.neighbours.person()
    _, worker = await strict.world.staff(Role.GRID_WORKER, strict.place)
    typed = {"item_code": "K01", "found_on": strict.today.isoformat(), **WORDS, **changes}
    async with visiting(strict.world, cookie=worker) as desk:
        answer = await desk.post(f"/awards/people/{person}/cases", data={"request_key": "wrong-one-1", **typed})

    assert answer.status_code == 400
    assert marked(answer.text) == [field]
    assert "只有这几项要填：K03 2 分到 6 分" in answer.text
    [words] = re.findall(rf'<span class="wrong" id="{field}-wrong">([^<]+)</span>', answer.text)
    assert said in words
    assert f'href="#{field}">{words}</a>' in answer.text
    assert typed["what"] in answer.text
    for name in ("found_on", "evidence", "quantity", "value"):
        if name in typed:
            assert (
                f'name="{name}" type="{"date" if name == "found_on" else "text"}" value="{typed[name]}"' in answer.text
            )
    for name in ("item_code", "level"):
        if typed.get(name, "") not in ("", "K09", "K03/占道"):
            assert f'<option value="{typed[name]}" selected>' in answer.text


async def test_what_no_field_can_mend_leads_to_the_form_and_a_letter_s_day_to_its_own_field(strict, neighbours, world):
    person = await neighbours.person()
    own, worker = await world.staff(Role.GRID_WORKER, strict.place)
    facts = {"item_code": "K01", "found_on": strict.today.isoformat(), **WORDS}
    async with visiting(world, cookie=worker) as desk:
        mine = await desk.post(f"/awards/people/{own.person_id}/cases", data={"request_key": "my-own-1", **facts})
        case_id = await strict.agree(await strict.make(person))
        told = {"request_key": "told-too-early", "told_on": "2026-01-02", "how": "door"}
        early = await desk.post(f"/awards/cases/{case_id}/tell", data=told)
        again = await desk.post(f"/awards/people/{person}/cases", data={"request_key": "again-1-1", **facts})

    assert (mine.status_code, marked(mine.text)) == (400, [])
    assert 'href="#person"' in mine.text
    assert 'id="person"' in mine.text
    assert (early.status_code, marked(early.text)) == (400, ["told_on"])
    assert 'value="2026-01-02"' in early.text
    assert (again.status_code, marked(again.text)) == (400, ["item_code"])
    assert "已经记过一次" in again.text
