"""The form of what holds for the whole table of a draft, through HTTP and without script."""

import re
from html import unescape

import pytest

from pointsbank.kit import db
from pointsbank.people.access import Role
from pointsbank.scoring import actions, actions_sheet, queries, rules_form, rules_form_table
from pointsbank.scoring.rules_sheet import SheetStale
from pointsbank.scoring.rules_table import Veto
from tests.scoring.builders import a_table
from tests.world import visiting


@pytest.fixture
async def admin(world):
    _, token = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=token) as desk:
        yield desk


@pytest.fixture
async def draft(world):
    return await db.write(actions.draft_from_current, community_id=world.home.id)


def seen(page):
    return re.search(r'name="seen" value="([^"]+)"', page.text)[1]


async def test_every_field_stands_on_the_form_with_the_usual_ones_in_front(admin, draft):
    page = await admin.get(f"/scoring/versions/{draft}/settings")

    for field in rules_form_table.FIELDS:
        for name in rules_form.inputs_of(field):
            assert f'name="{name}"' in page.text
    assert page.text.index('name="caps.scope"') < page.text.index("<details") < page.text.index('name="place"')
    assert f'href="/scoring/versions/{draft}/settings"' in (await admin.get(f"/scoring/versions/{draft}")).text


async def test_a_fault_is_told_beside_its_field_and_what_was_typed_stays(world, admin, draft):
    url, before = f"/scoring/versions/{draft}/settings", (await queries.draft_of(world.home.id)).table
    marks = seen(await admin.get(url))
    typed = {
        "seen": marks, "name": "测试改过的表", "notice_days": "99", "balance_max": "很多", "appeal": "测试申诉",
        "validity.kind": "months", "validity.months": "0", "validity.years": "0", "vetoes": "打人\n骂人",
        "caps.scope": ["person", ""], "caps.period": ["month", ""], "caps.points": ["70", ""], "gate_minutes": "60",
    }  # fmt: skip

    refused = await admin.post(url, data={"request_key": "settings-wrong", **typed})
    more = await admin.post(url, data={"request_key": "settings-more", **typed, "more": "caps"})

    assert (refused.status_code, more.status_code) == (400, 200)
    for field in ("notice_days", "balance_max"):
        assert re.search(rf'id="{field}-wrong"', refused.text)
    assert re.search(r'is-wrong" role="group" aria-labelledby="validity"', refused.text)
    assert 'id="gate_minutes-wrong"' not in refused.text
    for typed_text in ('value="测试改过的表"', 'value="99"', 'value="很多"', 'value="70"', "打人\n骂人", marks):
        assert typed_text in unescape(refused.text)
    assert more.text.count('name="caps.scope"') == 4
    assert (await queries.draft_of(world.home.id)).table == before


BARE_VETO = {
    "veto_rules.code": "V01", "veto_rules.name": "私搭乱建", "veto_rules.consequence": "no_redemption",
    "veto_rules.bar_months": "3", "veto_rules.ground": "", "veto_rules.make_good": "",
}  # fmt: skip


async def test_what_only_bars_publishing_is_kept_and_told_in_the_draft(world, admin, draft):
    url = f"/scoring/versions/{draft}"

    marks = {"seen": seen(await admin.get(f"{url}/settings"))}
    saved = await admin.post(f"{url}/settings", data={"request_key": "settings-gate", **marks, **BARE_VETO})
    page = (await admin.get(url)).text

    assert saved.status_code == 303
    assert (await queries.draft_of(world.home.id)).table.veto_rules == (Veto("V01", "私搭乱建", "no_redemption", 3),)
    assert re.search(rf'href="{url}/settings">一票否决“私搭乱建”要写明依据和补救的办法', page)
    assert re.search(r"<small>照着办的一票否决 .*<ins>V01 私搭乱建：告知以后 3 个月不能兑换", page)


