"""checker - joins three journals after a fault and says which promise was broken.

    checker.py --conninfo CONNINFO --acks FILE --posts FILE

acks    what the load generator was promised: lines "ID STATUS", status 0 for an answer that was cut off; an id may come
        several times, as a provider repeats
posts   what the provider saw (hl_sink): lines "ATTEMPT TO ARRIVAL_US SHA256 MODE"
The third is the database. Each invariant is one query for the rows that break it, over hl.* and the two journals as
temporary tables. Only to be asked when all is quiet: nothing under way is not the same as nothing lost.
Limits  one channel; ids that were asked for but never journalled (the generator was killed) count as never promised.
"""
import argparse
import contextlib
import dataclasses
import sys

import psycopg2
import psycopg2.extras

# A notice may be POSTed once, once more for each try whose outcome nobody knew, and again after the provider put it off.
# A late receipt may have settled an unknown try since: then the one marked resend tells that it was unknown.
INVARIANTS = {
    "acked is stored": """
        select a.id from acked a
        where not exists (select from hl.message m where m.channel = 'loopback' and m.external_id = a.id)""",
    "nothing is quarantined": "select external_id, reason from hl.quarantine",
    "stored once": "select channel, external_id from hl.message group by 1, 2 having count(*) > 1",
    "nothing is invented": """
        select m.external_id from hl.message m
        where split_part(m.external_id, '-', 1) not in (select split_part(a.id, '-', 1) from asked a)""",
    "nothing is pending": "select id, claims, claimed_until from hl.message where state = 'pending'",
    "a report is one row": """
        select m.id, m.outcome from hl.message m
        where m.outcome in ('dispatch', 'review', 'not_accepted', 'no_contact', 'joined')
          and (select count(*) from hl.report r where r.message_id = m.id) <> 1""",
    "a report is told to its sender once": """
        select r.message_id from hl.report r
        where r.message_id is not null and r.person_id is not null
          and (select count(*) from hl.notice n where n.message_id = r.message_id and n.kind = 'receipt') <> 1""",
    "a case is opened once": """
        select c.code from hl.case c
        where (select count(*) from hl.event e where e.case_id = c.id and e.kind = 'opened') <> 1""",
    "reporters are counted": """
        select c.code from hl.case c
        where c.reporters <> (select count(*) from hl.report r where r.case_id = c.id and r.withdrawn_at is null)""",
    "an act is done once": """
        select case_id, message_id, kind, task_id from hl.event where message_id is not null
        group by 1, 2, 3, 4 having count(*) > 1""",
    "a signed task has its line": """
        select m.id from hl.message m
        where m.outcome = 'sign' and not exists (select from hl.event e where e.message_id = m.id and e.kind = 'signed')""",
    "a rung fires once": """
        select task_id, data->>'rung' from hl.event where kind = 'rung' and task_id is not null
        group by 1, 2 having count(*) > 1""",
    "accepted was POSTed": """
        select a.id, a.outcome from hl.attempt a
        where a.outcome in ('accepted', 'delivered', 'undelivered') and not exists (select from posts p where p.attempt = a.id)""",
    "a try is POSTed once": "select attempt, count(*) from posts group by 1 having count(*) > 1",
    "a notice is POSTed no more than its tries explain": """
        select a.notice_id, count(*) from posts p join hl.attempt a on a.id = p.attempt join hl.notice n on n.id = a.notice_id
        group by a.notice_id, n.is_resend
        having count(*) > 1 + greatest(n.is_resend::int, (select count(*) from hl.attempt u where u.notice_id = a.notice_id
                                                          and u.outcome = 'unknown'))
                            + (select count(*) from hl.attempt u where u.notice_id = a.notice_id
                               and u.outcome in ('later', 'config'))""",
    "the row is there before the POST": """
        select p.attempt from posts p left join hl.attempt a on a.id = p.attempt
        where a.id is null or a.started_at > hl.at_us(p.at_us)""",
    "the POST is what the row says": """
        select p.attempt from posts p join hl.attempt a on a.id = p.attempt join hl.notice n on n.id = a.notice_id
        join hl.person w on w.id = n.person_id
        where p.phone is distinct from w.phone
           or encode(sha256(convert_to(a.text, 'UTF8')), 'hex') <> p.digest""",
    "replies and bulk are never resent": """
        select id, kind from hl.notice where is_resend and lane in (hl.lane_rank('reply'), hl.lane_rank('bulk'))""",
    "no lease outlives its end by 5 s": """
        select id, lease_until from hl.notice where state = 'sending' and lease_until < clock_timestamp() - interval '5 seconds'""",
    "nothing due is left lying": """
        select id, kind, retry_at from hl.notice
        where state = 'queued' and not_before < hl.now() - interval '5 seconds' and retry_at < clock_timestamp() - interval '5 seconds'""",
    "the chains are whole": "select b from jsonb_array_elements(hl.verify('{}')->'broken') b",
    "states are legal": """
        select 'case', c.code, c.state from hl.case c where c.state not in (select to_state from hl.law where scope = 'case')
        union all
        select 'task', k.id::text, k.state from hl.task k where k.state not in (select to_state from hl.law where scope = 'task')""",
    "states are what the history says": """
        select 'case', c.code, c.state from hl.case c
        where c.state is distinct from (select e.to_state from hl.event e where e.case_id = c.id and e.task_id is null
                                        and e.to_state is not null order by e.seq desc limit 1)
        union all
        select 'task', k.id::text, k.state from hl.task k
        where k.state is distinct from (select e.to_state from hl.event e where e.case_id = k.case_id and e.task_id = k.id
                                        and e.to_state is not null order by e.seq desc limit 1)""",
}

