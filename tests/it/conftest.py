"""Fixtures for tests that speak SQL to the schema itself (tests/lib/hl_rows.py)."""
import pytest

import hl_rows as rows


@pytest.fixture
def cursor(database):
    """The superuser in a transaction that is taken back."""
    connection = database.connect()
    connection.autocommit = False
    with connection.cursor() as made:
        yield made
    connection.rollback()
    connection.close()


@pytest.fixture
def keys(cursor):
    """One row of each kind: a case in review, a dispatched case with a task, a person with a notice about it."""
    person = rows.person(cursor)
    message = rows.message(cursor, person)
    case = rows.case(cursor, "dispatched")
    task = rows.task(cursor, case)
    notice = rows.notice(cursor, person, of_task=task, of_case=case)
    return {"person": person, "message": message, "case": case, "task": task, "notice": notice,
            "attempt": rows.attempt(cursor, notice), "review": rows.case(cursor)}
