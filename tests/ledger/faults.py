"""How a fault is put into the ledger, and the histories by which the oracle has to see it."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

Patch = pytest.MonkeyPatch
Fault = Callable[[Patch], None]


class Faults(dict[str, tuple[Sequence[str], Fault]]):
    """By name: a history of which operations alone must show it, and how it is put there."""

    def seen_in(self, *only: str) -> Callable[[Fault], None]:
        def noted(put: Fault) -> None:
            self[put.__name__] = only, put

        return noted


def amend(patch: Patch, module: Any, name: str, old: str, new: str) -> None:
    statement = getattr(module, name)
    assert old in statement
    patch.setattr(module, name, statement.replace(old, new))


async def nothing(*_args: Any, **_facts: Any) -> int:
    return 0
