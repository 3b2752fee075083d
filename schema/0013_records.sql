-- 0013_records: who took what out of the records, and the way to a range of days without reading every case.

-- Every export, before its first row is read. The rows are read under the query that stands here, so that what was
-- logged is what was taken. Never changed, never deleted.
create table hl.export (
  id       bigint generated always as identity primary key,
  kind     text not null check (kind in ('ledger', 'form')),
  by_user  text not null check (by_user <> ''),
  why      text not null default '',
  is_named boolean not null default false, -- with reporters' names and numbers
  query    jsonb not null,
  first_id bigint not null default 1,      -- cases first_id to last_id may match
  last_id  bigint not null default 0,
  at       timestamptz not null default clock_timestamp(),
  constraint reporters_are_named_for_a_reason check (not is_named or why <> '')
);
grant select, insert on hl.export to hotline_daemon;
grant select on hl.export to hotline_reader;

-- Cases are opened in the order of their numbers: a few bytes per thousand rows find the days.
create index case_by_day on hl.case using brin (opened_at) with (pages_per_range = 32);
