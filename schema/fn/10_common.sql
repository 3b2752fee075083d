-- Small parts shared by the flow functions.

-- A notice code of 20 bits: four characters, and their check character by Luhn modulo 32 (the last character counts
-- doubled, then every other one); daemon/talk/code.c computes the same.
create or replace function hl.code_of(bits int) returns text language plpgsql immutable as $$
declare
  alphabet constant text := '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  a constant int := bits & 31;
  b constant int := bits >> 5 & 31;
  c constant int := bits >> 10 & 31;
  d constant int := bits >> 15 & 31;
begin
  return substr(alphabet, a + 1, 1) || substr(alphabet, b + 1, 1) || substr(alphabet, c + 1, 1) || substr(alphabet, d + 1, 1)
    || substr(alphabet, (128 - a - 2 * b / 32 - 2 * b % 32 - c - 2 * d / 32 - 2 * d % 32) % 32 + 1, 1);
end $$;

-- A fresh notice code: 20 random bits from the server's strong generator.
create or replace function hl.new_code() returns text language plpgsql volatile as $$
declare random constant bytea := uuid_send(gen_random_uuid());
begin
  return hl.code_of(get_byte(random, 0) << 12 | get_byte(random, 1) << 4 | get_byte(random, 2) >> 4);
end $$;

-- Gives every (task, person) pair a code, unique among all codes of that person.
create or replace function hl.issue_codes(tasks bigint[], persons bigint[]) returns void language plpgsql as $$
declare
  wanted int;
  made int;
begin
  for tries in 1..20 loop
    with w as (
      select distinct w.task, w.person from unnest(tasks, persons) w (task, person)
      where w.person is not null
        and (select c.code from hl.notice_code c where c.task_id = w.task and c.person_id = w.person) is null),
    ins as (
      insert into hl.notice_code (task_id, person_id, code)
        select w.task, w.person, hl.new_code() from w
        on conflict do nothing returning 1)
    select (select count(*) from w), (select count(*) from ins) into wanted, made;
    exit when made = wanted; -- else one of them had that code already
  end loop;
end $$;

-- How near to duty a contact is at this moment of case time: 0 by dates, 1 by the week, 2 by rank alone, 3 on leave.
create or replace function hl.duty_of(of_contact bigint) returns smallint language plpgsql stable as $$
declare
  at_now constant timestamptz := hl.now();
begin
  return coalesce((
    select case when bool_or(r.kind = 'leave') then 3 else min(case r.kind when 'dates' then 0 else 1 end) end
    from hl.roster r
    cross join lateral (select at_now at time zone r.zone as local) t
    where r.contact_id = of_contact and r.is_active
      and case when r.kind = 'week'
               then extract(isodow from t.local)::smallint = any (r.days)
                    and extract(hour from t.local) * 60 + extract(minute from t.local) >= r.from_min
                    and extract(hour from t.local) * 60 + extract(minute from t.local) < r.until_min
               else r.from_at <= at_now and r.until_at > at_now end), 2)::smallint;
end $$;

-- Is anybody of a unit in that role not on leave?
create or replace function hl.somebody_present(of_unit text, of_role text) returns boolean language sql stable as $$
  select exists (select from hl.contact c where c.unit = of_unit and c.role = of_role and c.is_active
                 and c.verified_at is not null and hl.duty_of(c.id) < 3)
$$;

-- Who stands behind a rung's audience for a unit, best first: who gives signs of life and is not on leave before who does
-- not; a deputy before such an officer; who is on duty before the others. Who is on leave is left out while there is
-- somebody of the role.
create or replace function hl.contacts(of_unit text, of_role text) returns table (person_id bigint)
language sql stable as $$
  select c.person_id from hl.contact c
  -- without rosters nobody's duty is asked for
  cross join lateral (select case when (select exists (select from hl.roster)) then hl.duty_of(c.id) else 2 end) d (duty)
  where c.unit = of_unit and (c.role = of_role or (of_role = 'officer' and c.role = 'deputy'))
    and c.is_active and c.verified_at is not null
    and (d.duty < 3 or not hl.somebody_present(of_unit, of_role))
  order by d.duty = 3 or c.dead_since is not null, c.role <> of_role, d.duty, c.rank, c.id
$$;

-- Would a text reach that person as somebody of the unit who is there?
-- plpgsql, because its plan is kept: it is asked of every rung that is due.
create or replace function hl.is_present(who bigint, of_unit text) returns boolean language plpgsql stable as $$
begin
  return who is not null and exists (
    select from hl.contact c where c.person_id = who and c.unit = of_unit and c.is_active
                 and c.verified_at is not null and c.dead_since is null
                 and (not exists (select from hl.roster) or hl.duty_of(c.id) < 3));
end $$;

-- A landline by its number, unless it proved otherwise: whoever texted us, or is a unit's contact, can be texted.
create or replace function hl.takes_no_texts(who bigint) returns boolean language sql stable as $$
  select p.is_landline and not exists (select from hl.contact c where c.person_id = p.id and c.is_active)
    and not exists (select from hl.message m where m.person_id = p.id and m.external_id !~ '^(rec|call):')
  from hl.person p where p.id = who
$$;

-- The rank of a lane, as hl.lane has it (0003).
create or replace function hl.lane_rank(of_name text) returns smallint language plpgsql immutable as $$
begin
  return case of_name when 'emergency' then 1 when 'reply' then 2 when 'dispatch' then 3 when 'reminder' then 4
                      when 'bulk' then 5 end::smallint;
end $$;

-- The lead task of a case: the latest, since a case that was reopened gets another one.
create or replace function hl.lead_task(of_case bigint) returns setof hl.task language sql stable as $$
  select * from hl.task k where k.case_id = of_case and k.role = 'lead' and k.state not in ('handed_back', 'withdrawn')
  order by k.id desc limit 1
$$;

-- The number of a new case: two digits of the year, and a serial that starts at 1 every year.
create or replace function hl.year_base(at timestamptz) returns bigint language plpgsql as $$
declare
  y smallint := extract(year from at at time zone 'Asia/Shanghai');
  b bigint;
begin
  select base into b from hl.case_year where year = y;
  if b is null then
    -- Whoever opens the year's first case fixes the base before it draws its own number.
    insert into hl.case_year (year, base) values (y, nextval('hl.case_serial')) on conflict do nothing;
    select base into b from hl.case_year where year = y;
  end if;
  return b;
end $$;

create or replace function hl.case_code(at timestamptz, id bigint, base bigint) returns text language sql stable as $$
  select to_char(at at time zone 'Asia/Shanghai', 'YY') || '-' ||
         case when id - base < 1000000 then lpad((id - base)::text, 6, '0') else (id - base)::text end
$$;
