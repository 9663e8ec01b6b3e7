"""What happened and who did it."""

from tortoise import fields
from tortoise.models import Model


class TrailRecord(Model):
    id = fields.BigIntField(primary_key=True)
    at = fields.DatetimeField()
    person_id = fields.BigIntField(null=True)
    session_id = fields.BigIntField(null=True)
    verb = fields.TextField()
    subject_kind = fields.TextField()
    subject_id = fields.BigIntField()
    facts = fields.TextField()

    class Meta:
        table = "trail_record"
