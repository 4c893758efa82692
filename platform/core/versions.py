"""Which version of a row a change means. A service asks once it holds the row: before that, another may still come."""


def any_version(row: object) -> None:
    """For a change that counts whatever was there before."""
