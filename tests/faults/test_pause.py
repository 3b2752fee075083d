"""A daemon that is stopped for a while, as a paused virtual machine is, and goes on as if nothing had been."""
import os
import signal
import time

import pytest

from harness import LEASE_S
from hl_testlib import wait_for


def pause(daemon, seconds):
    os.kill(daemon.process.pid, signal.SIGSTOP)
    time.sleep(seconds)  # the fault itself is time that passes
    os.kill(daemon.process.pid, signal.SIGCONT)


def pause_under_load(field, table, rounds, seconds, rate):
    field.load("load", rate=rate)
    field.people("people")
    for _ in range(rounds):
        field.wait_for_acks(rate // 2)
        pause(field.daemon, seconds)
        field.timed(lambda: field.wait_for_acks(1))
    field.check(f"SIGSTOP of the daemon for {seconds} s", rounds, table)


def test_goes_on_after_a_pause(field, table):
    pause_under_load(field, table, 1, 2, 100)


@pytest.mark.long
def test_goes_on_after_pauses_longer_than_a_lease(field, table):
    pause_under_load(field, table, 3, LEASE_S + 2, 200)


@pytest.mark.parametrize("mode", [pytest.param("hang", marks=pytest.mark.long), "slow"])
def test_woken_daemon_does_not_undo_what_its_peer_settled(make_field, table, mode):
    """It stops with sends under way, the peer takes its leases over, then its late results come: none, or good ones."""
    field = make_field(daemons=2)
    sleeper, peer = (daemon.start() for daemon in field.daemons)
    field.sink.mode(mode)
    field.load("load", rate=40, daemon=sleeper)
    field.wait_for_acks(15)
    epoch = wait_for(lambda: epoch_of_most(field), what="sends under way")
    os.kill(sleeper.process.pid, signal.SIGSTOP)
    field.sink.mode("ok")
    field.timed(lambda: wait_for(lambda: not holds_lease(field, epoch), LEASE_S + 5, "the peer to take over"))
    os.kill(sleeper.process.pid, signal.SIGCONT)
    wait_for(sleeper.is_ready)
    assert peer.is_ready()
    field.check(f"SIGSTOP of one of two daemons past its leases, provider {mode}", 1, table)


def epoch_of_most(field):
    rows = field.database.sql("select lease_epoch from hl.notice where state = 'sending' group by 1 order by count(*) desc limit 1")
    return rows[0]["lease_epoch"] if rows else None


def holds_lease(field, epoch):
    return field.database.one("select count(*) from hl.notice where state = 'sending' and lease_epoch = %s", (epoch,)) > 0
