"""An emergency nobody has taken rings its officers one after another, until a key or nobody is left."""
import pytest

import hl_testlib
from caller import Twiml
from exchange import Exchange
from hl_testlib import wait_for
from provider_calls import PUBLIC, SECRET

OFFICER, DEPUTY, HEAD = "+8610000000220", "+8610000000221", "+8610000000222"


@pytest.fixture(name="exchange")
def make_exchange():
    exchange = Exchange()
    yield exchange
    exchange.stop()


@pytest.fixture(name="line")
def make_line(cluster, exchange):
    database = cluster.create_database()
    folder = cluster.make_folder(f"rings-{database.name}")
    (folder / "secret").write_text(SECRET + "\n", encoding="utf-8")
    (folder / "secret").chmod(0o600)
    cluster.own(folder / "secret")
    daemon = hl_testlib.Daemon(cluster, database, sections={
        "http": {"public_url": PUBLIC},
        "channel line": {"provider": "twilio", "secret_file": folder / "secret", "from": "+8610000009999", "username": "ACdemo",
                         "call_url": exchange.url + "/Accounts/ACdemo/Calls.json", "signature": "县民生热线"}}).start()
    yield daemon
    daemon.stop()
    database.drop()


def unsigned(line, exchange):
    """An emergency past its limit. Gives the lead's task; the unit that assists rings its own people meanwhile."""
    line.hook("锦绣花园5号楼楼道着火了，有人被困", sender="+8610000000701")
    (task,) = wait_for(lambda: line.sql("select id, unit from hl.task where role = 'lead'"))
    assert task["unit"] == "FIR"
    line.ctl("tick", "--to", "+16m")
    wait_for(lambda: rung(exchange) == [OFFICER], what=line.log()[-1500:])
    return task["id"]


def rung(exchange):
    """Who of the lead's people was rung, in order."""
    return [order["form"]["To"] for order in exchange.orders if order["form"]["To"] in (OFFICER, DEPUTY, HEAD)]


def answered(line, exchange, phone):
    """The last call that was ordered for a phone."""
    n, order = [(n, order) for n, order in enumerate(exchange.orders, 1) if order["form"]["To"] == phone][-1]
    call = Twiml(line, "line", phone, to="+8610000009999", is_out=True, external=f"CAout{n}")
    call.order = order
    call.url = order["form"]["Url"].removeprefix(PUBLIC)
    call.status_path = order["form"]["StatusCallback"].removeprefix(PUBLIC)
    return call


def over(call, status):
    return call.post(call.status_path, call.form({"CallStatus": status}))


def states(line):
    rows = line.sql("select p.phone, n.state from hl.notice n join hl.person p on p.id = n.person_id where n.is_call order by n.id")
    return [(row["phone"], row["state"]) for row in rows if row["phone"] in (OFFICER, DEPUTY, HEAD)]


def test_the_notice_is_read_and_one_takes_the_task(line, exchange):
    task = unsigned(line, exchange)
    call = answered(line, exchange, OFFICER)
    assert call.order["path"] == "/Accounts/ACdemo/Calls.json" and call.order["login"].startswith("Basic ")
    assert call.order["form"]["From"] == "+8610000009999" and call.order["form"]["MachineDetection"] == "Enable"
    call.start()
    assert "锦绣花园" in call.said and "按1" in call.said and call.wants[0] == "Gather"
    call.press("1")
    assert "已签收" in call.said and call.wants[0] == "Hangup"
    wait_for(lambda: line.sql("select 1 from hl.task where id = %s and state = 'signed' and holder ="
                              " (select id from hl.person where phone = %s)", (task, OFFICER)), what=line.log()[-1500:])
    over(call, "completed")
    assert line.sql("select outcome, direction from hl.call where external_id = %s", (call.id,)) == [
        {"outcome": "signed", "direction": "out"}]
    assert states(line) == [(OFFICER, "delivered")] and rung(exchange) == [OFFICER]


def test_busy_a_machine_and_a_two_ring_the_next_until_nobody_is_left(line, exchange):
    unsigned(line, exchange)
    assert over(answered(line, exchange, OFFICER), "busy").status == 200
    wait_for(lambda: rung(exchange) == [OFFICER, DEPUTY])
    machine = answered(line, exchange, DEPUTY)
    machine.follow(machine.post(machine.url, machine.form({"AnsweredBy": "machine_start"})))
    assert machine.wants[0] == "Hangup"
    wait_for(lambda: rung(exchange) == [OFFICER, DEPUTY, HEAD])
    over(machine, "completed")
    head = answered(line, exchange, HEAD).start().press("2")
    assert "已转" in head.said
    over(head, "completed")
    over(head, "completed")
    line.ctl("tick", "--to", "+5m")
    assert rung(exchange) == [OFFICER, DEPUTY, HEAD]
    assert states(line) == [(OFFICER, "undelivered"), (DEPUTY, "undelivered"), (HEAD, "delivered")]
    assert not line.sql("select 1 from hl.callback")


def test_an_exchange_that_fails_is_no_lost_call_and_a_signed_task_rings_nobody(line, exchange):
    exchange.answer = (503, {"message": "busy"})
    task = unsigned(line, exchange)
    wait_for(lambda: states(line) == [(OFFICER, "unknown")])
    exchange.answer = (201, {"sid": "CAout{n}", "status": "queued"})
    line.sql("update hl.notice set retry_at = '-infinity' where is_call")
    wait_for(lambda: rung(exchange) == [OFFICER, OFFICER], what=states(line))
    code = line.database.one("select code from hl.notice_code c join hl.person p on p.id = c.person_id where task_id = %s and p.phone = %s",
                             (task, OFFICER))
    line.hook(f"签 {code}", sender=OFFICER)
    wait_for(lambda: line.sql("select 1 from hl.task where id = %s and state = 'signed'", (task,)))
    over(answered(line, exchange, OFFICER), "no-answer")
    line.ctl("tick", "--to", "+5m")
    assert rung(exchange) == [OFFICER, OFFICER]
