"""What somebody types to find a person stands in no address: browsers of shared computers keep those."""

import re
from pathlib import Path

import pytest

from pointsbank.people.access import Role
from tests.doors import Doors, Watch
from tests.furniture import FOREIGN_NAME, furnish
from tests.test_pages import Route, neutral
from tests.world import BLOCKED_STAIRS, World

TOP = Path(__file__).resolve().parents[1]
FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
FIELD = re.compile(r"\bname=\"([^\"]*)\"|\{\{\s*(\w+)\(")
ASKED = re.compile(r"(?:query_params\.get\(|_typed\(request, |\basked\.get\()\"(\w+)\"|(\w+): FromQuery")
LINKED = re.compile(r"[?&](?:amp;)?(\w+)=")
SHOWS_ONLY = {"_", "icon"}  # macros and functions that put no field into a form

# Fields that a form may send in an address, each with its reason. Nothing that names or describes a person.
GET_FIELDS: dict[str, str] = {
    "day": "a day of registration",
    "kind": "of card",
    "select()": "a place, or who has no card yet",
    "paper": "a sort of paper",
    "right": "a shift in millimetres",
    "down": "a shift in millimetres",
    "on": "a day of the books",
    "next": "an address of ours, without what it asks for",
}
# What addresses may ask for.
ASKED_FOR = {
    "after": "a line's number",
    "again": "a page of a passbook to be printed once more",
    "at": "a moment, so that a picture is drawn again",
    "barcode": "of goods",
    "before": "an entry's number",
    "book": "a passbook of one's own, by its number in the tables",
    "columns": "whether columns are matched anew",
    "community": "a community's number",
    "copy": "an activity's number",
    "day": "a day",
    "direction": "in or out",
    "done": "an order's or an attendance's number",
    "down": "a shift in millimetres",
    "good": "a good's number",
    "kind": "of card, or of place",
    "line": "a line's number",
    "lot": "a lot's number",
    "on": "a day of the books",
    "next": "an address of ours, without what it asks for",
    "only": "changes",
    "page": "a number",
    "paper": "a sort of paper",
    "place": "a place's number",
    "regulars": "whether often used goods stand on the sheet, too",
    "right": "a shift in millimetres",
    "same_as": "a person's number",
    "show": "all",
    "side": "a part of a list",
    "size": "of type",
    "step": "a moment, so that a picture is drawn again",
    "to": "a language",
    "undo": "nothing",
    "undone": "an order's number",
    "view": "a part of a page",
    "who": "whether those with a card are listed, too",
    "year": "of budgets",
}
SEARCHES = {
    "/people/find": "/people",
    "/people/provisional/find": "/people/provisional",
    "/events/{activity_id:int}/roster/find": "/events/{activity_id:int}/roster?direction=in",
}


def sent_in_addresses(template: str) -> set[str]:
    """Names of fields, and macros that may hold some, of forms that send with GET: whatever does not say POST."""
    bare = [inner for opening, inner in FORM.findall(template) if 'method="post"' not in opening]
    found = {name or f"{macro}()" for inner in bare for name, macro in FIELD.findall(inner) if macro not in SHOWS_ONLY}
    return found | ({"formmethod"} if "formmethod" in template else set())


def test_forms_send_nothing_in_an_address_but_what_was_reviewed():
    pages = sorted((TOP / "templates").rglob("*.html"))
    found = {name: page.name for page in pages for name in sent_in_addresses(page.read_text("utf-8"))}

    assert len(pages) > 1
    assert found.keys() == GET_FIELDS.keys(), found


@pytest.mark.parametrize("opening", ["<form>", '<form method="get" action="/x">', '<form method="{{ how }}">'])
def test_a_field_in_an_address_is_seen(opening):
    page = f'<form method="post"><input name="sent"></form>{opening}<input name="q">{{{{ field("name") }}}}</form>'

    assert sent_in_addresses(page) == {"q", "field()"}


def test_addresses_ask_for_nothing_that_tells_of_a_person():
    code = [path.read_text("utf-8") for path in (TOP / "pointsbank").glob("*/routes*.py")]
    pages = [path.read_text("utf-8") for path in (TOP / "templates").rglob("*.html")]
    read = {name or other for text in code for name, other in ASKED.findall(text)}
    linked = {name for text in [*code, *pages] for name in LINKED.findall(text)}

    assert read | linked == ASKED_FOR.keys()


@pytest.fixture
async def world(database, settings, clock) -> World:
    return await World(clock, settings, more_items=(BLOCKED_STAIRS,)).found(notice_days=3)


@pytest.mark.parametrize("path", SEARCHES)
async def test_a_search_is_answered_at_once_and_changes_nothing(world, path):
    own = await furnish(world, world.home)
    doors, search = Doors(world), Route("POST", path, frozenset())
    who = await doors.who(Role.COMMUNITY_ADMIN, search)
    watch = Watch(world)
    async with doors.visiting(**who) as desk:
        url = search.url(own)
        found = await desk.post(url, data={"q": "测试 & <b>"})
        assert (found.status_code, found.headers["cache-control"]) == (200, "no-store")
        assert "set-cookie" not in found.headers
        if path != "/people/provisional/find":  # its boxes stand beside those who wait
            assert 'value="测试 &amp; &lt;b&gt;"' in found.text
        assert not re.search(r"(href|action)=\"[^\"]*(%E6%B5%8B|测试)", found.text)

        empty = await desk.post(url, data={"q": "  "})
        plain = Route("GET", SEARCHES[path], None).url(own)
        assert (empty.status_code, empty.headers["location"]) == (303, plain)
        # Whoever changes the language on the page of a search comes back by its address.
        assert (await desk.get(url)).status_code == (await desk.get(plain)).status_code == 200

        for body in (b"", b"\x00\xff", b"q=a&page=x&of=x&direction=x"):
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            assert (await desk.post(url, content=body, headers=kind)).status_code == 400, body
    assert not watch.look()


async def test_a_name_in_an_address_finds_nobody(world):
    own = await furnish(world, world.home)
    doors = Doors(world)
    for path, plain in SEARCHES.items():
        for address in (path, plain.partition("?")[0]):
            route = Route("GET", address, frozenset())
            async with doors.visiting(**await doors.who(Role.COMMUNITY_ADMIN, route)) as desk:
                asked = await desk.get(route.url(own), params={"q": FOREIGN_NAME, "of": "1"})
                answer = await desk.get(route.url(own))
            assert neutral(asked.text) == neutral(answer.text)
