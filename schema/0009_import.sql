-- 0009_import: who changed the configuration and why, for every kind; duty rosters with leave.

-- One line per import that changed something. Keys of rows, never numbers or names of people.
create table hl.config_change (
  id      bigint generated always as identity primary key,
  kind    text not null check (kind ~ '^[a-z_]+$'),
  by_user text not null check (by_user <> ''),
  why     text not null default '',
  at      timestamptz not null default clock_timestamp(),
  added   int not null check (added >= 0),
  changed int not null check (changed >= 0),
  removed int not null check (removed >= 0),
  keys    jsonb not null default '[]',
  refdata_id bigint references hl.refdata
);

create function hl.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the history of the configuration is append-only' using errcode = 'P0190';
end $$;
create trigger config_history_is_append_only before update or delete on hl.config_change
  for each row execute function hl.refuse_change();
create trigger config_history_is_never_truncated before truncate on hl.config_change
  for each statement execute function hl.refuse_change();

-- When a contact is on duty, or away. week: every week on those days (1 = Monday) between two minutes of the local day;
-- dates: between two instants, for holidays and exchanges; leave: not there between two instants.
create table hl.roster (
  id         bigint generated always as identity primary key,
  contact_id bigint not null references hl.contact,
  kind       text not null check (kind in ('week', 'dates', 'leave')),
  days       smallint[],
  from_min   smallint,
  until_min  smallint,
  from_at    timestamptz,
  until_at   timestamptz,
  zone       text not null,
  note       text not null default '',
  is_active  boolean not null default true,
  constraint a_duty_has_its_span check (
    (kind = 'week' and days is not null and cardinality(days) > 0 and from_min is not null and until_min is not null
     and from_at is null and until_at is null)
    or (kind <> 'week' and days is null and from_min is null and until_min is null
        and from_at is not null and until_at is not null)),
  constraint a_duty_ends_after_it_begins check (coalesce(until_min > from_min, true) and coalesce(until_at > from_at, true)),
  constraint a_duty_lies_within_a_day check (days <@ '{1,2,3,4,5,6,7}' and from_min >= 0 and until_min <= 1440)
);
create index roster_by_contact on hl.roster (contact_id) where is_active;

-- Two people cannot be first at once: a unit's duties of one kind and role do not overlap. Leave of two people may.
create function hl.check_roster() returns trigger language plpgsql as $$
begin
  if new.is_active and exists (
      select from hl.roster o join hl.contact oc on oc.id = o.contact_id join hl.contact nc on nc.id = new.contact_id
      where o.is_active and o.id <> new.id and o.kind = new.kind and oc.unit = nc.unit and oc.role = nc.role
        and (new.kind <> 'leave' or o.contact_id = new.contact_id)
        and case when new.kind = 'week'
                 then o.days && new.days and o.from_min < new.until_min and new.from_min < o.until_min
                 else o.from_at < new.until_at and new.from_at < o.until_at end) then
    raise exception 'duty % overlaps another one of its unit and role', new.id using errcode = 'P0191';
  end if;
  return null;
end $$;
create constraint trigger duties_do_not_overlap after insert or update on hl.roster
  deferrable initially deferred for each row execute function hl.check_roster();

grant select on hl.config_change, hl.roster to hotline_daemon, hotline_reader;
grant insert on hl.config_change, hl.roster to hotline_daemon;
grant update (is_active) on hl.roster to hotline_daemon;
grant usage on all sequences in schema hl to hotline_daemon;
