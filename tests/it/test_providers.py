"""Every provider through the running daemon: its call becomes a message or a receipt, its answer is the one it expects.

The adapters' own tests (tests/unit/test_vectors.c) know every status and code; here the way from the socket to the database
and back is walked once with each, with calls that another implementation signed.
"""
import dataclasses
import itertools
import json

import pytest

import provider_calls as calls
from provider_calls import SECRET

SERIAL = itertools.count(1)
TEXT = "锦绣花园3号楼消防通道被私家车堵死了 & 100%"
EMPTY_XML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'


@dataclasses.dataclass
class Provider:
    """How a provider says that a phone texted, or what became of our text."""
    ack: bytes
    message: object  # (path, id, phone) -> Call
    receipt: object  # (path, external id) -> Call
    forged: object   # (path, id, phone) -> Call that must get 401
    secret: str = SECRET
    is_signed: bool = True
    keys: dict = dataclasses.field(default_factory=dict)


def form(id_, phone):
    return {"MessageSid": id_, "From": phone, "To": "+8610000009999", "Body": TEXT}


def vonage_fields(id_, phone):
    return {"messageId": id_, "msisdn": phone[1:], "to": "8610000009999", "text": TEXT, "type": "unicode"}


def plivo_fields(id_, phone):
    return {"MessageUUID": id_, "From": phone[1:], "To": "8610000009999", "Text": TEXT}


def telnyx_event(id_, phone):
    return {"data": {"id": id_, "event_type": "message.received", "payload": {
        "from": {"phone_number": phone}, "to": [{"phone_number": "+8610000009999"}], "text": TEXT}}}


def android_event(id_, phone):
    return {"event": "sms:received", "id": id_, "payload": {"messageId": "x", "message": TEXT, "sender": phone,
                                                             "recipient": None}}


def httpsms_event(id_, phone):
    return {"type": "message.phone.received", "data": {"message_id": id_, "owner": "+8610000009999", "contact": phone,
                                                       "content": TEXT}}


def standard_event(id_, phone):
    return {"type": "message.received", "data": {"id": id_, "from": phone, "to": "12345", "text": TEXT}}


def aliyun_push(id_, phone):
    return [{"phone_number": phone[3:], "content": TEXT, "send_time": "2026-11-25 15:00:00", "dest_code": "1069",
             "sequence_id": id_}]


def tencent_push(id_, phone):
    return {"nationcode": "86", "mobile": phone[3:], "text": TEXT, "time": int(id_.rpartition("-")[2] or 0), "extend": ""}


def huawei_push(id_, phone):
    return {"smsMsgId": id_, "from": phone, "to": "1069", "body": TEXT}


def http_push(id_, phone):
    return {"list": [{"id": id_, "from": phone, "text": TEXT}]}


PROVIDERS = {
    "twilio": Provider(
        EMPTY_XML, lambda p, i, n: calls.twilio(p, form(i, n)),
        lambda p, x: calls.twilio(p + "/receipt", {"MessageSid": x, "MessageStatus": "delivered"}),
        lambda p, i, n: calls.twilio(p, form(i, n), "another-token")),
    "plivo": Provider(
        EMPTY_XML, lambda p, i, n: calls.plivo(p, plivo_fields(i, n)),
        lambda p, x: calls.plivo(p + "/receipt?n=1", {"MessageUUID": x, "Status": "delivered"}),
        lambda p, i, n: calls.plivo(p, plivo_fields(i, n), "another-token")),
    "vonage": Provider(
        b"", lambda p, i, n: calls.vonage(p, vonage_fields(i, n)),
        lambda p, x: calls.vonage(p + "/receipt", {"messageId": x, "status": "delivered"}),
        lambda p, i, n: calls.vonage(p, vonage_fields(i, n), age=400), keys={"signature_method": "sha256"}),
    "telnyx": Provider(
        b"{}", lambda p, i, n: calls.telnyx(p, telnyx_event(i, n)),
        lambda p, x: calls.telnyx(p, {"data": {"id": "e", "event_type": "message.finalized", "payload": {
            "id": x, "to": [{"status": "delivered"}]}}}),
        lambda p, i, n: calls.telnyx(p, telnyx_event(i, n), age=400), secret=calls.ED25519_PUBLIC),
    "android": Provider(
        b"{}", lambda p, i, n: calls.android(p, android_event(i, n)),
        lambda p, x: calls.android(p, {"event": "sms:delivered", "id": "e", "payload": {"messageId": x}}),
        lambda p, i, n: calls.android(p, android_event(i, n), age=400)),
    "httpsms": Provider(
        b"{}", lambda p, i, n: calls.httpsms(p, httpsms_event(i, n)),
        lambda p, x: calls.httpsms(p, {"type": "message.phone.delivered", "data": {"id": x}}),
        lambda p, i, n: calls.httpsms(p, httpsms_event(i, n), age=700)),
    "standard": Provider(
        b"{}", lambda p, i, n: calls.standard(p, standard_event(i, n)),
        lambda p, x: calls.standard(p + "/receipt", {"type": "message.status", "data": {"id": x, "status": "delivered"}}),
        lambda p, i, n: calls.standard(p, standard_event(i, n), age=400), secret="whsec_" + calls.STANDARD_KEY),
    "aliyun": Provider(
        '{"code":0,"msg":"接收成功"}'.encode(), lambda p, i, n: calls.unsigned(p, aliyun_push(i, n)),
        lambda p, x: calls.unsigned(p + "/receipt", [{"biz_id": x, "success": True, "err_code": "DELIVERED"}]),
        lambda p, i, n: calls.Call(p, calls.dump(aliyun_push(i, n))), is_signed=False),
    "tencent": Provider(
        b'{"result":0,"errmsg":"OK"}', lambda p, i, n: calls.unsigned(p, tencent_push(i, n)),
        lambda p, x: calls.unsigned(p + "/receipt", [{"sid": x, "report_status": "SUCCESS", "errmsg": "DELIVRD"}]),
        lambda p, i, n: calls.Call(p, calls.dump(tencent_push(i, n))), is_signed=False),
    "huawei": Provider(
        b"", lambda p, i, n: calls.unsigned(p, huawei_push(i, n)),
        lambda p, x: calls.unsigned(p + "/receipt", {"smsMsgId": x, "status": "DELIVRD"}),
        lambda p, i, n: calls.Call(p, b"smsMsgId=1&from=1&to=1&body=1"), is_signed=False),
    "http": Provider(
        b"OK", lambda p, i, n: calls.unsigned(p, http_push(i, n)),
        lambda p, x: calls.unsigned(p + "/receipt", {"list": [{"id": x, "status": "delivered"}]}),
        lambda p, i, n: calls.Call(p, calls.dump(http_push(i, n))), is_signed=False, keys={"in_list": "list", "ack": "OK"}),
}


