"""hl_kannel - Debian's Kannel (bearerbox, smsbox) with its SMS-centre simulator fakesmsc playing the phones.

Owns     the three kinds of processes and a folder with their configuration and logs.
Limits   one fakesmsc client per fake port: texts in go one by one, each by a client of its own.
"""
import dataclasses
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import urllib.parse
import urllib.request

from hl_testlib import ROOT, free_port, wait_for

FAKESMSC = "/usr/lib/kannel/test/fakesmsc"
BEARERBOX, SMSBOX = "/usr/sbin/bearerbox", "/usr/sbin/smsbox"
TOKEN = "kannel-webhook-token-for-tests"
PASSWORD = "kannel-sendsms-password-for-tests"


def missing():
    """The first of Kannel's programs that is not installed, or None."""
    return next((p for p in (FAKESMSC, BEARERBOX, SMSBOX) if not os.access(p, os.X_OK)), None)


@dataclasses.dataclass
class Sms:
    sender: str
    to: str
    text: str


def percent_utf16(text):
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-16-be"))


class Phones:
    """The fakesmsc that stays connected: what arrives at phones, long texts joined by their UDH."""

    LINE = re.compile(rb"Got message \d+: <(\S+) (\S+) (\S+) (.*)>")

    def __init__(self, port):
        self.process = subprocess.Popen([FAKESMSC, "-H", "127.0.0.1", "-r", str(port), "-m", "0", "1 2 text x"],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self.inbox, self._parts, self._lock = [], {}, threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            match = self.LINE.search(line)
            if match:
                with self._lock:
                    self._take(*(group.decode() for group in match.groups()))

    def _take(self, sender, to, kind, rest):
        if kind != "udh":
            self.inbox.append(Sms(sender, to, self._decode(kind, self._unquote(rest))))
            return
        udh, coding, body = rest.split(" ", 2)
        reference, total, number = self._unquote(udh)[-3:]
        parts = self._parts.setdefault((sender, to, reference), {})
        parts[number] = self._unquote(body)
        if len(parts) == total:
            # Joined as bytes, as a phone does: Kannel cuts surrogate pairs in two.
            self.inbox.append(Sms(sender, to, self._decode(coding, b"".join(parts[i] for i in sorted(parts)))))
            del self._parts[(sender, to, reference)]

    @staticmethod
    def _unquote(text):
        return urllib.parse.unquote_to_bytes(text.replace("+", " "))

    @staticmethod
    def _decode(kind, raw):
        # A part with UDH is printed as "data"; ours are UCS-2.
        return raw.decode("utf-16-be" if kind in ("ucs2", "ucs-2", "data") else "utf-8", errors="replace")

    def of(self, number):
        """Texts that arrived at a number, in whatever national spelling."""
        with self._lock:
            return [sms for sms in self.inbox if sms.to.lstrip("+")[-11:] == number.lstrip("+")[-11:]]

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Kannel:
    def __init__(self, folder, hook_port):
        self.folder = pathlib.Path(folder)
        self.hook_port = hook_port
        self.admin_port, self.box_port, self.in_port, self.out_port, self.send_port = (free_port() for _ in range(5))
        self.processes, self.phones = [], None
        self.conf = self.folder / "kannel.conf"
        self.conf.write_text(self._configuration())

    def _configuration(self):
        text = (ROOT / "tests/e2e/kannel/kannel.conf.in").read_text()
        words = {"ADMIN_PORT": self.admin_port, "ADMIN_PASSWORD": "status-only", "BOX_PORT": self.box_port,
                 "IN_PORT": self.in_port, "OUT_PORT": self.out_port, "SEND_PORT": self.send_port,
                 "SEND_PASSWORD": PASSWORD, "HOOK_PORT": self.hook_port, "TOKEN": TOKEN, "FOLDER": self.folder}
        return re.sub(r"@(\w+)@", lambda match: str(words[match.group(1)]), text)

    @property
    def send_url(self):
        return f"http://127.0.0.1:{self.send_port}/cgi-bin/sendsms"

    def _run(self, program):
        log = open(self.folder / (pathlib.Path(program).name + ".out"), "wb")
        with log:
            process = subprocess.Popen([program, "-v", "1", str(self.conf)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       cwd=self.folder)
        self.processes.append(process)

    def _status(self):
        url = f"http://127.0.0.1:{self.admin_port}/status.txt?password=status-only"
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return answer.read().decode()
        except OSError:
            return ""

    def start(self):
        self._run(BEARERBOX)
        wait_for(self._status, 15, "bearerbox's admin port")
        self._run(SMSBOX)
        wait_for(lambda: re.search(r"\n\s+smsbox", self._status()), 15, "smsbox at bearerbox")
        wait_for(lambda: self._listens(self.send_port), 15, "smsbox's sendsms port")
        self.phones = Phones(self.out_port)
        wait_for(lambda: re.search(r"OUT\S*\s.*online", self._status()), 15, "the phones at the OUT centre")
        return self

    @staticmethod
    def _listens(port):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            return False

    def _received(self):
        """Texts the IN centre has taken, or None while a phone is still connected to it."""
        match = re.search(r"IN\[IN\]\s+\S+ \(([\w-]+)[^,]*, rcvd: sms (\d+)", self._status())
        return (match.group(1), int(match.group(2))) if match else ("", -1)

    def text(self, sender, text, to="12345"):
        """One text from a phone, as its SMS centre hands it in; returns when the centre has it."""
        wait_for(lambda: self._received()[0].endswith("connecting"), 15, "the IN centre to be free")
        before = self._received()[1]
        phone = subprocess.Popen([FAKESMSC, "-H", "127.0.0.1", "-r", str(self.in_port), "-m", "1",
                                  f"{sender} {to} ucs2 {percent_utf16(text)}"],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        try:
            wait_for(lambda: self._received()[1] > before, 15, "the IN centre to take the text")
        finally:
            phone.terminate()
            phone.wait()

    def stop(self):
        # Nothing of theirs is kept, and a polite end takes up to 8 s.
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        if self.phones:
            self.phones.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
