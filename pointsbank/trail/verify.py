"""Compare what people did at a page, or with a token, with the answers that they got under their keys.

A key names nothing, and nothing names a key: so what was answered is looked for, which tells what was done. What was
done without a session has no key: jobs, the shell, and phones that are nobody's yet. A key whose answer is one number,
or nothing, is not missed while another answer of the same person says the same.
"""

from collections import Counter
from collections.abc import Hashable
from typing import Any

import msgspec

from pointsbank.kit.checks import SHOWN, Finding, Rows

GONE = "something was done whose key is gone"
PAGE = 5_000
KEPT = """
SELECT caller, request_key, answer FROM command WHERE NOT is_refused AND (caller, request_key) > (?, ?)
 ORDER BY caller, request_key LIMIT ?
"""
# A line that is entered late is one command with two records more.
DONE = """
SELECT it.id, it.person_id, it.verb, it.subject_id, it.facts FROM trail_record it
 WHERE it.id > ? AND it.id <= ? AND it.session_id IS NOT NULL AND it.person_id IS NOT NULL
   AND NOT (it.verb = 'attendance.in' AND EXISTS (
         SELECT 1 FROM trail_record late WHERE late.verb = 'attendance.late' AND late.subject_id = it.subject_id))
 ORDER BY it.id
"""
LAST = "SELECT COALESCE(MAX(id), 0) FROM trail_record"
# How many fields the answer has that begins with the subject, and the fact that comes second.
STRUCTS = {
    "attendance.in": (6, "activity"),
    "attendance.out": (8, "activity"),
    "order.made": (5, "points"),
    "order.undone": (3, "points"),
}
ITSELF = frozenset({"case.made", "openings.made"})
NOTHING = frozenset({"count.done", "stock.written_off"})
# What else there is of them comes with something that is done once by itself: an estate, or points that move along.
VOUCHERS = frozenset({"adjustment", "clawback", "donation", "grant", "reversal", "transfer"})
OWN = "own_phone"

_decode = msgspec.json.decode


async def check(rows: Rows) -> list[Finding]:
    answers = await _answers(rows)
    findings: list[Finding] = []
    own: set[int] = set()  # vouchers of residents themselves, whose answer is the entry
    ((last,),) = await rows(LAST)
    for after in range(0, last, PAGE):
        for record_id, person_id, verb, subject_id, facts in await rows(DONE, after, after + PAGE):
            told = _decode(facts)
            if verb == "voucher.made" and told["how"] == OWN:
                own.add(subject_id)
            for expected in _expected(verb, subject_id, told, is_own=subject_id in own):
                named = hash((f"p{person_id}", expected))
                answers[named] -= 1
                if answers[named] < 0 and len(findings) < SHOWN:
                    where = f"record {record_id}, {verb} {subject_id}, by person {person_id}"
                    findings.append(Finding(3, GONE, where, "trail"))
    return findings


async def _answers(rows: Rows) -> Counter[int]:
    """How often each caller was answered what; by a hash, since there may be millions."""
    answers: Counter[int] = Counter()
    latest = ("", "")
    while page := await rows(KEPT, *latest, PAGE):
        answers.update(hash((caller, _said(bytes(answer)))) for caller, _key, answer in page)
        latest = page[-1][0], page[-1][1]
    return answers


def _said(answer: bytes) -> Hashable:
    """What an answer can be known by."""
    said = _decode(answer)
    if isinstance(said, dict):  # as answers were kept once, with the names of their fields
        said = list(said.values())
    if not isinstance(said, list):
        return type(said), said
    return (len(said), *(one for one in said[:2] if type(one) is int))


def _expected(verb: str, subject_id: int, told: dict[str, Any], *, is_own: bool) -> list[Hashable]:
    """What the answer must be known by; nothing for what needs no key of its own."""
    if verb in STRUCTS:
        length, second = STRUCTS[verb]
        return [(length, subject_id, told[second])]
    if verb in NOTHING:
        return [(type(None), None)]
    if verb in ITSELF or (verb == "voucher.made" and told["what"] in VOUCHERS and not is_own):
        return [(int, subject_id)]
    if verb == "stock.received":
        return [(int, told["lot"])]
    return [(int, told["entry"])] if verb == "voucher.booked" and is_own else []
