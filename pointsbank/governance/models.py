"""Tables of decisions that wait for a second person."""

from tortoise import fields
from tortoise.models import Model


class MergeRequest(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    person_id = fields.BigIntField()
    into_id = fields.BigIntField()
    made_by = fields.BigIntField()
    made_at = fields.DatetimeField()
    state = fields.TextField()
    approval_id = fields.BigIntField(null=True)

    class Meta:
        table = "governance_merge_request"