async def test_two_who_have_the_form_open_both_keep_what_they_changed(world, admin, draft):
    url = f"/scoring/versions/{draft}/settings"
    table = (await queries.draft_of(world.home.id)).table
    sent = rules_form_table.texts_of(table, {}) | {"seen": [seen(await admin.get(url))]}

    for field, text in (("unit_name", "邻里币"), ("appeal", "测试申诉")):
        saved = await admin.post(url, data={"request_key": f"change-{field}", **sent, field: text})
        assert saved.status_code == 303

    kept = (await queries.draft_of(world.home.id)).table
    assert (kept.unit_name, kept.appeal) == ("邻里币", "测试申诉")
    assert (kept.items, kept.document) == (table.items, table.document)


THEIRS = {
    "redeem": ("B 写的兑换办法", "A 写的兑换办法"),
    "notes": ("B 的说明\nB 的第二条", "A 的说明"),
    "gate_minutes": ("60", "120"),
}


@pytest.mark.parametrize("field", THEIRS)
async def test_a_field_that_both_changed_is_told_with_both_and_kept_as_typed_until_sent_again(
    world, admin, draft, field
):
    url, (theirs, ours) = f"/scoring/versions/{draft}/settings", THEIRS[field]
    table = (await queries.draft_of(world.home.id)).table
    older = rules_form_table.texts_of(table, {}) | {"seen": [seen(await admin.get(url))]}
    first = await admin.post(url, data={"request_key": "settings-b", **older, field: theirs, "appeal": "B 写的申诉"})

    refused = await admin.post(url, data={"request_key": "settings-a", **older, field: ours, "approval": "A 写的审核"})

    assert (first.status_code, refused.status_code) == (303, 400)
    said = re.search(rf'href="#{field}">([^<]*)', refused.text)[1]
    assert "别人刚改成" in said
    assert ours in said
    assert theirs.splitlines()[0] in said
    now = (await queries.draft_of(world.home.id)).table
    texts = rules_form_table.texts_of(now, {})
    assert "\n".join(texts[field]) == theirs
    assert re.search(rf'name="{field}"[^>]*(>\n?|value="){ours}', unescape(refused.text))
    assert "B 写的申诉" in refused.text  # what only the other one changed is on the page, and stays
    again = texts | {field: ours, "approval": "A 写的审核", "seen": seen(refused)}
    sent = await admin.post(url, data={"request_key": "settings-again", **again})
    assert sent.status_code == 303
    kept = rules_form_table.texts_of((await queries.draft_of(world.home.id)).table, {})
    assert (kept[field], kept["appeal"], kept["approval"]) == ([ours], ["B 写的申诉"], ["A 写的审核"])


async def test_the_same_written_by_both_in_the_form_is_no_quarrel(world, admin, draft):
    url = f"/scoring/versions/{draft}/settings"
    older = {"seen": seen(await admin.get(url)), "redeem": "一样的话"}

    sent = [await admin.post(url, data={"request_key": f"settings-{one}", **older}) for one in "ab"]

    assert [one.status_code for one in sent] == [303, 303]


async def test_what_somebody_saved_between_the_page_and_the_writing_stays_too(world, draft):
    now = (await queries.draft_of(world.home.id)).table
    marks, key = rules_form_table.marks_of(now), {"community_id": world.home.id, "version_id": draft}
    await db.write(actions_sheet.put_settings, **key, settings={"redeem": "B"}, seen=marks)

    with pytest.raises(SheetStale):
        await db.write(actions_sheet.put_settings, **key, settings={"redeem": "A"}, seen=marks)

    assert (await queries.draft_of(world.home.id)).table.redeem == "B"


async def test_only_a_draft_of_ones_own_community_has_the_form(world, admin):
    theirs = await db.write(actions.import_draft, community_id=world.communities[1].id, table=a_table())

    for version_id, status in ((theirs, 404), (world.home.version_id, 409)):
        url = f"/scoring/versions/{version_id}/settings"
        shown = await admin.get(url)
        sent = await admin.post(url, data={"request_key": f"no-draft-{version_id}", "name": "测试"})
        assert (shown.status_code, sent.status_code) == (status, status)
