"""Every page that a role may open: no sideways scroll, targets for old fingers, text that can be read, no dead link."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pointsbank.people.access import Role
from tests.browser.conftest import DESK, PHONE
from tests.test_pages import PARAMETER, ROUTES, may

pytestmark = pytest.mark.browser
TOWN = "full"

NO_PAGE = re.compile(
    r"\.png$|^/(api|print|livez|readyz|type|language|e/|p/|a/)|^/$"
)  # pictures, data, tails of codes, and what only sends on
PAGES = [route for route in ROUTES if route.method == "GET" and not NO_PAGE.search(route.path)]
LOOK = Path(__file__).with_name("look.js").read_text("utf-8")
# Every width and every type size, and the narrowest with the largest: what holds in these holds between them.
LOOKS = ((320, ""), (320, "larger"), (PHONE[0], ""), (PHONE[0], "large"), (DESK[0], ""), (DESK[0], "larger"))


def patterns(method: str) -> list[re.Pattern[str]]:
    kinds = {"int": r"\d+", "str": r"[^/]+"}
    return [
        re.compile(PARAMETER.sub(lambda hit: kinds[hit[2]], route.path)) for route in ROUTES if route.method == method
    ]


DOORS = {"get": patterns("GET"), "post": patterns("POST")}
seen: set[tuple[bool, str]] = set()
LINKS = """() => [
    ...Array.from(document.querySelectorAll('a[href^="/"]'), link => ['get', link.getAttribute('href')]),
    ...Array.from(document.querySelectorAll('form[action]'), form => [form.method, form.getAttribute('action')]),
    ...Array.from(document.querySelectorAll('[formaction]'), button => ['post', button.getAttribute('formaction')]),
]"""


def is_dead(method: str, url: str) -> bool:
    path = urlsplit(url).path
    return not any(door.fullmatch(path) for door in DOORS[method])


def look_at(page, route, url: str, *, closely: bool) -> list[str]:
    """What is wrong with a page: closely in all widths and type sizes, or as it opens."""
    answer = page.goto(url)
    if answer.status in (403, 404) and not route.permissions:
        return []  # open to whoever signed in, and then for the page to decide
    if answer.status >= 400:
        return [f"{url}: {answer.status}"]
    is_paper = page.locator(".wall, .sheet, .receipt").count() > 0
    looks = [look for look in LOOKS if look[0] == DESK[0] or not is_paper]
    wrong = []
    for width, size in looks if closely else [(page.viewport_size["width"], "")]:
        page.set_viewport_size({"width": width, "height": DESK[1]})
        found = page.evaluate(LOOK, {"size": size, "hasText": size == "" and width != LOOKS[0][0]})
        wrong += [f"{url} at {width} {size}: {one}" for one in found]
    return wrong + [
        f"{url}: leads nowhere: {method} {link}" for method, link in page.evaluate(LINKS) if is_dead(method, link)
    ]


@pytest.mark.parametrize("name", ["nobody", "resident", *Role])
def test_pages_hold_for_old_eyes_and_fingers(enter, served, name):
    page = enter(PHONE if name == "resident" else DESK, session=served.facts["sessions"].get(name, ""))
    facts, wrong = served.facts, []
    urls = {
        "/governance/objections/new": f"/governance/objections/new?line={facts['line']}",
        "/events/{activity_id:int}/edit": f"/events/{facts['draft']}/edit",
        "/events/{activity_id:int}/check": f"/events/{facts['draft']}/check",
        "/events/{activity_id:int}/projector": f"/events/{facts['running']}/projector",
        "/events/{activity_id:int}/roster": f"/events/{facts['running']}/roster",
    }
    for route in PAGES:
        if not (may(name, route) if route.permissions is not None else name == "nobody"):
            continue
        kind = (name == "resident", route.path)
        url = urls.get(route.path) or route.url(facts["values"])
        wrong += look_at(page, route, url, closely=kind not in seen)
        seen.add(kind)

    assert wrong == [], "\n".join(wrong)
