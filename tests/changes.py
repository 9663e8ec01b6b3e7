"""A good request for every route that changes something, against one furnished world: what retries, faults and
cancellations are tried on. A test compares this list with the route table.

Values in braces are ids of the furniture. `at` names another object than the one that the path would be filled with.
"""

import base64
from dataclasses import dataclass, field
from typing import Any

from pointsbank.people.access import Role
from tests.changes_cases import CASES

ADMIN, WORKER, CLERK = Role.COMMUNITY_ADMIN, Role.GRID_WORKER, Role.COUNTER_STAFF
RESIDENT, VISITOR = "resident", "a resident at an activity"
STREET = Role.STREET_ADMIN
NEXT_DOOR = "the admin of the community next door"
STRANGER = "a phone that is nobody's"
MEETS = "the admin of a community that discusses a table"
SHOWS = "the admin of a community with a table on notice"
ENDS = "the admin of a community whose table was on notice"
NEIGHBOUR = "a resident of a community with a table on notice"
STAFF = {ADMIN, WORKER, CLERK, STREET, NEXT_DOOR}

Body = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """`differs` is what makes the same request another command; without it another object is asked for.

    `files` are sent along, by the names of their inputs, and `cookies` beside that of the session.
    """

    who: str
    body: Body = field(default_factory=dict)
    differs: Body = field(default_factory=dict)
    at: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    def filled(self, own: dict[str, object], key: str, *, other: bool = False) -> Body:
        asked = {**self.body, **(self.differs if other else {})}
        return {"request_key": key, **{name: _filled(value, own) for name, value in asked.items()}}

    def places(self, own: dict[str, object]) -> dict[str, object]:
        return {**own, **{name: own[wanted] for name, wanted in self.at.items()}}


def _filled(value: Any, own: dict[str, object]) -> Any:
    if isinstance(value, str):
        return value.format_map(own)
    if isinstance(value, list):
        return [_filled(one, own) for one in value]
    if isinstance(value, dict):
        return {name: own[one[1:-1]] if one in BRACED else one for name, one in value.items()}
    return value


BRACED = {"{good_id}", "{attendance_id}"}
ENDED = {"activity_id": "ended_id"}
WHY = {"purpose": "测试核对"}
SAID = {"answer": "测试说明"}
ACTIVITY = {
    "title": "测试楼道清洁", "day": "2026-11-30", "starts": "14:30", "ends": "16:30", "venue": "测试单元门口",
    "item_code": "A01", "contact": "测试乙 100 0000 0000", "seats": "12",
}  # fmt: skip
GOOD = {"name": "测试新商品", "unit": "袋", "points": "7"}
ITEM = {"code": "Z09", "category": "测试", "name": "测试项目", "basis": "per_time", "points": "3", "evidence": "photo"}
KIND = {"name": "测试种类", "unit": "分", "decimals": "0", "holder": "person", "surplus": "pot",
        "base_every": "never"}  # fmt: skip
LINES = [{"good": "{good_id}", "quantity": 1}]
PHONE = {"dev": "{paired_phone}"}
SEEN, SETTINGS = {"seen": "{nonce}"}, {"seen": "{draft_marks}", "notice_days": "5"}
GRID = {"codes": ["A01"], "names": ["测试时长"], "points": ["2"], "day_caps": [""], "evidences": ["现场签到"],
        "seen": ['["志愿服务时长","1","","现场签到、签退",false]']}  # fmt: skip
MEETING = {
    "held_on": "{today}", "place": "测试活动室", "present": "20", "votes_for": "15", "votes_against": "3",
    "abstained": "2",
}  # fmt: skip
TEMPLATE = """
name = "测试范本"
place = "测试街道"
document = "测试办法"
kind = "service_hours"

[[items]]
code = "A01"
category = "志愿服务"
name = "测试时长"
basis = "per_minutes"
points = 8
evidence = "现场签到"
""".encode()
# A red dot: a PNG of one pixel.
DOT = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC")

