"""Who is told of a task when its officer leaves or is away: at once whoever is there instead, and nobody twice."""
import csv
import io
import json

import pytest

from hl_scene import Scene, contact, county, resident, set_clock
from hl_testlib import wait_for

NOISE = "碧水云天楼下广场舞音响声音太大扰民"        # normal, POL leads
BLOCKED = "锦绣花园3号楼消防通道被私家车堵死了"   # urgent, FIR leads, POL helps
OFFICER, DEPUTY = contact("POL"), contact("POL", "deputy")


@pytest.fixture
def database(cluster):
    made = cluster.create_database()
    set_clock(made, county(2026, 3, 2, 9))
    yield made
    made.drop()


@pytest.fixture
def scene(daemon):
    return Scene(daemon)


def contacts(scene, tmp_path, change):
    """The roster as it stands, changed and brought back."""
    rows = list(csv.DictReader(io.StringIO(scene.daemon.ctl("export", "contacts", "--csv", json=False))))
    change(rows)
    path = tmp_path / "contacts.csv"
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(out.getvalue(), encoding="utf-8")
    scene.daemon.ctl("import", "contacts", path, "--why", "somebody left", json=False)


def leave(scene, tmp_path, phone, begins, ends):
    path = tmp_path / "roster.json"
    path.write_text(json.dumps({"roster": [{"unit": "POL", "role": "officer", "phone": phone, "kind": "leave", "from": begins,
                                            "until": ends}]}))
    scene.daemon.ctl("import", "roster", path, "--why", "annual leave", json=False)


def without(phone):
    return lambda rows: rows.remove(next(row for row in rows if row["phone"] == phone))


def kinds(scene, phone):
    return [sms["kind"] for sms in scene.inbox(phone)]


def wait_kind(scene, phone, kind, n=1):
    wait_for(lambda: kinds(scene, phone).count(kind) == n, what=f"{n} {kind} for {phone}: {kinds(scene, phone)}")


def test_what_an_officer_who_left_was_told_goes_to_his_deputy_at_once(scene, tmp_path):
    unsigned, signed = scene.report(resident(1), NOISE), scene.report(resident(2), BLOCKED)
    assert kinds(scene, OFFICER).count("dispatch") == 2
    assert scene.answer(OFFICER, f"签 {scene.code(OFFICER)}")["template"] == "signed"  # the newer one
    contacts(scene, tmp_path, without(OFFICER))
    wait_kind(scene, DEPUTY, "dispatch")
    wait_kind(scene, DEPUTY, "handed_over")
    taken, = [sms for sms in scene.inbox(DEPUTY) if sms["kind"] == "handed_over"]
    assert "转您接办" in taken["text"] and signed in taken["text"] and "锦绣花园" in taken["text"]
    # what he got works
    text = next(sms["text"] for sms in scene.inbox(DEPUTY) if sms["kind"] == "dispatch")
    code = next(code for code in scene.task(unsigned, "POL")["codes"] if code in text)
    assert scene.answer(DEPUTY, f"签 {code}")["template"] == "signed"
    # the same roster again tells nobody twice
    contacts(scene, tmp_path, lambda rows: rows.append({**rows[0], "unit": "URB", "role": "officer", "rank": "9",
                                                        "phone": "+8610000000959", "name": "示范第二"}))
    wait_for(lambda: scene.daemon.ctl("idle")["idle"], what="everything due to be sent")
    assert kinds(scene, DEPUTY).count("dispatch") == 1 == kinds(scene, DEPUTY).count("handed_over")


def test_a_dispatch_that_waited_for_somebody_who_left_reaches_his_successor(scene, database, tmp_path):
    """The text was never sent: it is dropped, and the successor gets his own."""
    database.sql("alter table hl.notice alter column retry_at set default 'infinity'")
    scene.daemon.hook(NOISE, resident(1))
    assert wait_for(lambda: database.sql("select state from hl.notice where kind = 'dispatch'"), what="the dispatch") == [{"state": "queued"}]
    contacts(scene, tmp_path, without(OFFICER))
    database.sql("alter table hl.notice alter column retry_at set default '-infinity'")
    database.sql("update hl.notice set retry_at = now() where state = 'queued'")
    wait_kind(scene, DEPUTY, "dispatch")
    assert [row["reason"] for row in database.sql("select reason from hl.notice where kind = 'dispatch' and state = 'dropped'")] == [
        "contact is no longer active"]


def test_leave_that_begins_moves_what_is_unsigned_and_the_reminders_of_what_is_signed(scene, tmp_path):
    scene.report(resident(1), NOISE)
    signed = scene.report(resident(2), "龙城御景楼下广场舞音响声音太大扰民")
    assert scene.answer(OFFICER, f"签 {scene.code(OFFICER)}")["template"] == "signed"
    leave(scene, tmp_path, OFFICER, "2026-03-02 10:00", "2026-03-20 18:00")
    assert "dispatch" not in kinds(scene, DEPUTY)
    scene.tick("+80m")
    wait_kind(scene, DEPUTY, "dispatch")
    wait_kind(scene, DEPUTY, "handed_over")
    scene.tick(county(2026, 3, 5, 18))
    asked = [sms for sms in scene.inbox(DEPUTY) if sms["kind"] == "progress"]
    assert len(asked) == 1 and "progress" not in kinds(scene, OFFICER)
    assert signed in asked[0]["text"] or "龙城御景" in asked[0]["text"]
