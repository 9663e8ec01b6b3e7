"""The page for when no network is there, and the service worker that keeps it.

Nothing else is ever kept in a browser: pages hold balances and names. Only https and localhost have service workers;
elsewhere the script's band tells that a form did not get through.
"""

import json

from litestar import Response

from pointsbank.web import assets
from pointsbank.web.handlers import get
from pointsbank.web.render import page

PUBLIC = {"public": True}
DRAWN_WITH = ("app.css", "app.js", "icons.svg", "favicon.svg")


@get("/offline", opt=PUBLIC, sync_to_thread=False)
def offline_page() -> Response[str]:
    return page("offline.html")


@get("/sw.js", opt=PUBLIC, sync_to_thread=False)
def service_worker() -> Response[str]:
    """At the root, because a worker rules over what lies below its own address; its text changes with what it keeps."""
    kept = ["/offline", *(assets.shelf().url(name) for name in DRAWN_WITH)]
    script = assets.shelf().by_name["sw.js"].body.decode()
    text = f"const KEPT = {json.dumps(kept)}\n{script}"
    return Response(text, media_type="text/javascript", headers={"Cache-Control": "no-cache"})


handlers = [offline_page, service_worker]
