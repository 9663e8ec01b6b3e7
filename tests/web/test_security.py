"""The layer around everything. Each refusal has a twin that passes, so that none of them refuses by accident."""

import asyncio

import httpx
import pytest
from litestar import Response

from pointsbank.web import assets, cookies, limits

COOKIE = {"Cookie": "sid=cookie-of-jia"}
BEARER = {"Authorization": "Bearer token-of-jia"}
OWN = {"Origin": "http://points.test"}


async def test_every_answer_carries_the_security_headers(client):
    for path in ("/who", "/nowhere", "/api/nowhere", "/fail/bug", "/api/refuse/short"):
        headers = (await client.get(path)).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in headers


async def test_https_promises_https(make):
    secure = make(https=True, base="https://points.test")
    assert (await secure.get("/who")).headers["strict-transport-security"] == "max-age=31536000"


async def test_a_session_is_what_find_session_knows(client):
    assert (await client.get("/who", headers=COOKIE)).json()["session"] == "甲"
    assert (await client.get("/who", headers={"Cookie": "type=large; sid=cookie-of-jia; lang=en"})).json()["session"]
    assert (await client.get("/who")).json()["session"] is None


async def test_a_session_id_that_the_client_chose_is_nobody(client):
    answer = await client.get("/who", headers={"Cookie": "sid=chosen-by-an-attacker"})
    assert answer.json()["session"] is None
    assert "set-cookie" not in answer.headers


async def test_find_session_may_have_to_wait_for_the_database(make):
    async def slow(digest, sort):
        await asyncio.sleep(0)
        return "later"

    assert (await make(find_session=slow).get("/who", headers=COOKIE)).json()["session"] == "later"


async def test_a_token_opens_the_api_alone_and_a_cookie_everything_else(client):
    assert (await client.get("/api/who", headers=BEARER)).json()["session"] == "甲 by token"
    assert (await client.get("/who", headers=BEARER)).json()["session"] is None
    assert (await client.get("/api/who", headers=COOKIE)).json()["session"] is None


async def test_on_https_only_the_host_cookie_counts(make):
    secure = make(https=True, base="https://points.test")
    assert (await secure.get("/who", headers=COOKIE)).json()["session"] is None
    assert (await secure.get("/who", headers={"Cookie": "__Host-sid=cookie-of-jia"})).json()["session"] == "甲"


