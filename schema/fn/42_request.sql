-- What units and reporters ask the centre for, and its answers.

-- A unit asks. Whether it may, and the instants, were decided by pure code; the row is refused when they do not hold.
-- Takes  a->'ask': {unit, until_us, answer_us, close_us, desk_us}, a->'args': {reason, days, unit as written}.
create or replace function hl.ask(a jsonb, k hl.task, c hl.case, at_now timestamptz) returns void language plpgsql as $$
declare
  what constant text := a->>'verb';
  asked constant jsonb := a->'ask';
  r hl.request;
  -- who asks for help by a unit's name alone has said why
  reason constant text := coalesce(nullif(a->'args'->>'reason', ''), case when what = 'assist' then a->'args'->>'unit' end, '');
  said constant jsonb := jsonb_build_object('reason', reason, 'unit', coalesce(asked->>'unit', ''),
                                            'answer_by', (asked->>'answer_us')::bigint);
begin
  insert into hl.request (kind, case_id, task_id, person_id, message_id, reason, unit, days, close_by, asked_at, ask_until, answer_by)
    values (what, c.id, k.id, (a->>'person')::bigint, (a->>'message')::bigint, reason, asked->>'unit',
            case when what = 'extend' then (a->'args'->>'days')::smallint end,
            case when what = 'extend' then hl.at_us((asked->>'close_us')::bigint) end,
            at_now, greatest(hl.at_us((asked->>'until_us')::bigint), case when what = 'assist' then at_now end),
            greatest(hl.at_us((asked->>'answer_us')::bigint), at_now + interval '1 second'))
    returning * into r;
  if what = 'handback' then
    update hl.task set state = 'handback' where id = k.id;
    perform hl.record(a, c.id, k.id, 'handback_asked', k.state, 'handback', said);
    if k.role = 'lead' and exists (select from hl.event e join hl.task t on t.id = e.task_id
                                   where e.case_id = c.id and e.kind = 'handback_accepted' and t.role = 'lead') then
      perform hl.freeze(a, c, k, at_now);
    end if;
  else
    perform hl.record(a, c.id, k.id, case what when 'extend' then 'extension_asked' else 'assist_asked' end, null, null,
                      said || case when what = 'extend' then jsonb_build_object('days', r.days, 'would_be', hl.us(r.close_by))
                              else '{}' end);
  end if;
  perform hl.start_answer_clock(r, k.close_by);
  perform hl.tell_operators(c, k, what, (a->>'message')::bigint, (asked->>'desk_us')::bigint);
end $$;

-- The operator's own limit on an answer; more time that nobody answered ends with the limit it was asked for. A limit that is
-- past already stands still.
create or replace function hl.start_answer_clock(r hl.request, close_by timestamptz) returns void language sql as $$
  with rung as (
    select 'answer' as name, r.answer_by as due where r.kind <> 'extend' or r.answer_by < close_by or close_by <= r.asked_at
    union all select 'lapse', close_by where r.kind = 'extend' and close_by > r.asked_at)
  insert into hl.ladder (case_id, request_id, rungs, dues, due_at)
    select r.case_id, r.id, array_agg(name order by due), array_agg(due order by due), min(due) from rung having count(*) > 0
$$;

-- A task's close limit was moved: more time that waits for an answer lapses with the limit as it is now.
create or replace function hl.follow_limit(k hl.task) returns void language sql as $$
  update hl.ladder l set rungs = w.rungs, dues = w.dues, pos = 1, due_at = w.dues[1]
  from hl.request r, lateral (
    select array_agg(x.name order by x.due) as rungs, array_agg(x.due order by x.due) as dues
    from (select 'answer' as name, r.answer_by as due where r.late_at is null and r.answer_by < k.close_by
          union all select 'lapse', k.close_by) x) w
  where r.task_id = k.id and r.kind = 'extend' and r.state = 'pending' and l.request_id = r.id
$$;

