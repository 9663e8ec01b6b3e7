"""What a caller learns of an error."""

import json
import logging

import pytest

OWN = {"Origin": "http://points.test"}
JSON = {"Content-Type": "application/json"}
ENGLISH = {"Accept-Language": "en-GB,en;q=0.9"}


async def test_a_refusal_under_api_is_a_problem_with_its_facts(client):
    answer = await client.get("/api/refuse/short")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:pointsbank:problem:test.short_of_points",
        "title": "没有办成",
        "status": 409,
        "code": "test.short_of_points",
        "detail": "还差 14 分。",
        "missing": 14,
    }


async def test_a_refusal_elsewhere_is_a_page_in_plain_words(client):
    answer = await client.get("/refuse/short")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "还差 14 分。" in answer.text
    assert "test.short_of_points" not in answer.text


async def test_an_error_page_for_a_form_leads_back_to_the_page_of_the_form(client):
    """The address that took the form may answer no GET: whoever wants to read it in English would meet a 405."""
    sent = {"content": "name=" + "a" * 70_000, "headers": {**OWN, "Referer": "http://points.test/people?of=1"}}
    from_a_page = await client.post("/form", **sent)
    assert from_a_page.status_code == 413
    assert "/language?to=en&amp;next=/people" in from_a_page.text
    for referer in ("", "http://points.test//elsewhere.test", "nonsense"):
        sent["headers"]["Referer"] = referer
        assert "/language?to=en&amp;next=/&#34;" in (await client.post("/form", **sent)).text.replace('"', "&#34;")


async def test_a_refusal_for_the_script_is_a_fragment(client):
    answer = await client.get("/refuse/short", headers={"X-Partial": "1"})
    assert answer.status_code == 409
    assert answer.headers["x-problem"] == "test.short_of_points"
    assert answer.text.startswith('<div class="notice is-stop problem"')


async def test_busy_says_when_to_come_back(client):
    answer = await client.get("/refuse/busy")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


async def test_english_is_answered_in_english(client):
    assert "Too busy" in (await client.get("/api/refuse/busy", headers=ENGLISH)).json()["detail"]
    assert "Too busy" in (await client.get("/refuse/busy", headers={"Cookie": "lang=en"})).text
    assert "现在太忙" in (await client.get("/refuse/busy", headers=ENGLISH)).text


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/nowhere", 404, "not_found"),
        ("/api/take", 405, "method_not_allowed"),
        ("/api/fail/auth", 401, "not_signed_in"),
        ("/api/fail/number", 400, "invalid_body"),
        ("/api/refuse/forbidden", 403, "forbidden"),
        ("/api/fail/bug", 500, "internal"),
    ],
)
async def test_each_error_has_its_code(client, path, status, code):
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_whoever_is_not_signed_in_is_led_to_the_door_and_back(client):
    answer = await client.get("/fail/auth?page=2")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/fail/auth")
    assert (await client.get("/fail/auth", headers={"X-Partial": "1"})).status_code == 401


async def test_a_bug_tells_the_log_everything_and_the_caller_a_number(client, caplog):
    with caplog.at_level(logging.ERROR):
        page = await client.get("/fail/bug?phone=19900000001")
        api = await client.get("/api/fail/bug")
    assert page.status_code == api.status_code == 500
    incident = api.json()["incident"]
    assert incident in caplog.text
    assert "KeyError" in caplog.text
    assert "?phone" not in caplog.text
    for answer in (page, api):
        assert "秘密" not in answer.text
        assert "KeyError" not in answer.text
        assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nul",
        b"\xff\xfe",
        b'{"lines": "no list"}',
        b'{"lines": [1, 2, 3, 4, 5, 6]}',
        b'{"lines": [], "more": 1}',
        b'{"lines": ["\\ud800"]}',
        b'{"lines": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
        b'{"lines": [' + b"9" * 5_000 + b"]}",
        json.dumps(["<script>"]).encode(),
    ],
)
async def test_rubbish_is_the_caller_s_mistake_and_is_not_repeated(client, body):
    answer = await client.post("/api/take", content=body, headers=JSON)
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "invalid_body"
    assert "script" not in answer.text
    assert "lines" not in answer.text


async def test_sound_json_passes(client):
    assert (await client.post("/api/take", json={"lines": [1]})).json() == {"lines": 1}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data; boundary=x", b"--x\r\nno headers"),
        ("multipart/form-data", b"--x--"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n\xff\xfe\r\n--x--\r\n',
        ),
        ("application/x-www-form-urlencoded", b"&".join(b"a=1" for _ in range(5000))),
    ],
)
async def test_a_broken_form_is_the_caller_s_mistake(client, kind, body):
    answer = await client.post("/form", content=body, headers=OWN | {"Content-Type": kind})
    assert answer.status_code == 400, answer.text


async def test_bytes_that_are_no_text_become_a_mark_and_not_an_error(client):
    sent = OWN | {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await client.post("/form", content=b"name=%ED%A0%80%00%FF", headers=sent)
    assert answer.status_code == 201
    assert "\x00" not in answer.text
