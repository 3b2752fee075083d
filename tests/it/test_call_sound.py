"""What callers say, from the platform's file to words: fetched after the answer, kept by content, written down, listened to."""
import hashlib
import pathlib
import subprocess
import urllib.parse

import pytest

import hl_testlib
from caller import Httapi, Jambonz, Twiml
from hl_media import MediaServer
from hl_testlib import wait_for
from provider_calls import PUBLIC, SECRET
from transcriber import Transcriber

REPORT = "锦绣花园{}号楼消防通道被私家车堵死了"


@pytest.fixture(scope="module", name="voice")
def make_voice(tmp_path_factory):
    """A WAV with a voice in it, made by espeak-ng."""
    path = tmp_path_factory.mktemp("voice") / "report.wav"
    subprocess.run(["espeak-ng", "-w", path, "the fire lane at building three is blocked by cars"], check=True, timeout=60)
    sound = path.read_bytes()
    assert sound[:4] == b"RIFF" and len(sound) > 20000
    return sound


@pytest.fixture(scope="module", name="sites")
def make_sites():
    sites = (MediaServer(), Transcriber())
    yield sites
    for site in sites:
        site.stop()


@pytest.fixture(scope="module", name="line")
def make_line(cluster, database, sites):
    folder = cluster.make_folder("sound-secrets")
    for name, content in (("secret", SECRET), ("key", "sk-demo")):
        (folder / name).write_text(content + "\n", encoding="utf-8")
        (folder / name).chmod(0o600)
        cluster.own(folder / name)
    common = {"secret_file": folder / "secret", "signature": "县民生热线", "from": "+8610000009999"}
    daemon = hl_testlib.Daemon(cluster, database, sections={
        "http": {"public_url": PUBLIC, "body_bytes": 1 << 20},
        "db": {"deadline_ms": 1000},
        "media": {"inside": "127.0.0.1"},
        "voice": {"transcribe_url": sites[1].url, "transcribe_key_file": folder / "key", "transcribe_ms": 1500},
        "channel line": {"provider": "twilio", "media_allow": f"http://127.0.0.1:{sites[0].port}", **common},
        "channel jam": {"provider": "jambonz", **common},
        "channel desk": {"provider": "cti", **common},
        "channel switch": {"provider": "freeswitch", "gateway": "sofia/gateway/county/", **common}})
    daemon.start()
    daemon.ctl("tick", "--to", "2027-03-01T11:00:00+08:00")
    yield daemon
    daemon.stop()


def spoken(line, phone, url):
    """A call whose recording lies at a URL; hung up afterwards."""
    call = Twiml(line, "line", phone).start().stay_silent()
    call.record(RecordingUrl=url)
    call.hang_up()
    return call


def recording(line, call):
    (row,) = line.sql("select r.*, m.state as media_state, m.digest, m.reason as media_reason from hl.recording r"
                      " join hl.call c on c.id = r.call_id left join hl.media m on m.id = r.media_id where c.external_id = %s", (call.id,))
    return row


def case_of(line, call):
    rows = line.sql("select c.code, c.state, c.urgency from hl.case c join hl.message m on m.case_id = c.id join hl.recording r"
                    " on r.message_id = m.id join hl.call l on l.id = r.call_id where l.external_id = %s", (call.id,))
    return rows[0] if rows else None


def test_a_recording_is_fetched_kept_written_down_and_becomes_a_case_that_holds_its_digest(line, sites, voice):
    media, transcriber = sites
    transcriber.answers = [transcriber.says(REPORT.format(1))]
    call = spoken(line, "+8610000000901", media.file("/one.wav", voice, "audio/x-wav"))
    case = wait_for(lambda: case_of(line, call), what=lambda: line.log()[-2000:])
    assert case["state"] == "dispatched"
    row = recording(line, call)
    assert row["state"] == "heard" and bytes(row["digest"]) == hashlib.sha256(voice).digest()
    name = hashlib.sha256(voice).hexdigest()
    assert (line.folder / "media" / name[:2] / f"{name}.wav").read_bytes() == voice
    sent = transcriber.seen[-1]
    assert sent["file"] == voice and sent["model"] == b"whisper-1" and sent["key"] == "Bearer sk-demo" and sent["language"] == b"zh"
    wait_for(lambda: line.sql("select 1 from hl.event e join hl.case c on c.id = e.case_id where c.code = %s and e.kind = 'recording'"
                              " and e.data->>'sha256' = %s", (case["code"], name)), what="the digest in the history")
    wait_for(lambda: any(case["code"] in sms["text"] for sms in line.ctl("phone", call.phone)["inbox"]), what="the receipt")


