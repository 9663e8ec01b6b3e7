"""What staff do with one person's data: show a field, set one right, consent on behalf. Reports draws the page."""

from typing import Annotated, Literal

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.kit import db, text
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.errors import Refusal
from pointsbank.people import actions, actions_homes, actions_own, queries, queries_homes
from pointsbank.people import queries_roster as details
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.browser import AnyRequest, key_of, to
from pointsbank.people.rules import (
    ASKED_LENGTH_MAX,
    BIRTH_YEAR_MIN,
    NAME_LENGTH_MAX,
    OWN_PHONE,
    PURPOSE_LENGTH_MAX,
)
from pointsbank.web import forms
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _
from pointsbank.web.render import page

FIELD_NAMES = {
    "name": N_("姓名"),
    "phone": N_("手机"),
    "door": N_("门牌"),
    "birth_year": N_("出生年"),
    "home": N_("住址"),
}
CONSENT_WORDS = {
    "in_person": N_("当面说的"),
    "paper": N_("签了纸"),
    "call": N_("打电话说的"),
    "own_phone": N_("自己的手机上"),
    "file": N_("登记在导入的名册里"),
}


class ShowForm(msgspec.Struct):
    """Its key is not kept: a repeat is another look, and recorded as one."""

    request_key: str
    field: Annotated[Literal["name", "phone", "door"], Meta(title="看哪一项")]
    purpose: Annotated[str, Meta(title="原因", min_length=2, max_length=PURPOSE_LENGTH_MAX)]


class ShowDoorForm(msgspec.Struct):
    """As above."""

    request_key: str
    purpose: Annotated[str, Meta(title="原因", min_length=2, max_length=PURPOSE_LENGTH_MAX)]


class CorrectForm(msgspec.Struct):
    request_key: str
    field: Annotated[Literal["name", "phone", "birth_year"], Meta(title="改哪一项")]
    reason: Annotated[str, Meta(title="原因", min_length=2, max_length=PURPOSE_LENGTH_MAX)]
    value: Annotated[str, Meta(title="改成什么", max_length=ASKED_LENGTH_MAX)] = ""


class ConsentForm(msgspec.Struct):
    request_key: str
    given: Annotated[Literal["yes", "no"], Meta(title="同意还是收回")]
    how: Annotated[Literal["in_person", "paper", "call"], Meta(title="本人怎么说的")]


class HeadForm(msgspec.Struct):
    request_key: str
    person: Annotated[int, Meta(title="谁当户主")]


