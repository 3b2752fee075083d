"""transcriber - a scripted endpoint like OpenAI's /v1/audio/transcriptions: reads the form, answers as it was told."""
import email
import http.server
import json
import threading
import time


class Transcriber:
    """answers: what is said to the next requests, each (status, JSON) or a function of the handler; the last one stays.
    seen: of each request its fields, with the file's bytes under `file`, and its Authorization."""

    def __init__(self):
        outer = self
        self.answers, self.seen = [(200, {"text": ""})], []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
                fields = {part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
                          for part in email.message_from_bytes(head + body).get_payload()}
                outer.seen.append({**fields, "key": self.headers.get("Authorization")})
                answer = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                if callable(answer):
                    answer(self)
                    return
                content = json.dumps(answer[1]).encode()
                self.send_response(answer[0])
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/audio/transcriptions"

    def says(self, text, sure=-0.1):
        return (200, {"text": text, "segments": [{"avg_logprob": sure, "no_speech_prob": 0.01}]})

    @staticmethod
    def hang(handler):
        """Never answers; the connection stays until the client has had enough."""
        handler.connection.settimeout(30)
        try:
            handler.connection.recv(1)
        except OSError:
            time.sleep(0)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
