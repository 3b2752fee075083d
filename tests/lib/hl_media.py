"""hl_media - pictures made without a library, and a web server that hands media out and misbehaves on demand."""
import http.server
import pathlib
import struct
import subprocess
import tempfile
import threading
import zlib

from hl_testlib import BUILD


def png(width=32, height=24, colour=(200, 30, 30)):
    """A plain picture."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = (b"\0" + bytes(colour) * width) * height
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def keep(bytes_, kind="photo"):
    """What the process behind the daemon says about bytes, and the file it kept."""
    with tempfile.TemporaryDirectory() as folder:
        said = subprocess.run([BUILD / "hotlined", "--keep", kind, folder], input=bytes_, capture_output=True, check=True,
                              timeout=60).stdout
        files = [p for p in pathlib.Path(folder).rglob("*") if p.is_file()]
        return said, files[0].read_bytes() if files else None


def jpeg(width=32, height=24, colour=(200, 30, 30), exif=b""):
    """The same as a JPEG, with a block of metadata when asked for."""
    made = keep(png(width, height, colour))[1]
    block = b"\xff\xe1" + struct.pack(">H", len(exif) + 8) + b"Exif\0\0" + exif if exif else b""
    return made[:2] + block + made[2:]


class MediaServer:
    """Answers GET by path: answers[path] is a function of the handler. seen: (path, Authorization or None)."""

    def __init__(self):
        outer = self
        self.answers, self.seen = {}, []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.seen.append((self.path, self.headers.get("Authorization")))
                answer = outer.answers.get(self.path)
                if answer is None:
                    self.send_error(404)
                else:
                    answer(self)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.stopped = threading.Event()
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def file(self, path, body, type_="image/jpeg", status=200, headers=()):
        def answer(handler):
            handler.send_response(status)
            handler.send_header("Content-Type", type_)
            handler.send_header("Content-Length", str(len(body)))
            for name, value in headers:
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(body)

        self.answers[path] = answer
        return self.url(path)

    def redirect(self, path, to):
        return self.file(path, b"", status=302, headers=[("Location", to)])

    def endless(self, path, announced):
        """Two hundred megabytes, with or without saying so."""
        def answer(handler):
            handler.send_response(200)
            if announced:
                handler.send_header("Content-Length", str(200 << 20))
            handler.send_header("Connection", "close")
            handler.end_headers()
            handler.close_connection = True
            try:
                for _ in range(200):
                    handler.wfile.write(b"\xff\xd8\xff" + bytes((1 << 20) - 3))
            except OSError:
                self.seen.append((path, "cut off"))

        self.answers[path] = answer
        return self.url(path)

    def reset(self, path):
        """Half a head, then the connection is gone."""
        def answer(handler):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")
            handler.wfile.flush()
            handler.connection.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER 0: close resets
            handler.connection.close()
            handler.close_connection = True

        self.answers[path] = answer
        return self.url(path)

    def drip(self, path):
        """A byte now and then, for ever."""
        def answer(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", "100000")
            handler.end_headers()
            try:
                while not self.stopped.wait(0.2):
                    handler.wfile.write(b"\xff")
                    handler.wfile.flush()
            except OSError:
                self.seen.append((path, "cut off"))

        self.answers[path] = answer
        return self.url(path)