@post("/people/{person_id:int}/show", guards=[needs(Permission.SEE_PEOPLE)])
async def show_field(person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Response[str]:
    """Show one field in clear once, after recording who asked and why. Not a redirect: it is not to be shown again."""
    form = await forms.read(request, ShowForm)
    view = await queries.member_view(session.community_ids, person_id)
    shown = None
    if form.is_valid:
        asked = form.value
        await db.write(
            actions.note_shown,
            actor=session.actor,
            person_id=view.person_id,
            field=asked.field,
            purpose=asked.purpose,
        )
        value = await details.field_of(session.community_ids, person_id, asked.field)
        shown, form = (_(FIELD_NAMES[asked.field]), value), forms.blank()
    return page(
        "people/shown.html",
        status=200 if form.is_valid else 400,
        who=view.masked_name,
        number=view.member_number,
        back=f"/people/{view.person_id}",
        url=f"/people/{view.person_id}/show",
        fields=[(name, _(FIELD_NAMES[name])) for name in details.SHOWN_FIELDS],
        shown=shown,
        form=form,
    )


@post("/people/households/{household_id:int}/show", guards=[needs(Permission.SEE_PEOPLE)])
async def show_door(
    household_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str]:
    """The door of a household, once; whoever lives there is told who looked."""
    form = await forms.read(request, ShowDoorForm)
    home = await queries_homes.household(session.community_ids, household_id)
    shown = None
    if form.is_valid:
        await db.write(
            actions_homes.note_door_shown,
            actor=session.actor,
            household_id=household_id,
            purpose=form.value.purpose,
        )
        door = await queries_homes.door_of(session.community_ids, household_id)
        shown, form = (_(FIELD_NAMES["door"]), door), forms.blank()
    return page(
        "people/shown.html",
        status=200 if form.is_valid else 400,
        who=home.building,
        number="",
        back=f"/people/households/{household_id}",
        url=f"/people/households/{household_id}/show",
        fields=[],
        shown=shown,
        form=form,
    )


# Setting right


def checked_value(form: forms.Filled[CorrectForm], today_year: int) -> str:
    """What was typed in its normal form; what is wrong with it is said at the field."""
    field, typed = form.typed.get("field", ""), form.typed.get("value", "")
    try:
        return normal_value(field, typed, today_year)
    except text.BadText as bad:
        form.refuse("value", _(str(bad)))
    except ValueError as wrong:
        form.refuse("value", _(str(wrong)))
    return ""


def normal_value(field: str, typed: str, this_year: int) -> str:
    """As it is stored. Raises ValueError with a plain sentence."""
    if field == "phone":
        phone = text.normal_phone(typed)
        if phone and not text.phone_ok(phone):
            raise ValueError(N_("手机号要 11 位，请检查；没有手机就空着"))
        return phone
    if field == "birth_year":
        digits = text.normal_digits(typed)
        if digits and not (digits.isascii() and digits.isdigit() and BIRTH_YEAR_MIN <= int(digits[:9]) <= this_year):
            raise ValueError(N_("出生年要写 4 位数字，例如 1950"))
        return digits
    clean = text.clean(typed)
    if not clean or (field == "name" and len(clean) > NAME_LENGTH_MAX):
        raise ValueError(N_("请填写要改成什么，最多 40 个字"))
    return clean


@get("/people/{person_id:int}/correct", guards=[needs(Permission.REGISTER_PEOPLE)])
async def correction_page(person_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    view = await queries.member_view(session.community_ids, person_id)
    return _correction_page(view, forms.blank())


def _correction_page(view: queries.MemberView, form: forms.Filled[CorrectForm], status: int = 200) -> Response[str]:
    fields = [(name, _(FIELD_NAMES[name])) for name in ("name", "phone", "birth_year")]
    return page("people/correct.html", status=status, member=view, form=form, fields=fields)


@post("/people/{person_id:int}/correct", guards=[needs(Permission.REGISTER_PEOPLE)])
async def correct(
    person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    form = await forms.read(request, CorrectForm)
    view = await queries.member_view(session.community_ids, person_id)
    value = checked_value(form, local_day(clock.now()).year)
    if not form.is_valid:
        return _correction_page(view, form, 400)
    asked = form.value
    try:
        await db.write(
            actions_own.correct,
            actor=session.actor,
            request_key=asked.request_key,
            person_id=view.person_id,
            field=asked.field,
            value=value,
            reason=asked.reason,
        )
    except Refusal as refusal:
        form.refuse("value", refusal)
        return _correction_page(view, form, refusal.kind.status)
    return to(f"/people/{view.person_id}")


@post("/people/{person_id:int}/consent", guards=[needs(Permission.REGISTER_PEOPLE)])
async def change_consent(person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    """For whoever has no phone, or would rather tell it to staff."""
    form = await forms.read(request, ConsentForm)
    view = await queries.member_view(session.community_ids, person_id)
    if not form.is_valid:
        return to(f"/people/{view.person_id}#consent")  # both are chosen from lists: only a strange hand sends others
    await db.write(
        actions_own.change_publication_consent,
        actor=session.actor,
        request_key=form.value.request_key,
        person_id=view.person_id,
        given=form.value.given == "yes",
        how=form.value.how,
    )
    return to(f"/people/{view.person_id}#consent")


@post("/me/tags/end", guards=[needs(Permission.OWN)])
async def take_own_tags(request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    await db.write(
        actions_own.take_tags,
        actor=session.actor,
        request_key=await key_of(request),
        person_id=session.person_id,
        how=OWN_PHONE,
    )
    return to("/me")


# Households


@post("/people/households/{household_id:int}/head", guards=[needs(Permission.REGISTER_PEOPLE)])
async def make_head(household_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    form = await forms.read(request, HeadForm)
    await queries_homes.household(session.community_ids, household_id)
    if form.is_valid:
        await db.write(
            actions_homes.make_head,
            actor=session.actor,
            request_key=form.value.request_key,
            household_id=household_id,
            person_id=form.value.person,
        )
    return to(f"/people/households/{household_id}")


handlers = [
    show_field,
    show_door,
    correction_page,
    correct,
    change_consent,
    take_own_tags,
    make_head,
]