CHANGES: dict[str, Change] = {
    "/me/consent": Change(RESIDENT, {"publication": ""}, {"publication": "1"}),
    "/me/tags/end": Change(RESIDENT),
    "/me/requests/correct": Change(RESIDENT, {"field": "name", "value": "测试新名"}, {"value": "测试他名"}),
    "/me/requests/leave": Change(RESIDENT),
    "/me/requests/{request_id:int}/take-back": Change(RESIDENT, at={"request_id": "own_request_id"}),
    "/me/phones/{device_id:int}/leave": Change(RESIDENT, at={"device_id": "second_device_id"}),
    "/me/sessions/{session_id:int}/end": Change(ADMIN, at={"session_id": "second_session_id"}),
    "/people/new": Change(
        WORKER,
        {"name": "测试新人", "building": "{place_id}", "door": "7001", "phone": "10088880001"},
        {"name": "测试别人"},
    ),
    "/people/{person_id:int}/phones/unbind": Change(WORKER, at={"person_id": "resident_id"}),
    "/people/{person_id:int}/phones/{device_id:int}/unbind": Change(
        WORKER, at={"person_id": "resident_id", "device_id": "resident_device_id"}
    ),
    "/people/{person_id:int}/pair": Change(
        WORKER, {"digits": "{pairing_digits}"}, {"digits": "00000000"}, at={"person_id": "mate_id"}
    ),
    "/a/{token:str}": Change(STRANGER, at={"token": "slip_token"}, cookies=PHONE),
    "/activate": Change(
        STRANGER, {"number": "{other_number}", "digits": "{slip_digits}"}, {"digits": "000000000000"}, cookies=PHONE
    ),
    "/pair/open": Change(STRANGER, cookies=PHONE),
    "/people/{person_id:int}/card": Change(WORKER, at={"person_id": "mate_id"}),
    "/people/{person_id:int}/card/lost": Change(WORKER),
    "/people/{person_id:int}/card/replace-lost": Change(WORKER),
    "/people/{person_id:int}/correct": Change(
        WORKER, {"field": "name", "value": "测试改名", "reason": "写错了"}, {"value": "测试又改"}
    ),
    "/people/{person_id:int}/consent": Change(WORKER, {"given": "no", "how": "in_person"}, {"how": "call"}),
    "/people/{person_id:int}/tags/end": Change(WORKER, at={"person_id": "resident_id"}),
    **{
        f"/people/households/{{household_id:int}}/card{act}": Change(NEXT_DOOR, at={"household_id": "shared_home_id"})
        for act in ("", "/lost", "/replace-lost")
    },
    "/people/households/{household_id:int}/head": Change(WORKER, {"person": "{person_id}"}),
    "/people/requests/{request_id:int}": Change(ADMIN, {"verdict": "refuse", **SAID}, {"answer": "别的说明"}),
    "/people/import/{import_id:int}/columns": Change(
        ADMIN, {"head": "1", "c1": "name", "c2": "phone", "service": "1"}, {"service": ""}
    ),
    "/people/import/{import_id:int}/stop": Change(ADMIN),
    "/people/import/{import_id:int}/buildings": Change(
        ADMIN, {"building": ["测试 77 号楼"]}, {"building": ["测试 78 号楼"]}, at={"import_id": "checked_id"}
    ),
    "/people/import/{import_id:int}/accept": Change(
        ADMIN, {"row": ["3"]}, {"row": ["2"]}, at={"import_id": "checked_id"}
    ),
    "/people/import/{import_id:int}/start": Change(ADMIN, at={"import_id": "checked_id"}),
    "/people/tags": Change(ADMIN, {"tag": "测试新标签"}, {"tag": "别的标签"}),
    "/people/tags/{tag_id:int}/end": Change(ADMIN),
    "/people/cards/runs/{run_id:int}/void": Change(ADMIN, {"reason": "copied", "sure": "1"}, {"reason": "other"}),
    "/people/staff/second-step": Change(ADMIN, {"required": "1"}, {"required": ""}),
    "/people/staff/{person_id:int}/roles": Change(ADMIN, {"role": "grid_worker"}, {"role": "counter_staff"}),
    "/people/staff/grants/{grant_id:int}/end": Change(ADMIN),
    "/people/staff/{person_id:int}/disable": Change(ADMIN, at={"person_id": "colleague_id"}),
    "/people/staff/{person_id:int}/leave": Change(ADMIN, at={"person_id": "colleague_id"}),
    "/people/staff/{person_id:int}/second-step/off": Change(ADMIN, at={"person_id": "colleague_id"}),
    "/people/staff/{person_id:int}/sessions/end": Change(ADMIN, at={"person_id": "colleague_id"}),
    "/people/staff/{person_id:int}/sessions/{session_id:int}/end": Change(
        ADMIN, at={"person_id": "colleague_id", "session_id": "colleague_session_id"}
    ),
    "/people/places": Change(ADMIN, {"kind": "grid", "name": "测试网格"}, {"name": "别的网格"}),
    "/people/places/{place_id:int}/rename": Change(ADMIN, {"name": "测试 9 号楼"}, {"name": "测试 8 号楼"}),
    "/people/places/{place_id:int}/move": Change(ADMIN, {"grid": "{grid_id}"}),
    "/people/places/{place_id:int}/end": Change(ADMIN, at={"place_id": "grid_id"}),
    "/people/places/{place_id:int}/restore": Change(ADMIN, at={"place_id": "ended_grid_id"}),
    "/ledger/kinds": Change(ADMIN, {"code": "honour", **KIND}, {"code": "virtue"}),
    "/ledger/kinds/{kind_id:int}": Change(ADMIN, {"version": "1", **KIND}, {"name": "测试别名"}),
    "/ledger/people/{person_id:int}/passbooks": Change(ADMIN, {"kind": "coins"}, {"kind": "points"}),
    "/ledger/openings": Change(ADMIN, {"day": "2026-11-20", "lines": "{number},80"}, {"day": "2026-11-19"}),
    "/ledger/openings/{list_id:int}/ask": Change(ADMIN, at={"list_id": "draft_list_id"}),
    "/ledger/openings/{list_id:int}/give": Change(ADMIN, {"seen": "{seen}"}, {"seen": "0"}),
    "/ledger/openings/{list_id:int}/refuse": Change(ADMIN, {"reason": "写错了"}, {"reason": "不对"}),
    "/ledger/openings/{list_id:int}/withdraw": Change(ADMIN, at={"list_id": "own_list_id"}),
    "/ledger/openings/{list_id:int}/book": Change(ADMIN, at={"list_id": "cut_off_list_id"}),
    "/ledger/openings/{list_id:int}/lines/{position:int}/reverse": Change(
        ADMIN, {"reason": "opening_points"}, {"reason": "opening_twice"}, at={"list_id": "cut_off_list_id"}
    ),
    "/ledger/vouchers/limit": Change(ADMIN, {"points": "50"}, {"points": "60"}),
    "/ledger/proposals/{proposal_id:int}/give": Change(ADMIN, {"seen": "{proposal_seen}"}, {"seen": "0"}),
    "/ledger/proposals/{proposal_id:int}/refuse": Change(ADMIN, {"reason": "没有定过"}, {"reason": "不对"}),
    "/ledger/proposals/{proposal_id:int}/withdraw": Change(ADMIN, at={"proposal_id": "own_proposal_id"}),
    "/ledger/vouchers/{voucher_id:int}/give": Change(ADMIN, {"seen": "{voucher_seen}"}, {"seen": "0"}),
    "/ledger/vouchers/{voucher_id:int}/refuse": Change(ADMIN, {"reason": "写错了"}, {"reason": "不对"}),
    "/ledger/vouchers/{voucher_id:int}/withdraw": Change(ADMIN, at={"voucher_id": "own_voucher_id"}),
    "/ledger/grants": Change(
        ADMIN, {"number": "{number}", "name": "测试同户", "points": "5", "reason": "hardship"}, {"points": "6"}
    ),
    "/ledger/gifts": Change(
        ADMIN,
        {
            "to": "list",
            "members": "{number} 测试同户",
            "points": "5",
            "match_percent": "50",
            "note": "测试慰问",
            "expires_on": "2027-12-31",
        },
        {"points": "6"},
    ),
    "/ledger/gifts/{batch_id:int}/give": Change(ADMIN, {"seen": "{gifts_seen}"}, {"seen": "0"}),
    "/ledger/gifts/{batch_id:int}/refuse": Change(ADMIN, {"reason": "写错了"}, {"reason": "不对"}),
    "/ledger/gifts/{batch_id:int}/withdraw": Change(ADMIN, at={"batch_id": "own_batch_id"}),
    "/ledger/passbooks/{passbook_id:int}/hand-over": Change(
        ADMIN, {"to": "pot", "points": "5", "how": "paper"}, {"points": "6"}
    ),
    "/ledger/passbooks/{passbook_id:int}/adjust": Change(
        ADMIN, {"way": "up", "points": "5", "reason": "missed", "note": "测试依据"}, {"points": "6"}
    ),
    **{
        f"/{room}/passbooks/{{passbook_id:int}}/entries/{{entry_id:int}}/reverse": Change(
            ADMIN, {"reason": "not_so"}, {"reason": "twice"}, at={"entry_id": entry, "passbook_id": "award_book_id"}
        )
        for room, entry in (("ledger", "given_entry_id"), ("awards", "award_entry_id"))
    },
    "/awards/review": Change(
        ADMIN, {"award_id": ["{pending_award_id}"], "verdict": "pass"}, {"verdict": "reject", "reason": "not_there"}
    ),
    "/awards/{award_id:int}/question": Change(
        ADMIN, {"doubt": "minutes"}, {"doubt": "points"}, at={"award_id": "pending_award_id"}
    ),
    "/awards/questions/{question_id:int}": Change(ADMIN, {"answer": "测试答复"}, {"answer": "别的答复"}),
    "/awards/vouchers/{voucher_id:int}/give": Change(ADMIN, {"seen": "{voucher_seen}"}, {"seen": "0"}),
    "/ledger/give": Change(RESIDENT, {"to": "pot", "points": "3"}, {"points": "4"}),
    "/scoring/drafts": Change(NEXT_DOOR),
    "/scoring/versions/{version_id:int}": Change(ADMIN, GRID, {"day_caps": ["30"]}),
    "/scoring/versions/{version_id:int}/items": Change(ADMIN, ITEM, {"code": "Z08"}),
    "/scoring/versions/{version_id:int}/settings": Change(ADMIN, SETTINGS, {"gate_minutes": "60"}),
    "/scoring/versions/{version_id:int}/sheet": Change(
        ADMIN, {"seen": "{draft_seen}", "lines": "编号\t分值\nA01\t6"}, {"lines": "编号\t分值\nA01\t7"}
    ),
    "/scoring/versions/{version_id:int}/submit": Change(ADMIN),
    "/scoring/versions/{version_id:int}/meeting": Change(
        MEETS, MEETING, {"place": "别的地方"}, at={"version_id": "discussed_id"}, files={"record": DOT}
    ),
    "/scoring/versions/{version_id:int}/notice": Change(
        MEETS, {"days": "7", "starts_on": "2027-01-01"}, {"days": "8"}, at={"version_id": "discussed_id"}
    ),
    "/scoring/versions/{version_id:int}/back": Change(
        MEETS, {"reason": "mistake"}, {"reason": "other"}, at={"version_id": "discussed_id"}
    ),
    "/scoring/versions/{version_id:int}/publish": Change(
        ENDS, {"in_force_from": "2027-01-01"}, {"in_force_from": "2027-02-01"}, at={"version_id": "ended_version_id"}
    ),
    "/scoring/versions/{version_id:int}/least-days": Change(ADMIN, {"least": "8"}, {"least": "9"}),
    "/scoring/notices/{scoring_notice_id:int}/objections": Change(
        NEIGHBOUR,
        {"line": "{told_line_id}", "words": "测试意见"},
        {"words": "别的意见"},
        at={"scoring_notice_id": "told_notice_id"},
    ),
    "/scoring/notices/{scoring_notice_id:int}/objections/recorded": Change(
        SHOWS,
        {"line": "{told_line_id}", "words": "测试意见"},
        {"words": "别的意见"},
        at={"scoring_notice_id": "told_notice_id"},
    ),
    "/scoring/objections/{scoring_objection_id:int}": Change(
        SHOWS,
        {"verdict": "dismissed", "words": "测试答复"},
        {"words": "别的答复"},
        at={"scoring_objection_id": "open_objection_id"},
    ),
    "/scoring/versions/{version_id:int}/drop": Change(ADMIN),
    "/scoring/templates": Change(STREET, files={"file": TEMPLATE}),
    "/scoring/templates/copy": Change(STREET, {"community": "{community_id}"}, {"community": "{next_door_id}"}),
    "/scoring/templates/{template_id:int}/take": Change(ADMIN),
    "/events/new": Change(ADMIN, ACTIVITY, {"seats": "13"}),
    "/events/{activity_id:int}/edit": Change(ADMIN, ACTIVITY, {"seats": "13"}, at={"activity_id": "draft_id"}),
    "/events/{activity_id:int}/publish": Change(ADMIN, at={"activity_id": "draft_id"}),
    "/events/{activity_id:int}/cancel": Change(ADMIN, at={"activity_id": "draft_id"}),
    "/events/check-in": Change(RESIDENT, {"ticket": "{ticket}"}, {"ticket": "{ticket_out}"}, cookies=SEEN),
    "/events/check-out": Change(VISITOR, {"ticket": "{ticket_out}"}, {"ticket": "{ticket}"}, cookies=SEEN),
    "/events/join": Change(
        STRANGER,
        {"ticket": "{ticket}", "name": "测试路人", "phone": "10066660001", "agree": "1"},
        {"name": "测试别人"},
        cookies={**SEEN, **PHONE},
    ),
    "/events/{activity_id:int}/scan": Change(WORKER, {"code": "{card}", "direction": "in"}),
    "/events/{activity_id:int}/pick": Change(WORKER, {"person": "{person_id}", "direction": "in"}),
    "/events/{activity_id:int}/confirm": Change(
        ADMIN, {"line": ["{attendance_id}"], "minutes": ["3"], "tick": ["{attendance_id}"]}, {"minutes": ["4"]}, ENDED
    ),
    "/events/{activity_id:int}/strike": Change(ADMIN, {"strike": "{attendance_id}"}, at={"activity_id": "ended_id"}),
    "/events/{activity_id:int}/finish": Change(ADMIN, at={"activity_id": "nobody_came_id"}),
    "/events/{activity_id:int}/late": Change(
        ADMIN, {"person": "{person_id}", "arrived": "10:10", "left": "11:10"}, {"left": "11:20"}, ENDED
    ),
    "/api/events/{activity_id:int}/check-ins": Change(WORKER, {"code": "{card}"}, {"code": "{other_card}"}),
    "/api/events/{activity_id:int}/check-outs": Change(WORKER, {"code": "{present_card}"}, {"code": "{other_card}"}),
    "/api/events/{activity_id:int}/confirmations": Change(
        ADMIN, {"lines": [{"attendance": "{attendance_id}"}]}, {"lines": [{"attendance": 1}]}, ENDED
    ),
    "/stock": Change(ADMIN, GOOD, {"points": "8"}),
    "/stock/{good_id:int}": Change(ADMIN, GOOD, {"points": "8"}),
    "/stock/{good_id:int}/end": Change(ADMIN),
    "/stock/receive": Change(
        ADMIN, {"good": "{good_id}", "quantity": "5", "source": "purchased", "value": "1.00"}, {"quantity": "6"}
    ),
    "/stock/{good_id:int}/photo": Change(ADMIN, files={"photo": DOT}),
    "/stock/{good_id:int}/photo/drop": Change(ADMIN),
    "/stock/counts": Change(NEXT_DOOR, {"which": "all"}, {"which": "some", "goods": ["{next_good_id}"]}),
    "/stock/counts/{count_id:int}": Change(ADMIN, {"good": ["{good_id}"], "counted": ["3"]}, {"counted": ["4"]}),
    "/stock/counts/{count_id:int}/drop": Change(ADMIN),
    "/stock/counts/{count_id:int}/close": Change(
        ADMIN, {"good": ["{good_id}"], "reason": ["damaged"]}, {"reason": ["other"]}
    ),
    "/stock/{good_id:int}/loss": Change(
        ADMIN, {"lot": "{lot_id}", "quantity": "1", "reason": "damaged"}, {"quantity": "2"}
    ),
    "/redemption/counters/{counter_id:int}/scan": Change(
        CLERK, {"code": "", "visit": "{visit_id}", "lines": "{good_id}:1"}, {"lines": "{good_id}:2"}
    ),
    "/redemption/orders/{order_id:int}/undo": Change(CLERK, {"reason": "1"}, {"reason": "2"}),
    "/redemption/orders/{order_id:int}/passbook/printed": Change(CLERK, {"last": "0", "upto": "1"}, {"upto": "2"}),
    "/ledger/passbooks/{passbook_id:int}/paper/printed": Change(WORKER, {"last": "0", "upto": "1"}, {"upto": "2"}),
    "/ledger/passbooks/{passbook_id:int}/paper/renew": Change(
        WORKER, {"book": "1"}, {"book": "2"}, at={"passbook_id": "begun_book_id"}
    ),
    "/redemption/orders/{order_id:int}/passbook/renew": Change(
        CLERK, {"book": "1"}, {"book": "2"}, at={"order_id": "begun_order_id"}
    ),
    "/api/redemption/counters/{counter_id:int}/visits": Change(CLERK, {"code": "{card}"}, {"code": "{other_card}"}),
    "/api/redemption/counters/{counter_id:int}/orders": Change(
        CLERK, {"code": "{card}", "lines": LINES}, {"code": "{other_card}"}
    ),
    **{path: Change(**one) for path, one in CASES.items()},
    "/governance/budgets": Change(ADMIN, {"year": "2027", "points": "5000"}, {"points": "6000"}),
    "/governance/budgets/{budget_id:int}": Change(ADMIN, {"points": "200000"}, {"points": "300000"}),
    "/governance/budgets/rate": Change(ADMIN, {"yuan": "12.5", "from_day": "2026-12-20"}, {"yuan": "10"}),
    "/governance/months/{community_id:int}/{month:int}": Change(
        NEXT_DOOR, at={"community_id": "next_door_id", "month": "last_month"}
    ),
    "/governance/objections": Change(ADMIN, {"line_id": "{line_id}", "grounds": "minutes"}, {"grounds": "points"}),
    "/governance/objections/{objection_id:int}": Change(
        ADMIN, {"verdict": "dismissed", "ruling": "测试答复"}, {"ruling": "别的答复"}
    ),
    "/governance/provisional/{person_id:int}": Change(ADMIN, at={"person_id": "provisional_id"}),
    "/governance/merges/{merge_id:int}": Change(ADMIN, {"reason": "不是一个人"}, {"reason": "弄错了"}),
    "/governance/people/{person_id:int}/move": Change(
        ADMIN, {"building": "{place_id}", "door": "9009", "reason": "moved"}, {"reason": "wrong"}
    ),
    "/governance/people/{person_id:int}/merge": Change(
        ADMIN,
        {"number": "{number}", "name": "测试同户", "sure": "1"},
        {"number": "{leaver_number}", "name": "测试迁出"},
        at={"person_id": "twice_id"},
    ),
    "/governance/merge-requests/{merge_request_id:int}/give": Change(ADMIN, {"seen": "{merge_seen}"}, {"seen": "0"}),
    "/governance/merge-requests/{merge_request_id:int}/refuse": Change(
        ADMIN, {"reason": "不是一个人"}, {"reason": "弄错了"}
    ),
    "/governance/merge-requests/{merge_request_id:int}/withdraw": Change(
        ADMIN, at={"merge_request_id": "own_merge_request_id"}
    ),
    "/governance/people/{person_id:int}/estate": Change(
        ADMIN, {"reason": "death", "to": "pot", "note": "测试依据"}, {"note": "别的依据"}, at={"person_id": "rich_id"}
    ),
    "/governance/estates/{voucher_id:int}/give": Change(
        ADMIN, {"seen": "{estate_seen}"}, {"seen": "0"}, at={"voucher_id": "estate_id"}
    ),
    "/governance/people/{person_id:int}/leave": Change(
        ADMIN, {"how": "in_person", **SAID}, {"how": "paper"}, at={"person_id": "leaver_id"}
    ),
}


