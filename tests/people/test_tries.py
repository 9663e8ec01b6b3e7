"""Wrong tries are counted against whoever makes them, and never against a member."""

import httpx

from tests.people.conftest import ADDRESS, KEY


async def test_one_line_with_many_addresses_gets_no_more_tries(people, browser):
    app = browser()._transport.app
    told = []
    for number in range(21):
        transport = httpx.ASGITransport(app, client=(f"2001:db8::{number + 1:x}", 1))
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS, headers={"Origin": ADDRESS}) as phone:
            answer = await phone.post("/activate", data={"number": "123456789", "digits": "000000000000", **KEY})
            told.append(answer.status_code)
    assert told == [404] * 20 + [429]
