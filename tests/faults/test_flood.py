"""Many more reports from one address than the daemon can take: it takes what it can, refuses the rest at once; another
address is served meanwhile, and what it reports is sent on time."""
import contextlib
import http.client
import json
import time

import pytest

import hl_attack
from hl_testlib import wait_for

PER_PEER, CONNECTIONS, RATE = 64, 600, 20_000
GROWTH_KIB = 48 << 10
DISPATCHED_WITHIN_S = 20


@pytest.fixture
def field(make_field):
    made = make_field(sections={"http": {"max_connections": 2 * PER_PEER, "max_connections_per_peer": PER_PEER}})
    made.daemon.start()
    return made


def trapped_lift(field, name):
    """An emergency from another address in the midst of it, asked again as a provider does until it is taken."""
    body = json.dumps({"id": name, "from": "+8610000000077", "to": "12345", "text": "电梯关人了 祥和家园5号楼 快来"}).encode()

    def is_taken():
        link = http.client.HTTPConnection("127.0.0.1", field.daemon.port, 15, source_address=("127.0.0.2", 0))
        with contextlib.closing(link), contextlib.suppress(OSError, http.client.HTTPException):
            link.request("POST", "/hook/loopback", body)
            return link.getresponse().status == 200
        return False
    wait_for(is_taken, 30, "the emergency to be taken")
    with field.acks.open("a", encoding="utf-8") as journal:
        journal.write(f"{name} 200\n")


def notices_on_their_way(field, name):
    return field.database.one("""select count(*) from hl.message m join hl.notice n on n.case_id = m.case_id
                                 where m.external_id = %s and n.kind = 'dispatch' and n.state in ('accepted', 'delivered')""", (name,))


def flood(field, table, seconds):
    field.load("calm", seconds=1, rate=50)
    field.end_load()
    before = hl_attack.rss_kib(field.daemon.process.pid)
    field.load("flood", rate=RATE, connections=CONNECTIONS)
    field.wait_for_acks(50)
    trapped_lift(field, "lift")
    taken = time.monotonic()
    wait_for(lambda: notices_on_their_way(field, "lift"), DISPATCHED_WITHIN_S, "the emergency's dispatch in the midst of the flood")
    while time.monotonic() < taken + seconds:
        field.wait_for_acks(50, 30)
    field.end_load()
    verdict = field.check(f"{RATE} reports/s on {CONNECTIONS} connections, {PER_PEER} allowed", 1, table)
    assert verdict.counts["refused"] + verdict.counts["cut"] > 0
    assert hl_attack.rss_kib(field.daemon.process.pid) < before + GROWTH_KIB


def test_67_takes_what_it_can_and_an_emergency_is_dispatched_meanwhile(field, table):
    flood(field, table, 0)


@pytest.mark.long
def test_67_goes_on_so_for_a_minute(field, table):
    flood(field, table, 60)
