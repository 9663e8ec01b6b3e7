"""Photos of goods: taken in by the keeper, shown to whoever belongs to the community."""

from typing import Any

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from pointsbank.kit import db, intake
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.errors import Refusal
from pointsbank.people.access import Permission, Session, needs
from pointsbank.stock import actions, queries
from pointsbank.stock.routes_goods import filled, shown
from pointsbank.web import forms
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import _

KEEPER = [needs(Permission.KEEP_STOCK)]
PICTURE_SIDE_MAX, PICTURE_BYTES_MAX = 800, 120_000
# Lists show it 48 pixels wide; twenty of them may not make a first load slow.
THUMBNAIL_SIDE_MAX, THUMBNAIL_BYTES_MAX = 96, 2500
TOKEN_LENGTH_MAX = 64
PHOTO_HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Disposition": 'inline; filename="photo.jpg"',
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


class PhotoForm(msgspec.Struct):
    request_key: str


@post("/stock/{good_id:int}/photo", guards=KEEPER, opt={"upload": True})
async def hang(
    request: Request[Any, Any, Any],
    good_id: FromPath[int],
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    good = await queries.good(session.community_ids, good_id)
    content = await forms.read_file(request, "photo")
    form = await forms.read(request, PhotoForm)
    if not content:
        form.refuse("photo", _("请先选一张照片，再点上传。"))
    else:
        try:
            large = await intake.read_photo(content, side_max=PICTURE_SIDE_MAX, bytes_max=PICTURE_BYTES_MAX)
            small = await intake.read_photo(large.content, side_max=THUMBNAIL_SIDE_MAX, bytes_max=THUMBNAIL_BYTES_MAX)
            await db.write(
                actions.hang_photo,
                actor=session.actor,
                request_key=form.value.request_key,
                good_id=good_id,
                picture=large.content,
                thumbnail=small.content,
            )
        except Refusal as refused:
            form.refuse("photo", refused)
        else:
            return Redirect(f"/stock/{good_id}", status_code=303)
    again = filled(good)
    again.errors = form.errors
    return await shown(good, again, local_day(clock.now()), status=400)


@post("/stock/{good_id:int}/photo/drop", guards=KEEPER)
async def drop(
    request: Request[Any, Any, Any], good_id: FromPath[int], session: NamedDependency[Session]
) -> Response[Any]:
    await queries.good(session.community_ids, good_id)
    form = await forms.read(request, PhotoForm)
    await db.write(actions.drop_photo, actor=session.actor, request_key=form.value.request_key, good_id=good_id)
    return Redirect(f"/stock/{good_id}", status_code=303)


async def _photo(session: Session, token: str, *, is_small: bool) -> Response[bytes]:
    found = await queries.picture(session.community_ids, token[:TOKEN_LENGTH_MAX], is_small=is_small)
    return Response(found, media_type="image/jpeg", headers=PHOTO_HEADERS)


@get("/stock/photos/{photo:str}", guards=[needs()])
async def picture(photo: FromPath[str], session: NamedDependency[Session]) -> Response[bytes]:
    return await _photo(session, photo, is_small=False)


@get("/stock/photos/{photo:str}/small", guards=[needs()])
async def thumbnail(photo: FromPath[str], session: NamedDependency[Session]) -> Response[bytes]:
    return await _photo(session, photo, is_small=True)


handlers: list[Any] = [hang, drop, picture, thumbnail]
