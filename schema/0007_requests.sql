-- 0007_requests: what units and reporters ask the centre for, what a result must say, joint enforcement, disputes, and
-- the 24-hour duty of property companies.

-- A hand-back, more time or assistance asked by a unit; a case to be reopened asked by a reporter. Calendars are not known
-- here: the instants were computed by pure code, and the row is refused when they do not fit each other.
create table hl.request (
  id         bigint generated always as identity primary key,
  kind       text not null check (kind in ('handback', 'extend', 'assist', 'reopen')),
  case_id    bigint not null references hl.case,
  task_id    bigint references hl.task,
  person_id  bigint references hl.person,
  message_id bigint references hl.message,
  reason     text not null default '',
  unit       text references hl.unit, -- whose it is, or who should help; null: not known
  days       smallint,
  close_by   timestamptz, -- the limit that is granted when more time is
  asked_at   timestamptz not null,
  ask_until  timestamptz not null, -- the last instant at which it may be asked
  answer_by  timestamptz not null,
  late_at    timestamptz, -- when it went unanswered to the supervisor
  state      text not null default 'pending' check (state in ('pending', 'granted', 'refused', 'lapsed')),
  answered_at timestamptz,
  answered_by text,
  why        text,
  constraint only_a_reporter_asks_without_a_task check ((kind = 'reopen') = (task_id is null)),
  constraint asked_within_its_window check (asked_at <= ask_until),
  constraint the_answer_has_time check (answer_by > asked_at),
  constraint a_unit_says_why check (kind = 'reopen' or reason <> ''),
  constraint more_time_names_days_and_limit check ((kind = 'extend') = (days is not null)
                                                   and (kind = 'extend') = (close_by is not null)
                                                   and (days is null or days between 1 and 60)),
  constraint an_answer_has_time_and_author check ((state = 'pending') = (answered_at is null)
                                                  and (state in ('granted', 'refused')) = (answered_by is not null)),
  constraint a_refusal_says_why check (state <> 'refused' or coalesce(why, '') <> '')
) with (fillfactor = 80);
create unique index one_pending_request_per_kind on hl.request (task_id, kind) where state = 'pending' and task_id is not null;
create unique index one_pending_reopen_per_case on hl.request (case_id) where state = 'pending' and kind = 'reopen';
create unique index more_time_is_granted_once on hl.request (task_id) where state = 'granted' and kind = 'extend';
create index request_pending on hl.request (answer_by) where state = 'pending';
create index request_by_case on hl.request (case_id);

-- An answer stands, and what was asked is not rewritten.
create function hl.check_answer() returns trigger language plpgsql as $$
begin
  if old.state <> 'pending' then
    raise exception 'answered_once: request % is % already', old.id, old.state using errcode = 'P0140';
  end if;
  if (old.kind, old.case_id, old.task_id, old.reason, old.unit, old.days, old.close_by, old.asked_at, old.ask_until)
     is distinct from (new.kind, new.case_id, new.task_id, new.reason, new.unit, new.days, new.close_by, new.asked_at, new.ask_until) then
    raise exception 'answered_once: what request % asks for is not rewritten', old.id using errcode = 'P0140';
  end if;
  return new;
end $$;
create trigger requests_are_answered_once before update on hl.request for each row execute function hl.check_answer();

-- is_frozen: units pushed the case to and fro (推诿); its lead is the one of the duty table, and no unit hands it back.
-- close_by of a task that was handed on is the one of the task before it, even if that is nearer than the time to sign.
alter table hl.case add column is_frozen boolean not null default false;
alter table hl.task add column facts jsonb not null default '{}' check (jsonb_typeof(facts) = 'object'),
                    add column is_handed_on boolean not null default false;
alter table hl.task drop constraint limits_in_order;
alter table hl.task add constraint limits_in_order check (sign_by > assigned_at and (close_by >= sign_by or is_handed_on)
                                                         and (arrive_by is null or arrive_by > assigned_at));

create function hl.check_handback() returns trigger language plpgsql as $$
begin
  if new.kind = 'handback' and exists (select from hl.case c where c.id = new.case_id and c.is_frozen) then
    raise exception 'handback_frozen: the lead of this case is settled, it is not handed back any more' using errcode = 'P0140';
  end if;
  return new;
end $$;
create trigger a_frozen_case_is_not_handed_back before insert on hl.request for each row execute function hl.check_handback();

-- What a result must say before the lead task of a case of that type is done.
alter table hl.case_type add column demands text[] not null default '{}'
  check (demands <@ array['is_true', 'contacted', 'solved', 'how', 'evidence']);
