"""Tables of approvals."""

from tortoise import fields
from tortoise.models import Model


class Approval(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    kind = fields.TextField()
    subject_room = fields.TextField()
    subject_kind = fields.TextField()
    subject_id = fields.BigIntField()
    maker_id = fields.BigIntField()
    facts_hash = fields.TextField()
    state = fields.TextField()
    asked_at = fields.DatetimeField()
    checker_id = fields.BigIntField(null=True)
    decided_at = fields.DatetimeField(null=True)
    reason = fields.TextField()
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "approvals_approval"


class Beneficiary(Model):
    id = fields.BigIntField(primary_key=True)
    approval_id = fields.BigIntField()
    person_id = fields.BigIntField(null=True)
    household_id = fields.BigIntField(null=True)

    class Meta:
        table = "approvals_beneficiary"
