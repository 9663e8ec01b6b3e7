"""Tables of acts on their way to points."""

from tortoise import fields
from tortoise.models import Model


class Act(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    person_id = fields.BigIntField()
    source_room = fields.TextField()
    source_kind = fields.TextField()
    source_id = fields.BigIntField()
    item_code = fields.TextField()
    what = fields.TextField()
    evidence = fields.TextField()
    began_at = fields.DatetimeField()
    day = fields.DateField()
    minutes = fields.BigIntField()
    planned_minutes = fields.BigIntField()
    quantity = fields.BigIntField()
    facts = fields.TextField()
    recorded_by = fields.BigIntField(null=True)
    recorded_at = fields.DatetimeField()
    occasion = fields.TextField()

    class Meta:
        table = "awards_act"


class Award(Model):
    id = fields.BigIntField(primary_key=True)
    act_id = fields.BigIntField()
    version_id = fields.BigIntField()
    community_id = fields.BigIntField()
    person_id = fields.BigIntField()
    passbook_id = fields.BigIntField()
    item_code = fields.TextField()
    points = fields.BigIntField()
    clipped = fields.BigIntField()
    steps = fields.TextField()
    uses = fields.TextField()
    chain = fields.TextField()
    reviews_given = fields.BigIntField()
    next_role = fields.TextField()
    notice_days = fields.BigIntField()
    expires_on = fields.DateField()
    state = fields.TextField()
    notice_id = fields.BigIntField(null=True)
    line_id = fields.BigIntField(null=True)
    entry_id = fields.BigIntField(null=True)
    waits_for_budget = fields.BigIntField(null=True)
    programme = fields.TextField(null=True)
    made_at = fields.DatetimeField()
    settled_at = fields.DatetimeField(null=True)

    class Meta:
        table = "awards_award"


class Review(Model):
    id = fields.BigIntField(primary_key=True)
    award_id = fields.BigIntField()
    step = fields.BigIntField()
    verdict = fields.TextField()
    reason = fields.TextField()
    reviewed_by = fields.BigIntField(null=True)
    reviewed_at = fields.DatetimeField()

    class Meta:
        table = "awards_review"


class Panel(Model):
    id = fields.BigIntField(primary_key=True)
    award_id = fields.BigIntField(unique=True)
    community_id = fields.BigIntField()
    step = fields.BigIntField()
    members = fields.BigIntField()
    agree = fields.BigIntField()
    drawn = fields.BooleanField()
    seats = fields.BigIntField()
    agreed = fields.BigIntField()
    against = fields.BigIntField()
    opened_at = fields.DatetimeField()
    verdict = fields.TextField(null=True)
    decided_at = fields.DatetimeField(null=True)

    class Meta:
        table = "awards_panel"


class PanelSeat(Model):
    id = fields.BigIntField(primary_key=True)
    panel_id = fields.BigIntField()
    person_id = fields.BigIntField()
    out_of = fields.BigIntField(null=True)
    seated_at = fields.DatetimeField()
    left_at = fields.DatetimeField(null=True)

    class Meta:
        table = "awards_panel_seat"


class PanelVote(Model):
    id = fields.BigIntField(primary_key=True)
    seat_id = fields.BigIntField(unique=True)
    agrees = fields.BooleanField()
    reason = fields.TextField()
    voted_at = fields.DatetimeField()

    class Meta:
        table = "awards_panel_vote"


class Question(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    award_id = fields.BigIntField()
    doubt = fields.TextField()
    asked_by = fields.BigIntField()
    asked_at = fields.DatetimeField()
    answer = fields.TextField()
    answered_by = fields.BigIntField(null=True)
    answered_at = fields.DatetimeField(null=True)

    class Meta:
        table = "awards_question"


class Case(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    version_id = fields.BigIntField()
    item_code = fields.TextField()
    person_id = fields.BigIntField()
    household_id = fields.BigIntField(null=True)
    passbook_id = fields.BigIntField()
    found_on = fields.DateField()
    quantity = fields.BigIntField()
    facts = fields.TextField()
    what = fields.TextField()
    evidence = fields.TextField()
    made_by = fields.BigIntField()
    made_at = fields.DatetimeField()
    approval_id = fields.BigIntField(null=True)
    state = fields.TextField()
    step = fields.TextField(null=True)
    points = fields.BigIntField()
    uses = fields.TextField()
    steps = fields.TextField()
    object_days = fields.BigIntField(null=True)
    told_on = fields.DateField(null=True)
    told_how = fields.TextField(null=True)
    told_by = fields.BigIntField(null=True)
    open_until = fields.DateField(null=True)
    remedy = fields.TextField(null=True)
    remedy_by = fields.BigIntField(null=True)
    remedy_approval_id = fields.BigIntField(null=True)
    booked_at = fields.DatetimeField(null=True)
    taken = fields.BigIntField(null=True)
    entry_id = fields.BigIntField(null=True)
    consequence = fields.TextField(null=True)
    barred_until = fields.DateField(null=True)

    class Meta:
        table = "awards_case"


class CaseObjection(Model):
    id = fields.BigIntField(primary_key=True)
    case_id = fields.BigIntField(unique=True)
    said = fields.TextField()
    person_id = fields.BigIntField(null=True)
    recorded_by = fields.BigIntField()
    recorded_at = fields.DatetimeField()
    verdict = fields.TextField(null=True)
    answer = fields.TextField(null=True)
    ruled_by = fields.BigIntField(null=True)
    ruled_at = fields.DatetimeField(null=True)

    class Meta:
        table = "awards_case_objection"