COUNTS = """
    select (select count(*) from acked) as acked,
           (select count(distinct id) from asked where status <> 200 and status <> 0
              and id not in (select id from acked)) as refused,
           (select count(distinct id) from asked where status = 0 and id not in (select id from acked)) as cut,
           (select count(*) from hl.message where channel = 'loopback') as stored,
           (select count(*) from posts) as posts,
           (select count(*) from hl.attempt where outcome = 'unknown') as unknown,
           (select count(*) from hl.notice where is_resend) as resent"""
LOST, DOUBLED = ("acked is stored",), ("stored once", "a try is POSTed once", "a notice is POSTed no more than its tries explain")


@dataclasses.dataclass
class Verdict:
    """Counts, and for each broken invariant its name and up to five of the rows that break it."""
    counts: dict
    broken: dict

    @property
    def problems(self):
        return [f"{name}: {n} rows, as {rows}" for name, (n, rows) in self.broken.items()]

    def total(self, names):
        return sum(self.broken[name][0] for name in names if name in self.broken)

    def row(self):
        """The counts of a table of faults."""
        return {**self.counts, "lost": self.total(LOST), "doubled": self.total(DOUBLED)}


def read_acks(path):
    """[(id, status)]; a line that a kill tore in two promises nothing."""
    with open(path, encoding="utf-8") as lines:
        words = [line.split() for line in lines if line.endswith("\n")]
    return [(w[0], int(w[1])) for w in words if len(w) == 2]


def read_posts(path):
    """[(attempt, phone, arrival in us, digest)]"""
    with open(path, encoding="utf-8") as lines:
        words = [line.split() for line in lines]
    return [(int(w[0]), w[1], int(w[2]), w[3]) for w in words]


def load_journals(cursor, acks, posts):
    cursor.execute("""
        create temp table asked (id text, status int) on commit drop;
        create temp table posts (attempt bigint, phone text, at_us bigint, digest text) on commit drop;
        create temp view acked as select distinct id from asked where status = 200;""")
    psycopg2.extras.execute_values(cursor, "insert into asked values %s", acks)
    psycopg2.extras.execute_values(cursor, "insert into posts values %s", posts)


def judge(connection, acks, posts, before=None):
    """Asks all invariants in one transaction, which is rolled back. before(cursor): what a test breaks first."""
    connection.autocommit = False
    try:
        with connection.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read")
            if before:
                before(cursor)
            load_journals(cursor, acks, posts)
            broken = {}
            for name, query in INVARIANTS.items():
                cursor.execute(query)
                if rows := cursor.fetchall():
                    broken[name] = (len(rows), rows[:5])
            cursor.execute(COUNTS)
            counts = dict(zip([c.name for c in cursor.description], cursor.fetchone()))
    finally:
        connection.rollback()
        connection.autocommit = True
    return Verdict(counts, broken)


def main():
    parser = argparse.ArgumentParser()
    for name in ("conninfo", "acks", "posts"):
        parser.add_argument(f"--{name}", required=True)
    args = parser.parse_args()
    with contextlib.closing(psycopg2.connect(args.conninfo)) as connection:
        verdict = judge(connection, read_acks(args.acks), read_posts(args.posts))
    print("  ".join(f"{name} {n}" for name, n in verdict.row().items()))
    for problem in verdict.problems:
        print(problem)
    return 1 if verdict.problems else 0


if __name__ == "__main__":
    sys.exit(main())
