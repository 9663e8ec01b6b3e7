"""What shows or makes a secret keeps no answer under its key: sent again it may answer otherwise, and adds nothing."""

from datetime import datetime

import pytest

from pointsbank.kit import db
from pointsbank.people import actions_staff
from tests.people.conftest import KEY, PASSWORD, sign_in

OWN = {"old": PASSWORD, "new": "my own words", "again": "my own words"}
# Path, form, the answer to the first and to the second.
REQUESTS = {
    "a new login": ("/people/staff/{member}/login", {"login": "zuzhi"}, (200, 409)),
    "a password for a colleague": ("/people/staff/{colleague}/reset", {}, (200, 200)),
    "a password of one's own": ("/me/password", OWN, (303, 400)),
    "a second step": ("/me/second-step", {"password": PASSWORD}, (303, 303)),
    "another role": ("/choose-role", {"grant": "{grant}"}, (303, 303)),
    "an end here": ("/sign-out", {}, (303, 303)),
    "an end everywhere": ("/me/sign-out-everywhere", {}, (303, 303)),
    "digits for a phone": ("/pair", {}, (303, 303)),
}
TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'people_%' ORDER BY name"
LIVE = {"people_session": "ended_at IS NULL AND expires_at > ?", "people_pairing": "expires_at > ?"}


async def counted(now: datetime) -> dict[str, int]:
    counts = {}
    for (name,) in await db.rows(TABLES):
        is_live = LIVE.get(name)
        counting = f'SELECT COUNT(*) FROM "{name}"'
        counts[name] = await (db.row(f"{counting} WHERE {is_live}", now) if is_live else db.row(counting))
    return {name: count for name, (count,) in counts.items()}


@pytest.mark.parametrize("what", REQUESTS)
async def test_a_repeat_of_what_makes_a_secret_adds_nothing(people, browser, what):
    path, form, told = REQUESTS[what]
    own = await people.staff("ling")
    grant = {"role": "event_organiser", "place_id": people.place.community}
    known = {
        "member": await people.member(),
        "colleague": await people.staff("zhang"),
        "grant": await db.write(actions_staff.grant, person_id=own, **grant),
    }
    desk = await sign_in(browser, "ling")
    if what != "another role":
        await desk.post("/choose-role", data={"grant": str(known["grant"] - 2), **KEY})
    url, data = path.format(**known), {name: value.format(**known) for name, value in form.items()}
    counts, answers = [], []
    for _ in range(2):
        answers.append((await desk.post(url, data={**data, **KEY})).status_code)
        counts.append(await counted(people.clock.now()))

    assert tuple(answers) == told
    assert counts[0] == counts[1]
