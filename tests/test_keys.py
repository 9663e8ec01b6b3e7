"""Every form that changes something carries a request key, and its route keeps the answer under it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
FORM = re.compile(r"<form\b[^>]*method=\"post\"[^>]*>.*?</form>", re.DOTALL)
ACTION = re.compile(r"action=\"([^\"]*)\"")

# What is written without a key, and why a repeat may be another command.
KEYLESS = {
    "routes_door._signed_in": "whoever signs in is nobody before; a repeat is another session",
    "routes_door.sign_out": "done twice is done once",
    "routes_door.sign_out_everywhere": "done twice is done once",
    "routes_door.choose_role": "ends the very session that asked, and hands out a fresh secret",
    "routes_door.change_password": "wants the old password, which a repeat no longer has right",
    "routes_second._with_code": "whoever signs in is nobody before; a code is good once",
    "routes_second.begin": "makes a fresh secret, and the one before is void",
    "routes_second.confirm": "a code is good once, and what is confirmed stays so",
    "routes_second.give_up": "a code is good once",
    "routes_staff.new_login": "shows a fresh password; a second login for one person is refused by itself",
    "routes_staff.reset": "shows a fresh password, and the last one counts",
    "routes_phone.start_pairing": "shows fresh digits, and those before are dead",
    "routes_person.show_field": "a repeat is another look, and recorded as one",
    "routes_person.show_door": "a repeat is another look, and recorded as one",
    "routes_requests.show_asked": "a repeat is another look, and recorded as one",
    "routes_import.upload": "a repeat is another file to look at; nothing of it is in the roster yet",
    "routes_import.failed": "a repeat is another copy taken, and recorded as one",
    "routes_months._count": "each day is counted once, and whatever is left is counted by the next",
    "routes_opening._book": "each line is booked under a key of its own, and whatever is left is booked by the next",
    "routes_print.print_card": "a repeat is another print, and recorded as one",
    "routes_household_card.print_card": "a repeat is another print, and recorded as one",
    "routes_cards._print_run": "a repeat is another print, and recorded as one",
    "routes_cards.print_slips": "a repeat is another print, and recorded as one",
}
# Forms without a key, and why.
BARE_FORMS = {
    "/sign-in": "there is nobody yet whose key it could be",
    "/sign-in/code": "there is nobody yet whose key it could be",
    "{{ kept.path }}": "carries the key that it was sent with the first time",
    "/sign-out": "done twice is done once",
    "/people/scan": "nothing changes",
    "/people/find": "a search changes nothing; it is sent so that no name stands in an address",
    "/people/provisional/find#p{{ who.person_id }}": "a search",
    "/events/{{ activity.id }}/roster/find": "a search",
    "/events/{{ activity.id }}/late/find": "a search",
    "/scoring/versions/{{ draft.id }}/sheet/check": "a look at what a sheet would change",
    "/me/data": "nothing changes; it is sent so that no bookmark shows it again",
    "{{ url }}": "the pages of a search",
    "/first-run": "a cookie of the reader's own",
    **{
        f"/steps/{step}": "an answer before there is a bank; the last one counts"
        for step in ("place", "unit", "table", "passbook", "outlet", "admin")
    },
    "/keys": "done twice is done once",
}


def writes() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted((TOP / "pointsbank").glob("*/routes*.py")):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.AsyncFunctionDef):
                for call in ast.walk(function):
                    if isinstance(call, ast.Call) and ast.unparse(call.func) == "db.write":
                        yield f"{path.stem}.{function.name}", call


def test_routes_write_under_the_callers_key():
    found = list(writes())
    keyless = {name for name, call in found if "request_key" not in {given.arg for given in call.keywords}}

    assert len(found) > len(keyless) > 0
    assert keyless == set(KEYLESS)


def test_forms_that_change_something_carry_a_key():
    forms = [form for page in (TOP / "templates").rglob("*.html") for form in FORM.findall(page.read_text("utf-8"))]
    bare = [form for form in forms if "key_input(" not in form]

    assert len(forms) > len(bare)
    assert {found[1] if (found := ACTION.search(form)) else form for form in bare} == set(BARE_FORMS)
