"""The org tree, households, persons, cards, phones, roles and sessions."""

from ._lib import HandWritten, sql
from ._state_0002_people import STATE

PLACE = """
CREATE TABLE people_place (
  id ID,
  parent_id BIGINT REFERENCES people_place(id),
  kind TEXT NOT NULL CHECK (kind IN ('district', 'street', 'community', 'grid', 'building')),
  name TEXT NOT NULL,
  path TEXT NOT NULL
)
"""

COMMUNITY = """
CREATE TABLE people_community (
  id BIGINT PRIMARY KEY NOT NULL REFERENCES people_place(id),
  unit_name TEXT NOT NULL,
  holder TEXT NOT NULL CHECK (holder IN ('person', 'household')),
  daily_points_max WHOLE NOT NULL CHECK (daily_points_max BETWEEN 1 AND 1000000),
  service_phone TEXT NOT NULL,
  oversight_phone TEXT NOT NULL,
  roster_version BIGINT NOT NULL
)
"""

HOUSEHOLD = """
CREATE TABLE people_household (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  building_id BIGINT REFERENCES people_place(id),
  head_id BIGINT,
  wrapped_key BLOB NOT NULL,
  door BLOB,
  made_at MOMENT NOT NULL
)
"""

PERSON = """
CREATE TABLE people_person (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  household_id BIGINT REFERENCES people_household(id),
  member_number TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('provisional', 'member', 'merged', 'left')),
  merged_into BIGINT REFERENCES people_person(id),
  wrapped_key BLOB,
  name BLOB,
  phone BLOB,
  phone_index BLOB,
  id_last4 TEXT,
  id_index BLOB,
  birth_year BIGINT,
  made_at MOMENT NOT NULL,
  CHECK ((state = 'merged') = (merged_into IS NOT NULL))
)
"""

CONSENT = """
CREATE TABLE people_consent (
  id ID,
  person_id BIGINT NOT NULL REFERENCES people_person(id),
  purpose TEXT NOT NULL CHECK (purpose IN ('service', 'publication')),
  version TEXT NOT NULL,
  given_at MOMENT NOT NULL,
  withdrawn_at MOMENT
)
"""

CARD = """
CREATE TABLE people_card (
  id ID,
  person_id BIGINT NOT NULL REFERENCES people_person(id),
  generation WHOLE NOT NULL,
  key_id BIGINT NOT NULL,
  digits_index BLOB UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('live', 'lost', 'replaced')),
  issued_at MOMENT NOT NULL,
  ended_at MOMENT,
  UNIQUE (person_id, generation)
)
"""

DEVICE = """
CREATE TABLE people_device (
  id ID,
  person_id BIGINT REFERENCES people_person(id),
  token_digest BLOB NOT NULL UNIQUE,
  handle TEXT NOT NULL UNIQUE,
  check_in_step WHOLE NOT NULL,
  check_out_step WHOLE NOT NULL,
  visit_step WHOLE NOT NULL,
  made_at MOMENT NOT NULL,
  bound_at MOMENT,
  ended_at MOMENT
)
"""

ACTIVATION = """
CREATE TABLE people_activation (
  id ID,
  person_id BIGINT NOT NULL REFERENCES people_person(id),
  card_id BIGINT NOT NULL REFERENCES people_card(id),
  token_digest BLOB NOT NULL UNIQUE,
  typed_digest BLOB NOT NULL,
  tries_left BIGINT NOT NULL CHECK (tries_left >= 0),
  expires_at MOMENT NOT NULL,
  used_at MOMENT
)
"""

PAIRING = """
CREATE TABLE people_pairing (
  id ID,
  device_id BIGINT NOT NULL REFERENCES people_device(id),
  digits_digest BLOB NOT NULL,
  expires_at MOMENT NOT NULL,
  used_at MOMENT
)
"""

LOGIN = """
CREATE TABLE people_login (
  id BIGINT PRIMARY KEY NOT NULL REFERENCES people_person(id),
  login TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  must_change BOOLEAN NOT NULL,
  failures BIGINT NOT NULL,
  blocked_until MOMENT,
  disabled_at MOMENT,
  made_at MOMENT NOT NULL
)
"""

ROLE_GRANT = """
CREATE TABLE people_role_grant (
  id ID,
  person_id BIGINT NOT NULL REFERENCES people_person(id),
  role TEXT NOT NULL CHECK (role IN
    ('counter_staff', 'event_organiser', 'grid_worker', 'community_admin', 'supervisor', 'auditor')),
  place_id BIGINT NOT NULL REFERENCES people_place(id),
  granted_by BIGINT,
  granted_at MOMENT NOT NULL,
  ended_at MOMENT
)
"""

SESSION = """
CREATE TABLE people_session (
  id ID,
  kind TEXT NOT NULL CHECK (kind IN ('staff', 'resident', 'token')),
  token_digest BLOB NOT NULL UNIQUE,
  person_id BIGINT NOT NULL REFERENCES people_person(id),
  grant_id BIGINT REFERENCES people_role_grant(id),
  device_id BIGINT REFERENCES people_device(id),
  name TEXT,
  made_at MOMENT NOT NULL,
  expires_at MOMENT NOT NULL,
  ended_at MOMENT
)
"""

ROLE_GRANT_LIVE = """
CREATE UNIQUE INDEX people_role_grant_live ON people_role_grant (person_id, role, place_id) WHERE ended_at IS NULL
"""

INDEXES = (
    "CREATE INDEX people_place_parent ON people_place (parent_id, kind)",
    "CREATE INDEX people_place_path ON people_place (path)",
    "CREATE INDEX people_household_community ON people_household (community_id)",
    "CREATE INDEX people_person_community ON people_person (community_id, state)",
    "CREATE INDEX people_person_household ON people_person (household_id)",
    "CREATE INDEX people_person_merged ON people_person (merged_into) WHERE merged_into IS NOT NULL",
    "CREATE INDEX people_person_phone ON people_person (phone_index)",
    "CREATE UNIQUE INDEX people_person_id_number ON people_person (id_index) WHERE state = 'member'",
    "CREATE INDEX people_consent_person ON people_consent (person_id, purpose)",
    "CREATE UNIQUE INDEX people_card_live ON people_card (person_id) WHERE state = 'live'",
    "CREATE INDEX people_device_person ON people_device (person_id)",
    "CREATE INDEX people_activation_person ON people_activation (person_id)",
    "CREATE INDEX people_pairing_digits ON people_pairing (digits_digest)",
    "CREATE INDEX people_pairing_device ON people_pairing (device_id)",
    ROLE_GRANT_LIVE,
    "CREATE INDEX people_role_grant_place ON people_role_grant (place_id)",
    "CREATE INDEX people_session_person ON people_session (person_id)",
)


class Migration(HandWritten):
    dependencies = [("models", "0001_kit_trail")]
    operations = [
        sql(
            PLACE,
            COMMUNITY,
            HOUSEHOLD,
            PERSON,
            CONSENT,
            CARD,
            DEVICE,
            ACTIVATION,
            PAIRING,
            LOGIN,
            ROLE_GRANT,
            SESSION,
            *INDEXES,
        ),
        *STATE,
    ]
