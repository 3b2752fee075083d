-- 0003_notices: what goes out, each try of sending it, and what came back.

-- is_resent: an unknown outcome is sent once more, marked; replies and surveys never are.
create table hl.lane (
  name text primary key,
  rank smallint not null unique,
  is_resent boolean not null
);
insert into hl.lane values ('emergency', 1, true), ('reply', 2, false), ('dispatch', 3, true), ('reminder', 4, true),
  ('bulk', 5, false);

-- The ladder as data: at which rung, in which task states, who gets which text.
create table hl.rung_rule (
  rung     text not null,
  urgency  text not null check (urgency in ('normal', 'urgent', 'emergency')),
  applies  text[] not null,
  audience text not null check (audience in ('officer', 'deputy', 'head', 'office', 'leaders', 'duty')),
  template text not null,
  lane     text not null references hl.lane,
  primary key (rung, urgency, audience)
);

create table hl.notice (
  id         bigint generated always as identity primary key,
  case_id    bigint references hl.case,
  task_id    bigint references hl.task,
  message_id bigint references hl.message,
  person_id  bigint not null references hl.person,
  kind       text not null,
  template   text not null,
  params     jsonb not null default '{}',
  dedupe     text not null unique,
  lane       smallint not null references hl.lane (rank),
  channel    text,
  applies    text[],
  not_before timestamptz not null,
  not_after  timestamptz,
  state      text not null default 'queued' check (state in ('queued', 'sending', 'accepted', 'delivered', 'undelivered',
                                                             'refused', 'unknown', 'dropped')),
  tries      smallint not null default 0,
  is_resend  boolean not null default false,
  retry_at   timestamptz not null default '-infinity',
  lease_epoch bigint,
  lease_until timestamptz,
  reason     text,
  made_at    timestamptz not null,
  constraint a_lease_has_an_end check ((state = 'sending') = (lease_until is not null)),
  constraint an_end_without_success_has_a_reason check (state not in ('refused', 'dropped', 'unknown') or reason is not null)
) with (fillfactor = 70);
create index notice_queue on hl.notice (lane, id) where state = 'queued';
create index notice_later on hl.notice (not_before) where state = 'queued';
create index notice_by_task on hl.notice (task_id) where task_id is not null;
create index notice_leased on hl.notice (lease_until) where state = 'sending';
create index notice_unknown on hl.notice (retry_at) where state = 'unknown' and not is_resend;
create index notice_by_case on hl.notice (case_id, id);
create index notice_by_person on hl.notice (person_id, id);
create index notice_by_message on hl.notice (message_id) where message_id is not null;

create sequence hl.lease_epoch;

-- One row per try, committed before the request leaves. text is what was sent, erased with the person.
create table hl.attempt (
  id         bigint generated always as identity primary key,
  notice_id  bigint not null references hl.notice,
  n          smallint not null,
  channel    text not null,
  epoch      bigint not null,
  started_at timestamptz not null default clock_timestamp(),
  sent_at    timestamptz not null,
  outcome    text check (outcome in ('accepted', 'later', 'refused', 'config', 'unknown', 'not_sent', 'delivered',
                                     'undelivered')),
  external_id text,
  detail     text,
  text       text,
  parts      smallint,
  settled_at timestamptz,
  unique (notice_id, n),
  constraint settled_with_an_outcome check ((outcome is null) = (settled_at is null))
);
create index attempt_by_external on hl.attempt (channel, external_id) where external_id is not null;

create table hl.receipt (
  id         bigint generated always as identity primary key,
  attempt_id bigint references hl.attempt,
  channel    text not null,
  external_id text,
  state      text not null check (state in ('buffered', 'delivered', 'undelivered', 'rejected', 'other')),
  status     text not null default '',
  at         timestamptz not null default clock_timestamp()
);
create index receipt_by_attempt on hl.receipt (attempt_id);
