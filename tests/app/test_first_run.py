"""The first run in the browser: who may, what is asked, what is kept, and what is founded in the end."""

import asyncio
import html
import re
import stat
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from pointsbank.app import database as databases
from pointsbank.app import first_run, installation, routes_first_run, wiring
from pointsbank.app.first_run import FirstRun
from pointsbank.kit import db
from pointsbank.kit.clock import Clock
from pointsbank.kit.crypto import Keys
from pointsbank.kit.settings import Settings
from pointsbank.web import render
from tests.app.first_run import ANSWERS, PASSWORD, admitted, browser, hidden, walk

PAGES = [*(f"/steps/{step}" for step in ANSWERS), "/tables/hailin-community-volunteer", "/check", "/keys"]


@pytest.fixture(autouse=True)
def _own_view() -> Iterator[None]:
    before = render._describe
    yield
    render._describe = before


@pytest.fixture
def run(settings: Settings) -> FirstRun:
    return FirstRun(settings)


@pytest.fixture
def app(run: FirstRun) -> Any:
    return routes_first_run.create_app(run)


@pytest.fixture
async def client(app: Any, run: FirstRun) -> httpx.AsyncClient:
    return await admitted(app, run)


# Who may.


async def test_nothing_is_shown_or_taken_without_the_setup_code(app: Any, run: FirstRun):
    async with browser(app) as stranger:
        for code in ("", "aaaa-aaaa-aaaa-aaaa"):
            stranger.cookies.set("setup", code)
            for path in PAGES:
                shown = await stranger.get(path)
                assert shown.status_code == 403
                assert "启动程序的窗口里" in shown.text
                assert run.kept.setup_code not in shown.text
            for step, answers in ANSWERS.items():
                assert (await stranger.post(f"/steps/{step}", data=answers)).status_code == 403
            founding = {"request_key": "k" * 8, "seal": run.seal()}
            assert (await stranger.post("/check", data=founding)).status_code == 403
            assert (await stranger.post("/keys", data={"kept": "1"})).status_code == 403
        assert run.answers == first_run.Answers()


async def test_the_link_of_the_terminal_leaves_the_address_bar_at_once(app: Any, run: FirstRun):
    async with browser(app) as client:
        answer = await client.get(f"/first-run/{run.kept.setup_code}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(answer.headers["set-cookie"].split("; "))
        assert (await client.get("/")).headers["location"] == "/steps/place"


async def test_a_wrong_link_is_told_where_the_right_one_stands(app: Any):
    async with browser(app) as client:
        answer = await client.get("/first-run/aaaa-aaaa-aaaa-aaaa")
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
        assert "启动程序的窗口里" in answer.text


async def test_the_code_may_be_typed_however_it_was_copied(app: Any, run: FirstRun):
    async with browser(app) as client:
        assert "设置码" in (await client.get("/")).text
        assert (await client.post("/first-run", data={"code": "nonsense"})).status_code == 403
        assert (await client.post("/first-run", data={"code": ""})).status_code == 403
        typed = run.kept.setup_code.upper().replace("-", "  ")
        assert (await client.post("/first-run", data={"code": typed})).status_code == 303
        assert (await client.get("/steps/place")).status_code == 200


async def test_forms_of_other_sites_and_hosts_that_are_not_ours_are_refused(settings: Settings, client: Any):
    foreign = {"Origin": "http://elsewhere.test"}
    assert (await client.post("/steps/place", data=ANSWERS["place"], headers=foreign)).status_code == 403
    named = Settings(data=settings.data, public_url="https://points.test")
    run = FirstRun(named)
    async with browser(routes_first_run.create_app(run), "https://points.test") as ours:
        entered = await ours.get(f"/first-run/{run.kept.setup_code}")
        assert entered.headers["set-cookie"].startswith("__Host-setup=")
        assert "Secure" in entered.headers["set-cookie"]
        assert (await ours.get("/", headers={"Host": "elsewhere.test"})).status_code == 400
        assert "default-src 'self'" in entered.headers["content-security-policy"]


async def test_whoever_watches_or_calls_is_told_that_nothing_is_founded(app: Any):
    async with browser(app) as client:
        assert (await client.get("/livez")).status_code == 200
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"status": "not founded"})
        called = await client.get("/api/ledger/people/1/passbooks")
        assert (called.status_code, called.json()["code"]) == (503, "app.not_founded")
        assert (await client.get("/sign-in")).headers["location"] == "/"


# What is asked.


