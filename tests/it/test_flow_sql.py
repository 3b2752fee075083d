"""The flow functions called as two daemons would, in an order that a test chooses: what they lock, join and leave alone."""
import concurrent.futures
import contextlib
import itertools
import json

import pytest

import hl_rows as rows
from hl_testlib import wait_for

SERIAL = itertools.count(1)
HOUR = 3_600_000_000
FIR_OFFICER = "select person_id from hl.contact where unit = 'FIR' and role = 'officer' and is_active order by rank, id limit 1"


class Link:
    """A daemon's connection: calls flow functions, each in a transaction or several in one."""

    def __init__(self, database):
        self.connection = database.connect("hotline_daemon")
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.pid = self.connection.get_backend_pid()
        self.run("set lock_timeout = '10s'")

    def run(self, statement, *params):
        self.cursor.execute(statement, params)
        return self.cursor.fetchall() if self.cursor.description else []

    def call(self, function, batch):
        return self.run(f"select hl.{function}(%s::jsonb)", json.dumps(batch))[0][0]

    def intake(self, *items):
        reply = self.call("intake", [{**made, "i": i} for i, made in enumerate(items, 1)])
        return [(item["outcome"], item["case"]) for item in reply["items"]]

    def act(self, **act):
        return self.call("act", [{"i": 0, **act}])["items"][0]["result"]

    @contextlib.contextmanager
    def transaction(self):
        self.run("begin")
        yield
        self.run("commit")


@pytest.fixture
def link(database):
    """link() -> a daemon's connection."""
    made = []

    def connect():
        made.append(Link(database))
        return made[-1]

    yield connect
    for one in made:
        one.connection.close()


@pytest.fixture
def pool():
    with concurrent.futures.ThreadPoolExecutor(4) as made:
        yield made


def is_waiting(database, link):
    return bool(database.sql("select 1 from pg_stat_activity where pid = %s and wait_event_type = 'Lock'", (link.pid,)))


def waits(database, link):
    wait_for(lambda: is_waiting(database, link), what="the other daemon to wait for a lock")


def phone():
    return f"+861000000{6000 + next(SERIAL):04d}"


def item(database, place=None, urgency="urgent", disposition="dispatch", unit="FIR", **more):
    """What hl_intake_item makes of a report about a blocked fire lane."""
    now = database.one("select hl.us(hl.now())")
    task = {"unit": unit, "role": "lead", "from_us": now, "sign_us": now + HOUR, "close_us": now + 72 * HOUR, "provisional": False,
            "rungs": ["sign_limit", "red"], "dues_us": [now + HOUR, now + 72 * HOUR]}
    return {"channel": "c", "ext": f"x{next(SERIAL)}", "phone": phone(), "sent_to": "", "body": "x", "raw": "", "verb": "report",
            "disposition": disposition, "type": "FIR-1", "urgency": urgency, "confidence": 1, "why": "w", "compound": "C001",
            "place": place or f"p{next(SERIAL)}", "is_sure": True, "is_unverified": False, "tasks": [task],
            "review_us": now + HOUR, **more}


def case_of(database, number):
    return database.sql("select * from hl.case where code = %s", (number,))[0]


def lead_of(database, number):
    return database.sql("select k.* from hl.case c, hl.lead_task(c.id) k where c.code = %s", (number,))[0]


# --- one matter, one case -----------------------------------------------------------------------------------------

def test_two_daemons_open_one_case_for_one_matter(database, link, pool):
    one, two = link(), link()
    one.intake(item(database))  # the year's first case makes others wait anyway
    first, second = item(database, place="same"), item(database, place="same")
    with one.transaction():
        ((outcome, number),) = one.intake(first)
        later = pool.submit(two.intake, second)
        waits(database, two)
    assert (outcome, later.result()) == ("dispatch", [("joined", number)])
    assert case_of(database, number)["reporters"] == 2


