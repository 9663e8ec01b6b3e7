"""Two guides on paper, of two pages each: for the counter, and for whoever runs the community.

They cross all rooms and hold nobody's data, so that they can hang on the wall; anybody may read them.
"""

from litestar import Response

from pointsbank.web.handlers import get
from pointsbank.web.render import page

PUBLIC = {"public": True}


@get("/guide/counter", opt=PUBLIC, sync_to_thread=False)
def counter_guide() -> Response[str]:
    return page("app/guide_counter.html")


@get("/guide/community", opt=PUBLIC, sync_to_thread=False)
def community_guide() -> Response[str]:
    return page("app/guide_community.html")


handlers = [counter_guide, community_guide]
