-- Jobs of their own time: the supervisors' digest, the monthly roll-call of contacts, and the watch over silence.

-- ---- working time ----------------------------------------------------------------------------------------------------

create or replace function hl.spread_calendar(doc jsonb) returns void language plpgsql as $$
begin
  delete from hl.opening;
  delete from hl.unit_calendar;
  insert into hl.opening (calendar, opens, closes, day)
    select c.name, to_timestamp((x->>0)::bigint), to_timestamp((x->>1)::bigint), date '1970-01-01' + (x->>2)::int
    from (select '' as name, doc->'intervals' as intervals
          union all select e->>'name', e->'intervals' from jsonb_array_elements(coalesce(doc->'calendars', '[]')) e) c
    cross join jsonb_array_elements(c.intervals) x;
  insert into hl.unit_calendar (scope, name, calendar)
    select s.scope, w, e->>'name'
    from jsonb_array_elements(coalesce(doc->'calendars', '[]')) e
    cross join (values ('unit', 'units'), ('unit_kind', 'unit_kinds')) s (scope, list)
    cross join jsonb_array_elements_text(coalesce(e->s.list, '[]')) w;
  update hl.job set due_at = null where is_stop;
end $$;

-- By which calendar a unit works; hl_refdata_calendar says the same. '': the county's.
create or replace function hl.calendar_of(of_unit text) returns text language plpgsql stable as $$
begin
  return coalesce((select c.calendar from hl.unit_calendar c where c.scope = 'unit' and c.name = of_unit),
                  (select c.calendar from hl.unit_calendar c join hl.unit u on u.kind = c.name
                   where c.scope = 'unit_kind' and u.code = of_unit), '');
end $$;

-- When a text about a normal matter may go: now inside working time, else at the next opening. Limits end at the close of
-- business, so what falls due then still goes: half an hour behind it. Without a calendar nothing waits.
create or replace function hl.text_time(at_now timestamptz, by_calendar text default '') returns timestamptz language sql stable as $$
  select case when exists (select from (select o.closes from hl.opening o where o.calendar = by_calendar and o.opens <= at_now
                                        order by o.opens desc limit 1) last
                           where last.closes + interval '30 minutes' >= at_now) then at_now
              else coalesce((select min(o.opens) from hl.opening o where o.calendar = by_calendar and o.opens > at_now), at_now) end
$$;

create or replace function hl.county_zone() returns text language sql stable as $$
  select coalesce((select r.doc->>'zone' from hl.refdata r where r.kind = 'calendar' and r.is_current), 'Asia/Shanghai')
$$;

-- A value of the ladder's document, {path}.
create or replace function hl.supervision(path text[]) returns jsonb language sql stable as $$
  select r.doc #> path from hl.refdata r where r.kind = 'ladder' and r.is_current
$$;

-- ---- jobs ------------------------------------------------------------------------------------------------------------

create or replace function hl.run_jobs(at_now timestamptz) returns void language plpgsql as $$
declare j hl.job;
begin
  for j in select * from hl.job where due_at is null or due_at <= at_now order by name for no key update skip locked loop
    if j.due_at is not null then
      case j.name
      when 'digest' then perform hl.send_digests(at_now, j.due_at);
      when 'muster' then perform hl.call_muster(at_now);
      when 'watch' then
        perform hl.watch_contacts(at_now);
        perform hl.expire_unknowns(at_now);
        perform hl.cover_leave(j.due_at - interval '15 minutes', at_now);
      end case;
    end if;
    update hl.job set due_at = hl.next_run(j.name, at_now) where name = j.name;
  end loop;
end $$;

-- The first instant behind at_now at which a job is due. A calendar without that day leaves it to the next calendar.
create or replace function hl.next_run(job text, at_now timestamptz) returns timestamptz language plpgsql stable as $$
declare
  zone constant text := hl.county_zone();
  today constant date := (at_now at time zone zone)::date;
