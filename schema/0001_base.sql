-- 0001_base: time, law, reference data, people and their numbers.
-- Applied by hotline_owner. Migrations only ever go forward; functions live in schema/fn and are replaced.

create schema hl;
revoke all on schema hl from public;
grant usage on schema hl to hotline_daemon, hotline_reader, hotline_purge;

-- Case time. One row; only a demo installation may move it (hl.tick_step).
create table hl.clock (
  one       boolean primary key default true check (one),
  is_demo   boolean not null default false,
  offset_us bigint  not null default 0,
  constraint only_a_demo_clock_moves check (is_demo or offset_us = 0)
);
insert into hl.clock default values;

-- plpgsql, because its plan is kept: a SQL function with a FROM is planned anew at every call.
create function hl.now() returns timestamptz language plpgsql volatile parallel safe as $$
begin
  return clock_timestamp() + (select c.offset_us from hl.clock c) * interval '1 microsecond';
end $$;

-- Stable as what they call is, so that they are inlined; hl.us and hl.at_us are each other's inverse.
create function hl.us(t timestamptz) returns bigint language sql stable parallel safe as
$$ select (extract(epoch from t) * 1000000)::bigint $$;

create function hl.at_us(us bigint) returns timestamptz language sql stable parallel safe as
$$ select timestamptz 'epoch' + us * interval '1 microsecond' $$;

create function hl.secs(t timestamptz) returns bigint language sql stable parallel safe as
$$ select floor(extract(epoch from t))::bigint $$;

-- Legal moves, copied from include/hotline/law.def by hotlinectl migrate.
create table hl.law (
  scope text not null check (scope in ('case', 'task')),
  event text not null,
  from_state text not null,
  to_state   text not null,
  primary key (scope, from_state, to_state, event)
);

-- Reference documents as imported, whole and for ever: who changed what, when and why.
create table hl.refdata (
  id        bigint generated always as identity primary key,
  kind      text not null check (kind in ('units', 'case_types', 'limits', 'rules', 'places', 'calendar', 'templates',
                                          'ladder')),
  doc       jsonb not null,
  digest    bytea not null,
  by_user   text not null,
  why       text not null default '',
  at        timestamptz not null default clock_timestamp(),
  is_current boolean not null default true
);
create unique index refdata_one_current on hl.refdata (kind) where is_current;

create table hl.unit (
  code    text primary key check (code ~ '^[A-Z][A-Z0-9-]{1,15}$'),
  name    text not null check (name <> ''),
  name_en text not null default '',
  kind    text not null check (kind in ('hotline', 'office', 'leader', 'oversight', 'authority', 'subdistrict', 'utility',
                                        'property_company')),
  clause  text not null default '',
  is_active boolean not null default true
);

create table hl.case_type (
  code    text primary key check (code ~ '^[A-Z]{3}-[0-9]{1,2}$'),
  name    text not null check (name <> ''),
  lead    text not null,
  co      text[] not null default '{}',
  clause  text not null default '',
  urgency text not null check (urgency in ('normal', 'urgent', 'emergency'))
);

create table hl.compound (
  code        text primary key,
  name        text not null check (name <> ''),
  aliases     text[] not null default '{}',
  community   text not null default '',
  subdistrict text not null references hl.unit,
  property_company text references hl.unit,
  gas_company text references hl.unit,
  is_active boolean not null default true
);

-- People and their numbers: the only table with a phone or a name in it, so that a person can be
-- erased while the history, which knows ids only, stays whole.
create table hl.person (
  id        bigint generated always as identity primary key,
  phone     text unique check (phone ~ '^\+[1-9][0-9]{5,14}$' or phone ~ '^[0-9A-Za-z]{3,15}$'),
  name      text,
  lang      text not null default 'zh-CN',
  is_opted_out boolean not null default false,
  guard_since  timestamptz,
  guard_count  int not null default 0 check (guard_count >= 0),
  wrong_since  timestamptz,
  wrong_count  int not null default 0 check (wrong_count >= 0),
  survey_case  bigint,
  survey_until timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  erased_at  timestamptz,
  constraint an_erased_person_has_no_data check (erased_at is null or (phone is null and name is null))
);

-- Who acts for a unit. Lower rank first; a number belongs to a unit once per role.
create table hl.contact (
  id        bigint generated always as identity primary key,
  unit      text not null references hl.unit,
  person_id bigint not null references hl.person,
  role      text not null check (role in ('officer', 'deputy', 'head', 'duty')),
  rank      smallint not null default 1,
  is_active boolean not null default true,
  verified_at timestamptz,
  unique (unit, person_id, role)
);
create index contact_by_unit on hl.contact (unit, role, rank, id) where is_active;
create index contact_by_person on hl.contact (person_id) where is_active;

-- Small words of the schema's own texts.
create type hl.actor_kind as enum ('reporter', 'officer', 'operator', 'system', 'provider');