async def test_an_absurdly_long_token_is_not_even_looked_up(make):
    asked = []
    client = make(find_session=lambda *token: asked.append(token))
    await client.get("/who", headers={"Cookie": "sid=" + "x" * 5000})
    assert asked == []


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"Origin": "http://evil.test"},
        {"Origin": "https://points.test"},
        {"Origin": "http://points.test.evil.test"},
        {"Origin": "null"},
        {"Origin": "http://evil.test", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Referer": "http://evil.test/points.test"},
        {"Referer": "http://points.test.evil.test/"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_a_form_of_another_site_is_refused(client, said):
    answer = await client.post("/form", data={"name": "清洁"}, headers=said | COOKIE)
    assert answer.status_code == 403
    assert "没有执行" in answer.text


@pytest.mark.parametrize(
    "said",
    [
        {"Origin": "http://points.test"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Referer": "http://points.test/events/new"},
    ],
)
async def test_a_form_of_ours_passes(client, said):
    answer = await client.post("/form", data={"name": "清洁"}, headers=said | COOKIE)
    assert (answer.status_code, answer.text) == (201, "清洁")


async def test_behind_a_proxy_the_public_name_is_our_origin(make):
    client = make(https=True, base="https://points.test", hosts=["points.test"])
    sent = {"Host": "127.0.0.1:8000", "Origin": "https://points.test"}
    assert (await client.post("/form", data={"name": "清洁"}, headers=sent)).status_code == 201
    assert (
        await client.post("/form", data={"name": "清洁"}, headers=sent | {"Origin": "https://a.test"})
    ).status_code == 403


@pytest.mark.parametrize("host", ["points.test/evil", "points test", "a@b", "<script>", ""])
async def test_a_malformed_host_is_refused(client, host):
    assert (await client.get("/who", headers={"Host": host})).status_code == 400


async def test_where_names_are_given_other_hosts_are_refused(make):
    client = make(hosts=["points.test"])
    assert (await client.get("/who", headers={"Host": "points.test:8000"})).status_code == 200
    assert (await client.get("/who", headers={"Host": "rebound.test"})).status_code == 400
    assert (await client.get("/who", headers={"Host": "localhost:8000"})).status_code == 200


async def test_odd_paths_and_bodies_of_a_get_are_refused(client):
    assert (await client.get("/%2e%2e/who")).status_code == 404
    assert (await client.get("/who%00")).status_code == 404
    assert (await client.get("/who%5c")).status_code == 404
    assert (await client.get("http://points.test//evil.test/who")).status_code == 404
    assert (await client.request("GET", "/who", content=b"x=1")).status_code == 400


async def test_a_large_body_is_refused_before_it_is_read(make):
    client = make(uploads=["/{whose:str}/upload", "/upload"], upload_bytes_max=200_000)
    large = {"name": "清" * 30_000}
    assert (await client.post("/form", data=large, headers=OWN)).status_code == 413
    assert (await client.post("/upload", data={"name": "x" * 100_000}, headers=OWN)).status_code == 201
    assert (await client.post("/upload", data={"name": "x" * 300_000}, headers=OWN)).status_code == 413


async def test_zeros_before_a_length_do_not_make_it_shorter(client):
    sent = OWN | {"Content-Length": "0" * 20 + "200000", "Content-Type": "application/x-www-form-urlencoded"}
    assert (await client.post("/form", content=b"x" * 200_000, headers=sent)).status_code == 413


async def test_a_body_of_unannounced_length_is_counted(client):
    async def endless():
        for _ in range(100):
            yield b"name=" + b"x" * 10_000

    sent = OWN | {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await client.post("/form", content=endless(), headers=sent)).status_code == 413


async def test_who_asks_too_often_is_told_when_to_come_back(make, tight):
    client = make(limit=tight)
    for _ in range(3):
        assert (await client.get("/who")).status_code == 200
    refused = await client.get("/who")
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert (await client.get("/api/who")).json()["code"] == "throttled"


async def test_neighbours_behind_one_address_do_not_use_up_a_session(make, tight):
    client = make(limit=tight)
    for _ in range(4):
        await client.get("/who")
    assert (await client.get("/who")).status_code == 429
    assert (await client.get("/who", headers=COOKIE)).status_code == 200
    assert (await client.get("/api/who", headers=BEARER)).status_code == 200


async def test_invented_sessions_share_the_limit_of_their_address(make, tight):
    client = make(limit=tight)
    codes = [(await client.get("/who", headers={"Cookie": f"sid=invented-{n}"})).status_code for n in range(5)]
    assert codes == [200, 200, 200, 429, 429]


async def test_only_a_trusted_proxy_may_name_the_caller(make):
    forwarded = {"X-Forwarded-For": "203.0.113.9, 198.51.100.4"}
    trusting = make(address="127.0.0.1", trusted_proxies=["127.0.0.1"])
    assert (await trusting.get("/who", headers=forwarded)).json()["address"] == "198.51.100.4"
    chained = make(address="127.0.0.1", trusted_proxies=["127.0.0.1", "198.51.100.4"])
    assert (await chained.get("/who", headers=forwarded)).json()["address"] == "203.0.113.9"
    assert (await make().get("/who", headers=forwarded)).json()["address"] == "192.0.2.7"


async def test_callers_behind_a_trusted_proxy_do_not_use_up_each_others_share(make, tight):
    client = make(address="127.0.0.1", trusted_proxies=["127.0.0.1"], limit=tight)
    for name, expected in (("203.0.113.9", 429), ("203.0.113.10", 200)):
        for _ in range(3 if expected == 429 else 0):
            await client.get("/who", headers={"X-Forwarded-For": name})
        assert (await client.get("/who", headers={"X-Forwarded-For": name})).status_code == expected


async def test_a_repeated_command_is_marked_and_is_no_creation(client):
    again = await client.post("/api/replay")
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")
    fresh = await client.get("/who")
    assert "idempotent-replayed" not in fresh.headers


async def test_static_files_are_immutable_and_compressed(client):
    url = assets.shelf().url("app.css")
    answer = await client.get(url, headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    assert ":root{" in answer.text
    assert (await client.get(url, headers={"If-None-Match": answer.headers["etag"]})).status_code == 304
    assert (await client.get("/static/app.css")).status_code == 404
    assert (await client.get("/static/../pyproject.toml")).status_code == 404
    assert (await client.post(url)).status_code == 405


async def test_a_websocket_is_closed(make):
    said = []

    async def send(message):
        said.append(message["type"])

    app = make()._transport.app
    await app({"type": "websocket", "path": "/", "headers": []}, None, send)
    assert said == ["websocket.close"]


def test_a_host_cookie_is_cleared_as_it_was_set():
    response = Response(b"")
    cookies.set_cookie(response, cookies.session_cookie_name(https=True), "token", https=True)
    made = response.cookies[0].to_header(header="")
    assert made.strip() == "__Host-sid=token; HttpOnly; Path=/; SameSite=lax; Secure"
    response = Response(b"")
    cookies.clear_cookie(response, "__Host-sid", https=True)
    assert "Secure" in response.cookies[0].to_header()
    assert "Max-Age=0" in response.cookies[0].to_header()


@pytest.mark.parametrize(
    "wanted", ["//evil.test", "/\\evil.test", "https://evil.test", "evil", "", None, "/a\r\nb", "/a b"]
)
def test_afterwards_never_leads_to_another_site(wanted):
    assert cookies.safe_next(wanted) == "/"
    assert cookies.safe_next("/events/3?page=2") == "/events/3"


async def test_a_large_letter_cookie_is_all_that_the_switch_changes(client):
    answer = await client.get("/type", params={"size": "larger", "next": "//evil.test"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert answer.headers["set-cookie"].startswith("type=larger;")
    assert (await client.get("/language?to=en&next=/me")).headers["set-cookie"].startswith("lang=en;")


def test_buckets_refill_and_never_grow_beyond_their_bound():
    buckets = limits.Buckets(limits.Limit(per_minute=60, burst=2), buckets_max=100)
    assert [buckets.take("a", 0.0) for _ in range(2)] == [0.0, 0.0]
    assert 0 < buckets.take("a", 0.0) <= 1
    assert buckets.take("a", 1.01) == 0.0
    assert buckets.take("a", 1.01) > 0
    for caller in range(10_000):
        buckets.take(caller, 2.0)
    assert len(buckets) <= 100


def test_a_bucket_survives_the_change_of_generations():
    buckets = limits.Buckets(limits.Limit(per_minute=60, burst=2), buckets_max=10)
    assert [buckets.take("a", 0.0) for _ in range(2)] == [0.0, 0.0]
    for caller in range(4):
        buckets.take(caller, 0.0)
    buckets.take("the one that turns the generation", 0.0)
    assert buckets.take("a", 0.0) > 0


def test_an_ipv6_line_is_one_caller():
    assert limits.network("2001:db8::1") == limits.network("2001:db8::ffff:2")
    assert limits.network("2001:db8::1") != limits.network("2001:db8:0:1::1")
    assert limits.network("::ffff:192.0.2.7") == "192.0.2.7"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST"])
async def test_every_unsafe_method_is_guarded(client: httpx.AsyncClient, method):
    assert (await client.request(method, "/who")).status_code == 403
    assert (await client.request(method, "/who", headers=OWN)).status_code == 405
