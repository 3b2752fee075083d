"""provider_calls - webhooks as each provider would make them, signed with Python's hmac and hashlib (Ed25519 by openssl).

Nothing of the project's own code is used, so that a signature that both sides understand alike is understood rightly.
"""
import base64
import dataclasses
import hashlib
import hmac
import json
import pathlib
import subprocess
import tempfile
import time
import urllib.parse

SECRET = "demo-webhook-secret-0123456789"
PUBLIC = "https://hotline.example"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
# RFC 8032, test 1, as PKCS #8; the raw public key behind it.
ED25519_PRIVATE = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g"
ED25519_PUBLIC = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
STANDARD_KEY = base64.b64encode(b"demo-standard-webhook-key").decode()


@dataclasses.dataclass
class Call:
    """One request of a provider: what is sent to the daemon."""
    path: str
    body: bytes = b""
    headers: dict = dataclasses.field(default_factory=dict)
    method: str = "POST"


def mac(digest, key, text, is_hex=False):
    made = hmac.new(key if isinstance(key, bytes) else key.encode(), text if isinstance(text, bytes) else text.encode(),
                    getattr(hashlib, digest)).digest()
    return made.hex() if is_hex else base64.b64encode(made).decode()


def dump(value):
    return json.dumps(value, ensure_ascii=False).encode()


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def ed25519(text):
    with tempfile.TemporaryDirectory() as folder:
        key, data = pathlib.Path(folder, "key"), pathlib.Path(folder, "data")
        key.write_text(f"-----BEGIN PRIVATE KEY-----\n{ED25519_PRIVATE}\n-----END PRIVATE KEY-----\n", encoding="ascii")
        data.write_bytes(text)
        done = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", data], check=True,
                              capture_output=True, timeout=30)
    return base64.b64encode(done.stdout).decode()


def twilio(path, fields, secret=SECRET):
    text = PUBLIC + path + "".join(key + value for key, value in sorted(fields.items()))
    return Call(path, urllib.parse.urlencode(fields).encode(),
                {"Content-Type": FORM, "X-Twilio-Signature": mac("sha1", secret, text)})


def plivo(path, fields, secret=SECRET):
    base, _, query = path.partition("?")
    text = PUBLIC + base + "?" + query + ("." if query else "") + "".join(k + v for k, v in sorted(fields.items())) + ".n1"
    return Call(path, urllib.parse.urlencode(fields).encode(),
                {"Content-Type": FORM, "X-Plivo-Signature-V3": mac("sha256", secret, text),
                 "X-Plivo-Signature-V3-Nonce": "n1"})


def vonage(path, fields, secret=SECRET, age=0):
    fields = {**fields, "timestamp": str(int(time.time()) - age)}
    text = "".join(f"&{key}={value.replace('&', '_').replace('=', '_')}" for key, value in sorted(fields.items()))
    return Call(path, urllib.parse.urlencode({**fields, "sig": mac("sha256", secret, text, True)}).encode(),
                {"Content-Type": FORM})


def telnyx(path, event, age=0):
    body, now = dump(event), str(int(time.time()) - age)
    return Call(path, body, {"Content-Type": JSON, "telnyx-timestamp": now,
                             "telnyx-signature-ed25519": ed25519(now.encode() + b"|" + body)})


def android(path, event, secret=SECRET, age=0):
    body, now = dump(event), str(int(time.time()) - age)
    return Call(path, body, {"Content-Type": JSON, "X-Timestamp": now,
                             "X-Signature": mac("sha256", secret, body + now.encode(), True)})


def httpsms(path, event, secret=SECRET, age=0):
    now = int(time.time()) - age
    claims = {"iss": "api.httpsms.com", "aud": [PUBLIC + path], "nbf": now - 600, "exp": now + 600}
    text = base64url(dump({"alg": "HS256", "typ": "JWT"})) + "." + base64url(dump(claims))
    token = text + "." + base64url(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())
    return Call(path, dump(event), {"Content-Type": JSON, "Authorization": f"Bearer {token}"})


def standard(path, event, key=STANDARD_KEY, age=0):
    body, now = dump(event), str(int(time.time()) - age)
    text = b"msg_1." + now.encode() + b"." + body
    return Call(path, body, {"Content-Type": JSON, "webhook-id": "msg_1", "webhook-timestamp": now,
                             "webhook-signature": "v1," + mac("sha256", base64.b64decode(key), text)})


def unsigned(path, content, secret=SECRET):
    """For providers that sign nothing: the secret stands in the path, before what is below it."""
    name, _, below = path.removeprefix("/hook/").partition("/")
    whole = f"/hook/{name}/{secret}" + (f"/{below}" if below else "")
    is_form = isinstance(content, dict) and "smsMsgId" in content
    body = urllib.parse.urlencode(content).encode() if is_form else dump(content)
    return Call(whole, body, {"Content-Type": FORM if is_form else JSON})