-- A reporter was not satisfied: an operator decides whether the case begins anew. Twice at most.
create or replace function hl.ask_reopen(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
declare r hl.request;
begin
  if left(a->>'rating', 1) <> '3' or c.state <> 'closed' or c.reopens >= 2 or not a ? 'ask' then
    return;
  end if;
  insert into hl.request (kind, case_id, person_id, message_id, asked_at, ask_until, answer_by)
    values ('reopen', c.id, (a->>'person')::bigint, (a->>'message')::bigint, at_now, at_now,
            greatest(hl.at_us((a->'ask'->>'answer_us')::bigint), at_now + interval '1 second'))
    on conflict (case_id) where state = 'pending' and kind = 'reopen' do nothing
    returning * into r;
  if r.id is null then
    return;
  end if;
  perform hl.record(a, c.id, null, 'reopen_asked', null, null, '{}');
  perform hl.start_answer_clock(r, null);
  perform hl.tell_operators(c, (select k from hl.lead_task(c.id) k), 'reopen', (a->>'message')::bigint, (a->'ask'->>'desk_us')::bigint);
end $$;

-- ---- answers ---------------------------------------------------------------------------------------------------------

create or replace function hl.answer_request(a jsonb, answer text, at_now timestamptz) returns hl.request language plpgsql as $$
declare r hl.request;
begin
  update hl.request set state = answer, answered_at = at_now, answered_by = a->>'operator', why = a->>'why'
    where id = (a->>'request')::bigint returning * into r;
  update hl.ladder set due_at = null where request_id = r.id and due_at is not null;
  return r;
end $$;

-- The task goes on to another unit: the old one ends, the new one starts at once, the case's limit stays.
create or replace function hl.grant_handback(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
declare
  r constant hl.request := hl.answer_request(a, 'granted', at_now);
  k hl.task;
begin
  select * into k from hl.task where id = r.task_id;
  if (a->>'freeze')::boolean and not c.is_frozen then
    perform hl.freeze(a, c, k, at_now);
  end if;
  update hl.task set state = 'handed_back' where id = k.id;
  perform hl.record(a, c.id, k.id, 'handback_accepted', 'handback', 'handed_back',
                    jsonb_build_object('unit', coalesce(a->'tasks'->0->>'unit', '')));
  update hl.ladder set due_at = null where task_id = k.id and due_at is not null;
  perform hl.lapse_requests(k.id, at_now);
  perform hl.drop_moot(k.id);
  perform hl.withdraw_tasks(a, c, array(select x::bigint from jsonb_array_elements_text(a->'withdraw') x), at_now);
  perform hl.tell_units(c.id, array[k.id], 'handback_granted', '{}', r.id::text);
  perform hl.add_tasks(array[c.id], array[a->'tasks'], at_now, 'operator', a->>'operator');
  if c.state = 'waiting' then
    perform hl.hold_clocks(c.id);
  end if;
end $$;

create or replace function hl.grant_extension(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
declare
  r constant hl.request := hl.answer_request(a, 'granted', at_now);
  k constant hl.task := hl.relimit(a->'limits');
begin
  perform hl.record(a, c.id, k.id, 'extension_granted', null, null, hl.limits_json(k) || jsonb_build_object('days', a->'days'));
  if c.state = 'waiting' then
    perform hl.hold_clocks(c.id);
  end if;
  perform hl.tell_units(c.id, array[k.id], 'extension_granted', '{}', r.id::text);
end $$;

create or replace function hl.refuse_request(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
declare
  r constant hl.request := hl.answer_request(a, 'refused', at_now);
  k hl.task;
begin
  if r.kind = 'handback' then
    update hl.task set state = 'signed', signed_at = coalesce(signed_at, at_now), holder = coalesce(holder, r.person_id)
      where id = r.task_id returning * into k;
    perform hl.record(a, c.id, k.id, 'handback_refused', 'handback', 'signed', '{}');
    perform hl.drop_moot(k.id);
    perform hl.follow_task(a, c);
  else
    perform hl.record(a, c.id, r.task_id, case r.kind when 'extend' then 'extension' else r.kind end || '_refused', null, null, '{}');
  end if;
  if r.kind = 'reopen' then
    perform hl.answer_reporter(c, r, a->>'why');
  else
    perform hl.tell_units(c.id, array[r.task_id], 'request_refused', jsonb_build_object('what', r.kind, 'reason', a->>'why'), r.id::text);
  end if;
end $$;

create or replace function hl.answer_reporter(c hl.case, r hl.request, why text) returns void language sql as $$
  insert into hl.notice (case_id, person_id, kind, template, params, dedupe, lane, channel, not_before, made_at)
    select c.id, r.person_id, 'reopen_refused', 'reopen_refused', jsonb_build_object('case', c.code, 'reason', why),
           format('request:%s:refused', r.id), hl.lane_rank('reply'), m.channel, hl.now(), hl.now()
    from hl.message m where m.id = r.message_id
    on conflict (dedupe) do nothing
$$;

-- A task that ended needs no answer any more.
create or replace function hl.lapse_requests(of_task bigint, at_now timestamptz) returns void language plpgsql as $$
begin
  update hl.ladder l set due_at = null from hl.request r
    where r.task_id = of_task and r.state = 'pending' and l.request_id = r.id and l.due_at is not null;
  update hl.request set state = 'lapsed', answered_at = at_now where task_id = of_task and state = 'pending';
end $$;

-- ---- disputes --------------------------------------------------------------------------------------------------------

-- 推诿: units push a case to and fro. Its lead is the duty table's from now on, the office is told, the joint meeting
-- talks about it.
create or replace function hl.freeze(a jsonb, c hl.case, k hl.task, at_now timestamptz) returns void language plpgsql as $$
begin
  update hl.case set is_frozen = true where id = c.id;
  perform hl.record(a - 'why', c.id, null, 'disputed', null, null, jsonb_build_object('unit', k.unit));
  perform hl.on_agenda(c.id, 'disputed', at_now);
  perform hl.tell_office(c, k, 'disputed', '{}');
end $$;

create or replace function hl.on_agenda(of_case bigint, why text, at_now timestamptz) returns void language sql as $$
  insert into hl.agenda (case_id, reason, added_at) values (of_case, why, at_now)
    on conflict (case_id, reason) where settled_at is null do nothing
$$;

create or replace function hl.settle_agenda(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
begin
  if exists (select from hl.overdue_cases() o where o.case_id = c.id) then
    insert into hl.agenda (case_id, reason, added_at) values (c.id, 'overdue', at_now);
  end if;
  update hl.agenda set settled_at = at_now, settled_by = a->>'operator', decision = a->>'why'
    where case_id = c.id and settled_at is null;
  if not found then
    perform hl.refuse('agenda', format('case %s is not on the agenda', c.code));
  end if;
  perform hl.record(a, c.id, null, 'agenda_settled', null, null, '{}');
end $$;

-- Open cases whose breach went up to the leading group, until the joint meeting has talked about them.
create or replace function hl.overdue_cases() returns table (case_id bigint, since timestamptz) language sql stable as $$
  select e.case_id, min(e.at) from hl.event e join hl.case c on c.id = e.case_id
    where e.kind = 'rung' and e.data->>'rung' = 'leaders' and c.state in ('dispatched', 'working', 'waiting', 'reopened')
      and not exists (select from hl.agenda a where a.case_id = e.case_id and a.reason = 'overdue')
    group by e.case_id
$$;

-- What the next joint meeting talks about: disputes, joint enforcement, and what is overdue by a working week.
create or replace function hl.agenda_list(batch jsonb) returns jsonb language plpgsql stable as $$
begin
  return (select jsonb_build_object('agenda', coalesce(jsonb_agg(jsonb_build_object('case', c.code, 'state', c.state, 'reason', x.reason,
      'since', hl.iso(x.since), 'type', c.type, 'place', c.place, 'unit', k.unit, 'unit_name', u.name, 'reporters', c.reporters)
      order by x.since, c.id), '[]'))
  from (select a.case_id, a.reason, a.added_at as since from hl.agenda a where a.settled_at is null
        union all select o.case_id, 'overdue', o.since from hl.overdue_cases() o) x
  join hl.case c on c.id = x.case_id left join lateral hl.lead_task(c.id) k on true left join hl.unit u on u.code = k.unit);
end $$;

-- ---- clocks of these rows (hl.fire_due calls) ------------------------------------------------------------------------

-- Takes  the temporary table fired as hl.fire_due filled it.
create or replace function hl.fire_subjects(at_now timestamptz) returns void language plpgsql as $$
declare f record;
begin
  for f in select * from fired x where x.subject is not null and x.task_id is null order by x.case_id, x.ladder loop
    if f.request_id is not null then
      perform hl.fire_request(f.request_id, f.rung, at_now);
    elsif f.rollcall_id is not null then
      perform hl.count_roll(f.rollcall_id, at_now);
    else
      perform hl.fire_duty(f.duty_id, f.rung, at_now);
    end if;
  end loop;
end $$;

-- Nobody answered: the supervisor hears it; more time that was not granted before the limit lapses, and the limit stands.
create or replace function hl.fire_request(of_request bigint, rung text, at_now timestamptz) returns void language plpgsql as $$
declare
  r hl.request;
  c hl.case;
  k hl.task;
begin
  select * into r from hl.request where id = of_request and state = 'pending' for no key update;
  if r.id is null then
    return;
  end if;
  select * into c from hl.case where id = r.case_id;
  select * into k from hl.task where id = r.task_id;
  if rung = 'lapse' and c.state = 'waiting' and k.urgency = 'normal' then
    return; -- the limit stands still: hl.follow_limit asks again at the limit as it will be
  elsif rung = 'lapse' then
    update hl.request set state = 'lapsed', answered_at = at_now where id = r.id;
    perform hl.record('{"actor": "system"}', c.id, k.id, 'extension_lapsed', null, null, '{}');
    perform hl.tell_units(c.id, array[k.id], 'extension_lapsed', '{}', r.id::text);
    return;
  end if;
  update hl.request set late_at = at_now where id = r.id;
  perform hl.record('{"actor": "system"}', c.id, k.id, 'request_late', null, null, jsonb_build_object('kind', r.kind));
  insert into hl.notice (case_id, person_id, kind, template, params, dedupe, lane, not_before, made_at)
    select c.id, s.person_id, 'request_late', 'request_late', jsonb_build_object('case', c.code, 'what', r.kind,
           'unit', coalesce(u.name, ''), 'answer_by', hl.secs(r.answer_by)), format('request:%s:late:%s', r.id, s.person_id),
           hl.lane_rank('reminder'), at_now, at_now
    from hl.supervisors() s left join hl.unit u on u.code = k.unit
    on conflict (dedupe) do nothing;
end $$;

-- Who stands above the desk: its head, and where it has none the office.
create or replace function hl.supervisors() returns table (person_id bigint) language sql stable as $$
  select h.person_id from hl.contacts('HOT', 'head') h
  union all
  select d.person_id from hl.unit u cross join hl.contacts(u.code, 'duty') d
    where u.kind = 'office' and not exists (select from hl.contacts('HOT', 'head'))
$$;
