"""The changes of findings and of awards before a panel, as `tests.changes` makes a `Change` of each."""

from typing import Any

from pointsbank.people.access import Role

ADMIN, WORKER = Role.COMMUNITY_ADMIN, Role.GRID_WORKER
CASE = "/awards/cases/{case_id:int}"
FOUND = {"item_code": "K01", "found_on": "2026-11-20", "what": "测试堆物", "evidence": "测试巡查"}
SAID = {"body": {"said": "测试不是我"}, "differs": {"said": "测试另有其人"}, "at": {"case_id": "told_case_id"}}
REMEDIED = {"case_id": "remedied_case_id"}

CASES: dict[str, dict[str, Any]] = {
    "/awards/panel/{award_id:int}": {
        "who": "a resident at an activity", "body": {"verdict": "agree"},
        "differs": {"verdict": "against", "reason": "minutes"}, "at": {"award_id": "judged_id"},
    },
    "/awards/people/{person_id:int}/cases": {
        "who": WORKER, "body": FOUND, "differs": {"what": "测试又堆物"}, "at": {"person_id": "mate_id"},
    },
    f"{CASE}/give": {"who": ADMIN, "body": {"seen": "{case_seen}"}, "differs": {"seen": "0"}},
    f"{CASE}/refuse": {"who": ADMIN, "body": {"reason": "看错了"}, "differs": {"reason": "弄错了"}},
    f"{CASE}/withdraw": {"who": ADMIN, "at": {"case_id": "own_case_id"}},
    f"{CASE}/tell": {
        "who": WORKER, "body": {"told_on": "{agreed_day}", "how": "in_person"}, "differs": {"how": "door"},
        "at": {"case_id": "agreed_case_id"},
    },
    f"{CASE}/object": {"who": "resident", **SAID},
    f"{CASE}/objection": {"who": WORKER, **SAID},
    f"{CASE}/rule": {
        "who": ADMIN, "body": {"verdict": "dismissed", "answer": "测试查过"}, "differs": {"answer": "测试又查过"},
        "at": {"case_id": "disputed_case_id"},
    },
    f"{CASE}/remedy": {
        "who": WORKER, "body": {"said": "测试搬走了"}, "differs": {"said": "测试清空了"},
        "at": {"case_id": "due_case_id"},
    },
    f"{CASE}/remedy/give": {
        "who": ADMIN, "body": {"seen": "{remedy_seen}"}, "differs": {"seen": "0"}, "at": REMEDIED,
    },
    f"{CASE}/remedy/refuse": {
        "who": ADMIN, "body": {"reason": "测试还堆着"}, "differs": {"reason": "测试没有搬"}, "at": REMEDIED,
    },
}  # fmt: skip
