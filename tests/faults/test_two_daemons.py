"""Two daemons on one database: one answer to one provider's id, one text of one notice, one takes over from the other."""
import concurrent.futures
import time

import pytest

from harness import LEASE_S
from hl_testlib import wait_for

PATIENCE_S = LEASE_S + 5


@pytest.fixture
def pair(make_field):
    field = make_field(daemons=2)
    for daemon in field.daemons:
        daemon.start()
    return field


def say(daemon, external_id, sender, text):
    reply = daemon.hook(text, sender=sender, external_id=external_id)
    return reply.status, reply.json().get("message")


def tell_both(field, prefix, n):
    """The same n reports to both daemons at the same moment; what both said about each."""
    def one(daemon, i):
        return say(daemon, f"{prefix}-{i}", f"+86100{60000000 + i:08d}", f"锦绣花园{i}号楼电梯停运两天了没人修，请尽快派人维修")

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        asked = [(pool.submit(one, field.daemons[0], i), pool.submit(one, field.daemons[1], i)) for i in range(n)]
        answers = [(a.result(), b.result()) for a, b in asked]
    with open(field.acks, "a", encoding="utf-8") as journal:
        for i, pair_of in enumerate(answers):
            journal.writelines(f"{prefix}-{i} {status}\n" for status, _ in pair_of)
    return answers


def same_report_to_both(field, table, n):
    answers = tell_both(field, "both", n)
    differ = [pair_of for pair_of in answers if pair_of[0] != pair_of[1] or pair_of[0][0] != 200]
    assert not differ, differ[:5]
    verdict = field.check(f"the same {n} ids to both daemons", n, table, min_acked=n)
    assert verdict.counts["stored"] == n
    assert verdict.counts["unknown"] == 0 and verdict.counts["resent"] == 0


def test_same_report_to_both_is_one_message(pair, table):
    same_report_to_both(pair, table, 60)


@pytest.mark.long
def test_thousand_reports_to_both(pair, table):
    same_report_to_both(pair, table, 1000)


def take_over(field, table, rate):
    """One daemon is killed while the provider holds its texts; the other one finds them when their lease is over."""
    doomed, heir = field.daemons
    field.sink.mode("hang")
    field.load("doomed", rate=rate, daemon=doomed)
    field.load("heir", rate=rate, daemon=heir)
    wait_for(lambda: field.database.one("select count(distinct lease_epoch) from hl.notice where state = 'sending'") == 2,
             what="both daemons to hold leases")
    doomed.kill()
    field.sink.mode("ok")
    began = time.monotonic()
    wait_for(lambda: field.database.one("select count(*) from hl.attempt where detail = 'lease ran out'") > 0, PATIENCE_S,
             "the other daemon to take over")
    field.recovery_s.append(time.monotonic() - began)
    field.check("one of two daemons killed with leases", 1, table)
    doomed.start()


def test_other_daemon_takes_over(pair, table):
    take_over(pair, table, 40)


@pytest.mark.long
def test_other_daemon_takes_over_under_load(pair, table):
    take_over(pair, table, 300)