create function hl.check_result() returns trigger language plpgsql as $$
declare missing text;
begin
  if new.state = 'done' and old.state <> 'done' and new.role = 'lead' then
    select d into missing from hl.case c join hl.case_type t on t.code = c.type cross join unnest(t.demands) d
      where c.id = new.case_id and coalesce(new.facts->>d, '') = ''
        and not (d = 'evidence' and exists (select from hl.event e where e.case_id = c.id and e.kind = 'photo'))
      limit 1;
    if missing is not null then
      raise exception 'result_%: a result of this type must say it', missing using errcode = 'P0140';
    end if;
    if new.facts->>'solved' = 'false' and coalesce(new.facts->>'why_not', new.result, '') = '' then
      raise exception 'result_why_not: what is not solved needs a reason' using errcode = 'P0140';
    end if;
  end if;
  return new;
end $$;
create trigger a_result_says_what_its_type_demands before update of state on hl.task
  for each row execute function hl.check_result();

-- Joint enforcement: when and where all units of a case meet, and who was there.
create table hl.rollcall (
  id        bigint generated always as identity primary key,
  case_id   bigint not null references hl.case,
  at        timestamptz not null,
  place     text not null check (place <> ''),
  count_at  timestamptz not null, -- who has not come by then is absent
  called_by text not null,
  called_at timestamptz not null,
  counted_at timestamptz,
  constraint counted_after_it_began check (count_at > at and at > called_at)
);
create unique index one_open_rollcall_per_case on hl.rollcall (case_id) where counted_at is null;
create table hl.attendance (
  rollcall_id bigint not null references hl.rollcall,
  task_id     bigint not null references hl.task,
  present_at  timestamptz,
  person_id   bigint references hl.person,
  primary key (rollcall_id, task_id),
  constraint somebody_was_there check ((present_at is null) = (person_id is null))
);

-- What the next joint meeting talks about.
create table hl.agenda (
  id       bigint generated always as identity primary key,
  case_id  bigint not null references hl.case,
  reason   text not null check (reason in ('disputed', 'joint', 'overdue')),
  added_at timestamptz not null,
  settled_at timestamptz,
  settled_by text,
  decision text,
  constraint a_decision_has_time_and_author check ((settled_at is null) = (settled_by is null)
                                                   and (settled_at is null) = (coalesce(decision, '') = ''))
);
create unique index one_open_agenda_entry on hl.agenda (case_id, reason) where settled_at is null;

-- A property company that finds a violation has a day to photograph, stop and report it (notice, three stages).
create table hl.duty (
  id       bigint generated always as identity primary key,
  case_id  bigint not null unique references hl.case,
  unit     text not null references hl.unit,
  person_id bigint not null references hl.person,
  found_at timestamptz not null,
  due_at   timestamptz not null,
  missed   text[], -- stages that were empty at due_at; null: not yet counted
  constraint a_duty_runs_a_day check (due_at = found_at + interval '24 hours'),
  constraint stages_of_the_duty check (missed <@ array['photo', 'stopped'])
);
create index duty_by_person on hl.duty (person_id) where missed is null;

-- Each of these has a clock of its own beside those of tasks and reviews.
alter table hl.ladder add column request_id bigint references hl.request,
                      add column rollcall_id bigint references hl.rollcall,
                      add column duty_id bigint references hl.duty,
                      add constraint a_ladder_has_one_subject check (num_nonnulls(task_id, request_id, rollcall_id, duty_id) <= 1);
drop index hl.one_review_ladder_per_case;
create unique index one_review_ladder_per_case on hl.ladder (case_id)
  where num_nonnulls(task_id, request_id, rollcall_id, duty_id) = 0 and due_at is not null;
create unique index one_ladder_per_request on hl.ladder (request_id) where request_id is not null;
create unique index one_ladder_per_rollcall on hl.ladder (rollcall_id) where rollcall_id is not null;
create unique index one_ladder_per_duty on hl.ladder (duty_id) where duty_id is not null;

-- By when the desk may be texted about a report that is not pressing.
alter type hl.intake_item add attribute desk_us bigint;

grant select on hl.request, hl.rollcall, hl.attendance, hl.agenda, hl.duty to hotline_daemon;
grant select (id, kind, case_id, task_id, unit, days, close_by, asked_at, ask_until, answer_by, late_at, state, answered_at,
  answered_by) on hl.request to hotline_reader;
grant select on hl.rollcall, hl.attendance, hl.agenda, hl.duty to hotline_reader;
grant insert on hl.request, hl.rollcall, hl.attendance, hl.agenda, hl.duty to hotline_daemon;
grant update (state, answered_at, answered_by, why, late_at) on hl.request to hotline_daemon;
grant update (counted_at) on hl.rollcall to hotline_daemon;
grant update (present_at, person_id) on hl.attendance to hotline_daemon;
grant update (settled_at, settled_by, decision) on hl.agenda to hotline_daemon;
grant update (missed) on hl.duty to hotline_daemon;
grant update (is_frozen) on hl.case to hotline_daemon;
grant update (facts) on hl.task to hotline_daemon;
grant usage on all sequences in schema hl to hotline_daemon;
grant select, update (reason, why) on hl.request to hotline_purge;
