"""Long texts that a provider hands over part by part: nothing is lost, the whole is read once."""
import itertools

import pytest

import provider_calls as calls
from hl_testlib import wait_for

SERIAL = itertools.count(1)
WHOLE = "锦绣花园3号楼消防通道被私家车堵死了，居民已经多次反映，请尽快派人来处理。"
CUTS = (0, 12, 25, len(WHOLE))


@pytest.fixture(scope="module", name="gateway")
def make_gateway(cluster, database):
    import hl_testlib  # pylint: disable=import-outside-toplevel
    path = cluster.make_folder("parts") / "secret"
    path.write_text(f"{calls.SECRET}\n", encoding="ascii")
    path.chmod(0o600)
    cluster.own(path)
    daemon = hl_testlib.Daemon(cluster, database, sections={"http": {"public_url": calls.PUBLIC}, "channel vonage": {
        "provider": "vonage", "signature_method": "sha256", "secret_file": path, "from": "12345"}}).start()
    yield daemon
    daemon.stop()


def new_phone():
    return f"+861000000{7000 + next(SERIAL):04d}"


def send_part(daemon, phone, part, text=None, ref="7", parts=3):
    text = WHOLE[CUTS[part - 1]:CUTS[part]] if text is None else text
    fields = {"messageId": f"{phone}-{ref}-{part}-{text[:2]}", "msisdn": phone[1:], "to": "8610000009999", "text": text,
              "concat": "true", "concat-ref": ref, "concat-part": str(part), "concat-total": str(parts)}
    reply = daemon.http("POST", "/hook/vonage", (call := calls.vonage("/hook/vonage", fields)).body, call.headers)
    assert reply.status == 200, reply.body


def wholes(daemon, phone):
    return daemon.sql("select m.text, m.state, m.outcome, m.case_id is not null as has_case from hl.message m"
                      " join hl.person p on p.id = m.person_id where p.phone = %s and m.external_id like 'parts:%%' order by m.id", [phone])


def the_whole(daemon, phone):
    return wait_for(lambda: [row for row in wholes(daemon, phone) if row["state"] == "handled"], what="a text that is read")


def test_parts_in_any_order_and_twice_are_one_report(gateway):
    phone = new_phone()
    for part in (3, 1, 1):
        send_part(gateway, phone, part)
    assert not wholes(gateway, phone)
    for part in (2, 3):
        send_part(gateway, phone, part)
    assert the_whole(gateway, phone) == [{"text": WHOLE, "state": "handled", "outcome": "dispatch", "has_case": True}]
    assert gateway.sql("select count(*) as n from hl.report r join hl.person p on p.id = r.person_id where p.phone = %s",
                       [phone]) == [{"n": 1}]
    parts = gateway.sql("select m.outcome, m.text from hl.message m join hl.message_part x on x.message_id = m.id"
                        " join hl.person p on p.id = m.person_id where p.phone = %s order by x.part", [phone])
    assert [row["outcome"] for row in parts] == ["part"] * 3 and "".join(row["text"] for row in parts) == WHOLE


def test_what_stays_without_a_part_is_read_when_it_has_waited(gateway):
    phone = new_phone()
    send_part(gateway, phone, 1)
    send_part(gateway, phone, 3)
    gateway.ctl("tick", "--to", "+3m")
    assert the_whole(gateway, phone)[0]["text"] == WHOLE[:CUTS[1]] + "…" + WHOLE[CUTS[2]:]
    send_part(gateway, phone, 2)
    gateway.ctl("tick", "--to", "+3m")
    late = wait_for(lambda: (found := wholes(gateway, phone)) and len(found) == 2 and found, what="the late part")
    assert late[1]["text"] == "…" + WHOLE[CUTS[1]:CUTS[2]] + "…"


def test_texts_of_other_phones_and_references_are_not_mixed(gateway):
    first, second = new_phone(), new_phone()
    send_part(gateway, first, 1, "电梯坏了", parts=2)
    send_part(gateway, second, 2, "三天没人修", parts=2)
    send_part(gateway, first, 2, "别的事情", ref="8", parts=2)
    assert not wholes(gateway, first) and not wholes(gateway, second)
    send_part(gateway, first, 2, "，三天了", parts=2)
    assert the_whole(gateway, first)[0]["text"] == "电梯坏了，三天了"
    assert not wholes(gateway, second)
