-- 0002_cases: messages, cases, tasks, append-only chained history, ladders.

-- Every text from a phone, raw bytes included. (channel, external_id) makes a provider's repeat harmless.
create table hl.message (
  id          bigint generated always as identity primary key,
  channel     text not null,
  external_id text not null check (external_id <> ''),
  person_id   bigint references hl.person,
  sent_to     text not null default '',
  text        text,
  raw         bytea,
  salt        bytea not null,
  digest      bytea not null, -- of salt and text (hl.seal_message): the history may keep it when the text is erased
  received_at timestamptz not null,
  state       text not null default 'pending' check (state in ('pending', 'handled')),
  outcome     text,
  case_id     bigint,
  claimed_until timestamptz,
  claims      smallint not null default 0,
  unique (channel, external_id),
  constraint handled_says_how check ((state = 'handled') = (outcome is not null))
);
create index message_pending on hl.message (id) where state = 'pending';
create index message_by_person on hl.message (person_id, id);

-- Rows the database refused inside a batch: kept raw, shown to an operator, never lost.
create table hl.quarantine (
  id          bigint generated always as identity primary key,
  channel     text not null,
  external_id text not null,
  item        text not null,
  reason      text not null,
  at          timestamptz not null default clock_timestamp(),
  unique (channel, external_id)
);

create sequence hl.case_serial;
-- Case numbers are YY-NNNNNN; a year's numbers start behind its base.
create table hl.case_year (
  year smallint primary key,
  base bigint not null
);

create table hl.case (
  id        bigint primary key,
  code      text not null unique check (code ~ '^[0-9]{2}-[0-9]{6,9}$'),
  type      text not null references hl.case_type,
  urgency   text not null check (urgency in ('normal', 'urgent', 'emergency')),
  state     text not null,
  compound  text references hl.compound,
  place     text not null default '',
  confidence real not null default 0,
  why       text not null default '',
  is_sure   boolean not null default false, -- the class reached the bound
  is_unverified boolean not null default false,
  reporters int not null default 1 check (reporters >= 0),
  chases    int not null default 0 check (chases >= 0),
  redos     smallint not null default 0 check (redos between 0 and 2),
  reopens   smallint not null default 0 check (reopens between 0 and 2),
  opened_at timestamptz not null,
  done_at   timestamptz,
  closed_at timestamptz,
  head_seq  int not null default 0,
  head_hash bytea,
  constraint done_cases_know_when check (state <> 'done' or done_at is not null),
  constraint closed_cases_know_when check (state <> 'closed' or closed_at is not null)
) with (fillfactor = 60); -- its head moves with every event: room for versions on the same page, no index touched
create index case_open_by_place on hl.case (compound, type, place)
  where state in ('review', 'dispatched', 'working', 'waiting', 'reopened');
create index case_for_operators on hl.case (opened_at) where state in ('review', 'reopened', 'done');

create table hl.report (
  id         bigint generated always as identity primary key,
  case_id    bigint not null references hl.case,
  message_id bigint unique references hl.message,
  person_id  bigint references hl.person,
  at         timestamptz not null,
  withdrawn_at timestamptz
);
create index report_by_case on hl.report (case_id);
create index report_by_person on hl.report (person_id, case_id);

create table hl.task (
  id        bigint generated always as identity primary key,
  case_id   bigint not null references hl.case,
  unit      text not null references hl.unit,
  role      text not null check (role in ('lead', 'co')),
  state     text not null,
  urgency   text not null check (urgency in ('normal', 'urgent', 'emergency')),
  assigned_at timestamptz not null,
  sign_by   timestamptz not null,
  arrive_by timestamptz,
  close_by  timestamptz not null,
  is_provisional boolean not null default false,
  holder    bigint references hl.person,
  signed_at timestamptz,
  arrived_at timestamptz,
  done_at   timestamptz,
  result    text,
  constraint limits_in_order check (sign_by > assigned_at and close_by >= sign_by
                                    and (arrive_by is null or arrive_by > assigned_at)),
  constraint signed_tasks_know_when check (state not in ('signed', 'arrived') or signed_at is not null),
  constraint arrived_tasks_know_when check (state <> 'arrived' or arrived_at is not null),
  constraint done_tasks_know_when check (state <> 'done' or (done_at is not null and result is not null))
) with (fillfactor = 80);
-- A closed lead makes room: a case that was reopened gets a new one.
create unique index one_lead_task_per_case on hl.task (case_id)
  where role = 'lead' and state not in ('handed_back', 'withdrawn', 'closed');
create unique index one_open_task_per_unit on hl.task (case_id, unit)
  where state not in ('handed_back', 'withdrawn', 'closed');
create index task_by_case on hl.task (case_id);
create index task_open_by_unit on hl.task (unit, id) where state in ('dispatched', 'signed', 'arrived', 'handback', 'done');

-- The code by which one person names one task. Unique among all codes that person ever got.
create table hl.notice_code (
  task_id   bigint not null references hl.task,
  person_id bigint not null references hl.person,
  code      text not null check (code ~ '^[0-9A-HJKMNP-TV-Z]{5}$'),
  primary key (task_id, person_id),
  unique (person_id, code)
);

-- History: one chain per case. Append-only; hl.chain_event fills seq, prev and hash.
create table hl.event (
  case_id    bigint not null references hl.case,
  seq        int not null,
  at         timestamptz not null,
  kind       text not null check (kind ~ '^[a-z][a-z_]*$'),
  task_id    bigint references hl.task,
  actor      hl.actor_kind not null,
  person_id  bigint references hl.person,
  operator   text check (operator <> '' and operator !~ '[|[:cntrl:]]'), -- '|' parts the fields under the hash
  message_id bigint references hl.message,
  from_state text,
  to_state   text,
  data       jsonb not null default '{}',
  digest     bytea,
  prev_hash  bytea,
  hash       bytea not null,
  primary key (case_id, seq),
  constraint a_move_names_both_ends check ((from_state is null) = (to_state is null)),
  constraint an_operator_has_a_name check ((actor = 'operator') = (operator is not null)),
  constraint a_handback_has_reason_and_unit check (kind <> 'handback_asked'
                                                   or (coalesce(data->>'reason', '') <> '' and data ? 'unit'))
);
create index event_by_task on hl.event (task_id, seq) where task_id is not null;
create unique index one_extension_per_task on hl.event (task_id) where kind = 'extension_granted';

-- Hourly roll-up over all heads, so that a head can be printed and kept on paper.
create table hl.head_rollup (
  at     timestamptz primary key,
  cases  bigint not null,
  hash   bytea not null
);

-- The running clock of a task (or of a case in review): its rungs, and which is next.
create table hl.ladder (
  id      bigint generated always as identity primary key,
  case_id bigint not null references hl.case,
  task_id bigint references hl.task,
  rungs   text[] not null,
  dues    timestamptz[] not null,
  pos     smallint not null default 1,
  due_at  timestamptz,
  constraint as_many_dues_as_rungs check (cardinality(rungs) = cardinality(dues) and cardinality(rungs) between 1 and 16),
  constraint due_is_the_next_rung check (due_at is null or due_at = dues[pos])
) with (fillfactor = 70);
create index ladder_by_case on hl.ladder (case_id);
create unique index one_ladder_per_task on hl.ladder (task_id) where task_id is not null;
create unique index one_review_ladder_per_case on hl.ladder (case_id) where task_id is null and due_at is not null;
-- THE index by which due work is found: only running clocks are in it, the earliest first.
create index ladder_due on hl.ladder (due_at) where due_at is not null;
