"""fake_provider - an SMS provider for tests: takes texts by POST, answers as scripted, keeps a journal.

Owns     one HTTP server on a free port of 127.0.0.1; each request runs in a thread of its own.
Script   for every number a list of answers, used up one after the other; then the number's last one, then `otherwise`.
         An answer is what a function of the request gives: (status, body), or None to close without a word.
Limits   speaks loopback's JSON: {"attempt","to","from","text"} in, 202 {"id","status"} out.
"""
import contextlib
import dataclasses
import http.server
import json
import threading


@dataclasses.dataclass
class Request:
    method: str
    path: str
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)

    @property
    def attempt(self):
        return self.json()["attempt"]

    @property
    def to(self):
        return self.json()["to"]

    @property
    def text(self):
        return self.json()["text"]


def says(status, code=202, **more):
    """An answer in the provider's own words: accepted, later, refused or config."""
    return lambda request: (code, json.dumps({"id": f"fake-{request.attempt}", "status": status, **more}).encode())


def plain(code, body=b""):
    """An answer that proves nothing: a status and some bytes."""
    return lambda request: (code, body)


def hang_up(_request):
    """Reads the request and closes: the client cannot know whether it was acted on."""


class Held:
    """Gives `then` only after release(). has_request tells that one is being held."""

    def __init__(self, then=says("accepted")):
        self._then, self._open = then, threading.Event()
        self.has_request = threading.Event()

    def __call__(self, request):
        self.has_request.set()
        # Longer than any test: a forgotten release must not keep the server's thread for ever.
        self._open.wait(60)
        return self._then(request)

    def release(self):
        self._open.set()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A client that was killed in the middle is what some tests are about."""


class FakeProvider:
    def __init__(self, otherwise=says("accepted")):
        self.otherwise = otherwise
        self.journal, self._scripts, self._lock = [], {}, threading.Lock()
        self._held = []
        self._server = Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/send"

    def script(self, number, *answers):
        """What texts to that number get, one after the other; the last answer stays."""
        with self._lock:
            self._scripts[number] = list(answers)
            self._held += [answer for answer in answers if isinstance(answer, Held)]

    def sent_to(self, number):
        with self._lock:
            return [request for request in self.journal if request.to == number]

    def _answer_for(self, request):
        with self._lock:
            self.journal.append(request)
            script = self._scripts.get(request.to)
            if not script:
                return self.otherwise
            return script.pop(0) if len(script) > 1 else script[0]

    def _handler(self):
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Without it an answer waits 40 ms for the client's ACK of its head.
            disable_nagle_algorithm = True

            def do_POST(self):  # pylint: disable=invalid-name
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = Request("POST", self.path, dict(self.headers.items()), body)
                answer = provider._answer_for(request)(request)  # pylint: disable=protected-access
                if answer is None:
                    self.close_connection = True
                    return
                status, reply = answer
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(reply)

            def log_message(self, *_words):  # pylint: disable=arguments-differ
                """The journal is the log."""

        return Handler

    def stop(self):
        with self._lock:
            held = list(self._held)
        for answer in held:
            answer.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
