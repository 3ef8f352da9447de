"""How long a statement of `adweir sql` may be."""

from __future__ import annotations

from ops.errors import CommandFailed
from ops.sql.verb import bounded
from support.bounds import at_the_bound, refuses


@at_the_bound("MAX_SQL_BYTES")
def test_a_statement_is_as_long_as_athena_takes(size: int, fits: bool) -> None:
    statement = "é" + "x" * (size - 2)

    with refuses(CommandFailed, fits=fits):
        assert bounded(statement) == statement
