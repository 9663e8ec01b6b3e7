"""What people type where something else is meant: every field of every changing route answers it in words, and takes
in nothing that nobody sees.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from pointsbank.web import forms
from tests.changes import ADMIN, CHANGES, ELSEWHERE, RESIDENT
from tests.doors import Watch
from tests.faults.senders import CHANGING, KEY, Sender, is_long, seed
from tests.world import World, visiting

# Each found something once; of the rest a short run tries one in each field.
ALWAYS = ("测试\u200b甲", "测试\n甲", "-5", "2020-01-01")
NOW_AND_THEN = (
    "测试\u202e甲", "测\t试\t甲", "0", "1.5", "1e3", "٣", "9" * 17, "9" * 40, "9999-12-31", "测" * 7000, "%00'<b>{0}",
)  # fmt: skip
UNSEEN = ("测试\u200b甲", "测试\u202e甲")
GRANTED = range(200, 400)
ASKED_OFTEN = ("code", "digits", "lines", "name", "number", "phone", "q", "reason", "next")


def bodies(sender: Sender, fields: list[str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The good request with something else in one of its fields."""
    good = sender.change.filled(sender.stand.own, KEY)
    for place, name in enumerate(dict.fromkeys([*fields, *good]), seed()):
        now = NOW_AND_THEN if is_long() else [NOW_AND_THEN[place % len(NOW_AND_THEN)]]
        for typed in (*ALWAYS, *now):
            is_list = isinstance(good.get(name), list) and not sender.is_api
            yield name, typed, {**good, name: [typed] if is_list else typed}


def is_kept(world: World, typed: str) -> bool:
    """Whether it stands in some row as it was typed; what is sealed cannot be looked into."""
    return any(repr(typed)[1:-1] in rows for rows in Watch(world).rows.values())


@pytest.fixture
def read_fields(monkeypatch) -> list[str]:
    """The fields of the forms that were read."""
    found: list[str] = []
    read = forms.read

    async def noting(request, struct, **more):
        found.extend(struct.__struct_fields__)
        return await read(request, struct, **more)

    monkeypatch.setattr(forms, "read", noting)
    return found


@pytest.mark.parametrize("path", CHANGES)
async def test_whatever_is_typed_is_answered_in_words(scene, path, read_fields):
    wrong = []
    async with scene() as opened:
        sender = Sender(opened, path)
        async with sender.visiting() as client:
            await sender.send(client)
    left = bodies(sender, read_fields)
    while True:
        async with scene() as opened:
            sender = Sender(opened, path)
            url = CHANGING[path].url(sender.change.places(sender.stand.own))
            files = {name: ("file", content) for name, content in sender.change.files.items()} or None
            async with sender.visiting() as client:
                for name, typed, body in left:
                    how = "json" if sender.is_api else "data"
                    answer = await client.post(url, **{how: body}, files=files)
                    if answer.status_code >= 500:
                        wrong.append((name, typed[:12], answer.status_code))
                    if answer.status_code in GRANTED:
                        if typed in UNSEEN and is_kept(opened.world, typed):
                            wrong.append((name, "kept"))
                        break
                else:
                    break
    assert wrong == []


@pytest.mark.parametrize("path", [path for path in ELSEWHERE if not path.startswith("/api/")])
async def test_so_it_is_where_nothing_is_changed_or_a_secret_is(scene, path, read_fields):
    """No good request stands behind these: all fields at once are something else."""
    wrong = []
    async with scene() as opened:
        url = CHANGING[path].url({name: opened.stand.own.get(name, 1) for name in CHANGING[path].parameters})
        for who in (ADMIN, RESIDENT):
            async with visiting(opened.world, cookie=opened.stand.cookies[who]) as client:
                await client.post(url, data={"request_key": KEY})
                for typed in (*ALWAYS, *NOW_AND_THEN):
                    body = {**dict.fromkeys([*ASKED_OFTEN, *read_fields], typed), "request_key": KEY}
                    answer = await client.post(url, data=body)
                    if answer.status_code >= 500:
                        wrong.append((who, typed[:12], answer.status_code))
    assert wrong == []
