-- Joint enforcement, the day a property company has, and how the desk hears of cases in review.

-- All units of a case are to be at a place at a time; who has not texted 到 by count_us is on record as absent.
-- Takes  a: {at_us, count_us, where}.
create or replace function hl.call_roll(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
declare
  r hl.rollcall;
  tasks constant bigint[] := array(select id from hl.task where case_id = c.id and state in ('dispatched', 'signed', 'arrived', 'handback'));
begin
  update hl.ladder l set due_at = null from hl.rollcall o
    where o.case_id = c.id and o.counted_at is null and l.rollcall_id = o.id and l.due_at is not null;
  update hl.rollcall set counted_at = at_now where case_id = c.id and counted_at is null; -- called anew: another time or place
  insert into hl.rollcall (case_id, at, place, count_at, called_by, called_at)
    values (c.id, hl.at_us((a->>'at_us')::bigint), a->>'where', hl.at_us((a->>'count_us')::bigint), a->>'operator', at_now)
    returning * into r;
  insert into hl.attendance (rollcall_id, task_id) select r.id, t from unnest(tasks) t;
  insert into hl.ladder (case_id, rollcall_id, rungs, dues, due_at) values (c.id, r.id, array['rollcall'], array[r.count_at], r.count_at);
  perform hl.record(a, c.id, null, 'rollcall', null, null, jsonb_build_object('at', hl.us(r.at), 'where', r.place));
  perform hl.tell_units(c.id, tasks, 'rollcall', jsonb_build_object('meet_at', hl.secs(r.at), 'where', r.place), r.id::text);
  perform hl.on_agenda(c.id, 'joint', at_now);
end $$;

-- 到 while a roll is called: the unit is there.
create or replace function hl.attend(a jsonb, k hl.task, at_now timestamptz) returns void language plpgsql as $$
begin
  update hl.attendance t set present_at = at_now, person_id = (a->>'person')::bigint
    from hl.rollcall r where r.case_id = k.case_id and r.counted_at is null and t.rollcall_id = r.id and t.task_id = k.id
      and t.present_at is null;
  if found then
    perform hl.record(a, k.case_id, k.id, 'present', null, null, '{}');
  end if;
end $$;

create or replace function hl.count_roll(of_rollcall bigint, at_now timestamptz) returns void language plpgsql as $$
declare
  r hl.rollcall;
  c hl.case;
  k record;
begin
  update hl.rollcall set counted_at = at_now where id = of_rollcall and counted_at is null returning * into r;
  if r.id is null then
    return;
  end if;
  select * into c from hl.case where id = r.case_id;
  for k in select t.id, t.unit, u.name from hl.attendance x join hl.task t on t.id = x.task_id join hl.unit u on u.code = t.unit
           where x.rollcall_id = r.id and x.present_at is null and t.state in ('dispatched', 'signed', 'arrived', 'handback')
           order by t.id loop
    perform hl.record('{"actor": "system"}', c.id, k.id, 'absent', null, null, jsonb_build_object('rollcall', hl.us(r.at)));
    insert into hl.notice (case_id, person_id, kind, template, params, dedupe, lane, not_before, made_at)
      select c.id, d.person_id, 'absent', 'absent', jsonb_build_object('case', c.code, 'unit', k.name, 'where', r.place),
             format('rollcall:%s:%s:%s', r.id, k.id, d.person_id), hl.lane_rank('reminder'), at_now, at_now
      from (select person_id from hl.contacts('HOT', 'duty') union select person_id from hl.contacts(k.unit, 'head')) d
      on conflict (dedupe) do nothing;
  end loop;
end $$;

-- ---- a registered reporter ----------------------------------------------------------------------------------------

-- Whoever reports for a property company, or as a grid worker of a community, has a day, from the report on, to photograph
-- and to stop what was found.
create or replace function hl.start_duties(cases bigint[], persons bigint[], at_now timestamptz) returns void language plpgsql as $$
begin
  with made as (
    insert into hl.duty (case_id, unit, person_id, found_at, due_at)
      select distinct on (w.case_id) w.case_id, o.unit, w.person, at_now, at_now + interval '24 hours'
      from unnest(cases, persons) w (case_id, person)
      join hl.contact o on o.person_id = w.person and o.is_active and o.verified_at is not null
      join hl.unit u on u.code = o.unit and (u.kind = 'property_company' or o.role = 'grid')
      order by w.case_id, o.id
      on conflict (case_id) do nothing returning *)
  insert into hl.ladder (case_id, duty_id, rungs, dues, due_at)
    select m.case_id, m.id, array['duty_soon', 'duty'], array[m.due_at - interval '4 hours', m.due_at], m.due_at - interval '4 hours'
    from made m order by m.case_id;
end $$;

create or replace function hl.missing_stages(of_case bigint) returns text[] language sql stable as $$
  select coalesce(array_agg(s order by s), '{}') from unnest(array['photo', 'stopped']) s
  where not exists (select from hl.event e where e.case_id = of_case and e.kind = s)
$$;

create or replace function hl.fire_duty(of_duty bigint, rung text, at_now timestamptz) returns void language plpgsql as $$
declare
  d hl.duty;
  c hl.case;
  missing text[];
begin
  select * into d from hl.duty where id = of_duty;
  select * into c from hl.case where id = d.case_id;
  missing := hl.missing_stages(c.id);
  if rung = 'duty' then
    update hl.duty set missed = missing where id = d.id;
    if missing <> '{}' then
      perform hl.record('{"actor": "system"}', c.id, null, 'duty_missed', null, null,
                        jsonb_build_object('unit', d.unit, 'stages', to_jsonb(missing)));
    end if;
  end if;
  insert into hl.notice (case_id, person_id, kind, template, params, dedupe, lane, not_before, made_at)
    select c.id, p.person_id, rung, 'duty_' || case rung when 'duty' then 'missed' else 'soon' end,
           jsonb_build_object('case', c.code, 'photo', case when 'photo' = any (missing) then '拍照' else '' end,
                              'stopped', case when 'stopped' = any (missing) then '制止' else '' end, 'due', hl.secs(d.due_at)),
           format('duty:%s:%s:%s', d.id, rung, p.person_id), hl.lane_rank('reminder'), at_now, at_now
    from (select d.person_id union select h.person_id from hl.contacts(d.unit, 'head') h where rung = 'duty') p
    where missing <> '{}'
    on conflict (dedupe) do nothing;
end $$;

-- ---- the desk hears ----------------------------------------------------------------------------------------------------

-- One text per case that presses. Of the others the first one at once, and what comes within ten minutes after it in one
-- text that counts them; both in working hours (desk).
-- Takes  parallel arrays: case, message, template, by when, when the desk may be texted, the unit's name.
create or replace function hl.tell_review(cases bigint[], messages bigint[], templates text[], review_bys bigint[], desks timestamptz[],
                                          units text[], at_now timestamptz) returns void language plpgsql as $$
declare
  d bigint;
  n_new int;
  is_quiet boolean;
  -- the end of these ten minutes, or the opening: what comes in a night is one text in the morning
  later constant timestamptz := greatest(hl.at_us((hl.secs(at_now) / 600 + 1) * 600000000), (select min(x.desk) from unnest(desks) x (desk)));
begin
  for d in select person_id from hl.contacts('HOT', 'duty') loop
    -- the latest one tells: the others went before it
    is_quiet := not coalesce((
      select n.made_at > at_now - interval '10 minutes' or n.state = 'queued'
      from (select n.* from hl.notice n where n.person_id = d order by n.id desc limit 1000) n
      where n.kind = 'review' and n.lane = hl.lane_rank('dispatch') order by n.id desc limit 1), false);
    insert into hl.notice (case_id, message_id, person_id, kind, template, params, dedupe, lane, not_before, made_at)
      select c.id, w.message, d, 'review', w.template,
             jsonb_build_object('case', c.code, 'urgency', c.urgency, 'review_by', w.by_us / 1000000, 'unit', coalesce(w.unit, '')),
             format('case:%s:review:%s', c.id, d),
             hl.lane_rank(case c.urgency when 'emergency' then 'emergency' else 'dispatch' end), greatest(at_now, w.desk), at_now
      from (select x.*, row_number() over (partition by k.urgency order by x.ord) as nth
            from unnest(cases, messages, templates, review_bys, desks, units) with ordinality
                   x (case_id, message, template, by_us, desk, unit, ord)
            join hl.case k on k.id = x.case_id) w
      join hl.case c on c.id = w.case_id
      where c.urgency <> 'normal' or w.template = 'no_contact' or (is_quiet and w.nth = 1)
      on conflict (dedupe) do nothing;
    select count(*) into n_new from unnest(cases, templates) w (case_id, template) join hl.case c on c.id = w.case_id
      where c.urgency = 'normal' and w.template <> 'no_contact';
    n_new := n_new - case when is_quiet and n_new > 0 then 1 else 0 end;
    if n_new > 0 then
      perform hl.count_more(d, n_new, later, at_now);
    end if;
  end loop;
end $$;

-- So many more, in the one text that waits until later. Runs as the owner: nobody else changes what a notice says, and
-- only while it waits.
create or replace function hl.count_more(who bigint, n int, later timestamptz, at_now timestamptz) returns void language sql
security definer set search_path = hl, pg_temp as $$
  insert into hl.notice (person_id, kind, template, params, dedupe, lane, not_before, made_at)
    values (who, 'review_more', 'review_more', jsonb_build_object('count', n), format('review_more:%s:%s', who, hl.secs(later)),
            hl.lane_rank('dispatch'), later, at_now)
    on conflict (dedupe) do update
      set params = jsonb_build_object('count', (notice.params->>'count')::int + (excluded.params->>'count')::int)
      where notice.state = 'queued'
$$;
revoke all on function hl.count_more(bigint, int, timestamptz, timestamptz) from public;
grant execute on function hl.count_more(bigint, int, timestamptz, timestamptz) to hotline_daemon;
