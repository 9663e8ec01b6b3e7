"""The form of one item of a draft: the usual fields in front, all others in sections that fold. It needs no script."""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from pointsbank.kit import db
from pointsbank.kit.db import Actor
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger.rules import MAIN
from pointsbank.ledger.rules_kinds import Denomination
from pointsbank.people.access import Permission, Session, needs
from pointsbank.scoring import actions_sheet, queries, rules, rules_edit, rules_form
from pointsbank.scoring.queries import Version
from pointsbank.scoring.routes_form import drawn, filled, handed, refuse_both, refuse_wrong, show_again
from pointsbank.scoring.routes_pieces import of_kind
from pointsbank.scoring.rules import Item
from pointsbank.scoring.rules_life import CodeEnded
from pointsbank.scoring.rules_sheet import SheetStale
from pointsbank.web import forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _, with_words
from pointsbank.web.render import page

EDITOR = [needs(Permission.EDIT_SCORING)]
NEW = "new"
HINTS: dict[str, str] = {
    "code": N_("一个大写字母加数字，例如 A07"),
    "category": N_("例如：志愿服务"),
    "points": N_("只写数字。原文没有写的空着，议定以前不能公布"),
    "day_cap": N_("没有就空着"),
    "evidence": N_("例如：现场签到、照片"),
    "block_minutes": N_("只用于按时长"),
    "block_metres": N_("只用于按路程"),
    "rounding": N_("最后不满一段的怎么算"),
    "counted": N_("例如：人、件、次检查；不写就是“个”"),
    "minutes_max_per_act": N_("只用于按时长；没有就空着"),
    "levels": N_("例如：市级表彰记 20"),
    "conditions": N_("一行写一条"),
    "points_by_met": N_("做到一条、两条、三条各得几分，例如：1、2、4"),
    "faults": N_("每种情形从满分里减几分，减到 0 为止"),
    "range_max": N_("分值在一个范围里由评议定的，这里写最高的；别的空着"),
    "increments": N_("例如：超过 500 米，每满 100 米加 1"),
    "streak": N_("例如：每连续 7 次加 4；加分和百分比只写一样"),
    "multiplier_percent": N_("每次都乘的，100 就是不变"),
    "multipliers": N_("例如：夜间 150%，22:00 到 06:00"),
    "remainder": N_("不满 1 的零头"),
    "points_min_per_act": N_("算出来不到这么多，就记这么多；没有就空着"),
    "minutes_min": N_("不满就不计分；没有就空着"),
    "share_min_percent": N_("不满就不计分；没有就空着"),
    "quantity_min": N_("不写就是 1"),
    "metres_min": N_("不满就不计分；没有就空着"),
    "hours": N_("只有这个时段里的才计分，例如 06:00 到 22:00"),
    "caps": N_("每人每天的写在最上面，别的写这里；分值、次数、分钟只写一样"),
    "review": N_("勾了几位，就依次由几位审核"),
    "panel": N_("例如：5 人，3 人同意"),
    "notice_days": N_("和整张表不同才写"),
    "validity": N_("和整张表不同才写"),
    "scope": N_("和存折的归属不同才选"),
    "book_kind": N_("分值按这种存折的小数位填"),
    "process": N_("先劝导几次，再警告几次，多少个月内再有才扣分"),
    "ground": N_("依据哪一份规定的哪一条"),
    "make_good": N_("做什么可以补回来"),
    "says": N_("办法里的原话，公示和对照时给人看"),
}


class ItemForm(msgspec.Struct):
    """What the form sends beside the fields of the item, which `rules_form` reads.

    `editing` is the code of the item whose form it is, empty on that of a new one; `seen` has the marks of its fields
    as they were shown; `more` names rows of which some more are wanted.
    """

    request_key: str
    editing: str | None = None
    seen: str = ""
    more: str | None = None


