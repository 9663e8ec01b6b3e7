"""A browser in the first run: the answers that it gives, and the steps one after the other."""

import re

import httpx
from litestar.types import ASGIApp

from pointsbank.app.first_run import FirstRun

HOST = "http://127.0.0.1:8000"
PASSWORD = "十二只喜鹊过河 12"
ANSWERS = {
    "place": {"street": "测试街道", "community": "测试社区", "buildings": "测试 1 号楼\n\n 测试 2 号楼 "},
    "unit": {"unit_name": "测试社区", "service_phone": "100 0000 0001", "oversight_phone": "100 0000 0009"},
    "table": {"template": "hailin-community-volunteer"},
    "passbook": {"holder": "household", "notice_days": "5"},
    "outlet": {"outlet": "测试爱心超市", "hours": "周二至周日 9:00–17:00", "counter": "一号台"},
    "admin": {"name": "测试甲", "login": "Admin", "password": PASSWORD, "again": PASSWORD},
}


def browser(app: ASGIApp, host: str = HOST) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 5000))
    return httpx.AsyncClient(transport=transport, base_url=host, headers={"Origin": host})


async def admitted(app: ASGIApp, run: FirstRun) -> httpx.AsyncClient:
    """A browser that came by the link of the terminal."""
    client = browser(app)
    answer = await client.get(f"/first-run/{run.kept.setup_code}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    return client


async def walk(client: httpx.AsyncClient, **changed: dict[str, str]) -> None:
    """Answer all steps, up to the page where they are looked at."""
    for step, answers in ANSWERS.items():
        answer = await client.post(f"/steps/{step}", data=answers | changed.get(step, {}))
        assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == "/check"


def hidden(text: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', text))