# What is not tried with the others, and why.
SECRETS = "shows or makes a secret: has tests of its own"
LOOK = "a look or a search: a repeat is another look"
ELSEWHERE = {
    "/api/local/commands": "the shell's own door",
    **dict.fromkeys(("/sign-in", "/sign-in/code", "/sign-out", "/me/sign-out-everywhere", "/choose-role"), SECRETS),
    **dict.fromkeys(("/me/password", "/pair"), SECRETS),
    **dict.fromkeys((f"/people/staff/{{person_id:int}}/{act}" for act in ("login", "reset")), SECRETS),
    **dict.fromkeys((f"/me/second-step{act}" for act in ("", "/confirm", "/off")), SECRETS),
    **dict.fromkeys(("/people/find", "/people/scan", "/people/provisional/find", "/me/data"), LOOK),
    **dict.fromkeys((f"/people/{each}/show" for each in ("{person_id:int}", "households/{household_id:int}")), LOOK),
    **dict.fromkeys(("/people/requests/{request_id:int}/show", "/governance/people/{person_id:int}/move/check"), LOOK),
    **dict.fromkeys((f"/events/{{activity_id:int}}/{each}/find" for each in ("roster", "late")), LOOK),
    **dict.fromkeys(("/people/{person_id:int}/card/print", "/people/households/{household_id:int}/card/print"), LOOK),
    **dict.fromkeys((f"/people/cards/{each}" for each in ("print", "runs/{run_id:int}/print")), LOOK),
    "/scoring/versions/{version_id:int}/sheet/check": LOOK,
    **dict.fromkeys(("/people/cards/runs/{run_id:int}/slips", "/people/import/{import_id:int}/failed"), LOOK),
    "/people/import": "a repeat is another file to look at",
    **dict.fromkeys((f"/overview/trial/{{version_id:int}}{act}" for act in ("", "/stop")), "writes nothing"),
}

# One effect, but not the first answer in the same words; and why.
IN_OTHER_WORDS = {
    "/people/import/{import_id:int}/columns": "the columns as chosen are there already, and nothing is written",
    "/people/staff/second-step": "whoever demands a second step must set up one before anything else",
    "/ledger/openings": "the lines are read again, and stand on a list already: it is named",
    "/ledger/openings/{list_id:int}/give": "goes on to book what is left",
    "/ledger/openings/{list_id:int}/book": "each line is booked under a key of its own",
    "/governance/months/{community_id:int}/{month:int}": "goes on to count what is left",
    "/governance/people/{person_id:int}/leave": "who has left is shown as such",
}
# Done step by step under keys of their own, whatever key the request bears.
STEPWISE = {"/ledger/openings/{list_id:int}/book"}