def test_two_texts_of_one_resident_to_two_daemons_do_not_open_two_cases(database, link, pool):
    first, second, phone = link(), link(), "+8610000009701"
    first.intake(item(database))  # the year's first case makes others wait anyway, and so does a new person
    first.run("insert into hl.person (phone) values (%s)", phone)
    with first.transaction():
        assert [outcome for outcome, _ in first.intake(item(database, place="1", phone=phone))] == ["dispatch"]
        late = pool.submit(second.intake, item(database, place="2", phone=phone))
        waits(database, second)
    # what the second text means depends on the case the first one opened
    assert [outcome for outcome, _ in late.result()] == ["talk"]
    assert database.one("select count(*) from hl.report r join hl.person p on p.id = r.person_id where p.phone = %s", (phone,)) == 1


def test_the_same_ids_to_two_daemons_are_repeats_to_the_second_and_the_others_are_stored(database, link, pool):
    one, two = link(), link()
    first, both, last = (item(database) for _ in range(3))
    with one.transaction():
        stored = one.intake(first, both)
        later = pool.submit(two.intake, both, last)
        waits(database, two)
    assert [outcome for outcome, _ in stored] == ["dispatch", "dispatch"]
    assert [outcome for outcome, _ in later.result()] == ["repeat", "dispatch"]
    assert database.one("select count(*) from hl.message where external_id = any (%s)",
                        ([each["ext"] for each in (first, both, last)],)) == 3


def test_a_case_that_ends_while_a_report_waits_to_join_it_is_not_joined(database, link, pool):
    one, two = link(), link()
    first = item(database)
    ((_, number),) = one.intake(first)
    second = item(database, place=first["place"])
    case, person = case_of(database, number), database.one("select id from hl.person where phone = %s", (first["phone"],))
    with one.transaction():
        assert one.act(actor="reporter", person=person, verb="withdraw", case=case["id"]) == "ok"
        later = pool.submit(two.intake, second)
        waits(database, two)
    ((outcome, other),) = later.result()
    assert outcome == "dispatch" and other != number
    assert case_of(database, number)["state"] == "withdrawn"


def test_two_daemons_may_join_the_same_cases_in_opposite_order(database, link, pool):
    one, two = link(), link()
    places = [f"q{next(SERIAL)}" for _ in range(20)]
    opened = one.intake(*(item(database, place=place) for place in places))
    batches = [[[item(database, place=place) for place in order] for _ in range(5)] for order in (places, places[::-1])]
    done = pool.map(lambda daemon, work: [daemon.intake(*batch) for batch in work], (one, two), batches)
    assert {outcome for work in done for batch in work for outcome, _ in batch} == {"joined"}
    assert {case_of(database, number)["reporters"] for _, number in opened} == {11}


def test_an_emergency_is_not_swallowed_by_a_case_that_moves_slower(database, link):
    daemon = link()
    slow = item(database)
    ((_, number),) = daemon.intake(slow)
    ((outcome, emergency),) = daemon.intake(item(database, place=slow["place"], urgency="emergency"))
    assert outcome == "dispatch" and emergency != number
    assert case_of(database, emergency)["urgency"] == "emergency"
    assert daemon.intake(item(database, place=slow["place"], urgency="emergency")) == [("joined", emergency)]
    assert daemon.intake(item(database, place=slow["place"])) == [("joined", number)]


def test_an_emergency_is_not_swallowed_within_its_batch_either(database, link):
    place = f"p{next(SERIAL)}"
    (_, slow), (_, joined), (outcome, fast) = link().intake(
        item(database, place=place), item(database, place=place), item(database, place=place, urgency="emergency"))
    assert slow == joined and outcome == "dispatch" and fast != slow


# --- locks --------------------------------------------------------------------------------------------------------

def test_an_act_waits_for_the_case_before_it_holds_the_task(database, link, pool):
    operator, officer = link(), link()
    ((_, number),) = operator.intake(item(database))
    task, person = lead_of(database, number), database.one(FIR_OFFICER)
    with operator.transaction():
        operator.run("select from hl.case where id = %s for no key update", task["case_id"])
        later = pool.submit(officer.act, actor="officer", person=person, verb="sign", task=task["id"], expect="dispatched")
        waits(database, officer)
        operator.run("set local lock_timeout = '500ms'")
        operator.run("update hl.task set result = null where id = %s", task["id"])
    assert later.result() == "ok"


