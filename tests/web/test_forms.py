"""Forms: nothing typed is lost, and every word about a field says what to do."""

from datetime import UTC, date, datetime, time
from enum import Enum
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar, Request, post
from msgspec import Meta

from pointsbank.kit.errors import NotFound
from pointsbank.web import forms


class Kind(Enum):
    CLEAN = "clean"
    VISIT = "visit"


class Event(msgspec.Struct):
    name: Annotated[str, Meta(title="名称", min_length=2, max_length=6)]
    seats: Annotated[int, Meta(title="名额", ge=1, le=200)]
    day: Annotated[date, Meta(title="日期")] | None = None
    starts: Annotated[time, Meta(title="时间")] | None = None
    opens_at: datetime | None = None
    kind: Kind = Kind.CLEAN
    size: Literal["big", "small"] = "small"
    is_open: bool = False
    helpers: list[int] = []
    note: str | None = None


GOOD = {"name": "楼道清洁", "seats": "12"}


async def read(pairs: list[tuple[str, str]], struct: type[msgspec.Struct], labels: dict[str, str] | None = None):
    """What `forms.read` makes of a body that came over HTTP."""
    found = []

    async def handler(request: Request[Any, Any, Any]) -> None:
        found.append(await forms.read(request, struct, labels=labels))

    sent = {"Content-Type": "application/x-www-form-urlencoded"}
    app = Litestar([post("/")(handler)], openapi_config=None, logging_config=None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://points.test") as client:
        assert (await client.post("/", content=urlencode(pairs), headers=sent)).status_code == 201
    return found[0]


async def filled(changes: dict[str, str] | None = None, **more: str):
    return await read(list((GOOD | (changes or {}) | more).items()), Event)


async def test_a_good_form_has_a_value():
    form = await filled(
        day="2026-11-22",
        starts="14:30",
        opens_at="2026-11-22T14:10",
        kind="visit",
        size="big",
        is_open="1",
        note=" 楼下 ",
    )
    assert form.errors == {}
    assert form.value == Event(
        "楼道清洁",
        12,
        date(2026, 11, 22),
        time(14, 30),
        datetime(2026, 11, 22, 6, 10, tzinfo=UTC),
        Kind.VISIT,
        "big",
        is_open=True,
        note="楼下",
    )


async def test_what_is_left_empty_takes_its_default():
    form = await filled(day="", note="", kind="")
    assert form.value == Event("楼道清洁", 12)


@pytest.mark.parametrize("typed", ["１２", "12", " 12 ", "+12", "012"])
async def test_whole_numbers_as_people_type_them(typed):
    assert (await filled(seats=typed)).value.seats == 12


async def test_thousands_may_be_grouped():
    form = await filled(seats="1,200")
    assert form.errors == {"seats": "名额要在 1 到 200 之间"}


@pytest.mark.parametrize(
    "typed", ["2026-11-22", "2026/11/22", "2026.11.22", "2026年11月22日", "２０２６－１１－２２", "2026-11-2 2"]
)
async def test_days_as_people_type_them(typed):
    assert (await filled(day=typed)).value.day == date(2026, 11, 22)


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("name", "", "请填写名称"),
        ("name", "清", "名称至少 2 个字"),
        ("name", "三号楼楼道清洁", "名称最多 6 个字，现在有 7 个"),
        ("seats", "", "请填写名额"),
        ("seats", "0", "名额要在 1 到 200 之间"),
        ("seats", "十二", "名额要填整数，例如 12"),
        ("seats", "1.5", "名额要填整数，例如 12"),
        ("seats", "9" * 30, "名额要填整数，例如 12"),
        ("day", "2026-02-30", "请把日期写成 2026-11-22 这样"),
        ("day", "0001-01-01", "请把日期写成 2026-11-22 这样"),
        ("day", "明天", "请把日期写成 2026-11-22 这样"),
        ("starts", "25:00", "请把时间写成 14:30 这样"),
        ("opens_at", "2026-11-22", "请把opens_at写成 14:30 这样"),
        ("kind", "other", "请选择kind"),
        ("size", "medium", "请选择size"),
        ("helpers", "一", "helpers要填整数，例如 12"),
    ],
)
async def test_every_mistake_is_named_and_kept(field, typed, said):
    form = await filled({field: typed})
    assert form.errors == {field: said}
    assert form.typed[field] == typed
    assert not form.is_valid
    with pytest.raises(AssertionError):
        _ = form.value


async def test_what_nobody_sees_is_not_read():
    form = await filled(name="清\u200b洁\u202e", note="谢谢\ufeff")
    assert (form.value.name, form.value.note, form.typed["name"]) == ("清洁", "谢谢", "清洁")


async def test_what_was_read_stays_when_something_is_refused_later():
    form = await filled()
    form.refuse("seats", "没有名额")
    assert not form.is_valid
    assert form.value.seats == 12


async def test_labels_of_the_page_name_the_fields():
    form = await read([("name", "清洁"), ("seats", "")], Event, labels={"seats": "人数"})
    assert form.errors == {"seats": "请填写人数"}


async def test_several_inputs_of_one_name_are_a_list():
    form = await read([*GOOD.items(), ("helpers", "3"), ("helpers", ""), ("helpers", "5")], Event)
    assert form.value.helpers == [3, 5]
    assert form.lists["helpers"] == ["3", "", "5"]


class Rows(msgspec.Struct):
    minutes: list[int | None]


async def test_rows_that_may_be_empty_keep_their_place():
    form = await read([("minutes", "60"), ("minutes", ""), ("minutes", "90")], Rows)
    assert form.value.minutes == [60, None, 90]


class Picked(msgspec.Struct):
    people: Annotated[list[int], Meta(title="居民")]


async def test_a_needed_list_must_have_something():
    assert (await read([("other", "1")], Picked)).errors == {"people": "请选择居民"}


async def test_a_room_can_refuse_a_field_and_the_first_word_stands():
    form = await filled()
    form.refuse("name", "这个名称已经用过")
    form.refuse("name", NotFound())
    form.refuse("seats", NotFound())
    assert form.errors == {"name": "这个名称已经用过", "seats": "没有找到。请检查地址，或回到上一页。"}
    assert not form.is_valid


def test_a_new_form_shows_what_is_known():
    form = forms.blank(name="清洁", seats=12, note=None)
    assert form.typed == {"name": "清洁", "seats": "12", "note": ""}
    assert form.errors == {}


async def test_control_characters_never_reach_a_text():
    assert (await filled(note="a\x00b\x1bc\r\nd")).value.note == "abc\nd"


@given(st.dictionaries(st.sampled_from(list(Event.__struct_fields__)), st.text(max_size=30)))
async def test_no_typing_breaks_a_form(typed):
    form = await read([(name, text.encode("utf-8", "replace").decode()) for name, text in typed.items()], Event)
    assert form.is_valid == (form.errors == {})
