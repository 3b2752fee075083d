"""caller - a scripted caller: speaks the HTTP side of a telephone platform, posts its events and follows what it is told.

Who      tests against a running daemon. No SIP and no sound is in it: what a platform would do with the answers is
         played by reading them with an XML or JSON parser of Python's own.
Use      call = Twiml(daemon, "line", "+8610000000001"); call.start(); call.press("1"); call.hang_up()
         call.said is all that was said since the last request, call.wants the step that waits: (verb, attributes).
"""
import hashlib
import hmac
import itertools
import json
import time
import urllib.parse
import uuid
import xml.etree.ElementTree

import provider_calls
from provider_calls import PUBLIC, SECRET

SERIAL = itertools.count(1)


class Caller:
    """What all dialects share: where the call is, and what it was told."""

    def __init__(self, daemon, channel, phone, to="12345", is_out=False, external=None):
        self.daemon, self.channel, self.phone, self.to, self.is_out = daemon, channel, phone, to, is_out
        self.id = external or f"CA{uuid.uuid4().hex}"
        self.said, self.wants, self.url, self.last = "", None, f"/hook/{channel}/voice", None

    def follow(self, reply):
        """Reads an answer: what is said, what is waited for, where the next request goes."""
        assert reply.status == 200, (reply.status, reply.body)
        self.said, self.wants = "", None
        self.read(reply)
        return self

    def start(self):
        return self.ask({})

    def press(self, keys):
        return self.ask({self.KEYS: keys})

    def stay_silent(self):
        """Lets the patience of a gather, a wait or a record run out."""
        return self.ask({})

    def path(self, url):
        assert url.startswith(PUBLIC), url
        return url.removeprefix(PUBLIC)


class Twiml(Caller):
    """Twilio's, SignalWire's and Telnyx's way: forms in, XML out."""
    KEYS = "Digits"

    def form(self, fields):
        ends = {"From": self.to, "To": self.phone} if self.is_out else {"From": self.phone, "To": self.to}
        return {"CallSid": self.id, "AccountSid": "ACdemo", "Direction": "outbound-api" if self.is_out else "inbound",
                "CallStatus": "in-progress", **ends, **fields}

    def post(self, path, fields, secret=SECRET):
        call = provider_calls.twilio(path, fields, secret)
        return self.daemon.http("POST", call.path, call.body, call.headers)

    def ask(self, fields):
        self.last = (self.url, self.form(fields))
        return self.follow(self.post(*self.last))

    def repeat(self):
        """The platform did not get the answer and asks again."""
        return self.follow(self.post(*self.last))

    def read(self, reply):
        root = xml.etree.ElementTree.fromstring(reply.body)
        assert root.tag == "Response" and reply.headers["Content-Type"].startswith("text/xml")
        self.said = "".join(say.text for say in root.iter("Say"))
        for verb in root:
            if verb.tag == "Redirect":
                self.url = self.path(verb.text)
            elif verb.tag != "Say":
                self.wants = (verb.tag, dict(verb.attrib), [n.text for n in verb.iter("Number")],
                              [self.path(n.attrib["url"]) for n in verb.iter("Number")])
                if "action" in verb.attrib:
                    self.url = self.path(verb.attrib["action"])

    def record(self, seconds=7, keys=None, sid=None, **more):
        """Speaks after the tone; the answer is what follows. Gives the recording's id."""
        assert self.wants[0] == "Record", self.wants
        sid = sid or f"RE{next(SERIAL):06d}{uuid.uuid4().hex[:8]}"
        self.recording = {"RecordingSid": sid, "RecordingUrl": f"https://media.example/{sid}", "RecordingDuration": str(seconds)}
        self.ask({**self.recording, **({"Digits": keys} if keys else {}), **more})
        return sid

    def transcript(self, text, recording=None, status="completed", **more):
        fields = {**(recording or self.recording), "TranscriptionText": text, "TranscriptionStatus": status, **more}
        return self.post(f"/hook/{self.channel}/voice/transcript", self.form(fields))

    def whisper(self):
        """The operator's phone is taken; gives what he hears."""
        assert self.wants[0] == "Dial", self.wants
        reply = self.post(self.wants[3][0], self.form({"CallSid": self.id + "op", "ParentCallSid": self.id, "From": self.to,
                                                      "To": self.wants[2][0]}))
        return "".join(say.text for say in xml.etree.ElementTree.fromstring(reply.body).iter("Say"))

    def dialed(self, status):
        return self.ask({"DialCallStatus": status})

    def hang_up(self, status="completed"):
        return self.post(f"/hook/{self.channel}/voice/status", self.form({"CallStatus": status, "CallDuration": "9"}))


