"""The process of a trial run. It gives way to people at the pages before it does anything, imports included."""

import os
import sys

NICENESS = 15


def main() -> None:
    if sys.platform != "win32":
        os.nice(NICENESS)  # threads that begin later take it over
    from pointsbank.reports import trial  # noqa: PLC0415

    trial.work()


if __name__ == "__main__":
    main()
