"""Tables of public notices."""

from tortoise import fields
from tortoise.models import Model


class Notice(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    number = fields.TextField()
    title = fields.TextField()
    basis = fields.TextField()
    starts_at = fields.DatetimeField()
    ends_at = fields.DatetimeField()
    closed_at = fields.DatetimeField(null=True)
    book_kind = fields.TextField()
    unit = fields.TextField()
    decimals = fields.BigIntField()
    about = fields.TextField()
    withdrawn_at = fields.DatetimeField(null=True)

    class Meta:
        table = "notices_notice"


class NoticeLine(Model):
    id = fields.BigIntField(primary_key=True)
    notice_id = fields.BigIntField()
    position = fields.BigIntField()
    shown_name = fields.TextField()
    place = fields.TextField()
    what = fields.TextField()
    points = fields.BigIntField()

    class Meta:
        table = "notices_line"


class Objection(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    notice_id = fields.BigIntField()
    line_id = fields.BigIntField()
    grounds = fields.TextField()
    state = fields.TextField()
    recorded_by = fields.BigIntField()
    recorded_at = fields.DatetimeField()
    ruled_by = fields.BigIntField(null=True)
    ruled_at = fields.DatetimeField(null=True)
    ruling = fields.TextField(null=True)
    words = fields.TextField()

    class Meta:
        table = "notices_objection"


class LinePerson(Model):
    line_id = fields.BigIntField(primary_key=True, generated=False)
    person_id = fields.BigIntField()

    class Meta:
        table = "notices_line_person"
