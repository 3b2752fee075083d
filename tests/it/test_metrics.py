"""/metrics, the alert rules and the dashboard: promtool agrees with them, and they agree with each other."""
import json
import re
import subprocess

import pytest

import hl_rows as rows
from hl_crowd import metrics
from hl_testlib import ROOT, wait_for

MONITORING = ROOT / "daemon/serve/monitoring"
ALERTS, DASHBOARD = MONITORING / "alerts.yml", MONITORING / "grafana.json"
LEAK = "锦绣花园3号楼楼道漏水"


def promtool(*words, stdin=None):
    """Runs it and gives what it printed; it must have found nothing wrong."""
    done = subprocess.run(["promtool", *map(str, words)], input=stdin, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def page(daemon):
    reply = daemon.http("GET", "/metrics")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return reply.body.decode()


# ---- the page ------------------------------------------------------------------------------------------------------------

def test_promtool_finds_nothing_to_say_about_the_page(daemon):
    assert daemon.hook(LEAK).status == 200
    wait_for(lambda: metrics(daemon)['hotlined_sends_total{outcome="accepted"}'] >= 1, what="a text to be sent")
    assert promtool("check", "metrics", stdin=page(daemon)) == ""


def test_without_a_database_the_page_is_whole_and_says_so(make_daemon):
    daemon = make_daemon(sections={"db": {"conninfo": "host=/nowhere dbname=none"}}, start=False).launch()

    def alive():
        try:
            return daemon.http("GET", "/healthz").status == 200
        except OSError:
            return False

    wait_for(alive, what="/healthz")
    assert promtool("check", "metrics", stdin=page(daemon)) == ""
    seen = metrics(daemon)
    assert seen["hotlined_database_up"] == 0 and seen["hotlined_ready"] == 0
    assert "hotlined_messages_total" in seen and "hotlined_notices_leased" not in seen


def test_the_page_counts_what_happens(daemon):
    before = metrics(daemon)
    for i in range(3):
        assert daemon.hook(LEAK, sender="+8610000000041", external_id=f"counted-{i // 2}").status == 200
    assert daemon.http("POST", "/hook/loopback", b"rubbish").status == 400
    assert daemon.http("GET", "/hook/nobody").status == 404
    now = metrics(daemon)
    more = {name: now[name] - before[name] for name in now if name in before}
    expected = {"hotlined_messages_total": 3, "hotlined_message_repeats_total": 1, "hotlined_intake_seconds_count": 3,
                'hotlined_hooks_refused_total{status="400"}': 1, 'hotlined_hooks_refused_total{status="404"}': 1,
                'hotlined_hooks_refused_total{status="401"}': 0}
    assert {name: more[name] for name in expected} == expected


def gauges(cursor):
    """What hl.metrics gives for gauges without labels."""
    found = rows.one(cursor, "select hl.metrics('{}')")["rows"]
    return {row["name"]: row["samples"][0]["value"] for row in found if row["samples"] and row["samples"][0]["labels"] == ""}


def test_a_lease_that_ran_out_is_told_from_one_that_runs(cursor, keys):
    before = gauges(cursor)
    cursor.execute("update hl.notice set state = 'sending', lease_until = clock_timestamp() + interval '1 hour' where id = %s",
                   (keys["notice"],))
    running = gauges(cursor)
    assert running == {**before, "notices_leased": before["notices_leased"] + 1}
    cursor.execute("update hl.notice set lease_until = clock_timestamp() - interval '1 ms' where id = %s", (keys["notice"],))
    assert gauges(cursor) == {**running, "leases_expired": before["leases_expired"] + 1}


# ---- rules and dashboard ---------------------------------------------------------------------------------------------------

def names_in(text):
    return set(re.findall(r"hotlined_\w+", text))


def expressions():
    panels = [target["expr"] for panel in json.loads(DASHBOARD.read_text())["panels"] for target in panel.get("targets", [])]
    return re.findall(r"^ +expr: (.*)$", ALERTS.read_text(), re.MULTILINE) + panels


def test_rules_and_dashboard_ask_for_what_the_page_has(daemon):
    have = {re.sub(r"\{.*", "", name) for name in metrics(daemon)}
    assert len(names_in(" ".join(expressions()))) > 20
    assert names_in(" ".join(expressions())) <= have


def test_labels_that_rules_and_dashboard_ask_for_are_those_of_the_page(daemon):
    have = {}
    for name in metrics(daemon):
        for label, value in re.findall(r'(\w+)="([^"]*)"', name):
            have.setdefault((name.partition("{")[0], label), set()).add(value)
    asked = [(name, label, word) for expr in expressions()
             for name, labels in re.findall(r"(hotlined_\w+)\{([^}]*)\}", expr)
             for label, values in re.findall(r'(\w+)=~?"([^"]*)"', labels) for word in values.split("|")]
    assert asked and not [(name, label, word) for name, label, word in asked if word not in have.get((name, label), ())]


def test_promtool_takes_the_rules():
    assert "SUCCESS" in promtool("check", "rules", ALERTS)


# name: (series, values that must raise it, values that must not, when to look). `a+bxn`: n more samples, each b larger.
RULES = {
    "HotlinedNotReady": ("hotlined_ready", "0x40", "1x40", "5m"),
    "HotlinedDatabaseAway": ("hotlined_database_up", "0x40", "1x40", "5m"),
    "HotlinedSpoolWaits": ("hotlined_spool_waiting", "1x80", "9x10 0x70", "15m"),
    "HotlinedMessageQuarantined": ("hotlined_messages_quarantined_total", "0x20 1x20", "7x40", "8m"),
    "HotlinedMessagesRefused": ("hotlined_messages_failed_total", "0+1x80", "5x80", "15m"),
    "HotlinedForgedCalls": ('hotlined_hooks_refused_total{status="401"}', "0+60x80", "0+6x80", "15m"),
    "HotlinedEmergencyWaits": ('hotlined_notice_oldest_seconds{lane="emergency"}', "0+15x40", "45x40", "5m"),
    "HotlinedOutboxStuck": ('hotlined_notice_oldest_seconds{lane="dispatch"}', "700x80", "500x80", "15m"),
    "HotlinedLeasesExpired": ("hotlined_leases_expired", "2x80", "2x10 0x70", "15m"),
    "HotlinedUnknownOutcomes": ("hotlined_notices_unknown", "21x80", "20x80", "15m"),
    "HotlinedProviderMisconfigured": ('hotlined_sends_total{outcome="config"}', "0x20 1x20", "3x40", "8m"),
    "HotlinedRungsLate": ("hotlined_ladders_overdue", "1x80", "1x4 0x76", "15m"),
    "HotlinedUndecided": ("hotlined_messages_pending", "51x80", "50x80", "15m"),
    "HotlinedLoopLag": ("hotlined_loop_lag_seconds", "0.3x80", "0.2x80", "15m"),
    "HotlinedLogDropped": ("hotlined_log_dropped_total", "0x20 9x20", "9x40", "8m"),
    "HotlinedClassifierDrifts": ("hotlined_decisions_corrected_share", "0.2x400", "0.1x400", "90m",
                                 {"hotlined_decisions_window": "200x400", "hotlined_decisions_review_share": "0.5x400"}),
}
ALERT = re.compile(r'- alert: (\w+)\n.*?labels: \{severity: (\w+)\}\n +annotations: \{summary: "(.*?)"\}', re.DOTALL)


def case(alert, values, is_raised):
    """One of promtool's rule tests: this series, beside those that stay as they are, and whether the alert is raised."""
    name, severity, summary = alert
    series, when = RULES[name][0], RULES[name][3]
    beside = [{"series": other, "values": same} for other, same in (RULES[name][4] if RULES[name][4:] else {}).items()]
    labels = {"severity": severity, **dict(re.findall(r'(\w+)="([^"]*)"', series))}
    raised = [{"exp_labels": labels, "exp_annotations": {"summary": summary}}] if is_raised else []
    return {"interval": "15s", "input_series": [{"series": series, "values": values}, *beside],
            "alert_rule_test": [{"eval_time": when, "alertname": name, "exp_alerts": raised}]}


def test_every_rule_has_a_series_that_raises_it():
    assert [name for name, *_ in ALERT.findall(ALERTS.read_text())] == list(RULES)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_raised_by_the_bad_series_and_not_by_the_good_one(tmp_path, name):
    alert = next(found for found in ALERT.findall(ALERTS.read_text()) if found[0] == name)
    _, bad, good = RULES[name][:3]
    rules = tmp_path / "rules.json"  # JSON is YAML
    rules.write_text(json.dumps({"rule_files": [str(ALERTS)], "evaluation_interval": "15s",
                                 "tests": [case(alert, bad, True), case(alert, good, False)]}))
    promtool("test", "rules", rules)


def test_a_daemon_that_is_not_there_at_all_raises_not_ready(tmp_path):
    (alert,) = [found for found in ALERT.findall(ALERTS.read_text()) if found[0] == "HotlinedNotReady"]
    gone = case(alert, "1x4", True)
    gone["alert_rule_test"][0]["eval_time"] = "10m"
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps({"rule_files": [str(ALERTS)], "evaluation_interval": "15s", "tests": [gone]}))
    promtool("test", "rules", rules)