def test_a_due_rung_of_a_case_somebody_acts_on_is_left_for_the_next_pulse(database, link):
    actor, clock = link(), link()
    ((_, number), (_, other)) = actor.intake(item(database), item(database))
    task = lead_of(database, number)
    database.sql("""update hl.ladder l set dues = array[d.at, l.dues[2]], due_at = d.at from (select hl.now() as at) d
                    where task_id in (%s, %s)""", (task["id"], lead_of(database, other)["id"]))
    with actor.transaction():
        actor.run("select from hl.case where id = %s for no key update", task["case_id"])
        clock.run("set lock_timeout = '500ms'")
        assert clock.call("fire_due", {"limit": 100})["fired"] == 1, "the other case's"
        actor.run("update hl.ladder set pos = pos where task_id = %s", task["id"])
    assert clock.call("fire_due", {"limit": 100})["fired"] == 1
    assert clock.call("fire_due", {"limit": 100})["fired"] == 0


def test_results_and_lost_leases_lock_the_notice_before_the_attempt(database, link, pool):
    sweeper, settler = link(), link()
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        notice = rows.notice(cursor, rows.person(cursor), state="sending")
        cursor.execute("update hl.notice set tries = 1, lease_until = now() + interval '1 hour' where id = %s", (notice,))
        attempt = rows.attempt(cursor, notice)
    with sweeper.transaction():
        sweeper.run("select from hl.notice where id = %s for no key update", notice)
        later = pool.submit(settler.call, "settle", {"epoch": 1, "items": [{"attempt": attempt, "outcome": "accepted"}]})
        waits(database, settler)
        sweeper.run("set local lock_timeout = '500ms'")
        sweeper.run("update hl.attempt set detail = 'lease ran out' where id = %s", attempt)
    later.result()
    assert database.one("select outcome from hl.attempt where id = %s", (attempt,)) == "accepted"


# --- the outbox ---------------------------------------------------------------------------------------------------

@pytest.fixture
def quiet(database):
    """Nothing else is queued."""
    database.sql("update hl.notice set state = 'dropped', reason = 'its test is over' where state = 'queued'")


def lease(link):
    link.call("sweep", {"limit": 100})
    reply = link.call("lease", {"limit": 100, "lease_us": 30_000_000, "epoch": 9, "channels": {"officer": "c", "resident": "c"},
                                "known": ["c"]})
    return {notice["notice"]: notice for notice in reply["notices"]}


def lost(database, lane):
    """A notice whose lease ran out, with its open attempt."""
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        notice = rows.notice(cursor, rows.person(cursor), state="sending", lane=lane)
        cursor.execute("update hl.notice set tries = 1 where id = %s", (notice,))
        rows.attempt(cursor, notice)
    return notice


@pytest.mark.usefixtures("quiet")
def test_a_lost_lease_is_sent_again_at_once_and_marked_unless_it_is_a_reply(database, link):
    lanes = {lane: lost(database, lane) for lane in ("emergency", "dispatch", "reminder", "reply", "bulk")}
    leased = lease(link())
    for lane, notice in lanes.items():
        if lane in ("reply", "bulk"):
            assert notice not in leased, lane
            assert database.sql("select state, retry_at = 'infinity' as never from hl.notice where id = %s", (notice,)) == [
                {"state": "unknown", "never": True}]
        else:
            assert leased[notice]["resend"] is True, lane
    assert not set(lanes.values()) & set(lease(link()))


@pytest.fixture
def stubborn(database):
    """A notice that some guard will not let go: stubborn(id)."""
    made = []

    def hold(notice):
        database.sql(f"""create function hl.hold() returns trigger language plpgsql as $$ begin
          if new.id = {notice} then raise exception 'held' using errcode = 'P0105'; end if; return new; end $$;
          create trigger hold before update on hl.notice for each row execute function hl.hold()""")
        made.append(notice)

    yield hold
    if made:
        database.sql("drop trigger hold on hl.notice; drop function hl.hold()")


