"""What a phone shows when the network is gone, and what it keeps for that: nothing of anybody."""

import pytest

from tests.browser.conftest import PHONE

pytestmark = pytest.mark.browser
TOWN = "full"
KEPT = """async () => {
    const kept = await (await caches.open('offline')).keys()
    return kept.map(request => new URL(request.url).pathname.replace(/\\.[0-9a-f]{12}/, ''))
}"""


def test_without_a_network_a_page_says_so_and_holds_nobodys_data(enter, served):
    page = enter(PHONE, session=served.facts["sessions"]["resident"], has_worker=True)
    page.goto("/home")
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    page.goto("/me")
    page.route("**/*", lambda route: route.abort())
    page.context.set_offline(True)
    page.goto("/home")

    assert page.locator("h1").inner_text() == "没连上网"
    assert "测试" not in page.content()
    assert page.evaluate(KEPT) == ["/offline", "/static/app.css", "/static/app.js", "/static/icons.svg",
                                   "/static/favicon.svg"]  # fmt: skip
    page.unroute("**/*")
    page.context.set_offline(False)
    page.click("text=再试一次")
    page.wait_for_url("**/home")
