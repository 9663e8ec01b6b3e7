"""How long work of the program itself lets people at the pages go first. Windows has no such thing: nothing happens."""

import os

NICENESS = 15


def give_way() -> None:
    """For good, and for threads that begin later: ask for a core only where nobody else wants it.

    Niceness alone is not enough: work that wakes up often (a thread of the database, the one that asked it) would
    take the core from whoever answers a page at each waking. Batch work waits for its turn.
    """
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    if hasattr(os, "sched_setscheduler"):  # Linux
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