WRONG = [
    ("place", {"street": ""}, "请填写街道"),
    ("place", {"community": "测试\ue000社区"}, "看不见的字符"),
    ("place", {"buildings": "一号楼\n一号楼"}, "写了两次"),
    ("place", {"buildings": "\n".join(f"{number} 号" for number in range(301))}, "最多 300 行"),
    ("unit", {"service_phone": "1" * 41}, "最多 40 个字"),
    ("table", {"template": "nowhere"}, "请先选一份积分标准"),
    ("table", {"template": ""}, "请先选一份积分标准"),
    ("passbook", {"notice_days": "31"}, "0 到 30"),
    ("passbook", {"holder": "somebody"}, "请选择存折归谁"),
    ("outlet", {"hours": ""}, "请填写开门时间"),
    ("admin", {"password": "12345678", "again": "12345678"}, "太简单"),
    ("admin", {"again": "另一句很长的话"}, "不一样"),
    ("admin", {"password": "", "again": ""}, "太简单"),
]


async def test_what_is_wrong_is_told_and_nothing_typed_is_lost(client: Any, run: FirstRun):
    for step, answers in ANSWERS.items():
        before = run.answers
        for typed, wrong in [(typed, wrong) for of, typed, wrong in WRONG if of == step]:
            given = answers | typed
            answer = await client.post(f"/steps/{step}", data=given)
            assert answer.status_code == 400
            shown = html.unescape(answer.text)
            assert "<title>有误：" in shown
            assert wrong in shown
            assert run.answers == before
            for name, value in given.items():
                if name in ("password", "again"):
                    assert not value or value not in shown
                elif name not in typed or name not in ("template", "holder"):
                    assert value.strip() in shown
        await client.post(f"/steps/{step}", data=answers)
    assert run.next_step() is None


async def test_every_table_is_shown_with_where_it_comes_from(client: Any):
    for step in ("place", "unit"):
        await client.post(f"/steps/{step}", data=ANSWERS[step])
    shown = html.unescape((await client.get("/steps/table")).text)
    for name, table in first_run.tables().items():
        for words in (table.name, table.place, table.document, f"{len(table.items)} 项"):
            assert words in shown
        inside = html.unescape((await client.get(f"/tables/{name}")).text)
        assert all(item.name in inside and item.code in inside for item in table.items)
        assert all(words in inside for words in (table.redeem, table.approval, table.levels_words, *table.notes))
        assert table.balance_max is None or f"{table.balance_max:,} {table.unit_name}" in inside


async def test_what_init_would_suggest_stands_in_the_forms(client: Any):
    suggested = {"unit": ["测试社区"], "passbook": ['value="household" checked', 'value="3"'],
                 "outlet": ["测试爱心超市", "周二至周日 9:00–17:00", "一号台"]}  # fmt: skip
    for step, answers in ANSWERS.items():
        shown = (await client.get(f"/steps/{step}")).text
        assert all(words in shown for words in suggested.get(step, [])), step
        changed = {"template": "zunyi-xuetangbao"} if step == "table" else {}
        await client.post(f"/steps/{step}", data=answers | changed)


async def test_steps_come_in_turn_and_can_be_gone_back_to(client: Any):
    assert (await client.get("/steps/admin")).headers["location"] == "/steps/place"
    assert (await client.post("/steps/admin", data=ANSWERS["admin"])).headers["location"] == "/steps/place"
    await walk(client)
    for step, answers in ANSWERS.items():
        shown = html.unescape((await client.get(f"/steps/{step}")).text)
        kept = {"login": "admin", "buildings": "测试 1 号楼\n测试 2 号楼"}
        for name, value in answers.items():
            assert kept.get(name, value) in shown or name in ("password", "again")
    again = await client.post("/steps/admin", data=ANSWERS["admin"] | {"password": "", "again": "", "name": "测试乙"})
    assert again.headers["location"] == "/check"
    assert "测试乙" in (await client.get("/check")).text
    other = await client.post("/steps/admin", data=ANSWERS["admin"] | {"password": "", "again": "", "login": "other"})
    assert other.status_code == 400


async def test_another_table_asks_again_for_the_passbook(client: Any, run: FirstRun):
    await walk(client)
    same = await client.post("/steps/table", data=ANSWERS["table"])
    assert same.headers["location"] == "/check"
    other = await client.post("/steps/table", data={"template": "zunyi-xuetangbao"})
    assert other.headers["location"] == "/steps/passbook"
    assert run.answers.outlet is not None


async def test_no_link_of_the_first_run_is_dead(client: Any):
    await walk(client)
    seen: set[str] = set()
    for path in PAGES:
        seen |= set(re.findall(r' (?:href|action)="(/[^"?]*)', (await client.get(path)).text))
    for path in sorted(seen - {"/check", "/keys", *(f"/steps/{step}" for step in ANSWERS)}):
        assert (await client.get(path)).status_code in ((200, 303) if path in ("/", "/type", "/language") else (200,))


async def test_looking_changes_nothing(client: Any, run: FirstRun, settings: Settings):
    await walk(client)
    before = {path.name: path.read_bytes() for path in settings.data.iterdir()}
    seal = run.seal()
    for path in ["/", *PAGES, f"/first-run/{run.kept.setup_code}", "/livez", "/readyz"]:
        assert (await client.get(path)).status_code in (200, 303, 503)
    assert {path.name: path.read_bytes() for path in settings.data.iterdir()} == before
    assert run.seal() == seal


