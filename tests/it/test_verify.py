"""hotlinectl verify finds what somebody with all rights did to the history, and says where.

The rows are broken as superuser with the triggers off: nobody else can.
"""
import pytest

from hl_scene import Scene, contact, resident
from hl_testlib import Daemon

NOISE = ("碧水云天广场舞音响声音太大扰民", "龙城御景广场舞音响声音太大扰民")
POL = contact("POL")
FIRST, SECOND = 1, 2


@pytest.fixture(scope="module")
def scene(cluster, database):
    """Two cases, the first done by its unit: events 1 opened, 2 assigned, 3 done (the task), 4 done (the case)."""
    daemon = Daemon(cluster, database).start()
    made = Scene(daemon)
    made.numbers = {n: made.report(resident(n), words) for n, words in enumerate(NOISE, 1)}
    made.text(POL, f"结 {made.task(made.numbers[FIRST], 'POL')['codes'][0]} 属实，已联系反映人，已劝离")
    assert [e["kind"] for e in made.events(made.numbers[FIRST])] == ["opened", "assigned", "done", "done"]
    yield made
    daemon.stop()


class Vandal:
    """A superuser's connection with every trigger off, in a transaction of its own."""

    def __init__(self, scene, connection):
        self.numbers, self.connection = scene.numbers, connection
        self.run("set session_replication_role = replica")

    def run(self, statement, *params):
        with self.connection.cursor() as cursor:
            cursor.execute(statement, params)
            return cursor.fetchall() if cursor.description else []

    def change(self, case, seq, what):
        self.run(f"update hl.event e set {what} from hl.case c where c.id = e.case_id and c.code = %s and e.seq = %s",
                 self.numbers[case], seq)

    def delete(self, case, seq):
        self.run("delete from hl.event e using hl.case c where c.id = e.case_id and c.code = %s and e.seq = %s",
                 self.numbers[case], seq)

    def verify(self):
        """[(case, seq, what)] as hotlinectl verify gets it."""
        reply = self.run("select hl.verify('{}')")[0][0]
        names = {number: n for n, number in self.numbers.items()}
        return [(names[b["case"]], b["seq"], b["what"]) for b in reply["broken"]]


@pytest.fixture
def vandal(scene, database):
    """What a test breaks is whole again afterwards."""
    connection = database.connect()
    connection.autocommit = False
    yield Vandal(scene, connection)
    connection.rollback()
    connection.close()


def test_an_untouched_history_is_whole(scene):
    reply = scene.daemon.ctl("verify")
    assert (reply["broken"], reply["cases"], reply["events"]) == ([], 2, 6)


@pytest.mark.parametrize("change", [
    "data = data || '{\"urgency\": \"emergency\"}'", "at = at + interval '1 microsecond'", "kind = 'edited'", "actor = 'provider'",
    "person_id = null", "message_id = null", "digest = null", "digest = sha256('another text')",
    "from_state = 'review', to_state = 'done'", "hash = sha256('x')", "task_id = (select min(id) from hl.task)",
])
def test_a_changed_event_is_found_whatever_was_changed(vandal, change):
    vandal.change(FIRST, 1, change)
    found = vandal.verify()
    assert (FIRST, 1, "changed") in found
    assert {case for case, _, _ in found} == {FIRST}, "the other case is whole"


def test_a_changed_event_with_its_hash_made_anew_is_found_at_the_next_one(vandal):
    vandal.change(FIRST, 2, "kind = 'edited'")
    vandal.change(FIRST, 2, "hash = hl.event_hash(e)")
    assert vandal.verify() == [(FIRST, 3, "does not follow the event before it")]


@pytest.mark.parametrize("seq", [1, 2, 3])
def test_a_missing_event_is_found(vandal, seq):
    vandal.delete(FIRST, seq)
    assert vandal.verify() == [(FIRST, seq + 1, "missing event before this one")]


def test_two_events_that_changed_places_are_found(vandal):
    for was, becomes in ((2, 99), (3, 2), (99, 3)):
        vandal.change(FIRST, was, f"seq = {becomes}")
    assert {seq for _, seq, _ in vandal.verify()} >= {2, 3}


def test_a_missing_head_is_found(vandal):
    vandal.delete(FIRST, 4)
    assert vandal.verify() == [(FIRST, 4, "the head of the chain is missing")]


def test_a_head_that_was_changed_is_found(vandal):
    vandal.run("update hl.case set head_hash = sha256('x') where code = %s", vandal.numbers[SECOND])
    assert vandal.verify() == [(SECOND, 2, "the head of the chain is missing")]


def test_a_case_whose_whole_history_is_gone_is_found(vandal):
    for seq in (1, 2):
        vandal.delete(SECOND, seq)
    vandal.run("update hl.case set head_seq = 0, head_hash = null where code = %s", vandal.numbers[SECOND])
    assert vandal.verify() == [(SECOND, 0, "the head of the chain is missing")]


def test_a_break_is_printed_with_case_and_event_and_fails_the_command(scene, vandal):
    number = scene.numbers[FIRST]
    vandal.run("create temp table kept as select e.case_id, e.seq, e.kind from hl.event e")
    vandal.change(FIRST, 3, "kind = 'edited'")
    vandal.connection.commit()
    try:
        assert f"broken: case {number} event 3: changed" in scene.daemon.ctl("verify", json=False, code=1)
        broken, = scene.daemon.ctl("verify", code=1)["broken"]
        assert broken == {"case": number, "seq": 3, "what": "changed"}
    finally:
        vandal.run("update hl.event e set kind = k.kind from kept k where k.case_id = e.case_id and k.seq = e.seq")
        vandal.connection.commit()
    assert scene.daemon.ctl("verify")["broken"] == []


# --- a head kept on paper -----------------------------------------------------------------------------------------

def head_of(vandal):
    return vandal.run("select hl.verify('{}')->>'head'")[0][0]


def test_a_chain_that_was_cut_back_and_sealed_anew_has_another_head(vandal):
    head = head_of(vandal)
    vandal.delete(FIRST, 4)
    vandal.run("update hl.case c set head_seq = 3, head_hash = e.hash from hl.event e"
               " where e.case_id = c.id and e.seq = 3 and c.code = %s", vandal.numbers[FIRST])
    assert vandal.verify() == [], "the chain in itself is whole"
    assert head_of(vandal) != head


def test_without_one_of_the_cases_the_head_is_another(vandal):
    head = head_of(vandal)
    for seq in (1, 2):
        vandal.delete(SECOND, seq)
    vandal.run("delete from hl.case where code = %s", vandal.numbers[SECOND])
    assert vandal.verify() == []
    assert head_of(vandal) != head


def test_the_given_head_is_compared(scene):
    head = scene.daemon.ctl("verify")["head"]
    assert scene.daemon.ctl("verify", "--head", head)["head"] == head
    other = ("0" if head[0] != "0" else "1") + head[1:]
    assert "the head is not the one given" in scene.daemon.ctl("verify", "--head", other, json=False, code=1)


def test_the_rollup_is_the_head_that_verify_compares_and_a_new_event_moves_it(scene):
    rolled = scene.daemon.ctl("rollup")
    assert rolled["cases"] == 2
    assert scene.daemon.ctl("verify", "--head", rolled["hash"])["head"] == rolled["hash"]
    scene.text(resident(SECOND), "催")
    assert scene.daemon.ctl("verify")["head"] != rolled["hash"]
