"""The process of a trial run. It gives way to people at the pages before it does anything, imports included."""

from pointsbank.kit.priority import give_way


def main() -> None:
    give_way()
    from pointsbank.reports import trial  # noqa: PLC0415

    trial.work()


if __name__ == "__main__":
    main()
