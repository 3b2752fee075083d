"""exchange - a scripted telephone exchange: takes orders for calls by POST and keeps them."""
import http.server
import json
import threading
import urllib.parse


class Exchange:
    """orders: of each POST its path, its form (or None), its Authorization. answer: (status, JSON with {n} in its sid)."""

    def __init__(self):
        outer = self
        self.orders, self.answer = [], (201, {"sid": "CAout{n}", "status": "queued"})

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                form = dict(urllib.parse.parse_qsl(body)) if "urlencoded" in self.headers.get("Content-Type", "") else None
                outer.orders.append({"path": self.path, "form": form, "login": self.headers.get("Authorization")})
                status, fields = outer.answer
                content = json.dumps({key: value.format(n=len(outer.orders)) for key, value in fields.items()}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
