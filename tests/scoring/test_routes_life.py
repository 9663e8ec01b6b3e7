"""The whole life of a version through HTTP and without script, as two admins, a resident and a clerk see it."""

import re
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest

from pointsbank.app import jobs
from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.people.access import Role
from pointsbank.scoring import actions, queries, queries_life
from tests.changes import DOT
from tests.scoring.builders import a_table, an_item
from tests.scoring.lives import PDF
from tests.scoring.test_routes import draft, grid, key_of
from tests.world import visiting

MEETING = {"place": "测试活动室", "present": "20", "votes_for": "15", "votes_against": "3", "abstained": "2"}


@dataclass
class Cast:
    drafter: httpx.AsyncClient
    publisher: httpx.AsyncClient
    resident: httpx.AsyncClient
    clerk: httpx.AsyncClient


@pytest.fixture
async def cast(world):
    tokens = [(await world.staff(role))[1] for role in (Role.COMMUNITY_ADMIN, Role.COMMUNITY_ADMIN)]
    tokens.append((await world.phone(await world.person()))[1])
    tokens.append((await world.staff(Role.GRID_WORKER))[1])
    async with AsyncExitStack() as stack:
        yield Cast(*[await stack.enter_async_context(visiting(world, cookie=token)) for token in tokens])


async def press(client, page, action, files=None, **typed):
    """Send the form of this page that posts there; `page` is its address."""
    shown = await client.get(page)
    return await client.post(action, data={"request_key": key_of(shown, action), **typed}, files=files)


async def on_notice(world, cast):
    """A draft is made and handed over, the meeting recorded, the notice opened; returns the version's address."""
    url, page = await draft(cast.drafter)
    await cast.drafter.post(url, data={"request_key": key_of(page, url), **grid(page, points="9")})
    life = f"{url}/life"
    assert (await press(cast.drafter, life, f"{url}/submit")).status_code == 303
    held_on = local_day(world.clock.now()).isoformat()
    met = await press(cast.drafter, life, f"{url}/meeting", files={"record": ("x", PDF)}, held_on=held_on, **MEETING)
    assert met.status_code == 303, met.text
    starts_on = (local_day(world.clock.now()) + timedelta(days=12)).isoformat()
    shown = await press(cast.publisher, life, f"{url}/notice", days="7", starts_on=starts_on)
    assert shown.status_code == 303, shown.text
    return url, starts_on


async def test_from_a_draft_to_a_version_in_force(world, cast):
    url, starts_on = await on_notice(world, cast)
    told = await queries_life.told(None, int(url.rsplit("/", 1)[1]))
    notice = f"/scoring/notices/{told.notice_id}"

    assert notice in (await cast.resident.get("/notices")).text
    page = await cast.resident.get(notice)
    assert "改为 9 分" in page.text
    line = re.findall(r'<option value="(\d+)"', page.text)[-1]
    said = await press(cast.resident, notice, f"{notice}/objections", line=line, words="九分太多了")
    recorded = await press(cast.clerk, notice, f"{notice}/objections/recorded", line=line, words="来人说太少了")
    assert (said.status_code, recorded.status_code) == (303, 303)
    assert "九分太多了" in (await cast.resident.get(notice)).text
    assert "来人说太少了" not in (await cast.resident.get(notice)).text

    todo = await cast.publisher.get("/todo")
    assert "对积分标准的意见" in todo.text
    world.clock.advance(days=9)
    await jobs.run(next(job for job in jobs.JOBS if job.name == "enter_force_due"))
    life = await cast.publisher.get(f"{url}/life")
    assert "公布这一版" not in life.text
    for answer in sorted(set(re.findall(r"/scoring/objections/\d+", life.text))):
        assert (await press(cast.publisher, answer, answer, verdict="dismissed", words="议过了")).status_code == 303
    assert "议过了" in (await cast.resident.get(notice)).text

    early = await press(cast.publisher, f"{url}/life", f"{url}/publish", in_force_from="2026-11-22")
    assert early.status_code == 400
    assert 'id="in_force_from-wrong"' in early.text
    done = await press(cast.publisher, f"{url}/life", f"{url}/publish", in_force_from=starts_on)
    assert done.status_code == 303
    day = local_day(world.clock.now()) + timedelta(days=5)
    version = await queries.version_on(None, community_id=world.home.id, day=day)
    assert version.items["A01"].points == 9


async def test_the_page_offers_a_step_only_to_whoever_may_take_it(world, cast):
    url, _ = await on_notice(world, cast)
    world.clock.advance(days=9)

    offered = {
        name: "公布这一版" in (await getattr(cast, name).get(f"{url}/life")).text
        for name in ("drafter", "publisher", "clerk")
    }
    forced = await cast.drafter.post(
        f"{url}/publish", data={"request_key": "forced-key", "in_force_from": "2027-01-01"}
    )
    assert offered == {"drafter": False, "publisher": True, "clerk": False}
    assert forced.status_code == 403
    assert (await cast.resident.get(f"{url}/life")).status_code == 403


