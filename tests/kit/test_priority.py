"""Work of the program itself lets people at the pages go first."""

import os
import subprocess
import sys
import time
from subprocess import DEVNULL, PIPE

import pytest

from pointsbank.kit import priority

SECONDS_MAX = 20
LOOK = """
import os, threading
from pointsbank.kit.priority import give_way
give_way()
seen = []
thread = threading.Thread(target=lambda: seen.append(os.sched_getscheduler(threading.get_native_id())))
thread.start()
thread.join()
print(os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0), *seen)
"""
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells batch work from other work")


@linux_only
def test_who_gives_way_is_nicer_and_takes_no_core_from_anybody_at_a_waking() -> None:
    nicer = min(os.getpriority(os.PRIO_PROCESS, 0) + priority.NICENESS, 19)

    said = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True).stdout

    assert said.split() == [str(nicer), str(os.SCHED_BATCH), str(os.SCHED_BATCH)]


@linux_only
@pytest.mark.parametrize(
    "arguments", [["pointsbank.reports.trial_child"], ["pointsbank.kit.intake_child", "photo", "1", "1"]]
)
def test_processes_for_one_task_give_way_from_their_beginning(arguments: list[str]) -> None:
    until = time.monotonic() + SECONDS_MAX
    with subprocess.Popen([sys.executable, "-m", *arguments], stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL) as process:
        try:
            while os.sched_getscheduler(process.pid) != os.SCHED_BATCH:  # it waits for its stdin
                assert time.monotonic() < until, "it does not give way"
                time.sleep(0.01)
        finally:
            process.kill()
