"""What belongs to no room: how somebody likes to read, and stylesheets that are computed."""

from typing import Any

from litestar import Request, Response
from litestar.params import FromPath

from pointsbank.kit.errors import NotFound
from pointsbank.web import cookies, current, i18n, printing
from pointsbank.web.handlers import get

PUBLIC = {"public": True}
AnyRequest = Request[Any, Any, Any]


def _remembering(request: AnyRequest, name: str, value: str) -> Response[bytes]:
    """Back to where the reader was. A link may do this: it changes a cookie of the reader's and nothing of ours."""
    target = cookies.safe_next(request.query_params.get("next"))
    response = Response(b"", status_code=303, media_type="text/html", headers={"Location": target})
    response.set_cookie(name, value, max_age=cookies.YEAR_SECONDS, path="/", httponly=True, samesite="lax")
    return response


@get("/type", opt=PUBLIC, sync_to_thread=False)
def choose_type_size(request: AnyRequest) -> Response[bytes]:
    """大字: `size` is empty, large or larger."""
    size = request.query_params.get("size", "")
    return _remembering(request, "type", size if size in current.type_sizes else "")


@get("/language", opt=PUBLIC, sync_to_thread=False)
def choose_language(request: AnyRequest) -> Response[bytes]:
    wanted = request.query_params.get("to", "")
    return _remembering(request, "lang", wanted if wanted in i18n.LOCALES else i18n.SOURCE)


@get("/printer/shift", opt=PUBLIC, sync_to_thread=False)
def choose_shift(request: AnyRequest) -> Response[bytes]:
    """How far this computer's printer prints off, for one kind of paper; `right` and `down` in millimetres."""
    asked = request.query_params
    paper = asked.get("paper", "")
    if paper not in printing.SHIFTED_PAPERS:
        raise NotFound
    shift = printing.read_shift(asked.get("right", ""), asked.get("down", ""))
    return _remembering(request, printing.shift_cookie(paper), f"{shift.right_mm}_{shift.down_mm}")


@get("/printer/roll", opt=PUBLIC, sync_to_thread=False)
def choose_roll(request: AnyRequest) -> Response[bytes]:
    """Which roll lies in this computer's receipt printer."""
    roll = request.query_params.get("to", "")
    if roll not in printing.ROLLS_MM:
        raise NotFound
    return _remembering(request, "roll", roll)


@get("/print/{name:str}", opt=PUBLIC, sync_to_thread=False)
def print_css(name: FromPath[str]) -> Response[str]:
    """`/print/r80-214.css`, the page size of one receipt; `/print/shift_15_-5.css`, how far a printer is corrected."""
    css = printing.roll_css(name) or printing.shift_css(name)
    if css is None:
        raise NotFound
    return Response(css, media_type="text/css", headers={"Cache-Control": "public, max-age=31536000, immutable"})


routes = [choose_type_size, choose_language, choose_roll, choose_shift, print_css]