@pytest.fixture(scope="module", name="gateway")
def make_gateway(cluster, database):
    """One daemon with a channel of every provider, which only receives."""
    import hl_testlib  # pylint: disable=import-outside-toplevel
    folder = cluster.make_folder("secrets")
    sections = {"http": {"public_url": calls.PUBLIC}}
    for name, provider in PROVIDERS.items():
        path = folder / name
        path.write_text(f"{provider.secret}\n", encoding="ascii")
        path.chmod(0o600)
        cluster.own(path)
        sections[f"channel {name}"] = {"provider": name, "secret_file": path, "from": "12345", **provider.keys}
    daemon = hl_testlib.Daemon(cluster, database, sections=sections).start()
    yield daemon
    daemon.stop()


def make(daemon, call):
    return daemon.http(call.method, call.path, call.body, call.headers)


def new_id():
    return f"id-{1764041000 + next(SERIAL)}"


def new_phone():
    return f"+861000000{8000 + next(SERIAL):04d}"


def messages(daemon, name, phone):
    return daemon.sql("select m.text from hl.message m join hl.person p on p.id = m.person_id "
                      "where m.channel = %s and p.phone = %s", [name, phone])


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_text_is_stored_once_and_answered_as_the_provider_expects(gateway, name):
    provider, id_, phone = PROVIDERS[name], new_id(), new_phone()
    for _ in range(2):
        reply = make(gateway, provider.message(f"/hook/{name}", id_, phone))
        assert (reply.status, reply.body) == (200, provider.ack)
    assert messages(gateway, name, phone) == [{"text": TEXT}]


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_call_that_is_forged_or_old_changes_nothing(gateway, name):
    provider, phone = PROVIDERS[name], new_phone()
    reply = make(gateway, provider.forged(f"/hook/{name}", new_id(), phone))
    assert reply.status == 401, reply.body
    assert not messages(gateway, name, phone)


@pytest.mark.parametrize("name", [name for name, p in PROVIDERS.items() if not p.is_signed])
def test_a_wrong_secret_in_the_path_is_no_path(gateway, name):
    call = PROVIDERS[name].message(f"/hook/{name}", new_id(), new_phone())
    call.path = call.path.replace(SECRET, "wrong-webhook-secret-012345678")
    assert make(gateway, call).status == 404


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_receipt_is_kept_and_answered_as_the_provider_expects(gateway, name):
    provider, external = PROVIDERS[name], new_id()
    reply = make(gateway, provider.receipt(f"/hook/{name}", external))
    assert (reply.status, reply.body) == (200, provider.ack)
    assert gateway.sql("select state from hl.receipt where channel = %s and external_id = %s", [name, external]) == [
        {"state": "delivered"}]


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_true_call_that_says_nothing_we_can_read_gets_400_with_the_field(gateway, name):
    provider = PROVIDERS[name]
    call = provider.message(f"/hook/{name}", "", new_phone())
    if name in ("android", "telnyx", "httpsms", "standard"):
        call = getattr(calls, name)(f"/hook/{name}", {"nothing": 1})
    elif name == "tencent":
        call = calls.unsigned(f"/hook/{name}", {"nothing": 1})
    reply = make(gateway, call)
    assert reply.status == 400 and ":" in json.loads(reply.body)["error"], reply.body


def test_no_secret_and_no_number_is_in_the_log(gateway):
    log = gateway.log()
    for provider in PROVIDERS.values():
        assert provider.secret not in log
    assert not gateway.disclosures()