class Jambonz(Caller):
    """JSON in, an array of verbs out, signed with time and body."""
    KEYS = "digits"

    def body(self, fields):
        ends = {"from": self.to, "to": self.phone} if self.is_out else {"from": self.phone, "to": self.to}
        return {"call_sid": self.id, "direction": "outbound" if self.is_out else "inbound", "call_status": "in-progress",
                **ends, **fields}

    def post(self, path, fields, secret=SECRET, age=0):
        body, now = json.dumps(fields, ensure_ascii=False).encode(), str(int(time.time()) - age)
        mark = hmac.new(secret.encode(), now.encode() + b"." + body, hashlib.sha256).hexdigest()
        return self.daemon.http("POST", path, body, {"Content-Type": "application/json", "Jambonz-Signature": f"t={now},v1={mark}"})

    def ask(self, fields):
        self.last = (self.url, self.body(fields))
        return self.follow(self.post(*self.last))

    def read(self, reply):
        assert reply.headers["Content-Type"].startswith("application/json")
        for verb in reply.json():
            if verb["verb"] == "say":
                self.said += verb["text"]
            elif verb["verb"] == "redirect":
                self.url = self.path(verb["actionHook"])
            else:
                self.wants = (verb["verb"], verb, [t["number"] for t in verb.get("target", [])])
                if "actionHook" in verb:
                    self.url = self.path(verb["actionHook"])

    def record(self, text, confidence=0.9):
        """Speaks; jambonz brings the words with the answer."""
        assert self.wants[0] == "gather" and "speech" in self.wants[1]["input"], self.wants
        return self.ask({"speech": {"is_final": True, "alternatives": [{"confidence": confidence, "transcript": text}]}})

    def dialed(self, status):
        return self.ask({"dial_call_status": status})

    def hang_up(self, status="completed"):
        return self.post(f"/hook/{self.channel}/voice/status", self.body({"call_status": status}))


class Httapi(Caller):
    """FreeSWITCH's way: forms in, work out; the secret in the path, recordings as a part of the form."""
    KEYS = "keys"

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.url = f"/hook/{self.channel}/{SECRET}/voice"

    def form(self, fields):
        return {"session_id": self.id, "hostname": "switch", "Caller-Caller-ID-Number": self.phone,
                "Caller-Destination-Number": self.to, "Call-Direction": "inbound", **fields}

    def post(self, path, fields):
        return self.daemon.http("POST", path, urllib.parse.urlencode(fields), {"Content-Type": provider_calls.FORM})

    def ask(self, fields):
        return self.follow(self.post(self.url, self.form(fields)))

    def read(self, reply):
        assert "text/xml" in reply.headers["Content-Type"]
        root = xml.etree.ElementTree.fromstring(reply.body)
        assert root.tag == "document" and root.attrib["type"] == "xml/freeswitch-httapi"
        for verb in root.find("work"):
            self.said += verb.attrib.get("text", "") if verb.tag == "speak" else ""
            if verb.find("bind") is not None or verb.tag in ("record", "dial", "hangup", "pause"):
                self.wants = (verb.tag, dict(verb.attrib), verb.text)
            if "action" in verb.attrib:
                self.url = self.path(verb.attrib["action"])

    def upload(self, sound, more=None):
        """The recording comes as a file with the next request."""
        assert self.wants[0] == "record", self.wants
        return self.follow(self.post_parts(sound, more))

    def post_parts(self, sound, more=None):
        mark = uuid.uuid4().hex
        parts = [f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
                 for key, value in self.form(more or {}).items()]
        parts.append(f'--{mark}\r\nContent-Disposition: form-data; name="attach_file:rec:rec.wav"; filename="rec.wav"\r\n'
                     f'Content-Type: audio/x-wav\r\n\r\n'.encode() + sound + b"\r\n")
        return self.daemon.http("POST", self.url, b"".join(parts) + f"--{mark}--\r\n".encode(),
                                {"Content-Type": f"multipart/form-data; boundary={mark}"})

    def dialed(self, disposition):
        return self.ask({"originate_disposition": disposition})

    def hang_up(self):
        return self.post(self.url, self.form({"exiting": "true"}))
