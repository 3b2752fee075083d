"""hl_scene - what residents, officers and operators do with a running daemon, in their own terms.

Who      a Scene is one daemon on a database of its own; phones are the demo contacts of schema/ref/contacts.json.
Must not know  SQL beyond setting the clock: what a test asserts is what hotlinectl and the phones show.
"""
import datetime
import json
import re

from hl_testlib import ROOT

COUNTY = datetime.timezone(datetime.timedelta(hours=8))
CODE = re.compile(r"(?:\[急\]|\[特急\]|协办|催签|未签收|黄牌提醒|地点补充|^|】)([0-9A-HJKMNP-TV-Z]{5}) ")
_contacts = json.loads((ROOT / "schema/ref/contacts.json").read_text(encoding="utf-8"))["contacts"]


def contact(unit, role="officer"):
    """The number of the first person of a unit in that role."""
    return next(c["phone"] for c in _contacts if c["unit"] == unit and c["role"] == role)


def name_of(phone):
    return next(c["name"] for c in _contacts if c["phone"] == phone)


def resident(n):
    """A resident's number; the demo contacts begin at 0100."""
    assert 0 < n < 100
    return f"+861000000{n:04d}"


OPERATOR, OFFICE, LEADERS = contact("HOT", "duty"), contact("OFF", "duty"), contact("LEAD", "duty")


def instant(text):
    """An ISO 8601 instant as hotlinectl prints it."""
    return datetime.datetime.fromisoformat(text)


def county(year, month, day, hour=0, minute=0):
    return datetime.datetime(year, month, day, hour, minute, tzinfo=COUNTY)


def set_clock(database, at):
    """Puts a demo installation's case time anywhere, backwards too; before a daemon is started."""
    database.sql("update hl.clock set offset_us = hl.us(%s) - hl.us(clock_timestamp())", (at,))


class Scene:
    def __init__(self, daemon):
        self.daemon = daemon

    def text(self, sender, words):
        """One text from a phone. Gives {"message", "outcome", "case", "sms"} once all it led to has left."""
        return self.daemon.ctl("text", sender, words)

    def report(self, sender, words, outcome="dispatch"):
        """A report that must be taken in that way; gives the case's number."""
        reply = self.text(sender, words)
        assert reply["outcome"] == outcome, reply
        return reply["case"]

    def answer(self, sender, words):
        """Texts something; gives the one text that comes back to the sender, or None."""
        mine = [sms for sms in self.text(sender, words)["sms"] if sms["to"] == sender and sms["kind"] == "reply"]
        assert len(mine) <= 1, mine
        return mine[0] if mine else None

    def inbox(self, phone):
        return self.daemon.ctl("phone", phone)["inbox"]

    def templates(self, phone):
        """Which templates a phone got, oldest first."""
        return [sms["template"] for sms in self.inbox(phone)]

    def code(self, phone):
        """The code in the newest notice on a phone, read as its owner would."""
        found = [match.group(1) for match in (CODE.search(sms["text"]) for sms in self.inbox(phone)) if match]
        assert found, self.inbox(phone)
        return found[-1]

    def case(self, number):
        return self.daemon.ctl("case", number)

    def task(self, number, unit):
        return next(task for task in self.case(number)["tasks"] if task["unit"] == unit)

    def events(self, number, kind=None):
        return [e for e in self.case(number)["events"] if kind in (None, e["kind"])]

    def tick(self, to):
        """Moves the clock; gives every text made on the way, in order, each with the instant it was made at."""
        to = to if isinstance(to, str) else to.isoformat(timespec="seconds")
        return [sms for step in self.daemon.ctl("tick", "--to", to) for sms in step["sms"]]
