"""A form with a file: bounded, taken apart once, and the file's name is nobody's business."""

from typing import Annotated, Any

import httpx
import msgspec
import pytest
from litestar import Request, post

from pointsbank.web import forms
from tests.web.conftest import OWN


class Photo(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(title="名称", max_length=20)]


async def upload(request: Request[Any, Any, Any]) -> Any:
    content = await forms.read_file(request)
    form = await forms.read(request, Photo)
    again = await forms.read_file(request)
    return {"bytes": len(content), "errors": form.errors, "typed": form.typed, "again": content == again}


async def plain(request: Request[Any, Any, Any]) -> Any:
    return {"typed": (await forms.read(request, Photo)).typed, "bytes": len(await forms.read_file(request))}


UPLOAD, PLAIN = post("/{whose:str}/photo", opt={"upload": True})(upload), post("/plain")(plain)


@pytest.fixture
def client(make) -> httpx.AsyncClient:
    return make(uploads=["/{whose:str}/photo"], extra=[UPLOAD, PLAIN])


def sent(content: bytes, name: str = "file") -> dict[str, Any]:
    return {"files": {name: ("../../etc/名册.xlsx", content)}, "headers": OWN}


async def test_a_file_and_its_fields_are_read_in_any_order(client):
    answer = await client.post("/3/photo", data={"name": "大米"}, **sent(b"x" * 2_000_000))
    assert answer.json() == {"bytes": 2_000_000, "errors": {}, "typed": {"name": "大米"}, "again": True}


async def test_no_file_chosen_is_an_empty_one_and_loses_no_field(client):
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n\r\n'
    body += '--b\r\nContent-Disposition: form-data; name="name"\r\n\r\n大米\r\n--b--\r\n'.encode()
    answer = await client.post(
        "/3/photo", content=body, headers=OWN | {"Content-Type": "multipart/form-data; boundary=b"}
    )
    assert answer.json() == {"bytes": 0, "errors": {}, "typed": {"name": "大米"}, "again": True}


async def test_a_mistake_in_a_field_is_named_beside_the_file(client):
    answer = await client.post("/3/photo", data={"name": ""}, **sent(b"x"))
    assert answer.json()["errors"] == {"name": "请填写名称"}


async def test_a_file_above_the_limit_is_refused_while_it_arrives(client):
    assert (await client.post("/3/photo", **sent(b"x" * 5 * 1024 * 1024))).status_code == 201
    assert (await client.post("/3/photo", **sent(b"x" * (5 * 1024 * 1024 + 1)))).status_code == 413
    assert (await client.post("/3/photo", **sent(b"x" * 6 * 1024 * 1024))).status_code == 413
    taken = 0

    async def endless():
        nonlocal taken
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        while taken < 100:
            taken += 1
            yield b"x" * 1_000_000

    headers = OWN | {"Content-Type": "multipart/form-data; boundary=b"}
    assert (await client.post("/3/photo", content=endless(), headers=headers)).status_code == 413
    assert taken < 10


async def test_other_routes_take_no_more_than_before(client):
    assert (await client.post("/plain", data={"name": "大米"}, **sent(b"x" * 70_000))).status_code == 413
    answer = await client.post("/plain", data={"name": "大米"}, **sent(b"x" * 1000))
    assert answer.json() == {"typed": {"name": "大米"}, "bytes": 1000}


async def test_a_foreign_page_cannot_send_a_file(client):
    assert (await client.post("/3/photo", files={"file": ("a", b"x")})).status_code == 403


@pytest.mark.parametrize(
    "parts",
    [
        [("file", ("a", b"1")), ("file", ("b", b"2"))],
        [(f"field{n}", (None, b"1")) for n in range(21)],
    ],
)
async def test_two_files_of_a_name_and_too_many_parts_are_refused(client, parts):
    assert (await client.post("/3/photo", files=parts, headers=OWN)).status_code in {400, 413}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"--b--"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"rubbish"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nhalf'),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nno name\r\n--b--\r\n"),
    ],
)
async def test_rubbish_is_refused(client, kind, body):
    assert (await client.post("/3/photo", content=body, headers=OWN | {"Content-Type": kind})).status_code == 400


async def test_a_charset_of_the_senders_choice_costs_nothing(client):
    body = b'--b\r\nContent-Disposition: form-data; name="name"\r\nContent-Type: text/plain; charset=punycode\r\n\r\n'
    body += b"a-b" * 20 + b"\r\n--b--\r\n"
    headers = OWN | {"Content-Type": "multipart/form-data; boundary=b"}
    assert (await client.post("/3/photo", content=body, headers=headers)).json()["typed"]["name"] == "a-b" * 20
