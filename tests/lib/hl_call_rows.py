"""hl_call_rows - rows of calls, recordings and call-backs that break one rule each, for test_invariants.py."""

CALL = ("insert into hl.call (channel, external_id, direction, started_at, asked_at, answered_at, ended_at, outcome, state) values"
        " ('c', {id}, '{way}', now(), {asked}, {answered}, {ended}, {outcome}, '{state}')")
GOOD_CALL = {"id": "'x'", "way": "in", "asked": "null", "answered": "null", "ended": "null", "outcome": "null", "state": "{}"}
OF_CALL = "with made as ({call} returning id) "
EVENT = "insert into hl.call_event (call_id, key, at, kind) select id, '{key}', now(), '{kind}' from made{twice}"
RECORDING = ("insert into hl.recording (call_id, external_id, seconds, urgency, made_at, listen_by, state, message_id, asked, reason)"
             " select id, {ext}, {seconds}, '{urgency}', now(), now() + interval '{minutes} minutes', '{state}', null, {asked}, {reason}"
             " from made{twice}")
GOOD_RECORDING = {"ext": "'r'", "seconds": 3, "urgency": "normal", "minutes": 5, "state": "new", "asked": 0, "reason": "null", "twice": ""}
CALLBACK = ("insert into hl.callback (call_id, reason, urgency, made_at, due_at, done_at, done_by, why)"
            " select id, '{reason}', '{urgency}', now(), now() + interval '{minutes} minutes', {done}, {by}, {why} from made{twice}")
GOOD_CALLBACK = {"reason": "asked", "urgency": "normal", "minutes": 5, "done": "null", "by": "null", "why": "null", "twice": ""}
TWICE = ", generate_series(1, 2)"


def call(**more):
    return CALL.format(**{**GOOD_CALL, **more})


def event(**more):
    return OF_CALL.format(call=call()) + EVENT.format(**{"key": "k", "kind": "step", "twice": "", **more})


def recording(**more):
    return OF_CALL.format(call=call()) + RECORDING.format(**{**GOOD_RECORDING, **more})


def callback(**more):
    return OF_CALL.format(call=call()) + CALLBACK.format(**{**GOOD_CALLBACK, **more})


RULES = {
    "call_external_id_check": [call(id="''")],
    "call_channel_external_id_key": [f"{call()}; {call()}"],
    "call_direction_check": [call(way="up")],
    "call_outcome_check": [call(ended="now()", outcome="'lost'")],
    "call_state_check": [call(state="[]")],
    "answered_after_being_asked": [call(answered="now()"), call(asked="now() - interval '1 s'"),
                                   call(asked="now()", answered="now() - interval '1 s'")],
    "a_call_ends_after_it_began": [call(ended="now() - interval '1 s'", outcome="'heard'")],
    "an_ended_call_says_how": [call(ended="now()"), call(outcome="'heard'")],
    "call_event_key_check": [event(key="")],
    "call_event_kind_check": [event(kind="weather")],
    "call_event_once": [event(twice=TWICE)],
    "recording_external_id_check": [recording(ext="''")],
    "recording_seconds_check": [recording(seconds=-1)],
    "recording_urgency_check": [recording(urgency="soon")],
    "recording_state_check": [recording(state="lost")],
    "recording_asked_check": [recording(asked=-1)],
    "recording_call_id_external_id_key": [recording(twice=TWICE)],
    "a_recording_has_time": [recording(minutes=0)],
    "what_was_heard_has_its_message": [recording(state="heard")],
    "what_must_be_listened_to_says_why": [recording(state="listen")],
    "callback_reason_check": [callback(reason="boredom")],
    "callback_urgency_check": [callback(urgency="soon")],
    "callback_once": [callback(twice=TWICE)],
    "a_callback_has_time": [callback(minutes=0)],
    "a_done_callback_says_who_and_what": [callback(done="now()", by="'x'"), callback(done="now()", why="'w'"), callback(by="'x'", why="'w'"),
                                          callback(done="now()", by="'x'", why="''")],
}
