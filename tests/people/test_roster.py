"""Names are found in memory: by characters, pinyin, phone and number; masked, fresh, and forgotten when idle."""

import asyncio

import pytest

from pointsbank.kit import db
from pointsbank.people import actions, queries_roster, roster


@pytest.fixture
async def neighbours(people):
    names = {"曾小明": "10000000001", "单雄": "10000000002", "测试甲": "10000000003", "Test Person": "10000000004"}
    return {name: await people.member(name, phone=phone) for name, phone in names.items()}


async def found(people, query):
    return [one.person_id for one in await roster.search(people.place.community, query)]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("小明", "曾小明"),
        ("zxm", "曾小明"),
        ("zengxm", "曾小明"),
        ("ZXM", "曾小明"),
        ("shan", "单雄"),
        ("sx", "单雄"),
        ("ｔｅｓｔ", "Test Person"),
        ("0003", "测试甲"),
    ],
)
async def test_people_are_found_by_what_staff_know(people, neighbours, query, name):
    assert neighbours[name] in await found(people, query)


async def test_a_member_number_finds_one_with_or_without_blanks(people, neighbours):
    view = (await roster.search(people.place.community, "曾小明"))[0]
    assert await found(people, view.member_number) == [view.person_id]
    assert await found(people, view.member_number.replace(" ", "")) == [view.person_id]
    assert await found(people, view.member_number[:5]) == []


async def test_what_is_found_is_masked(people, neighbours):
    view = (await roster.search(people.place.community, "曾小明"))[0]
    assert (view.masked_name, view.masked_phone) == ("曾*明", "100****0001")
    assert "小" not in repr(await roster.entries(people.place.community))


async def test_other_communities_are_not_searched(people, neighbours):
    assert await roster.search(people.place.elsewhere, "") == []


async def test_a_new_member_is_found_at_once(people, neighbours):
    assert await found(people, "测试乙") == []
    person = await people.member("测试乙")
    assert await found(people, "测试乙") == [person]


async def test_who_was_merged_is_gone_at_once(people, neighbours):
    assert neighbours["单雄"] in await found(people, "")
    await db.write(actions.mark_merged, person_id=neighbours["单雄"], into_id=neighbours["测试甲"])
    assert neighbours["单雄"] not in await found(people, "")


async def test_a_roster_that_did_not_change_is_not_read_again(people, neighbours):
    first = await roster.entries(people.place.community)
    assert await roster.entries(people.place.community) is first


async def test_an_idle_roster_is_dropped(people, neighbours, monkeypatch):
    monkeypatch.setattr(roster, "IDLE_SECONDS", 0.0)
    await roster.entries(people.place.community)
    await asyncio.sleep(0.01)
    assert (db.current(), people.place.community) not in roster._opened


async def test_pages_are_bounded(people, neighbours):
    some = await roster.search(people.place.community, "", limit=2)
    rest = await roster.search(people.place.community, "", start=2, limit=50)
    assert len(some) == 2
    assert {one.person_id for one in some + rest} == set(neighbours.values())
    with pytest.raises(AssertionError):
        await roster.search(people.place.community, "", limit=52)


@pytest.mark.parametrize("query", ["%", "_", "'", "\x00", "a" * 10_000, "\ud800"])
async def test_rubbish_finds_nobody(people, neighbours, query):
    assert await found(people, query) == []


async def test_the_queue_shows_staff_who_it_could_be(people, neighbours):
    facts = {"community_id": people.place.community, "consent_publication": False}
    for device, name, phone in (
        ("same both", "测试甲", "10000000003"),
        ("same phone", "测试丙", "10000000003"),
        ("same name", "测试甲", "10000000099"),
        ("neither", "测试丁", "10000000098"),
    ):
        device_id = await people.device(device)
        await db.write(actions.register_provisional, device_id=device_id, name=name, phone=phone, **facts)
    waiting = await queries_roster.provisional_queue([people.place.community])
    shown = [[(c.view.person_id, c.same_phone, c.same_name) for c in one.candidates] for one in waiting]
    jia = neighbours["测试甲"]
    assert shown == [[(jia, True, True)], [(jia, True, False)], [(jia, False, True)], []]
    assert waiting[0].masked_name == "测*甲"
    assert await queries_roster.provisional_queue([people.place.elsewhere]) == []