async def test_it_can_be_left_and_resumed(client: Any, run: FirstRun, settings: Settings):
    await walk(client)
    kept = settings.data / first_run.FILE_NAME
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert PASSWORD not in kept.read_text("utf-8")
    assert "argon2" not in kept.read_text("utf-8")
    later = FirstRun(settings)
    assert later.answers == run.answers
    async with browser(routes_first_run.create_app(later)) as returning:
        returning.cookies = client.cookies
        assert (await returning.get("/")).headers["location"] == "/steps/admin"
        shown = (await returning.get("/steps/admin")).text
        assert "重新启动过" in shown
        assert "测试甲" in shown
        answer = await returning.post("/steps/admin", data=ANSWERS["admin"])
        assert answer.headers["location"] == "/check"


# Founding.


async def _founding(client: httpx.AsyncClient) -> dict[str, str]:
    shown = await client.get("/check")
    text = html.unescape(shown.text)
    assert all(f'href="/steps/{step}"' in text for step in ANSWERS)
    return hidden(shown.text)


@pytest.mark.both
async def test_what_was_looked_at_is_founded_and_its_keys_are_shown(client: Any, run: FirstRun, settings: Settings):
    await walk(client)
    answer = await client.post("/check", data=await _founding(client))
    assert (answer.status_code, answer.headers["location"]) == (303, "/keys")
    assert not (settings.data / first_run.FILE_NAME).exists()
    for path in PAGES[:-1]:
        assert (await client.get(path)).headers["location"] == "/keys"

    shown = (await client.get("/keys")).text
    keys = Keys.load(settings.key_path)
    lines = re.findall(r"[0-9a-f]{8}(?:  [0-9a-f]{8}){3}", shown)
    assert bytes.fromhex("".join("".join(lines).split())).hex(" ", -4) == keys.for_the_safe()
    assert keys.fingerprint in shown
    assert (await client.post("/keys", data={})).status_code == 400
    assert not run.finished.is_set()
    answer = await client.post("/keys", data={"kept": "1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert run.finished.is_set()

    async with databases.opened(settings, Clock()):
        found = await installation.check(settings)
        bank = wiring.create_app(settings, Clock(), found)
        async with browser(bank) as admin:
            signed_in = await admin.post("/sign-in", data={"login": "admin", "password": PASSWORD})
            assert signed_in.status_code == 303
            assert "测试社区" in (await admin.get("/todo")).text


async def test_answers_that_changed_since_are_looked_at_again(client: Any, app: Any, run: FirstRun):
    await walk(client)
    looked_at = await _founding(client)
    other = await admitted(app, run)
    await other.post("/steps/outlet", data=ANSWERS["outlet"] | {"outlet": "另一家爱心超市"})
    answer = await client.post("/check", data=looked_at)
    assert answer.status_code == 409
    assert "另一家爱心超市" in answer.text
    assert run.outcome is None


@pytest.mark.both
async def test_of_two_browsers_that_found_at_once_one_wins(client: Any, app: Any, run: FirstRun, settings: Settings):
    await walk(client)
    other = await admitted(app, run)
    forms = [await _founding(each) for each in (client, other)]
    pressed = [client.post("/check", data=forms[0]), other.post("/check", data=forms[1])]
    answers = await asyncio.gather(*pressed, client.post("/check", data=forms[0]))
    assert [answer.status_code for answer in answers] == [303, 409, 303]  # the third: the first button, pressed again
    assert "刚刚有人建好了" in answers[1].text
    async with databases.opened(settings, Clock()):
        assert len(await db.rows("SELECT 1 FROM people_community")) == 1
        assert len(await db.rows("SELECT 1 FROM people_login")) == 1


async def test_a_bank_that_another_process_founded_meanwhile_stands(client: Any, run: FirstRun, settings: Settings):
    await walk(client)
    form = await _founding(client)
    async with databases.opened(settings, Clock()):
        await db.write(installation.found, kind="real", key_fingerprint="000000000000")
    answer = await client.post("/check", data=form)
    assert answer.status_code == 409
    assert "另一台服务器" in answer.text
    assert run.finished.is_set()


async def test_what_stands_in_the_way_is_told_and_the_answers_stay(client: Any, run: FirstRun, settings: Settings):
    await walk(client)
    settings.key_path.write_text("no key at all")
    answer = await client.post("/check", data=await _founding(client))
    assert answer.status_code == 503
    assert "密钥文件" in answer.text
    settings.key_path.unlink()
    answer = await client.post("/check", data=await _founding(client))
    assert answer.headers["location"] == "/keys"


def test_a_file_that_cannot_be_understood_is_begun_afresh(settings: Settings):
    (settings.data / first_run.FILE_NAME).write_text('{"setup_code": 1')
    assert FirstRun(settings).answers == first_run.Answers()
