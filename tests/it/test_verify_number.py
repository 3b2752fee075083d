"""Numbers of contacts are proven once, by a code that comes back from the phone it was sent to."""
import json

import pytest

from hl_testlib import ROOT, run_ctl, wait_for

REPORT = "锦绣花园广场舞音响声音太大扰民"
CONTACTS = json.loads((ROOT / "schema/ref/contacts.json").read_text(encoding="utf-8"))["contacts"]
NEW, LATE = "+8610000005001", "+8610000005002"


@pytest.fixture(name="live", scope="module")
def make_live(cluster):
    """A database whose clock nobody moves: contacts that are imported now must prove their numbers."""
    database = cluster.create_database()
    database.sql("update hl.clock set is_demo = false, offset_us = 0")
    yield database
    database.drop()


@pytest.fixture(name="daemon")
def make_live_daemon(make_daemon, live):
    return make_daemon({"channel loopback": {"trust": "high"}}, on=live)


def bring(daemon, tmp_path, *added, **flags):
    rows = CONTACTS + list(added)
    (tmp_path / "contacts.json").write_text(json.dumps({"contacts": rows}, ensure_ascii=False), encoding="utf-8")
    return run_ctl(daemon.conf_path, "import", "contacts", tmp_path / "contacts.json", *flags.get("words", ()))


def officer(phone, name="王五"):
    return {"unit": "POL", "role": "officer", "rank": 9, "phone": phone, "name": name}


def texts(daemon, phone):
    return [(n["template"], n["text"]) for n in daemon.ctl("phone", phone)["inbox"]]


def answer(daemon, phone, text):
    before = len(texts(daemon, phone))
    daemon.hook(text, sender=phone)
    return wait_for(lambda: texts(daemon, phone)[before:])[-1][0]


def pin_of(daemon, phone):
    return wait_for(lambda: daemon.sql("select v.pin from hl.verification v join hl.person p on p.id = v.person_id where p.phone = %s",
                                       [phone]))[0]["pin"]


def verified(daemon, phone):
    return daemon.sql("select c.verified_at is not null as v from hl.contact c join hl.person p on p.id = c.person_id"
                      " where p.phone = %s and c.is_active", [phone])[0]["v"]


def test_a_new_number_gets_a_code_acts_for_nobody_and_then_proves_itself(daemon, tmp_path):
    bring(daemon, tmp_path, officer(NEW))
    pin = pin_of(daemon, NEW)
    wait_for(lambda: [t for t in texts(daemon, NEW) if t[0] == "verify" and pin in t[1]])
    case = daemon.ctl("text", "+8610000000007", REPORT)["case"]
    # Nothing about the case went to it, and it cannot act.
    assert [t for t, _ in texts(daemon, NEW)] == ["verify"]
    assert answer(daemon, NEW, "签收") == "verify_first"
    assert answer(daemon, NEW, "签" + daemon.sql("select hl.code_of(77) as c")[0]["c"]) == "verify_first"
    assert answer(daemon, NEW, f"{(int(pin) + 1) % 1000000:06d}") == "verify_wrong"
    assert not verified(daemon, NEW)
    assert answer(daemon, NEW, f"验证码：{pin}") == "verified" and verified(daemon, NEW)
    assert answer(daemon, NEW, "签") == "signed"
    assert daemon.ctl("case", case)["tasks"][0]["state"] == "signed"
    # Proven once: another import asks for nothing.
    bring(daemon, tmp_path, officer(NEW), words=["--why", "again"])
    assert verified(daemon, NEW) and [t for t, _ in texts(daemon, NEW)].count("verify") == 1


def test_five_wrong_codes_end_it_and_are_reported_until_a_fresh_one_is_sent(daemon, tmp_path):
    bring(daemon, tmp_path, officer(NEW), officer(LATE, "赵六") | {"role": "deputy"})
    pin = pin_of(daemon, LATE)
    for n in range(1, 6):
        daemon.hook(f"{(int(pin) + n) % 1000000:06d}", sender=LATE)
    wait_for(lambda: daemon.sql("select 1 from hl.notice where template = 'verify_failed'"))
    daemon.hook(pin, sender=LATE)
    wait_for(lambda: not daemon.sql("select 1 from hl.message where state = 'pending'"))
    assert not verified(daemon, LATE)
    assert daemon.ctl("verify-number", LATE)["sent"] is False
    daemon.sql("update hl.verification set sent_at = sent_at - interval '11 minutes', expires_at = expires_at - interval '11 minutes'")
    assert daemon.ctl("verify-number", LATE)["sent"] is True
    daemon.sql("update hl.person set guard_since = null, guard_count = 0")
    assert answer(daemon, LATE, pin_of(daemon, LATE)) == "verified"
    assert "no contact of that number" in daemon.ctl("verify-number", LATE, json=False, code=1)


def test_a_number_that_moved_to_somebody_else_begins_with_nothing(daemon, tmp_path):
    case = daemon.ctl("text", NEW, "报 碧水云天广场舞音响声音太大扰民")["case"]
    bring(daemon, tmp_path, officer(NEW, "孙七"), words=["--why", "the phone was handed over"])
    assert not verified(daemon, NEW)
    assert wait_for(lambda: texts(daemon, NEW))[0][0] == "verify" and len(texts(daemon, NEW)) == 1
    # Whoever had it keeps what he did and said; the number leads to none of it.
    assert daemon.sql("select p.phone from hl.report r join hl.person p on p.id = r.person_id join hl.case c on c.id = r.case_id"
                      " where c.code = %s", [case]) == [{"phone": None}]
    assert answer(daemon, NEW, f"查 {case}") == "verify_first"
    assert answer(daemon, NEW, pin_of(daemon, NEW)) == "verified"
    assert daemon.ctl("verify")["broken"] == []


def test_whoever_imports_may_vouch(daemon, tmp_path):
    bring(daemon, tmp_path, officer("+8610000005003"), words=["--vouched", "--why", "called each of them"])
    assert verified(daemon, "+8610000005003")
