"""hl_attack - what a peer does that wishes a daemon ill, and what it costs the daemon.

Owns     sockets; Peers closes all of them at its end.
Who      peers come from 127.0.0.0/8: an address of its own for every `per_address` of them.
"""
import contextlib
import os
import resource
import select
import socket
import struct
import time

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def raise_descriptor_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def cpu_s(pid):
    """CPU seconds a process has used so far, user and system."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        words = stat.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / TICKS_PER_S


def rss_kib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def n_descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def connect(port, address="127.0.0.1"):
    return socket.create_connection(("127.0.0.1", port), timeout=10, source_address=(address, 0))


def reset(sock):
    """Ends a connection with a RST instead of a FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Peers:
    """Many connections to one port; which of them were closed, and what each was told before."""

    def __init__(self, port, n, per_address=200, first=1):
        raise_descriptor_limit()
        self.socks, self.heard = [], {}
        self.begun = time.monotonic()
        for i in range(n):
            sock = connect(port, f"127.1.{first}.{i // per_address + 1}")
            sock.setblocking(False)
            self.socks.append(sock)
            self.heard[sock] = b""
        self.open = set(self.socks)

    def say(self, data):
        """Sends to all that are still there; who was closed meanwhile is found by listen()."""
        for sock in self.open:
            with contextlib.suppress(OSError):
                sock.send(data)

    def listen(self, timeout=0.0):
        """Takes what has come within timeout; a connection that ended leaves .open."""
        poll = select.poll()
        by_fd = {sock.fileno(): sock for sock in self.open}
        for fd in by_fd:
            poll.register(fd, select.POLLIN)
        for fd, _ in poll.poll(timeout * 1000):
            sock = by_fd[fd]
            try:
                data = sock.recv(65536)
            except ConnectionResetError:
                data = b""
            self.heard[sock] += data
            if not data:
                self.open.discard(sock)

    def until_closed(self, timeout, dripping=b""):
        """Until all are closed, each sending `dripping` at every look."""
        end = time.monotonic() + timeout
        while self.open:
            assert time.monotonic() < end, f"{len(self.open)} of {len(self.socks)} are still connected"
            self.say(dripping) if dripping else None
            self.listen(0.02)

    def statuses(self):
        return [int(data.split(b" ", 2)[1]) if data else None for data in self.heard.values()]

    def close(self):
        for sock in self.socks:
            sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
