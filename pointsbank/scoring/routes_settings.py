"""The form of what holds for the whole table of a draft. It needs no script."""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from pointsbank.kit import db
from pointsbank.kit.db import Actor
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger.rules_kinds import Denomination
from pointsbank.people.access import Permission, Session, needs
from pointsbank.scoring import actions_sheet, queries, rules, rules_form, rules_form_table
from pointsbank.scoring.queries import Version
from pointsbank.scoring.routes_form import drawn, filled, handed, refuse_both, refuse_wrong, show_again
from pointsbank.scoring.rules_sheet import SheetStale
from pointsbank.web import forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, with_words
from pointsbank.web.render import page

EDITOR = [needs(Permission.EDIT_SCORING)]
HINTS: dict[str, str] = {
    "name": N_("居民看到的名称"),
    "unit_name": N_("这张表叫它什么，例如：分、时间币"),
    "notice_days": N_("原文没有写就空着，用本系统的默认天数"),
    "yuan_per_point_cents": N_("抵 1 元就写 100。原文没有写的空着"),
    "validity": N_("按月数、按年数的，写几个月、几年；别的写 0"),
    "caps": N_("记入主存折的全部项目合计；分值、次数、分钟只写一样"),
    "place": N_("哪个社区或街道的办法"),
    "document": N_("文件的全名，不用书名号"),
    "decimals": N_("只能是 0。要小数的项，请记入有小数的存折"),
    "multipliers": N_("例如：夜间 150%，22:00 到 06:00"),
    "base": N_("每人一开始就有的。没有就全部空着；原文没有写的空着"),
    "balance_max": N_("没有就空着"),
    "gate_minutes": N_("例如 6000，就是 100 小时。没有就写 0"),
    "redeem": N_("照原文写成一段话"),
    "redemption_ratio": N_("照原文写成一段话"),
    "expiry_words": N_("照原文写成一段话"),
    "levels": N_("从多少分钟起、从多少分起，只写一样"),
    "levels_words": N_("照原文写成一段话"),
    "approval": N_("照原文写成一段话"),
    "appeal": N_("照原文写成一段话"),
    "vetoes": N_("一行写一条，只给人看"),
    "veto_rules": N_("编号如 V01。后果只有两种：几个月不能兑换、只留基础分"),
    "consequences": N_("一行写一条。不能影响低保、医保、办事这类依法享有的待遇"),
    "notes": N_("一行写一条，例如原文没有写的、前后不一的"),
}


class SettingsForm(msgspec.Struct):
    """What the form sends beside the fields, which `rules_form_table` reads.

    `seen` has the marks of the fields as they were shown; `more` names rows of which some more are wanted.
    """

    request_key: str
    seen: str = ""
    more: str | None = None


@get("/scoring/versions/{version_id:int}/settings", guards=EDITOR)
async def settings(version_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    draft = await queries.version(session.community_ids, version_id)
    if draft.state != "draft":
        raise rules.NotADraft
    texts = rules_form_table.texts_of(draft.table, await kinds.denominations(None, draft.community_id))
    return await _page(draft, filled(texts | {"seen": [rules_form_table.marks_of(draft.table)]}))


async def _page(draft: Version, form: Filled[Any], status: int = 200, more: str = "") -> Response[str]:
    known = (await kinds.denominations(None, draft.community_id)).values()
    return page(
        "scoring/settings.html",
        status=status,
        draft=draft,
        form=form,
        hints=HINTS,
        fixed=[],
        **drawn(rules_form_table.SECTIONS, form, rules_form_table.usual(), known, more),
    )


@post("/scoring/versions/{version_id:int}/settings", guards=EDITOR)
async def save_settings(
    version_id: FromPath[int],
    request: Request[Any, Any, Any],
    session: NamedDependency[Session],
    actor: NamedDependency[Actor],
) -> Response[Any]:
    """Keep what was changed since it was shown; what bars publishing alone does not bar a draft."""
    form = await forms.read(request, SettingsForm)
    draft = await queries.version(session.community_ids, version_id)
    if draft.state != "draft":
        return await _page(draft, handed(form), rules.NotADraft.kind.status)
    if more := form.typed.get("more"):
        return await _page(draft, form, more=more)
    book_kinds = await kinds.denominations(None, draft.community_id)
    changed = _changed(form, draft, book_kinds)
    if not form.is_valid:
        return await _page(draft, form, 400)
    try:
        await db.write(
            actions_sheet.put_settings,
            actor=actor,
            request_key=form.value.request_key,
            community_id=draft.community_id,
            version_id=draft.id,
            settings=changed,
            seen=form.value.seen,
        )
    except (rules.NotADraft, SheetStale) as refusal:  # somebody was quicker, by a moment
        return await _page(draft, handed(form, refusal), refusal.kind.status)
    headers = {"Location": f"/scoring/versions/{version_id}"}
    return Response(b"", status_code=303, media_type="text/html", headers=headers)


def _changed(form: Filled[Any], draft: Version, book_kinds: Mapping[str, Denomination]) -> dict[str, Any]:
    """The fields that were changed since they were shown; what is to be typed or sent again stands in the form."""
    seen = form.typed.get("seen", "")
    changed, wrong = rules_form_table.meant(form.lists, book_kinds, seen)
    refuse_wrong(form, wrong)
    typed = msgspec.structs.replace(draft.table, **changed)
    if not wrong and (both := rules_form.of_both(changed, draft.table, seen)):
        refuse_both(form, both, draft.table, typed, book_kinds)
        show_again(form, rules_form_table.texts_of(typed, book_kinds), rules_form_table.marks_of(draft.table))
    for fault in rules.faults(typed, book_kinds):
        if not fault.item_code and not fault.only_publishing:
            form.refuse(fault.field, fault.said(with_words))
    return changed


handlers: list[Any] = [settings, save_settings]