begin
  if job = 'watch' then
    return at_now + interval '15 minutes';
  elsif job = 'digest' then
    return coalesce((
      select min(t.at) from (select distinct o.day from hl.opening o where o.calendar = '' and o.day >= today order by 1 limit 2) d
      cross join lateral (select (d.day + (hl.supervision('{digest,at}')#>>'{}')::time) at time zone zone as at) t
      where t.at > at_now), 'infinity');
  end if;
  return coalesce((
    select min(t.at) from generate_series(date_trunc('month', today), today + interval '1 month', interval '1 month') m
    cross join lateral (select (min(o.day) + (hl.supervision('{muster,at}')#>>'{}')::time) at time zone zone as at from hl.opening o
                        where o.calendar = '' and o.day >= m::date + hl.supervision('{muster,day}')::int - 1) t
    where t.at > at_now), 'infinity');
end $$;

-- ---- digest ----------------------------------------------------------------------------------------------------------

-- Who gets a digest, and of which unit; null: of all.
create or replace function hl.digest_readers() returns table (person_id bigint, unit text) language sql stable as $$
  select distinct on (s.person_id, s.unit) s.person_id, s.unit from (
    select c.person_id, case when c.role = 'head' then c.unit end as unit
    from hl.contact c join hl.unit u on u.code = c.unit
    where c.is_active and c.verified_at is not null
      and (c.role = 'head' or (c.role = 'duty' and u.kind in ('office', 'leader')))) s
  where s.unit is null or not exists (
    select from hl.contact c join hl.unit u on u.code = c.unit
    where c.person_id = s.person_id and c.is_active and c.role = 'duty' and u.kind in ('office', 'leader'))
$$;

-- One SMS to each supervisor with something open: counts, and the cases that are late longest or due first. One that is
-- hours late because nobody was there is left out; tomorrow's says it.
create or replace function hl.send_digests(at_now timestamptz, due timestamptz) returns void language plpgsql as $$
declare
  zone constant text := hl.county_zone();
  today constant date := (at_now at time zone zone)::date;
  tonight constant timestamptz := (today + 1)::timestamp at time zone zone;
  since constant timestamptz := ((select max(o.day) from hl.opening o where o.calendar = '' and o.day < today)
                                 + (due at time zone zone)::time) at time zone zone;
begin
  if (due at time zone zone)::date <> today then
    return;
  end if;
  create temp table if not exists standing (unit text, open int, unsigned int, overdue int, today int, red int) on commit drop;
  create temp table if not exists worst (unit text, task_id bigint, close_by timestamptz) on commit drop;
  insert into standing
    select k.unit, count(*), count(*) filter (where k.state = 'dispatched' and k.sign_by < at_now), count(*) filter (where k.close_by < at_now),
           count(*) filter (where k.close_by >= at_now and k.close_by < tonight),
           count(*) filter (where k.close_by < at_now and k.close_by >= since)
    from hl.task k where k.state in ('dispatched', 'signed', 'arrived', 'handback') group by k.unit;
  insert into worst
    select w.unit, w.id, w.close_by
    from standing s cross join lateral (
      select k.unit, k.id, k.close_by from hl.task k
      where k.unit = s.unit and k.state in ('dispatched', 'signed', 'arrived', 'handback')
      order by k.close_by, k.id limit coalesce(hl.supervision('{digest,worst}')::int, 3)) w;
  insert into hl.notice (person_id, kind, template, params, dedupe, lane, not_before, not_after, made_at)
    select p.person_id, 'digest', 'digest', p.counts || hl.worst_params(p.units, at_now),
           format('digest:%s:%s', today, p.person_id), hl.lane_rank('reminder'), at_now, tonight, at_now
    from (select v.person_id, array_agg(distinct v.unit) as units,
                 jsonb_build_object('open', sum(s.open), 'unsigned', sum(s.unsigned), 'overdue', sum(s.overdue), 'today', sum(s.today),
                                    'red', sum(s.red)) as counts
          from hl.digest_readers() v join standing s on v.unit is null or s.unit = v.unit group by v.person_id) p
    on conflict (dedupe) do nothing;
end $$;

-- The worst three of some units ({null}: of all) as parameters case1, place1, late1, due1, ...: how many days late, or when due.
create or replace function hl.worst_params(units text[], at_now timestamptz) returns jsonb language sql stable as $$
  select coalesce(jsonb_object_agg(e.key || w.nth, e.value), '{}')
  from (select x.*, row_number() over (order by x.close_by, x.task_id) as nth from worst x
        where units = array[null]::text[] or x.unit = any (units) order by x.close_by, x.task_id
        limit coalesce(hl.supervision('{digest,worst}')::int, 3)) w
  join hl.task k on k.id = w.task_id join hl.case c on c.id = k.case_id left join hl.compound p on p.code = c.compound
  cross join lateral jsonb_each(jsonb_build_object('case', c.code,
    'place', coalesce(nullif(c.place, ''), p.name, ''), 'chases', case when c.chases > 0 then c.chases::text else '' end)
    || case when w.close_by < at_now then jsonb_build_object('late', ceil(extract(epoch from at_now - w.close_by) / 86400)::int)
            else jsonb_build_object('due', hl.secs(w.close_by)) end) e
$$;

-- ---- signs of life ---------------------------------------------------------------------------------------------------

-- The monthly question to every contact; the answer is a 1, and any text is a sign of life.
create or replace function hl.call_muster(at_now timestamptz) returns void language plpgsql as $$
declare of_month constant date := date_trunc('month', at_now at time zone hl.county_zone())::date;
begin
  insert into hl.muster (person_id, month, asked_at)
    select distinct c.person_id, of_month, at_now from hl.contact c join hl.person p on p.id = c.person_id
    where c.is_active and c.verified_at is not null and p.phone is not null
    on conflict do nothing;
  insert into hl.notice (person_id, kind, template, params, dedupe, lane, not_before, not_after, made_at)
    select m.person_id, 'muster', 'muster', '{}', format('muster:%s:%s', of_month, m.person_id), hl.lane_rank('bulk'), at_now,
           at_now + interval '3 days', at_now
    from hl.muster m where m.month = of_month and m.asked_at = at_now
    on conflict (dedupe) do nothing;
end $$;

create or replace function hl.answer_muster(a jsonb) returns text language plpgsql as $$
begin
  update hl.muster set answered_at = hl.now(), message_id = (a->>'message')::bigint
    where person_id = (a->>'person')::bigint and answered_at is null
      and month = (select max(month) from hl.muster where person_id = (a->>'person')::bigint);
  return case when found then 'ok' else 'stale' end;
end $$;

-- The last notices that ask something of a contact: none received, and not a word since. Such a contact's deputy is asked
-- first from now on, and his superiors are told; one who speaks again is back.
create or replace function hl.watch_contacts(at_now timestamptz) returns void language plpgsql as $$
declare
  depth constant int := hl.supervision('{dead,notices}')::int;
  kinds constant text[] := array(select jsonb_array_elements_text(hl.supervision('{dead,kinds}')));
  silent bigint[];
  died bigint[];
begin
  select coalesce(array_agg(p.person_id), '{}') into silent
  from (select distinct person_id from hl.contact where is_active and verified_at is not null) p
  cross join lateral (
    select count(*) as n, min(s.made_at) as since, bool_or(s.state = 'delivered') as is_received
    from (select n.made_at, n.state from hl.notice n
          where n.person_id = p.person_id and n.tries > 0 and hl.rung_base(n.kind) = any (kinds)
            and n.state in ('accepted', 'delivered', 'undelivered', 'refused', 'unknown', 'expired')
          order by n.id desc limit depth) s) last
  where last.n >= depth and not last.is_received
    and not exists (select from hl.message m where m.person_id = p.person_id and m.received_at >= last.since);
  update hl.contact c set dead_since = null where c.dead_since is not null and not (c.person_id = any (silent));
  with gone as (
    update hl.contact c set dead_since = at_now
    where c.is_active and c.dead_since is null and c.person_id = any (silent) returning c.id)
  select coalesce(array_agg(id), '{}') into died from gone;
  if died <> '{}' then
    perform hl.tell_of_dead(died, depth, at_now);
    perform hl.dispatch_again(array(select k.id from hl.contact c join hl.task k on k.unit = c.unit and k.state = 'dispatched'
                                    where c.id = any (died) and c.role = 'officer' order by k.id), at_now);
  end if;
end $$;

-- The unit's head and the hotline's desk; for a supervisor the office.
create or replace function hl.tell_of_dead(died bigint[], depth int, at_now timestamptz) returns void language sql as $$
  insert into hl.notice (person_id, kind, template, params, dedupe, lane, not_before, made_at)
    select distinct on (who.person_id, c.id) who.person_id, 'contact_dead', 'contact_dead',
           jsonb_build_object('unit', u.name, 'role', c.role, 'name', coalesce(p.name, ''), 'count', depth),
           format('contact:%s:dead:%s:%s', c.id, hl.secs(at_now), who.person_id), hl.lane_rank('dispatch'), at_now, at_now
    from hl.contact c join hl.unit u on u.code = c.unit join hl.person p on p.id = c.person_id
    cross join lateral (
      select h.person_id from hl.contacts(c.unit, 'head') h
      union select d.person_id from hl.unit x cross join hl.contacts(x.code, 'duty') d
        where x.kind = 'hotline' or (x.kind = 'office' and c.role in ('head', 'duty'))) who
    where c.id = any (died) and who.person_id <> c.person_id
$$;

-- Somebody left, or is away: what only such people of these units were told goes to whoever is there instead. Unsigned tasks
-- are dispatched again; who takes over a signed one is told so.
create or replace function hl.cover_absent(units text[], at_now timestamptz) returns void language plpgsql as $$
begin
  perform hl.dispatch_again(array(
    select k.id from hl.task k
    where k.unit = any (units) and k.state = 'dispatched' and not exists (
      select from hl.notice_code n where n.task_id = k.id and hl.is_present(n.person_id, k.unit)) order by k.id), at_now);
  perform hl.hand_over(array(
    select k.id from hl.task k
    where k.unit = any (units) and k.state in ('signed', 'arrived', 'handback') and not hl.is_present(k.holder, k.unit)
    order by k.id), at_now);
end $$;

create or replace function hl.hand_over(tasks bigint[], at_now timestamptz) returns void language plpgsql as $$
declare people record;
begin
  select array_agg(k.id) as task_ids, array_agg(o.person_id) as person_ids into people
  from hl.task k cross join lateral (select person_id from hl.contacts(k.unit, 'officer') limit 1) o
  where k.id = any (tasks) and hl.is_present(o.person_id, k.unit);
  perform hl.issue_codes(people.task_ids, people.person_ids);
  insert into hl.notice (case_id, task_id, person_id, kind, template, params, dedupe, lane, applies, not_before, made_at)
    select k.case_id, k.id, o.person, 'handed_over', 'handed_over', hl.task_params(k, o.person),
           format('task:%s:handed_over:%s:%s', k.id, k.holder, o.person),
           hl.lane_rank(case k.urgency when 'emergency' then 'emergency' else 'dispatch' end), array['signed', 'arrived', 'handback'],
           case when k.urgency = 'normal' then hl.text_time(at_now, hl.calendar_of(k.unit)) else at_now end, at_now
    from unnest(people.task_ids, people.person_ids) o (task, person) join hl.task k on k.id = o.task order by k.id
    on conflict (dedupe) do nothing;
end $$;

-- Leave that began since the last look.
create or replace function hl.cover_leave(since timestamptz, at_now timestamptz) returns void language plpgsql as $$
declare
  units constant text[] := array(
    select distinct c.unit from hl.roster r join hl.contact c on c.id = r.contact_id
    where r.is_active and r.kind = 'leave' and r.from_at > since and r.from_at <= at_now and r.until_at > at_now);
begin
  if units <> '{}' then
    perform hl.cover_absent(units, at_now);
  end if;
end $$;

-- The dispatch of unsigned tasks once more, to whom it would go today; nobody gets it twice.
create or replace function hl.dispatch_again(tasks bigint[], at_now timestamptz) returns void language plpgsql as $$
declare people record;
begin
  select array_agg(k.id) as task_ids, array_agg(o.person_id) as person_ids into people
  from hl.task k cross join lateral (select person_id from hl.contacts(k.unit, 'officer') limit 1) o
  where k.id = any (tasks) and k.state = 'dispatched';
  perform hl.issue_codes(people.task_ids, people.person_ids);
  insert into hl.notice (case_id, task_id, person_id, kind, template, params, dedupe, lane, applies, not_before, made_at)
    select k.case_id, k.id, o.person, 'dispatch', case k.role when 'lead' then 'dispatch' else 'dispatch_co' end,
           hl.task_params(k, o.person), format('task:%s:dispatch:%s', k.id, o.person),
           hl.lane_rank(case k.urgency when 'emergency' then 'emergency' else 'dispatch' end), array['dispatched'],
           case when k.urgency = 'normal' then hl.text_time(at_now, hl.calendar_of(k.unit)) else at_now end, at_now
    from unnest(people.task_ids, people.person_ids) o (task, person) join hl.task k on k.id = o.task order by k.id
    on conflict (dedupe) do nothing;
end $$;

-- An outcome nobody told for so long will not be told: the notice rests, visibly. A late receipt still moves it on.
create or replace function hl.expire_unknowns(at_now timestamptz) returns void language sql as $$
  update hl.notice n set state = 'expired', reason = format('no outcome for %s h', s.hours)
  from (select hl.supervision('{unknown,hours}')::int as hours) s
  where n.id in (select id from hl.notice where state = 'unknown' and made_at < at_now - s.hours * interval '1 hour'
                 order by id for no key update skip locked)
$$;

-- Every contact with its last sign of life: a text, a receipt, or nothing.
-- Takes  batch: {"dead": bool}. Gives {"contacts": [{unit, role, rank, name, phone, last_sign, by, dead_since, asked, answered}]}.
create or replace function hl.show_contacts(batch jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object('contacts', coalesce(jsonb_agg(jsonb_build_object('unit', c.unit, 'unit_name', u.name, 'role', c.role,
      'rank', c.rank, 'name', p.name, 'phone', hl.mask(p.phone), 'last_sign', hl.iso(s.at), 'by', s.by,
      'verified_at', hl.iso(c.verified_at), 'dead_since', hl.iso(c.dead_since), 'asked', hl.iso(m.asked_at), 'answered', hl.iso(m.answered_at))
      order by c.unit, c.role, c.rank, c.id), '[]'))
  from hl.contact c join hl.unit u on u.code = c.unit join hl.person p on p.id = c.person_id
  left join lateral (
    select x.at, x.by from (
      (select m.received_at as at, 'text' as by from hl.message m where m.person_id = c.person_id order by m.id desc limit 1)
      union all
      (select a.sent_at, 'receipt' from hl.notice n join hl.attempt a on a.notice_id = n.id and a.outcome = 'delivered'
       where n.person_id = c.person_id and n.state = 'delivered' order by n.id desc limit 1)) x
    order by x.at desc limit 1) s on true
  left join lateral (select * from hl.muster r where r.person_id = c.person_id order by r.month desc limit 1) m on true
  where c.is_active and (not coalesce((batch->>'dead')::boolean, false) or c.dead_since is not null)
$$;

-- A number as hotlinectl's lists show it; hl_phone_mask does the same.
create or replace function hl.mask(phone text) returns text language sql immutable as $$
  select case when phone ~ '^\+' then overlay(phone placing '****' from length(phone) - 7 for 4) else phone end
$$;