@pytest.mark.usefixtures("quiet")
def test_a_lease_that_a_guard_will_not_let_go_stops_neither_other_leases_nor_what_is_due(database, link, stubborn):
    held, other = lost(database, "dispatch"), lost(database, "dispatch")
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        due = rows.notice(cursor, rows.person(cursor))
    stubborn(held)
    daemon = link()
    reply = daemon.call("sweep", {"limit": 100})
    assert (reply["swept"], reply["refused"], reply["why"]) == (1, 1, "held")
    assert set(lease(daemon)) == {other, due}
    assert database.sql("select state, lease_until < now() as is_over from hl.notice where id = %s", (held,)) == [
        {"state": "sending", "is_over": True}]


@pytest.mark.usefixtures("quiet")
def test_a_sweep_takes_no_more_than_it_was_told(database, link):
    daemon = link()
    daemon.call("sweep", {"limit": 1000})
    lanes = [lost(database, "reply") for _ in range(3)]
    assert [daemon.call("sweep", {"limit": 2})["swept"] for _ in range(3)] == [2, 1, 0]
    assert database.one("select count(*) from hl.notice where id = any (%s) and state = 'unknown'", (lanes,)) == 3


@pytest.mark.usefixtures("quiet")
def test_the_failure_of_an_earlier_try_does_not_end_the_one_on_its_way(database, link):
    daemon = link()
    notice = lost(database, "dispatch")
    lease(daemon)
    first, second = [row["id"] for row in database.sql("select id from hl.attempt where notice_id = %s order by n", (notice,))]
    state = "select state from hl.notice where id = %s"
    daemon.call("receipts", [{"i": 1, "channel": "c", "attempt": first, "state": "undelivered"}])
    assert database.one(state, (notice,)) == "sending"
    daemon.call("receipts", [{"i": 1, "channel": "c", "attempt": second, "state": "undelivered"}])
    assert database.one(state, (notice,)) == "undelivered"


@pytest.mark.usefixtures("quiet")
def test_a_late_receipt_of_an_earlier_try_takes_nothing_from_what_the_later_one_reached(database, link):
    daemon = link()
    notice = lost(database, "dispatch")
    lease(daemon)
    first, second = [row["id"] for row in database.sql("select id from hl.attempt where notice_id = %s order by n", (notice,))]
    daemon.call("receipts", [{"i": 1, "channel": "c", "attempt": second, "state": "delivered"}])
    late = daemon.call("receipts", [{"i": 1, "channel": "c", "attempt": first, "state": "buffered"}])
    assert late["moved"] == 0
    assert database.one("select state from hl.notice where id = %s", (notice,)) == "delivered"
    assert database.one("select outcome from hl.attempt where id = %s", (first,)) == "accepted"


def test_an_operators_notice_about_an_emergency_travels_in_the_emergency_lane(database, link):
    daemon = link()
    ((outcome, emergency),) = daemon.intake(item(database, urgency="emergency", disposition="review"))
    ((_, normal),) = daemon.intake(item(database, urgency="normal", disposition="review"))
    lanes = "select distinct l.name from hl.notice n join hl.lane l on l.rank = n.lane join hl.case c on c.id = n.case_id" \
            " where c.code = %s and n.kind = 'review'"
    assert outcome == "review"
    assert (database.one(lanes, (emergency,)), database.one(lanes, (normal,))) == ("emergency", "dispatch")


# --- acts ---------------------------------------------------------------------------------------------------------