def test_an_endpoint_that_fails_is_asked_again_and_one_that_hangs_is_let_go(line, sites, voice):
    media, transcriber = sites
    transcriber.answers = [(500, {}), Transcriber.hang, transcriber.says(REPORT.format(2))]
    call = spoken(line, "+8610000000902", media.file("/two.wav", voice))
    wait_for(lambda: recording(line, call)["asked"] == 1)
    for tries in (1, 2):
        wait_for(lambda: recording(line, call)["asked"] == tries and len(line.log_lines("transcript.failed")) >= tries, what=tries)
        line.sql("update hl.recording set retry_at = '-infinity' where state = 'new'")
    assert wait_for(lambda: case_of(line, call))["state"] == "dispatched"
    assert recording(line, call)["asked"] == 3


def test_doubtful_words_wait_for_an_operator_and_silence_or_a_refusal_is_listened_to(line, sites, voice, tmp_path):
    media, transcriber = sites
    transcriber.answers = [transcriber.says(REPORT.format(3), sure=-2)]
    doubtful = spoken(line, "+8610000000903", media.file("/three.wav", voice))
    assert wait_for(lambda: case_of(line, doubtful))["state"] == "review"
    for serial, answer, why in ((9904, transcriber.says(""), "nothing could be heard"), (9905, (400, {}), "the transcription refused it")):
        transcriber.answers = [answer]
        call = spoken(line, f"+861000000{serial}", media.file(f"/{serial}.wav", voice))
        wait_for(lambda: recording(line, call)["state"] == "listen", what=why)
        assert recording(line, call)["reason"] == why
        (owed,) = line.sql("select b.* from hl.callback b join hl.call c on c.id = b.call_id where c.external_id = %s", (call.id,))
        assert owed["reason"] == "listen" and owed["due_at"] == recording(line, call)["listen_by"]
    line.ctl("callbacks", "--out", tmp_path / "sound")
    assert [path.read_bytes() for path in (tmp_path / "sound").iterdir()] == [voice, voice]


@pytest.mark.parametrize("fault", ["empty", "200 MB", "no sound", "inside", "slow drip"])
def test_a_file_that_is_none_is_given_up_and_somebody_must_ring(line, sites, voice, fault):
    media, _ = sites
    url = {"empty": lambda: media.file("/empty.wav", b""), "200 MB": lambda: media.endless("/endless.wav", True),
           "no sound": lambda: media.file("/page.wav", b"<html>not a sound</html>" * 100, "audio/x-wav"),
           "inside": lambda: "http://127.0.0.2/x.wav", "slow drip": lambda: media.drip("/drip.wav")}[fault]()
    call = spoken(line, f"+861000000{9910 + len(fault)}", url)
    if fault != "slow drip":  # which takes its minute; by then the limit has come
        wait_for(lambda: recording(line, call)["media_state"] == "given_up", timeout=30, what=lambda: recording(line, call))
    made = recording(line, call)
    line.sql("update hl.recording set made_at = made_at - interval '11 minutes' where id = %s", (made["id"],))
    wait_for(lambda: recording(line, call)["state"] == "listen")
    assert line.sql("select 1 from hl.callback b join hl.call c on c.id = b.call_id where c.external_id = %s", (call.id,))


