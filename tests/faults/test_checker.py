"""The checker finds what it is there for: a sound database, then one promise broken at a time."""
import checker

# Breaks one thing behind every guard; the transaction is rolled back.
BREAKS = {
    "acked is stored": "update hl.message set external_id = 'load-lost' where id = (select min(id) from hl.message)",
    "nothing is quarantined": "insert into hl.quarantine (channel, external_id, item, reason) values ('loopback', 'load-q', '{}', 'x')",
    "nothing is invented": "update hl.message set external_id = 'alien-1' where id = (select min(id) from hl.message)",
    "nothing is pending": "update hl.message set state = 'pending', outcome = null where id = (select min(id) from hl.message)",
    "a report is one row": "delete from hl.report where id = (select min(id) from hl.report)",
    "a report is told to its sender once": "delete from hl.notice where kind = 'receipt' and id = (select min(id) from hl.notice"
                                           " where kind = 'receipt')",
    "a case is opened once": "delete from hl.event where kind = 'opened' and case_id = (select min(id) from hl.case)",
    "reporters are counted": "update hl.case set reporters = reporters + 1 where id = (select min(id) from hl.case)",
    "an act is done once": "insert into hl.event (case_id, seq, at, kind, actor, message_id, hash) select case_id, seq + 1000, at, kind,"
                           " actor, message_id, hash from hl.event where kind = 'opened' limit 1",
    "a signed task has its line": "update hl.message set outcome = 'sign' where id = (select min(id) from hl.message)",
    "a rung fires once": "insert into hl.event (case_id, seq, at, kind, task_id, actor, data, hash) select case_id, 1000 + n, opened_at,"
                         " 'rung', (select min(id) from hl.task), 'system', '{\"rung\": \"half\"}', '' from"
                         " (select c.id as case_id, c.opened_at from hl.case c order by id limit 1) c, generate_series(1, 2) n",
    "accepted was POSTed": "insert into hl.attempt (notice_id, n, channel, epoch, sent_at, outcome, settled_at)"
                           " select min(id), 99, 'loopback', 1, now(), 'accepted', now() from hl.notice",
    "the row is there before the POST": "update hl.attempt set started_at = started_at + interval '1 hour'"
                                        " where id = (select min(id) from hl.attempt where outcome is not null)",
    "the POST is what the row says": "update hl.attempt set text = text || '.' where id = (select min(id) from hl.attempt"
                                     " where text is not null)",
    "replies and bulk are never resent": "update hl.notice set is_resend = true where lane = hl.lane_rank('reply')",
    "no lease outlives its end by 5 s": "update hl.notice set state = 'sending', lease_until = now() - interval '6 seconds'"
                                        " where id = (select min(id) from hl.notice)",
    "nothing due is left lying": "update hl.notice set state = 'queued', not_before = hl.now() - interval '6 seconds',"
                                 " lease_until = null, retry_at = '-infinity' where id = (select min(id) from hl.notice)",
    "the chains are whole": "update hl.event set at = at + interval '1 second' where kind = 'opened'",
    "states are legal": "update hl.case set state = 'lost' where id = (select min(id) from hl.case)",
    "states are what the history says": "update hl.case set state = 'waiting' where id = (select min(id) from hl.case)",
}
# What only the journals show; "stored once" cannot be broken while the table's key stands.
JOURNALS = {"a try is POSTed once", "a notice is POSTed no more than its tries explain", "stored once"}


def test_checker_finds_each_broken_promise(field):
    field.load("load", seconds=1, rate=30)
    field.settle()
    assert not field.judge().problems
    for name, statement in BREAKS.items():
        verdict = field.judge(lambda cursor, broken=statement: cursor.execute(
            "set local session_replication_role = replica; " + broken))
        assert name in verdict.broken, f"{name} was broken, found only {list(verdict.broken)}"
    assert set(BREAKS) | JOURNALS == set(checker.INVARIANTS)


def test_checker_finds_doubled_posts_and_lost_acks(field):
    field.load("load", seconds=1, rate=30)
    field.settle()
    with field.database.connect() as connection:
        acks, posts = checker.read_acks(field.acks), field.sink.posts()
        twice = checker.judge(connection, acks, posts + posts[:1])
        assert set(twice.broken) == {"a try is POSTed once", "a notice is POSTed no more than its tries explain"}
        assert twice.row()["doubled"] == 2
        lost = checker.judge(connection, acks + [("load-lost", 200)], posts)
        assert set(lost.broken) == {"acked is stored"} and lost.row()["lost"] == 1