async def test_what_is_discussed_is_read_by_those_who_draft_and_printed_for_the_meeting(cast):
    url, page = await draft(cast.drafter)
    await cast.drafter.post(url, data={"request_key": key_of(page, url), **grid(page, points="9")})
    await press(cast.drafter, f"{url}/life", f"{url}/submit")

    paper = await cast.drafter.get(f"{url}/comparison")
    assert "居民代表签名" in paper.text
    assert [(await cast.resident.get(one)).status_code for one in (url, f"{url}/comparison")] == [404, 404]
    assert (await cast.clerk.get(url)).status_code == 404


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "还没有选会议记录"),
        (b"not a paper", "只收照片"),
        (b"%PDF-1.4 /JavaScript (x) %%EOF", "会自己运行"),
        (b"%PDF-1.4 cut off", "没有传完整"),
    ],
)
async def test_minutes_that_are_no_paper_are_not_taken_and_what_was_typed_stays(world, cast, content, said):
    url, page = await draft(cast.drafter)
    await cast.drafter.post(url, data={"request_key": key_of(page, url), **grid(page, points="9")})
    await press(cast.drafter, f"{url}/life", f"{url}/submit")
    typed = {"held_on": local_day(world.clock.now()).isoformat(), **MEETING}

    refused = await press(cast.drafter, f"{url}/life", f"{url}/meeting", files={"record": ("x.pdf", content)}, **typed)

    assert refused.status_code == 400
    assert said in refused.text
    assert 'value="测试活动室"' in refused.text


async def test_minutes_come_back_as_a_file_and_a_photo_as_one_of_our_own_making(world, cast):
    url, page = await draft(cast.drafter)
    await cast.drafter.post(url, data={"request_key": key_of(page, url), **grid(page, points="9")})
    await press(cast.drafter, f"{url}/life", f"{url}/submit")
    typed = {"held_on": local_day(world.clock.now()).isoformat(), **MEETING}
    for content in (PDF, DOT):
        await press(cast.drafter, f"{url}/life", f"{url}/meeting", files={"record": ("x", content)}, **typed)

    version_id = int(url.rsplit("/", 1)[1])
    papers = [
        await cast.publisher.get(f"{url}/meetings/{one.id}/record") for one in await queries_life.meetings(version_id)
    ]
    assert [(one.headers["content-type"], one.content[:4]) for one in papers] == [
        ("application/pdf", b"%PDF"),
        ("image/jpeg", b"\xff\xd8\xff\xe0"),
    ]
    assert all(one.headers["content-disposition"].startswith("attachment") for one in papers)
    assert (await cast.clerk.get(papers[0].url.path)).status_code == 403


async def test_a_version_on_notice_is_read_by_staff_though_no_day_is_set(world, cast):
    url, _ = await on_notice(world, cast)
    for client in (cast.drafter, cast.publisher):
        shown = await client.get(url)
        assert shown.status_code == 200
        assert "公示中" in shown.text


def wrong_at(page):
    """The fields at which something is said."""
    said = re.search(r'class="errors".*?</div>', page.text, re.DOTALL)
    return re.findall(r'href="#([a-z_]+)"', said[0]) if said else []


async def test_what_is_wrong_with_a_meeting_is_said_where_it_was_typed(world, cast):
    url, page = await draft(cast.drafter)
    await cast.drafter.post(url, data={"request_key": key_of(page, url), **grid(page, points="9")})
    await press(cast.drafter, f"{url}/life", f"{url}/submit")
    today = local_day(world.clock.now()).isoformat()
    files = {"record": ("x", PDF)}

    async def meet(**changes):
        typed = {"held_on": today, **MEETING, **changes}
        return await press(cast.drafter, f"{url}/life", f"{url}/meeting", files=files, **typed)

    assert wrong_at(await meet(present="5")) == ["votes_for"]
    assert wrong_at(await meet(held_on="2026-01-01")) == ["held_on"]
    files = {"record": ("", b"")}
    assert wrong_at(await meet()) == ["record"]


async def test_a_draft_like_what_is_in_force_is_refused_on_its_own_page(cast):
    url, _ = await draft(cast.drafter)

    refused = await press(cast.drafter, f"{url}/life", f"{url}/submit")

    assert refused.status_code == 409
    assert wrong_at(refused) == ["submit"]
    assert "请先在草稿里改好" in refused.text
    assert f'action="{url}/submit"' in refused.text


