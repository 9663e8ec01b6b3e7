"""Tables of how service becomes points."""

from tortoise import fields
from tortoise.models import Model


class ScoringTable(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    name = fields.TextField()
    made_at = fields.DatetimeField()

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