@get("/scoring/versions/{version_id:int}/items/{code:str}", guards=EDITOR)
async def item_form(version_id: FromPath[int], code: FromPath[str], session: NamedDependency[Session]) -> Response[str]:
    """The form of one item; the code `new` is a new one's."""
    draft = await queries.version(session.community_ids, version_id)
    if draft.state != "draft":
        raise rules.NotADraft
    if code == NEW:
        return await _page(draft, filled({**rules_form.blank(_("现场签到")), "book_kind": [MAIN], "editing": [""]}))
    item = draft.items.get(code)
    if item is None:
        raise NotFound
    of = of_kind(item, await kinds.denominations(None, draft.community_id))
    seen = {"editing": [code], "seen": [rules_form.marks_of(item)]}
    return await _page(draft, filled({**rules_form.texts_of(item, of), **seen}))


async def _page(draft: Version, form: Filled[Any], status: int = 200, more: str = "") -> Response[str]:
    known = (await kinds.denominations(None, draft.community_id)).values()
    return page(
        "scoring/item.html",
        status=status,
        draft=draft,
        form=form,
        **drawn(rules_form.SECTIONS, form, rules_form.blank(""), known, more),
        hints=HINTS,
        editing=form.typed.get("editing", ""),
        fixed=["code"] if form.typed.get("editing") else [],
    )


@post("/scoring/versions/{version_id:int}/items", guards=EDITOR)
async def save_item(
    version_id: FromPath[int],
    request: Request[Any, Any, Any],
    session: NamedDependency[Session],
    actor: NamedDependency[Actor],
) -> Response[Any]:
    form = await forms.read(request, ItemForm)
    draft = await queries.version(session.community_ids, version_id)
    if draft.state != "draft":
        return await _page(draft, handed(form), rules.NotADraft.kind.status)
    if more := form.typed.get("more"):
        return await _page(draft, form, more=more)
    known = draft.items.get(form.typed.get("code", ""))
    item = _meant(form, draft, known, await kinds.denominations(None, draft.community_id))
    if item is not None and known is None and item.code in await queries.ended_codes(draft.community_id):
        form.refuse("code", CodeEnded(codes=item.code))
    if item is None or not form.is_valid:
        return await _page(draft, form, 400)
    try:
        await db.write(
            actions_sheet.put_item,
            actor=actor,
            request_key=form.value.request_key,
            community_id=draft.community_id,
            version_id=draft.id,
            item=item,
            seen=form.value.seen,
        )
    except (rules.NotADraft, SheetStale) as refusal:  # somebody was quicker, by a moment
        return await _page(draft, handed(form, refusal), refusal.kind.status)
    headers = {"Location": f"/scoring/versions/{version_id}"}
    return Response(b"", status_code=303, media_type="text/html", headers=headers)


def _meant(
    form: Filled[Any], draft: Version, known: Item | None, book_kinds: Mapping[str, Denomination]
) -> Item | None:
    """The item as it was typed; what is to be typed again stands in the form."""
    of = book_kinds.get(form.typed.get("book_kind") or (known.book_kind if known else MAIN))
    if of is None:
        form.refuse("book_kind", N_("请选择记入哪种存折"))
        return None
    editing = form.typed.get("editing")
    if known is not None and editing == "":
        form.refuse("code", N_("编号 {code} 已经有了。请换一个，或回到草稿里改那一项。"), code=known.code)
        return None
    if known is None and editing:
        form.refuse("code", N_("别人刚把这一项从草稿里拿掉了，你写的没有存。还要用，请回到草稿里把它加上再改。"))
        return None
    item, wrong = rules_form.meant(form.lists, of, known)
    refuse_wrong(form, wrong)
    if item is None:
        return None
    whole = item if known is None else _with_theirs(form, item, known, book_kinds)
    for fault in rules.faults(rules_edit.with_item(draft.table, whole), book_kinds):
        if fault.item_code == item.code and not fault.only_publishing:
            form.refuse(fault.field, fault.said(with_words))
    return item


def _with_theirs(form: Filled[Any], typed: Item, now: Item, book_kinds: Mapping[str, Denomination]) -> Item:
    """What was typed, with what somebody else has saved meanwhile; a field of both is refused, to be sent again."""
    item, both = rules_form.merged(typed, now, form.typed.get("seen", ""))
    if both:
        refuse_both(form, both, now, typed, book_kinds)
        show_again(form, rules_form.texts_of(item, of_kind(item, book_kinds)), rules_form.marks_of(now))
    return item


handlers: list[Any] = [item_form, save_item]