def test_a_resident_acts_only_on_a_case_he_reported_and_did_not_withdraw(database, link):
    daemon = link()
    mine, yours = item(database), item(database)
    (_, number), (_, other) = daemon.intake(mine, yours)
    me = database.one("select id from hl.person where phone = %s", (mine["phone"],))
    for verb in ("chase", "supplement", "withdraw"):
        assert daemon.act(actor="reporter", person=me, verb=verb, case=case_of(database, other)["id"]) == "refused", verb
    assert daemon.act(actor="reporter", person=me, verb="chase", case=case_of(database, number)["id"]) == "ok"
    assert case_of(database, other)["chases"] == 0


def test_a_withdrawn_report_no_longer_counts(database, link):
    daemon = link()
    first = item(database)
    ((_, number),) = daemon.intake(first)
    daemon.intake(item(database, place=first["place"]))
    me = database.one("select id from hl.person where phone = %s", (first["phone"],))
    case = case_of(database, number)
    assert case["reporters"] == 2
    assert daemon.act(actor="reporter", person=me, verb="withdraw", case=case["id"]) == "ok"
    assert (case_of(database, number)["reporters"], case_of(database, number)["state"]) == (1, "dispatched")


def test_reporters_hear_the_outcome_again_after_a_case_was_reopened(database, link):
    daemon = link()
    ((_, number),) = daemon.intake(item(database))
    case = case_of(database, number)["id"]

    def finish():
        task = lead_of(database, number)
        assert daemon.act(actor="operator", operator="x", verb="close", text="r", task=task["id"]) == "ok"
        assert daemon.act(actor="operator", operator="x", verb="accept", case=case) == "ok"

    finish()
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("begin")
        rows.move_case(cursor, case, "reopened", "reopened")
        cursor.execute("commit")
    again = item(database)["tasks"]
    assert daemon.act(actor="operator", operator="x", verb="assign", case=case, tasks=again) == "ok"
    finish()
    assert database.one("select count(*) from hl.notice where case_id = %s and kind = 'closed'", (case,)) == 2


def test_the_tasks_an_officer_names_come_first_in_what_is_known_about_him(database, link):
    daemon = link()
    numbers = [daemon.intake(item(database))[0][1] for _ in range(3)]
    last = lead_of(database, numbers[-1])
    person = database.one(FIR_OFFICER)
    code = database.one("select code from hl.notice_code where task_id = %s and person_id = %s", (last["id"], person))
    officer = database.one("select phone from hl.person where id = %s", (person,))
    wide = code.lower().translate({c: c + 0xfee0 for c in range(0x21, 0x7f)})
    for words in (f"签 {code}", f"{wide}签"):
        reply = daemon.call("intake", [{**item(database), "i": 1, "phone": officer, "body": words, "verb": "sign"}])
        tasks = [task["task"] for task in reply["talk"][0]["tasks"]]
        assert tasks[0] == last["id"] and tasks[1:] == sorted(tasks[1:]) and len(tasks) >= 3


def test_a_property_companys_text_between_reports_opens_nothing_by_itself(database, link):
    company = database.one("select p.phone from hl.contact c join hl.person p on p.id = c.person_id join hl.unit u on u.code = c.unit"
                           " where u.kind = 'property_company' and c.role = 'officer' order by c.id limit 1")
    duties = database.one("select count(*) from hl.duty")
    outcomes = [outcome for outcome, _ in link().intake(item(database), item(database, phone=company), item(database))]
    assert outcomes == ["dispatch", "talk", "dispatch"]
    assert database.one("select count(*) from hl.duty") == duties


# --- verify -------------------------------------------------------------------------------------------------------

def test_verify_finds_a_text_that_was_changed_and_not_one_that_was_erased(database, link):
    daemon = link()
    ((_, number),) = daemon.intake(item(database))
    verify = "select hl.verify('{}')->'broken'"
    assert database.one(verify) == []
    message = database.one("select message_id from hl.report where case_id = %s", (case_of(database, number)["id"],))
    database.sql("update hl.message set text = 'another' where id = %s", (message,))
    assert database.one(verify) == [{"case": number, "seq": 1, "what": "the text of its message was changed"}]
    database.sql("update hl.message set text = null, raw = null, salt = '' where id = %s", (message,))
    assert database.one(verify) == []
