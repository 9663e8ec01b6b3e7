"""All routes of this room, by audience and by noun."""

from pointsbank.people import (
    routes_cards,
    routes_door,
    routes_household_card,
    routes_import,
    routes_person,
    routes_phone,
    routes_places,
    routes_print,
    routes_requests,
    routes_roster,
    routes_second,
    routes_sessions,
    routes_staff,
    routes_tags,
)

handlers = [
    *routes_door.handlers,
    *routes_phone.handlers,
    *routes_roster.handlers,
    *routes_person.handlers,
    *routes_requests.handlers,
    *routes_import.handlers,
    *routes_tags.handlers,
    *routes_print.handlers,
    *routes_cards.handlers,
    *routes_household_card.handlers,
    *routes_staff.handlers,
    *routes_second.handlers,
    *routes_sessions.handlers,
    *routes_places.handlers,
]
