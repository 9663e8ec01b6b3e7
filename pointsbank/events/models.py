"""Tables of activities."""

from tortoise import fields
from tortoise.models import Model


class Activity(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    title = fields.TextField()
    venue = fields.TextField()
    item_code = fields.TextField()
    contact = fields.TextField()
    starts_at = fields.DatetimeField()
    ends_at = fields.DatetimeField()
    seats = fields.BigIntField(null=True)
    arrived = fields.BigIntField()
    organiser_id = fields.BigIntField()
    state = fields.TextField()
    poster_token = fields.TextField()
    made_at = fields.DatetimeField()
    confirmed_at = fields.DatetimeField(null=True)
    confirmed_by = fields.BigIntField(null=True)

    class Meta:
        table = "events_activity"


class Attendance(Model):
    id = fields.BigIntField(primary_key=True)
    activity_id = fields.BigIntField()
    person_id = fields.BigIntField()
    in_at = fields.DatetimeField()
    in_way = fields.TextField()
    in_by = fields.BigIntField(null=True)
    out_at = fields.DatetimeField(null=True)
    out_way = fields.TextField(null=True)
    out_by = fields.BigIntField(null=True)
    state = fields.TextField()
    minutes = fields.BigIntField(null=True)
    settled_by = fields.BigIntField(null=True)
    settled_at = fields.DatetimeField(null=True)

    class Meta:
        table = "events_attendance"
