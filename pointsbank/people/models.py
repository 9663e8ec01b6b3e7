"""Tables of people, places and what lets them in."""

from tortoise import fields
from tortoise.models import Model


class Place(Model):
    id = fields.BigIntField(primary_key=True)
    parent_id = fields.BigIntField(null=True)
    kind = fields.TextField()
    name = fields.TextField()
    path = fields.TextField()
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "people_place"


class Community(Model):
    id = fields.BigIntField(primary_key=True, generated=False)
    unit_name = fields.TextField()
    holder = fields.TextField()
    daily_points_max = fields.BigIntField()
    reversal_alone_max = fields.BigIntField()
    service_phone = fields.TextField()
    oversight_phone = fields.TextField()
    roster_version = fields.BigIntField()
    second_step_required = fields.BooleanField(default=False)

    class Meta:
        table = "people_community"


class Household(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    building_id = fields.BigIntField(null=True)
    head_id = fields.BigIntField(null=True)
    wrapped_key = fields.BinaryField()
    door = fields.BinaryField(null=True)
    made_at = fields.DatetimeField()

    class Meta:
        table = "people_household"


class Person(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    household_id = fields.BigIntField(null=True)
    member_number = fields.TextField()
    state = fields.TextField()
    merged_into = fields.BigIntField(null=True)
    wrapped_key = fields.BinaryField(null=True)
    name = fields.BinaryField(null=True)
    phone = fields.BinaryField(null=True)
    phone_index = fields.BinaryField(null=True)
    id_last4 = fields.TextField(null=True)
    id_index = fields.BinaryField(null=True)
    birth_year = fields.BigIntField(null=True)
    made_at = fields.DatetimeField()
    sex = fields.TextField(null=True)

    class Meta:
        table = "people_person"


class Consent(Model):
    id = fields.BigIntField(primary_key=True)
    person_id = fields.BigIntField()
    purpose = fields.TextField()
    version = fields.TextField()
    given_at = fields.DatetimeField()
    withdrawn_at = fields.DatetimeField(null=True)
    how = fields.TextField(null=True)
    given_by = fields.BigIntField(null=True)
    withdrawn_how = fields.TextField(null=True)
    withdrawn_by = fields.BigIntField(null=True)

    class Meta:
        table = "people_consent"


class Card(Model):
    id = fields.BigIntField(primary_key=True)
    person_id = fields.BigIntField()
    generation = fields.BigIntField()
    key_id = fields.BigIntField()
    digits_index = fields.BinaryField(null=True)
    state = fields.TextField()
    issued_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "people_card"


class Device(Model):
    id = fields.BigIntField(primary_key=True)
    person_id = fields.BigIntField(null=True)
    token_digest = fields.BinaryField()
    handle = fields.TextField()
    check_in_step = fields.BigIntField()
    check_out_step = fields.BigIntField()
    visit_step = fields.BigIntField()
    made_at = fields.DatetimeField()
    bound_at = fields.DatetimeField(null=True)
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "people_device"


class Activation(Model):
    id = fields.BigIntField(primary_key=True)
    person_id = fields.BigIntField()
    card_id = fields.BigIntField()
    token_digest = fields.BinaryField()
    typed_digest = fields.BinaryField()
    tries_left = fields.BigIntField()
    expires_at = fields.DatetimeField()
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "people_activation"


class Pairing(Model):
    id = fields.BigIntField(primary_key=True)
    device_id = fields.BigIntField()
    digits_digest = fields.BinaryField()
    expires_at = fields.DatetimeField()
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "people_pairing"


class Login(Model):
    id = fields.BigIntField(primary_key=True, generated=False)
    login = fields.TextField()
    password_hash = fields.TextField()
    must_change = fields.BooleanField()
    failures = fields.BigIntField()
    blocked_until = fields.DatetimeField(null=True)
    disabled_at = fields.DatetimeField(null=True)
    made_at = fields.DatetimeField()
    signed_in_at = fields.DatetimeField(null=True)
    last_used_at = fields.DatetimeField(null=True)
    reset_at = fields.DatetimeField(null=True)
    reset_by = fields.BigIntField(null=True)

    class Meta:
        table = "people_login"


class SecondStep(Model):
    id = fields.BigIntField(primary_key=True, generated=False)
    secret = fields.BinaryField()
    confirmed_at = fields.DatetimeField(null=True)
    last_step = fields.BigIntField()
    failures = fields.BigIntField()
    blocked_until = fields.DatetimeField(null=True)
    made_at = fields.DatetimeField()

    class Meta:
        table = "people_second_step"


class RoleGrant(Model):
    id = fields.BigIntField(primary_key=True)
    person_id = fields.BigIntField()
    role = fields.TextField()
    place_id = fields.BigIntField()
    granted_by = fields.BigIntField(null=True)
    granted_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "people_role_grant"


class Session(Model):
    id = fields.BigIntField(primary_key=True)
    kind = fields.TextField()
    token_digest = fields.BinaryField()
    person_id = fields.BigIntField()
    grant_id = fields.BigIntField(null=True)
    device_id = fields.BigIntField(null=True)
    name = fields.TextField(null=True)
    made_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)
    idle_minutes = fields.BigIntField(null=True)
    last_used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "people_session"


class Merge(Model):
    id = fields.BigIntField(primary_key=True)
    person_id = fields.BigIntField()
    into_id = fields.BigIntField()
    merged_by = fields.BigIntField(null=True)
    merged_at = fields.DatetimeField()
    separated_by = fields.BigIntField(null=True)
    separated_at = fields.DatetimeField(null=True)
    reason = fields.TextField()

    class Meta:
        table = "people_merge"


class Request(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    person_id = fields.BigIntField()
    kind = fields.TextField()
    field = fields.TextField()
    asked = fields.BinaryField(null=True)
    state = fields.TextField()
    answer = fields.TextField()
    made_at = fields.DatetimeField()
    settled_by = fields.BigIntField(null=True)
    settled_at = fields.DatetimeField(null=True)

    class Meta:
        table = "people_request"


class HouseholdCard(Model):
    id = fields.BigIntField(primary_key=True)
    household_id = fields.BigIntField()
    generation = fields.BigIntField()
    key_id = fields.BigIntField()
    digits_index = fields.BinaryField(null=True)
    state = fields.TextField()
    issued_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "people_household_card"


class PrintRun(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    kind = fields.TextField()
    number = fields.BigIntField()
    made_by = fields.BigIntField(null=True)
    made_at = fields.DatetimeField()
    ended_by = fields.BigIntField(null=True)
    ended_at = fields.DatetimeField(null=True)
    end_reason = fields.TextField(null=True)

    class Meta:
        table = "people_print_run"


class PrintRunCard(Model):
    id = fields.BigIntField(primary_key=True)
    run_id = fields.BigIntField()
    place = fields.BigIntField()
    card_id = fields.BigIntField(null=True)
    household_card_id = fields.BigIntField(null=True)

    class Meta:
        table = "people_print_run_card"


class Plate(Model):
    id = fields.BigIntField(primary_key=True)
    household_id = fields.BigIntField()
    token = fields.TextField()
    made_at = fields.DatetimeField()

    class Meta:
        table = "people_plate"


class Tag(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    name = fields.TextField()
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "people_tag"


class PersonTag(Model):
    id = fields.BigIntField(primary_key=True)
    person_id = fields.BigIntField()
    tag_id = fields.BigIntField()
    given_at = fields.DatetimeField()

    class Meta:
        table = "people_person_tag"


class Import(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    made_by = fields.BigIntField()
    state = fields.TextField()
    digest = fields.BinaryField()
    kind = fields.TextField()
    wrapped_key = fields.BinaryField(null=True)
    head = fields.BigIntField()
    plan = fields.TextField()
    summary = fields.TextField()
    total = fields.BigIntField()
    done = fields.BigIntField()
    entered = fields.BigIntField()
    known = fields.BigIntField()
    left_out = fields.BigIntField()
    cleared = fields.BooleanField()
    made_at = fields.DatetimeField()

    class Meta:
        table = "people_import"


class ImportRow(Model):
    id = fields.BigIntField(primary_key=True)
    import_id = fields.BigIntField()
    number = fields.BigIntField()
    state = fields.TextField()
    accepted = fields.BooleanField()
    cells = fields.BinaryField()
    verdict = fields.BinaryField(null=True)
    household_id = fields.BigIntField(null=True)
    makes_household = fields.BooleanField()
    is_head = fields.BooleanField()
    publication = fields.BooleanField()
    member_number = fields.TextField(null=True)
    wrapped_key = fields.BinaryField(null=True)
    name = fields.BinaryField(null=True)
    phone = fields.BinaryField(null=True)
    phone_index = fields.BinaryField(null=True)
    id_last4 = fields.TextField(null=True)
    id_index = fields.BinaryField(null=True)
    birth_year = fields.BigIntField(null=True)
    sex = fields.TextField(null=True)
    tags = fields.TextField()

    class Meta:
        table = "people_import_row"


class ImportColumns(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    header = fields.BinaryField()
    columns = fields.TextField()

    class Meta:
        table = "people_import_columns"
