"""Every page that a role may open: no sideways scroll, targets for old fingers, text that can be read, no dead link."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pointsbank.people.access import Role
from tests.browser.conftest import DESK, PHONE
from tests.browser.towns import CANARY, PHONES
from tests.test_pages import PARAMETER, ROUTES, may

pytestmark = pytest.mark.browser
TOWN = "full"
DESK_LEAST = 1024

NO_PAGE = re.compile(
    r"\.(png|xlsx|toml|zip)$|/record$|^/(api|print|stock/photos|livez|readyz|type|language|e/|p/|a/)|^/$"
)  # pictures, data, tails of codes, and what only sends on
PAGES = [route for route in ROUTES if route.method == "GET" and not NO_PAGE.search(route.path)]
LOOK = Path(__file__).with_name("look.js").read_text("utf-8")
# Every width in every type size is looked at for sideways scroll, these also for targets and contrast.
WIDTHS = (320, 360, PHONE[0], 1024, DESK[0])
CLOSE = {320: ("", "larger"), PHONE[0]: ("", "large"), DESK[0]: ("", "larger")}
SIZES = ("", "large", "larger")
STAMP = 0.05  # of full size; to draw a page takes a fifth of the work of looking at it
# In full, none of these stands on any page.
HIDDEN = re.compile(rf"(?:测试(?:员|居民|公示人|欧阳长名字|甲|乙)|邻区测试人)|{PHONES}")
LOADED_MAX = 60 * 1024
IS_WALL = "() => document.querySelector('.wall') !== null"
# Asked at once and without Playwright's own finders, which it would have to bring into every page.
READ = """() => ({
    taken: document.querySelectorAll('.x7').length,
    text: document.documentElement.textContent,
    html: document.documentElement.outerHTML,
    loaded: performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))
        .reduce((sum, entry) => sum + entry.encodedBodySize, 0),
    doors: [
        ...Array.from(document.querySelectorAll('a[href^="/"]'), link => ['get', link.getAttribute('href')]),
        ...Array.from(document.querySelectorAll('form[action]'), form => [form.method, form.getAttribute('action')]),
        ...Array.from(document.querySelectorAll('[formaction]'), one => ['post', one.getAttribute('formaction')]),
    ],
})"""


def patterns(method: str) -> list[re.Pattern[str]]:
    kinds = {"int": r"\d+", "str": r"[^/]+"}
    return [
        re.compile(PARAMETER.sub(lambda hit: kinds[hit[2]], route.path)) for route in ROUTES if route.method == method
    ]


DOORS = {"get": patterns("GET"), "post": patterns("POST")}
seen: set[tuple[bool, str]] = set()
canaries: set[str] = set()  # pages where the canary was seen, as text


def is_dead(method: str, url: str) -> bool:
    path = urlsplit(url).path
    return not any(door.fullmatch(path) for door in DOORS[method])


class Screen:
    """Pages are laid out in any width, and drawn no larger than a stamp: nobody looks at the picture."""

    def __init__(self, page):
        self.page, self.devtools = page, page.context.new_cdp_session(page)
        self.resize(page.viewport_size["width"])

    def resize(self, width: int) -> None:
        size = {"width": width, "height": DESK[1], "deviceScaleFactor": 1, "mobile": False}
        drawn = {"scale": STAMP, "dontSetVisibleSize": True}
        self.devtools.send("Emulation.setDeviceMetricsOverride", {**size, **drawn})
        self.width = width

    def look(self, sizes: list[tuple[str, bool]]) -> list[str]:
        return self.page.evaluate(LOOK, sizes)


def look_at(screen: Screen, route, url: str, *, closely: bool, is_for_phones: bool) -> list[str]:
    """What is wrong with a page: closely in all widths and type sizes, or as it opens."""
    page = screen.page
    answer = page.goto(url)
    if answer.status in (403, 404) and not route.permissions:
        return []  # open to whoever signed in, and then for the page to decide
    if answer.status >= 400:
        return [f"{url}: {answer.status}"]
    opened, wrong = screen.width, []
    least = DESK_LEAST if closely and page.evaluate(IS_WALL) else 0
    widths = [width for width in WIDTHS if width >= least] if closely else [opened]
    for width in sorted(widths, key=lambda width: width != opened):
        if width != screen.width:
            screen.resize(width)
        sizes = [(size, size in CLOSE.get(width, ())) for size in (SIZES if closely else SIZES[:1])]
        wrong += [f"{url} at {width} {one}" for one in screen.look(sizes)]
    return wrong + read(page, url, is_for_phones=is_for_phones)


def read(page, url: str, *, is_for_phones: bool) -> list[str]:
    """A text of somebody's that was taken for markup, a name or phone in full, a dead link, too much for a phone."""
    found = page.evaluate(READ)
    canaries.update({url} if CANARY in found["text"] else ())
    wrong = [f"{url}: markup of somebody's was believed"] if found["taken"] else []
    wrong += [f"{url}: {hit} in full" for hit in set(HIDDEN.findall(found["html"]))]
    wrong += [f"{url}: leads nowhere: {method} {link}" for method, link in found["doors"] if is_dead(method, link)]
    if is_for_phones and found["loaded"] > LOADED_MAX:
        wrong.append(f"{url}: {found['loaded']} bytes to load")
    return wrong


FAULTS = """<body style="margin: 0"><p style="width: 340px; margin: 0">
<button style="width: 44px; height: 40px; font-size: 1px">小</button> <span style="color: #999">淡</span>"""


def test_a_fault_is_seen_in_the_width_and_size_that_has_it(enter):
    screen = Screen(enter(DESK))
    screen.page.set_content(FAULTS)
    seen = {}
    for width in WIDTHS:
        screen.resize(width)
        seen[width] = [fault.split()[0] for fault in screen.look([("", width in CLOSE)])]

    closely = ["small", "contrast"]
    assert seen == {320: ["sideways", *closely], 360: [], PHONE[0]: closely, 1024: [], DESK[0]: closely}


@pytest.mark.parametrize("name", ["nobody", "resident", *Role])
def test_pages_hold_for_old_eyes_and_fingers(enter, served, name):
    screen = Screen(enter(PHONE if name == "resident" else DESK, session=served.facts["sessions"].get(name, "")))
    facts, wrong = served.facts, []
    urls = {
        "/governance/objections/new": f"/governance/objections/new?line={facts['line']}",
        "/redemption/orders/{order_id:int}/passbook": f"/redemption/orders/{facts['served']}/passbook",
        "/governance/provisional/{person_id:int}": facts["side_by_side"],
        "/ledger/passbooks/{passbook_id:int}/entries/{entry_id:int}": facts["book_entry"],
        "/awards/panel/{award_id:int}": f"/awards/panel/{facts['judged']}",
        "/events/{activity_id:int}/edit": f"/events/{facts['draft']}/edit",
        "/events/{activity_id:int}/check": f"/events/{facts['draft']}/check",
        "/events/{activity_id:int}/projector": f"/events/{facts['running']}/projector",
        "/events/{activity_id:int}/roster": f"/events/{facts['running']}/roster",
    }
    for route in PAGES:
        if not (may(name, route) if route.permissions is not None else name == "nobody"):
            continue
        kind, is_for_phones = (name == "resident", route.path), name in ("nobody", "resident")
        url = urls.get(route.path) or route.url(facts["values"])
        wrong += look_at(screen, route, url, closely=kind not in seen, is_for_phones=is_for_phones)
        seen.add(kind)

    assert wrong == [], "\n".join(wrong)


def test_the_canary_was_seen_wherever_somebody_may_write():
    assert len(canaries) >= 20