def test_jambonz_brings_the_words_with_the_step_and_is_signed(line):
    call = Jambonz(line, "jam", "+8610000000921").start()
    assert "县民生热线" in call.said and call.wants[0] == "gather" and call.wants[1]["input"] == ["digits"]
    call.stay_silent()
    call.record(REPORT.format(4))
    assert "短信" in call.said and call.wants[0] == "hangup"
    assert case_of(line, call)["state"] == "dispatched"
    call.hang_up()
    again = Jambonz(line, "jam", "+8610000000921").start().press("1")
    assert again.wants[0] == "dial" and again.wants[2] == ["+8610000000100"]
    again.dialed("no-answer")
    assert "回电" in again.said
    again.hang_up()
    forged = Jambonz(line, "jam", "+8610000000922")
    assert forged.post(forged.url, forged.body({}), secret="other").status == 401
    assert forged.post(forged.url, forged.body({}), age=400).status == 401
    assert forged.post(forged.url, []).status == 400
    silent = Jambonz(line, "jam", "+8610000000923").start()
    silent.hang_up("no-answer")
    assert line.sql("select 1 from hl.callback b join hl.call c on c.id = b.call_id where c.external_id = %s", (silent.id,))


def test_freeswitch_pushes_the_sound_which_is_on_disk_before_it_is_answered(line, sites, voice):
    _, transcriber = sites
    transcriber.answers = [transcriber.says(REPORT.format(5))]
    call = Httapi(line, "switch", "+8610000000931").start()
    assert "录音" in call.said and call.wants[0] == "speak" and call.wants[1]["name"] == "keys"
    call.stay_silent()
    assert call.wants[0] == "record"
    call.upload(voice)
    name = hashlib.sha256(voice).hexdigest()
    row = recording(line, call)
    assert row["media_state"] == "kept" and bytes(row["digest"]).hex() == name
    assert pathlib.Path(line.folder, "media", name[:2], f"{name}.wav").read_bytes() == voice
    call.hang_up()
    assert wait_for(lambda: case_of(line, call))["state"] == "dispatched"
    dialled = Httapi(line, "switch", "+8610000000932").start().press("1")
    assert dialled.wants[0] == "dial" and "sofia/gateway/county/+8610000000100" in dialled.wants[2]
    dialled.dialed("USER_BUSY")
    assert dialled.wants[0] == "record"
    # What is no sound counts as silence: the caller is asked again, and then promised a call.
    dialled.upload(b"<html>")
    assert "没有听到" in dialled.said and dialled.wants[0] == "record" and not line.sql(
        "select 1 from hl.recording r join hl.call c on c.id = r.call_id where c.external_id = %s", (dialled.id,))
    dialled.hang_up()
    wrong = Httapi(line, "switch", "+8610000000933")
    wrong.url = wrong.url.replace(SECRET, "another-secret-0123456789")
    assert wrong.post(wrong.url, wrong.form({})).status == 404
    assert line.http("POST", dialled.url, b"--x\r\nbroken", {"Content-Type": "multipart/form-data; boundary=x"}).status == 400


def test_an_operators_telephone_tells_who_rings_and_a_missed_call_is_owed_one(line):
    def tell(event, call, **more):
        fields = {"event": event, "callId": call, "direction": "in", "from": "8610000000921", "to": "8610000000100", **more}
        return line.http("POST", f"/hook/desk/{SECRET}/voice/status", urllib.parse.urlencode(fields),
                         {"Content-Type": "application/x-www-form-urlencoded"})

    assert tell("newCall", "d1").status == 200
    (live,) = [c for c in line.ctl("calls", "--live")["calls"] if c["channel"] == "desk"]
    assert live["phone"] == "+8610000000921" and live["asked"] and not live["answered"] and live["cases"][0]["unit"]
    assert tell("answer", "d1").status == tell("answer", "d1").status == tell("hangup", "d1").status == tell("hangup", "d1").status == 200
    tell("newCall", "d2", **{"from": "8610000000941"})
    tell("hangup", "d2", cause="cancel")
    outcomes = {row["external_id"]: row["outcome"] for row in line.sql("select external_id, outcome from hl.call where channel = 'desk'")}
    assert outcomes == {"d1": "talked", "d2": "abandoned"}
    owed = line.sql("select l.external_id from hl.callback b join hl.call l on l.id = b.call_id where l.channel = 'desk'")
    assert owed == [{"external_id": "d2"}]
    assert line.http("POST", "/hook/desk/wrong-secret-0123456789/voice/status", "event=newCall").status == 404
