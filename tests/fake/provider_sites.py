"""provider_sites - the sending side of every provider in one HTTP server, which checks each request by its own means.

Owns     one server on a free port; /NAME... is provider NAME's API. A request that is not signed or formed as the
         provider's documents want it is answered as the provider would, and kept in `faults` with the reason.
Script   `answers[NAME]` holds functions of the handler to be used up first, one per request, for what goes wrong.
"""
import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import threading
import urllib.parse

KEY = "demo-key-of-the-account-0123"
USER = "demo-account"
SECRET = "demo-webhook-secret-0123456789"


def basic(user=USER, key=KEY):
    return "Basic " + base64.b64encode(f"{user}:{key}".encode()).decode()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Fault(Exception):
    """What is wrong with a request."""


def must(condition, what):
    if not condition:
        raise Fault(what)


def form_of(request):
    must(request.headers["Content-Type"].startswith("application/x-www-form-urlencoded"), "content type")
    return dict(urllib.parse.parse_qsl(request.body.decode(), strict_parsing=True, keep_blank_values=True))


def twilio(request):
    must(request.headers["Authorization"] == basic("ACdemo", SECRET), "login")
    fields = form_of(request)
    must(fields["To"].startswith("+") and fields["From"] and "/hook/twilio/receipt?n=" in fields["StatusCallback"], "fields")
    return 201, {"sid": "SM1", "status": "queued"}, fields["Body"]


def plivo(request):
    must(request.headers["Authorization"] == basic("MADEMO", SECRET), "login")
    sms = json.loads(request.body)
    must(sms["dst"].isdigit() and sms["method"] == "POST", "fields")
    return 202, {"message_uuid": ["u1"]}, sms["text"]


def vonage(request):
    must(request.headers["Authorization"] == basic(), "login")
    fields = form_of(request)
    must(fields["type"] == "unicode" and fields["to"].isdigit(), "fields")
    return 200, {"message-count": "1", "messages": [{"status": "0", "message-id": "v1"}]}, fields["text"]


def telnyx(request):
    must(request.headers["Authorization"] == f"Bearer {KEY}", "key")
    sms = json.loads(request.body)
    return 200, {"data": {"id": "t1", "to": [{"status": "queued"}]}}, sms["text"]


def android(request):
    must(request.headers["Authorization"] == basic(), "login")
    sms = json.loads(request.body)
    must(sms["id"].startswith("hotline-") and len(sms["phoneNumbers"]) == 1, "fields")
    return 202, {"id": sms["id"], "state": "Pending"}, sms["textMessage"]["text"]


def httpsms(request):
    must(request.headers["x-api-key"] == KEY, "key")
    return 200, {"data": {"id": "s1", "status": "pending"}}, json.loads(request.body)["content"]


def standard(request):
    text = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    made = base64.b64encode(hmac.new(SECRET.encode(), text, hashlib.sha256).digest()).decode()
    must(f"v1,{made}" in request.headers["webhook-signature"].split(" "), "signature")
    return 202, {"id": "w1"}, json.loads(request.body)["data"]["text"]


def aliyun(request):
    names = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"
    query = urllib.parse.parse_qsl(request.query, strict_parsing=True)
    canonical = "&".join(f"{urllib.parse.quote(k, safe='-_.~')}={urllib.parse.quote(v, safe='-_.~')}" for k, v in sorted(query))
    lines = "".join(f"{name}:{request.headers[name]}\n" for name in names.split(";"))
    text = f"POST\n/\n{canonical}\n{lines}\n{names}\n{sha256(request.body)}"
    made = sign(KEY.encode(), "ACS3-HMAC-SHA256\n" + sha256(text.encode())).hex()
    must(request.headers["Authorization"] ==
         f"ACS3-HMAC-SHA256 Credential={USER},SignedHeaders={names},Signature={made}", "signature")
    fields = dict(query)
    must(fields["TemplateCode"] == "T1" and fields["SignName"] == "县民生热线", "fields")
    return 200, {"Code": "OK", "Message": "OK", "BizId": "b1"}, json.loads(fields["TemplateParam"])["number"]


def tencent(request):
    stamp = request.headers["X-TC-Timestamp"]
    scope = request.headers["Authorization"].split(", ")[0].split("=", 1)[1].removeprefix(f"{USER}/")
    text = (f"POST\n/\n\ncontent-type:{request.headers['Content-Type']}\nhost:{request.headers['Host']}\n\n"
            f"content-type;host\n{sha256(request.body)}")
    key = ("TC3" + KEY).encode()
    for part in scope.split("/"):
        key = sign(key, part)
    made = sign(key, f"TC3-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(text.encode())}").hex()
    must(request.headers["Authorization"].endswith(f"Signature={made}"), "signature")
    sms = json.loads(request.body)
    must(sms["TemplateId"] == "T1" and sms["SmsSdkAppId"] == "1400000000", "fields")
    return (200, {"Response": {"SendStatusSet": [{"Code": "Ok", "SerialNo": "n1", "PhoneNumber": sms["PhoneNumberSet"][0]}]}},
            sms["TemplateParamSet"][0])


def huawei(request):
    words = dict(part.split("=", 1) for part in request.headers["X-WSSE"].removeprefix("UsernameToken ").split(","))
    words = {key: value.strip('"') for key, value in words.items()}
    digest = sha256((words["Nonce"] + words["Created"] + KEY).encode())
    must(base64.b64decode(words["PasswordDigest"]).decode() == digest and words["Username"] == USER, "digest")
    fields = form_of(request)
    must(fields["templateId"] == "T1", "fields")
    return 200, {"code": "000000", "result": [{"status": "000000", "smsMsgId": "h1"}]}, json.loads(fields["templateParas"])[0]


def http_(request):
    sms = json.loads(base64.b64decode(request.body))
    must(sms["mac"] == hashlib.md5((USER + KEY + sms["text"]).encode()).hexdigest(), "mac")
    return 200, {"rspcod": "success", "msgGroup": "g1"}, sms["text"]


SITES = {"twilio": twilio, "plivo": plivo, "vonage": vonage, "telnyx": telnyx, "android": android, "httpsms": httpsms,
         "standard": standard, "aliyun": aliyun, "tencent": tencent, "huawei": huawei, "http": http_}


class Sites:
    def __init__(self):
        self.texts, self.faults, self.answers = {name: [] for name in SITES}, [], {}
        sites = self

        class Handler(http.server.BaseHTTPRequestHandler):
            body, query = b"", ""

            def do_POST(self):  # pylint: disable=invalid-name
                self.body = self.rfile.read(int(self.headers["Content-Length"]))
                path, _, self.query = self.path.partition("?")
                # The two whose API is at the root sign that path; a header tells them apart.
                name = path.strip("/").partition("/")[0] or self.headers["X-Acs-Version"] and "aliyun" or "tencent"
                script = sites.answers.get(name)
                if script:
                    script.pop(0)(self)
                    return
                try:
                    status, reply, text = SITES[name](self)
                    sites.texts[name].append(text)
                except (Fault, KeyError, ValueError, TypeError, AttributeError) as fault:
                    sites.faults.append((name, repr(fault)))
                    status, reply = 401, {"error": "not as documented"}
                self.answer(status, json.dumps(reply).encode())

            def answer(self, status, body, **headers):
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(body)

            def log_message(self, *_words):  # pylint: disable=arguments-differ
                """`texts` and `faults` are the log."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def url(self, path):
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
