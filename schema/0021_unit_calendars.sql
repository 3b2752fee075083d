-- 0021_unit_calendars: units that keep other hours than the county.

-- calendar: the name of a unit's calendar; '' is the county's.
alter table hl.opening add column calendar text not null default '',
                       drop constraint opening_pkey,
                       add primary key (calendar, opens);

-- Which calendar holds for a unit, or for a kind of unit (hl_refdata_calendar decides the same).
create table hl.unit_calendar (
  scope    text not null constraint a_calendar_is_a_units_or_a_kinds check (scope in ('unit', 'unit_kind')),
  name     text not null,
  calendar text not null check (calendar <> ''),
  primary key (scope, name)
);
grant select on hl.unit_calendar to hotline_daemon, hotline_reader;

-- A function of schema/fn that takes another argument now.
drop function if exists hl.text_time(timestamptz);
