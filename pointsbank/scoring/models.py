"""Tables of how service becomes points."""

from tortoise import fields
from tortoise.models import Model


class ScoringTable(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    name = fields.TextField()
    made_at = fields.DatetimeField()
    notice_days_min = fields.BigIntField()

    class Meta:
        table = "scoring_table"


class TableVersion(Model):
    id = fields.BigIntField(primary_key=True)
    table_id = fields.BigIntField()
    community_id = fields.BigIntField()
    number = fields.BigIntField()
    state = fields.TextField()
    rules = fields.TextField()
    in_force_from = fields.DateField(null=True)
    drafted_by = fields.BigIntField(null=True)
    drafted_at = fields.DatetimeField()
    published_by = fields.BigIntField(null=True)
    published_at = fields.DatetimeField(null=True)

    class Meta:
        table = "scoring_version"


class ScoringItem(Model):
    id = fields.BigIntField(primary_key=True)
    version_id = fields.BigIntField()
    position = fields.BigIntField()
    code = fields.TextField()
    category = fields.TextField()
    name = fields.TextField()
    rule = fields.TextField()

    class Meta:
        table = "scoring_item"


class Drafter(Model):
    id = fields.BigIntField(primary_key=True)
    version_id = fields.BigIntField()
    person_id = fields.BigIntField()

    class Meta:
        table = "scoring_drafter"


class Meeting(Model):
    id = fields.BigIntField(primary_key=True)
    version_id = fields.BigIntField()
    held_on = fields.DateField()
    place = fields.TextField()
    present = fields.BigIntField()
    votes_for = fields.BigIntField()
    votes_against = fields.BigIntField()
    abstained = fields.BigIntField()
    record = fields.BinaryField()
    record_kind = fields.TextField()
    recorded_by = fields.BigIntField(null=True)
    recorded_at = fields.DatetimeField()
    voided_at = fields.DatetimeField(null=True)

    class Meta:
        table = "scoring_meeting"


class ToldVersion(Model):
    """A public notice of a version; `starts_on` is the day that was told to the residents."""

    id = fields.BigIntField(primary_key=True)
    version_id = fields.BigIntField()
    notice_id = fields.BigIntField()
    starts_on = fields.DateField()
    opened_by = fields.BigIntField(null=True)
    voided_at = fields.DatetimeField(null=True)

    class Meta:
        table = "scoring_notice"


class Template(Model):
    """A table that a street or district advises; the latest of a place is today's."""

    id = fields.BigIntField(primary_key=True)
    place_id = fields.BigIntField()
    rules = fields.TextField()
    version_id = fields.BigIntField(null=True)
    made_by = fields.BigIntField(null=True)
    made_at = fields.DatetimeField()

    class Meta:
        table = "scoring_template"
