-- 0025b_calls: calls on the hotline's line, what happened in them, what was recorded, who is to be called back.

-- Somebody whose number takes no texts: what would be texted is read aloud or told by an operator.
alter table hl.person add column is_landline boolean not null default false;
grant update (is_landline) on hl.person to hotline_daemon;

-- A rung may ring somebody instead of texting; so may the notice it becomes.
alter table hl.rung_rule add column is_call boolean not null default false;
alter table hl.notice add column is_call boolean not null default false;
grant select (is_call) on hl.notice to hotline_reader;

-- One call. state is the flow's (daemon/voice/flow.c); version counts its moves, so that two events decided at once do not
-- both count.
create table hl.call (
  id          bigint generated always as identity primary key,
  channel     text not null,
  external_id text not null constraint call_external_id_check check (external_id <> ''),
  direction   text not null constraint call_direction_check check (direction in ('in', 'out')),
  person_id   bigint references hl.person, -- null: number withheld
  sent_to     text not null default '',
  started_at  timestamptz not null,
  asked_at    timestamptz,                 -- a person was asked for
  answered_at timestamptz,                 -- by a person, not by the machine
  ended_at    timestamptz,
  outcome     text constraint call_outcome_check check (outcome in ('talked', 'recorded', 'heard', 'abandoned', 'signed', 'passed',
                                                                    'missed')),
  state       jsonb not null default '{}' constraint call_state_check check (jsonb_typeof(state) = 'object'),
  version     int not null default 0,
  notice_id   bigint references hl.notice, -- out: what it reads
  constraint call_channel_external_id_key unique (channel, external_id),
  constraint answered_after_being_asked check (answered_at >= asked_at and asked_at >= started_at
                                               and (answered_at is null or asked_at is not null)),
  constraint a_call_ends_after_it_began check (ended_at >= started_at),
  constraint an_ended_call_says_how check ((ended_at is null) = (outcome is null))
) with (fillfactor = 70);
create index call_live on hl.call (started_at) where ended_at is null;
create index call_by_time on hl.call using brin (started_at) with (pages_per_range = 32);
create index call_by_person on hl.call (person_id, id) where person_id is not null;

-- A call only goes on: its version rises, its end stands.
create function hl.check_call() returns trigger language plpgsql as $$
begin
  if new.version < old.version or (old.ended_at is not null and new.ended_at is distinct from old.ended_at)
     or (new.channel, new.external_id, new.direction, new.started_at)
        is distinct from (old.channel, old.external_id, old.direction, old.started_at) then
    raise exception 'calls_go_on: call % does not go back', old.id using errcode = 'P0150';
  end if;
  return new;
end $$;
create trigger calls_go_on before update on hl.call for each row execute function hl.check_call();

-- What happened, append-only. key makes a provider's repeat harmless.
create table hl.call_event (
  id      bigint generated always as identity primary key,
  call_id bigint not null references hl.call,
  key     text not null constraint call_event_key_check check (key <> ''),
  at      timestamptz not null,
  kind    text not null constraint call_event_kind_check check (kind in ('ringing', 'answered', 'step', 'ended', 'recording', 'transcript',
                                                                         'cti')),
  data    jsonb not null default '{}',
  constraint call_event_once unique (call_id, key)
);
create function hl.refuse_call_rewrite() returns trigger language plpgsql as $$
begin
  raise exception 'call_events_stand: what happened in a call is not rewritten' using errcode = 'P0150';
end $$;
create trigger call_events_stand before update or delete or truncate on hl.call_event
  for each statement execute function hl.refuse_call_rewrite();

-- What a caller said. The sound is fetched and kept like a photo (hl.media); what was heard in it becomes a message.
create table hl.recording (
  id          bigint generated always as identity primary key,
  call_id     bigint not null references hl.call,
  external_id text not null constraint recording_external_id_check check (external_id <> ''),
  seconds     int constraint recording_seconds_check check (seconds >= 0),
  urgency     text not null default 'normal' constraint recording_urgency_check check (urgency in ('normal', 'urgent', 'emergency')),
  made_at     timestamptz not null,
  listen_by   timestamptz not null,        -- unless somebody reads it before
  state       text not null default 'new' constraint recording_state_check check (state in ('new', 'heard', 'listen')),
  media_id    bigint references hl.media,  -- null: only its words came
  message_id  bigint references hl.message,
  asked       smallint not null default 0 constraint recording_asked_check check (asked >= 0), -- to write it down
  retry_at    timestamptz not null default '-infinity',
  reason      text,
  constraint recording_call_id_external_id_key unique (call_id, external_id),
  constraint a_recording_has_time check (listen_by > made_at),
  constraint what_was_heard_has_its_message check (state <> 'heard' or message_id is not null),
  constraint what_must_be_listened_to_says_why check (state <> 'listen' or reason is not null)
);
create index recording_open on hl.recording (retry_at) where state = 'new';
create index recording_by_media on hl.recording (media_id) where media_id is not null;

-- Whom an operator must ring, by when, and why. Silence, a hang-up, a call nobody took, a recording nobody could read.
create table hl.callback (
  id        bigint generated always as identity primary key,
  call_id   bigint not null references hl.call,
  reason    text not null constraint callback_reason_check check (reason in ('asked', 'abandoned', 'missed', 'number', 'listen', 'outcome')),
  urgency   text not null constraint callback_urgency_check check (urgency in ('normal', 'urgent', 'emergency')),
  made_at   timestamptz not null,
  due_at    timestamptz not null,
  told_at   timestamptz, -- the office, after due_at
  done_at   timestamptz,
  done_by   text,
  why       text,
  constraint callback_once unique (call_id, reason),
  constraint a_callback_has_time check (due_at > made_at),
  constraint a_done_callback_says_who_and_what check ((done_at is null) = (done_by is null) and (done_at is null) = (coalesce(why, '') = ''))
);
create index callback_due on hl.callback (due_at) where done_at is null and told_at is null;
create index callback_open on hl.callback (id) where done_at is null;

create function hl.check_callback() returns trigger language plpgsql as $$
begin
  if old.done_at is not null
     or (new.call_id, new.reason, new.urgency, new.made_at, new.due_at)
        is distinct from (old.call_id, old.reason, old.urgency, old.made_at, old.due_at) then
    raise exception 'callbacks_are_done_once: call-back % is not rewritten', old.id using errcode = 'P0150';
  end if;
  return new;
end $$;
create trigger callbacks_are_done_once before update on hl.callback for each row execute function hl.check_callback();

grant select, insert on hl.call, hl.call_event, hl.recording, hl.callback to hotline_daemon;
grant update (person_id, asked_at, answered_at, ended_at, outcome, state, version) on hl.call to hotline_daemon;
grant update (state, message_id, asked, retry_at, reason) on hl.recording to hotline_daemon;
grant update (told_at, done_at, done_by, why) on hl.callback to hotline_daemon;
grant select (id, channel, direction, started_at, asked_at, answered_at, ended_at, outcome) on hl.call to hotline_reader;
grant select (id, call_id, reason, urgency, made_at, due_at, told_at, done_at) on hl.callback to hotline_reader;
grant usage on all sequences in schema hl to hotline_daemon;