async def test_the_faults_of_a_draft_are_told_in_the_language_of_whoever_hands_it_over(world, cast):
    url, _ = await draft(cast.drafter)
    version = {"community_id": world.home.id, "version_id": int(url.rsplit("/", 1)[1])}
    table = a_table(an_item(points=None))
    await db.write(actions.save_draft, **version, table=table)

    refused = {}
    for language in ("zh-CN", "en"):
        cast.drafter.cookies.set("lang", language)
        refused[language] = (await press(cast.drafter, f"{url}/life", f"{url}/submit")).text

    assert ["记多少，不能公布" in text for text in refused.values()] == [True, False]
    assert ["1 thing to change in the scoring table" in text for text in refused.values()] == [False, True]


async def test_a_step_that_somebody_else_took_meanwhile_is_told_on_the_page_as_it_is_now(cast):
    url, page = await draft(cast.drafter)
    await cast.drafter.post(url, data={"request_key": key_of(page, url), **grid(page, points="9")})
    older = await cast.drafter.get(f"{url}/life")
    await press(cast.publisher, f"{url}/life", f"{url}/submit")

    late = await cast.drafter.post(f"{url}/submit", data={"request_key": key_of(older, f"{url}/submit")})

    assert late.status_code == 409
    assert "已经到了别的一步" in late.text
    assert "登记居民议事会" in late.text


async def objected(world, cast):
    url, _ = await on_notice(world, cast)
    told = await queries_life.told(None, int(url.rsplit("/", 1)[1]))
    notice = f"/scoring/notices/{told.notice_id}"
    line = re.findall(r'<option value="(\d+)"', (await cast.resident.get(notice)).text)[-1]
    await press(cast.resident, notice, f"{notice}/objections", line=line, words="九分太多了")
    (answer,) = set(re.findall(r"/scoring/objections/\d+", (await cast.publisher.get(f"{url}/life")).text))
    return url, notice, answer


async def test_nobody_is_offered_to_send_a_version_back_while_an_objection_waits(world, cast):
    url, notice, answer = await objected(world, cast)

    page = await cast.drafter.get(f"{url}/life")
    forced = await cast.drafter.post(f"{url}/back", data={"request_key": "forced-key-1", "reason": "mistake"})
    assert "每一条都答复了，才能退回起草" in page.text
    assert 'name="reason"' not in page.text
    assert (forced.status_code, wrong_at(forced)) == (409, ["reason"])

    await press(cast.publisher, answer, answer, verdict="upheld", words="改成八分")
    life = await cast.drafter.get(f"{url}/life")
    assert "草稿" in life.text
    assert all(said in life.text for said in ("九分太多了", "改成八分", "采纳", "已撤回", notice))


async def test_a_notice_offers_its_comparison_to_all_and_once_it_is_withdrawn_to_nobody(world, cast):
    url, notice, answer = await objected(world, cast)
    staff = [cast.drafter, cast.publisher, cast.clerk]

    async def offered():
        return [f'href="{url}/comparison"' in (await one.get(notice)).text for one in staff]

    assert await offered() == [True] * 3
    assert [(await one.get(f"{url}/comparison")).status_code for one in (*staff, cast.resident)] == [200] * 4
    await press(cast.publisher, answer, answer, verdict="upheld", words="改成八分")

    assert await offered() == [False] * 3
    assert (await cast.clerk.get(f"{url}/comparison")).status_code == 404


async def test_who_drafted_is_told_before_writing_an_answer(world, cast):
    _, _, answer = await objected(world, cast)

    page = await cast.drafter.get(answer)

    assert "请另一位管理员来答复" in page.text
    assert 'name="words"' not in page.text
    assert 'name="words"' in (await cast.publisher.get(answer)).text


async def test_a_shorter_notice_is_refused_to_who_drafted_at_its_field(cast):
    url, _ = await draft(cast.drafter)
    life = f"{url}/life"
    assert (await press(cast.drafter, life, f"{url}/least-days", least="14")).status_code == 303

    own = await press(cast.drafter, life, f"{url}/least-days", least="9")
    short = await press(cast.publisher, life, f"{url}/least-days", least="0")
    other = await press(cast.publisher, life, f"{url}/least-days", least="9")

    assert [(one.status_code, wrong_at(one)) for one in (own, short)] == [(403, ["least"]), (400, ["least"])]
    assert other.status_code == 303


async def test_while_a_version_waits_its_day_stands_where_a_draft_is_begun(world, cast):
    url, starts_on = await on_notice(world, cast)
    world.clock.advance(days=9)
    await jobs.run(next(job for job in jobs.JOBS if job.name == "enter_force_due"))
    await press(cast.publisher, f"{url}/life", f"{url}/publish", in_force_from=starts_on)

    table = await cast.drafter.get("/scoring")
    forced = await cast.drafter.post("/scoring/drafts", data={"request_key": "forced-key-2"})

    assert 'action="/scoring/drafts"' not in table.text
    assert "零点起生效，再要改，从那天起另起草稿" in table.text
    assert forced.status_code == 409
    assert "第 2 版已经公布，" in forced.text
