-- 0008_supervision: working time and timed jobs in the database, rungs that know what makes them moot, notices held back or
-- put together within a provider's limits, contacts that give no sign of life.

-- Working time of the current calendar, so that a text about a normal matter waits for the next opening.
create table hl.opening (
  opens  timestamptz primary key,
  closes timestamptz not null,
  day    date not null,
  constraint an_opening_has_time check (closes > opens)
);

-- What is done at a time of its own. Whoever holds the row does it: two daemons do nothing twice.
create table hl.job (
  name    text primary key constraint job_name_check check (name in ('digest', 'muster', 'watch')),
  due_at  timestamptz,     -- null: not planned yet
  is_stop boolean not null -- a demo clock stops there
);
insert into hl.job values ('digest', null, true), ('muster', null, true), ('watch', null, false);

-- unless: events of the task since its last such rung that leave nothing to say. is_kept: never held back, never dropped
-- because something newer is said.
alter table hl.rung_rule add column unless text[] not null default '{}',
                         add column is_kept boolean not null default false;

-- held: why a queued notice waits. bundle_id: the notice that carries this one's text.
alter table hl.notice add column is_kept boolean not null default false,
                      add column held text,
                      add column bundle_id bigint references hl.notice,
                      drop constraint notice_state_check,
                      drop constraint an_end_without_success_has_a_reason;
alter table hl.notice
  add constraint notice_state_check check (state in ('queued', 'sending', 'accepted', 'delivered', 'undelivered', 'refused',
                                                     'unknown', 'expired', 'dropped', 'bundled')),
  add constraint an_end_without_success_has_a_reason
    check (state not in ('refused', 'dropped', 'unknown', 'expired') or reason is not null),
  add constraint what_is_bundled_names_its_carrier check ((state = 'bundled') = (bundle_id is not null)),
  add constraint what_must_go_is_never_held check (held is null or not is_kept);
create index notice_held on hl.notice (not_before) where state = 'queued' and held is not null;
create index notice_unsettled on hl.notice (made_at) where state = 'unknown';
create index notice_by_bundle on hl.notice (bundle_id) where bundle_id is not null;

-- An outcome nobody told for days is a state of its own; a late receipt still moves it on.
create or replace function hl.notice_rank(state text) returns int language sql immutable as $$
  select case state when 'queued' then 0 when 'sending' then 1 when 'unknown' then 2 when 'expired' then 3 when 'accepted' then 4
                    else 5 end
$$;

-- What a provider takes for one phone (from the templates' document): at most n texts in a span, of all or of equal ones.
create table hl.budget (
  provider text not null, -- '*': any that is not named
  span     interval not null check (span > interval '0'),
  n        int not null check (n > 0),
  is_same  boolean not null,
  primary key (provider, span, is_same)
);
-- What was sent to a phone of late, newest last: the row is also the lock under which a budget is spent.
create table hl.phone_budget (
  person_id bigint not null references hl.person,
  channel   text not null,
  sent      timestamptz[] not null default '{}',
  texts     bigint[] not null default '{}',
  primary key (person_id, channel),
  constraint every_sending_has_its_text check (cardinality(sent) = cardinality(texts))
) with (fillfactor = 50);

-- Tables that follow the current documents.
create function hl.take_document() returns trigger language plpgsql security definer set search_path = hl, pg_temp as $$
begin
  if new.kind = 'calendar' then
    perform hl.spread_calendar(new.doc);
  else
    perform hl.spread_budgets(new.doc);
  end if;
  return null;
end $$;
create trigger documents_are_followed after insert or update of is_current on hl.refdata
  for each row when (new.is_current and new.kind in ('calendar', 'templates')) execute function hl.take_document();

-- dead_since: no receipt, signature or reply to the last notices.
alter table hl.contact add column dead_since timestamptz;
-- The monthly question whether a contact still reads what is sent.
create table hl.muster (
  person_id   bigint not null references hl.person,
  month       date not null check (extract(day from month) = 1),
  asked_at    timestamptz not null,
  answered_at timestamptz,
  message_id  bigint references hl.message,
  primary key (person_id, month),
  constraint an_answer_comes_after_its_question check (answered_at >= asked_at),
  constraint an_answer_has_its_message check ((answered_at is null) = (message_id is null))
);
create index muster_open on hl.muster (person_id) where answered_at is null;

-- An installation that has its documents already.
insert into hl.opening (opens, closes, day)
  select to_timestamp((x->>0)::bigint), to_timestamp((x->>1)::bigint), date '1970-01-01' + (x->>2)::int
  from hl.refdata r cross join jsonb_array_elements(r.doc->'intervals') x where r.kind = 'calendar' and r.is_current;

grant select on hl.opening, hl.job, hl.budget, hl.phone_budget, hl.muster to hotline_daemon, hotline_reader;
grant select (is_kept, held, bundle_id) on hl.notice to hotline_reader;
grant update (due_at) on hl.job to hotline_daemon;
grant insert, update (sent, texts) on hl.phone_budget to hotline_daemon;
grant insert, update (answered_at, message_id) on hl.muster to hotline_daemon;
grant update (held, bundle_id) on hl.notice to hotline_daemon;
