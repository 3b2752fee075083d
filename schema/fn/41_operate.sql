-- An operator's decided moves on a case (daemon/casework/operate.c decided; hl.act locks and calls).

create or replace function hl.operate(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
begin
  case a->>'verb'
  when 'accept' then perform hl.accept_case(a, c, at_now);
  when 'redo' then perform hl.redo_case(a, c, at_now);
  when 'assign' then perform hl.assign_case(a, c, at_now);
  when 'reassign' then perform hl.reassign_case(a, c, at_now);
  when 'place' then perform hl.place_case(a, c, at_now);
  when 'decline' then perform hl.decline_case(a, c, at_now);
  when 'wait' then perform hl.wait_case(a, c, at_now);
  when 'resume' then perform hl.resume_case(a, c, at_now);
  when 'reopen' then perform hl.reopen_case(a, c, at_now);
  when 'merge' then perform hl.merge_case(a, c, at_now);
  when 'withdraw' then perform hl.withdraw_case(a, c, at_now);
  when 'task_add' then perform hl.add_co_task(a, c, at_now);
  when 'rollcall' then perform hl.call_roll(a, c, at_now);
  when 'handback_grant' then perform hl.grant_handback(a, c, at_now);
  when 'extend_grant' then perform hl.grant_extension(a, c, at_now);
  when 'request_refuse' then perform hl.refuse_request(a, c, at_now);
  when 'stage' then perform hl.record(a, c.id, null, a->>'stage', null, null, '{}');
  when 'agenda_settle' then perform hl.settle_agenda(a, c, at_now);
  else
    raise exception 'hl.act knows no operator verb %', a->>'verb' using errcode = 'P0110';
  end case;
end $$;

-- ---- limits that move ------------------------------------------------------------------------------------------------

-- What an event says about a task's limits (hl.check_limits_recorded reads it).
create or replace function hl.limits_json(k hl.task) returns jsonb language sql stable as $$
  select jsonb_build_object('sign_by', hl.us(k.sign_by), 'arrive_by', hl.us(k.arrive_by), 'close_by', hl.us(k.close_by),
                            'provisional', k.is_provisional)
$$;

-- Gives a task the limits and rungs that were decided for it; without rungs its clock stands still.
-- Takes  t: {task, sign_us?, arrive_us?, close_us?, provisional?, rungs: [], dues_us: []}.
create or replace function hl.relimit(t jsonb) returns hl.task language plpgsql as $$
declare
  k hl.task;
  n constant int := jsonb_array_length(t->'rungs');
begin
  update hl.task set sign_by = coalesce(hl.at_us((t->>'sign_us')::bigint), sign_by),
         arrive_by = coalesce(hl.at_us((t->>'arrive_us')::bigint), arrive_by),
         close_by = coalesce(hl.at_us((t->>'close_us')::bigint), close_by),
         is_provisional = coalesce((t->>'provisional')::boolean, is_provisional)
    where id = (t->>'task')::bigint returning * into k;
  if n > 0 then
    update hl.ladder set rungs = array(select jsonb_array_elements_text(t->'rungs')),
           dues = array(select hl.at_us(x::bigint) from jsonb_array_elements_text(t->'dues_us') x), pos = 1,
           due_at = hl.at_us((t->'dues_us'->>0)::bigint)
      where task_id = k.id;
  else
    update hl.ladder set due_at = null where task_id = k.id and due_at is not null;
  end if;
  perform hl.follow_limit(k);
  return k;
end $$;

-- ---- texts -----------------------------------------------------------------------------------------------------------

-- Tells the people who hold tasks of a case: whoever signed, else the officer on duty, with the code each of them has.
create or replace function hl.tell_units(of_case bigint, tasks bigint[], what text, more jsonb, mark text) returns void
language plpgsql as $$
begin
  insert into hl.notice (case_id, task_id, person_id, kind, template, params, dedupe, lane, not_before, made_at)
    select of_case, k.id, o.person_id, what, what, hl.task_params(k, o.person_id) || more,
           format('task:%s:%s:%s:%s', k.id, what, mark, o.person_id),
           hl.lane_rank(case k.urgency when 'emergency' then 'emergency' else 'dispatch' end), hl.now(), hl.now()
    from hl.task k cross join lateral hl.audience(k, 'officer') o
    where k.id = any (tasks) order by k.id, o.person_id
    on conflict (dedupe) do nothing;
end $$;

-- Tells every reporter of a case, each on the channel he wrote on.
create or replace function hl.tell_reporters(of_case bigint, what text, of_lane text, params jsonb, mark text) returns void
language sql as $$
  insert into hl.notice (case_id, person_id, kind, template, params, dedupe, lane, channel, not_before, made_at)
    select of_case, r.person_id, what, what, params, format('case:%s:%s:%s:%s', of_case, what, r.person_id, mark),
           hl.lane_rank(of_lane), r.channel, hl.now(), hl.now()
    from (select distinct on (r.person_id) r.person_id, m.channel from hl.report r left join hl.message m on m.id = r.message_id
          where r.case_id = of_case and r.withdrawn_at is null and r.person_id is not null order by r.person_id, r.id) r
    on conflict (dedupe) do nothing
$$;

create or replace function hl.tell_office(c hl.case, k hl.task, what text, more jsonb) returns void language plpgsql as $$
begin
  insert into hl.notice (case_id, person_id, kind, template, params, dedupe, lane, not_before, made_at)
    select c.id, o.person_id, what, what, jsonb_build_object('case', c.code, 'unit', coalesce(u.name, '')) || more,
           format('case:%s:%s:%s:%s', c.id, what, c.head_seq, o.person_id), hl.lane_rank('reminder'), hl.now(), hl.now()
    from hl.audience(k, 'office') o left join hl.unit u on u.code = k.unit
    on conflict (dedupe) do nothing;
end $$;

-- ---- moves -----------------------------------------------------------------------------------------------------------

-- The centre agrees: the case and all its tasks are closed, every reporter hears the outcome and may rate it. The result of a
-- joint case is one, the lead's: a helper that never signed does not keep it from the reporters, but is on record as absent,
-- and its head and the office hear it.
create or replace function hl.accept_case(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
declare
  lead_result text;
  k hl.task;
begin
  select result into lead_result from hl.task where case_id = c.id and role = 'lead' and state = 'done';
  update hl.case set state = 'closed', closed_at = at_now where id = c.id;
  perform hl.record(a, c.id, null, 'closed', c.state, 'closed', '{}');
  for k in select * from hl.task where case_id = c.id and state in ('dispatched', 'signed', 'arrived', 'done') order by id loop
    if k.role = 'co' and k.state = 'dispatched' then
      perform hl.record(a - 'why', c.id, k.id, 'absent', null, null, '{"reason": "never signed"}');
      perform hl.tell_never_signed(c, k, at_now);
    end if;
    update hl.task set state = 'closed' where id = k.id;
    perform hl.record(a, c.id, k.id, 'closed', k.state, 'closed', '{}');
    perform hl.drop_moot(k.id);
  end loop;
  -- a co unit whose hand-back nobody answered: nothing is left to hand back
  perform hl.withdraw_tasks(a, c, array(select id from hl.task where case_id = c.id and state = 'handback'), at_now);
  perform hl.stop_clocks(c.id, at_now);
  insert into hl.notice (case_id, person_id, kind, template, params, dedupe, lane, channel, not_before, made_at)
    select c.id, r.person_id, t.template, t.template, jsonb_build_object('case', c.code, 'result', coalesce(lead_result, '')),
           format('case:%s:%s:%s:%s', c.id, t.template, r.person_id, c.reopens), hl.lane_rank(t.lane), r.channel, at_now, at_now
    from (select distinct on (r.person_id) r.person_id, m.channel from hl.report r left join hl.message m on m.id = r.message_id
          where r.case_id = c.id and r.withdrawn_at is null and r.person_id is not null order by r.person_id, r.id) r
    cross join (values ('closed', 'reply'), ('survey', 'bulk')) t (template, lane)
    join hl.person p on p.id = r.person_id where t.template = 'closed' or not p.is_opted_out;
  update hl.person p set survey_case = c.id, survey_until = at_now + interval '7 days'
    from hl.report r where r.case_id = c.id and r.person_id = p.id and r.withdrawn_at is null;
end $$;

create or replace function hl.tell_never_signed(c hl.case, k hl.task, at_now timestamptz) returns void language sql as $$
  insert into hl.notice (case_id, person_id, kind, template, params, dedupe, lane, not_before, made_at)
    select c.id, d.person_id, 'never_signed', 'never_signed', jsonb_build_object('case', c.code, 'unit', u.name),
           format('task:%s:never_signed:%s', k.id, d.person_id), hl.lane_rank('reminder'), hl.text_time(at_now), at_now
    from (select person_id from hl.audience(k, 'head') union select person_id from hl.audience(k, 'office')) d
    join hl.unit u on u.code = k.unit
    on conflict (dedupe) do nothing
$$;

-- A case is over: its clocks stand still, what was asked has lapsed, its roll is called no more. The duty of a property
-- company to photograph and stop goes on.
create or replace function hl.stop_clocks(of_case bigint, at_now timestamptz) returns void language plpgsql as $$
begin
  update hl.ladder set due_at = null where case_id = of_case and due_at is not null and duty_id is null;
  update hl.request set state = 'lapsed', answered_at = at_now where case_id = of_case and state = 'pending';
  update hl.rollcall set counted_at = at_now where case_id = of_case and counted_at is null;
end $$;

-- The centre does not agree: the lead goes on, with a new limit.
create or replace function hl.redo_case(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
declare k hl.task;
begin
  update hl.case set state = 'working' where id = c.id;
  perform hl.record(a, c.id, null, 'redo', c.state, 'working', '{}');
  perform hl.review_by(c.id, null);
  k := hl.relimit(a->'limits');
  update hl.task set state = 'signed' where id = k.id;
  perform hl.record(a, c.id, k.id, 'redo', 'done', 'signed', hl.limits_json(k) || jsonb_build_object('from', a->'limits'->'from_us'));
  perform hl.tell_units(c.id, array[k.id], 'redo', jsonb_build_object('reason', a->>'why'), c.redos::text);
end $$;

-- A case gets its units: by an operator from review, or because the resident named the place.
create or replace function hl.assign_case(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
begin
  update hl.case set state = 'dispatched', type = coalesce(a->>'type', type), urgency = coalesce(a->>'urgency', urgency),
         compound = coalesce(a->>'compound', compound), place = coalesce(nullif(a->>'place', ''), place)
    where id = c.id;
  perform hl.record(a, c.id, null, 'assigned', c.state, 'dispatched',
                    jsonb_build_object('compound', a->>'compound', 'type', coalesce(a->>'type', c.type),
                                       'urgency', coalesce(a->>'urgency', c.urgency)));
  perform hl.review_by(c.id, null);
  perform hl.add_tasks(array[c.id], array[a->'tasks'], at_now, (a->>'actor')::hl.actor_kind, a->>'operator');
  if a ? 'tell_reporters' then
    perform hl.tell_reporters(c.id, 'receipt_opened', 'reply', jsonb_build_object('case', c.code) || (a->'tell_reporters'),
                              'assigned' || c.head_seq);
  end if;
end $$;

-- A case that is under way gets another lead, or another type and with it other units. What was promised stays.
create or replace function hl.reassign_case(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
begin
  update hl.case set type = coalesce(a->>'type', type), urgency = coalesce(a->>'urgency', urgency) where id = c.id;
  perform hl.record(a, c.id, null, 'reassigned', null, null,
                    jsonb_build_object('type', coalesce(a->>'type', c.type), 'urgency', coalesce(a->>'urgency', c.urgency)));
  perform hl.withdraw_tasks(a, c, array(select x::bigint from jsonb_array_elements_text(a->'withdraw') x), at_now);
  perform hl.add_tasks(array[c.id], array[a->'tasks'], at_now, 'operator', a->>'operator');
end $$;

-- Words told where a case is: whoever was sent without a place, or to a wrong one, is told.
create or replace function hl.place_case(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
begin
  update hl.case set compound = a->>'compound', place = coalesce(nullif(a->>'place', ''), place) where id = c.id;
  perform hl.record(a, c.id, null, 'placed', null, null, jsonb_build_object('compound', a->>'compound'));
  insert into hl.notice (case_id, task_id, message_id, person_id, kind, template, params, dedupe, lane, applies, not_before, made_at)
    select c.id, k.id, (a->>'message')::bigint, n.person_id, 'placed', 'placed', hl.task_params(k, n.person_id),
           format('task:%s:placed:%s:%s', k.id, coalesce(a->>'compound', ''), n.person_id),
           hl.lane_rank(case k.urgency when 'emergency' then 'emergency' else 'dispatch' end),
           array['dispatched', 'signed', 'arrived'], at_now, at_now
    from hl.task k join hl.notice_code n on n.task_id = k.id
    where k.case_id = c.id and k.state in ('dispatched', 'signed', 'arrived') order by k.id, n.person_id
    on conflict (dedupe) do nothing;
end $$;

-- Not a matter of this hotline: the reporters are told where to turn.
create or replace function hl.decline_case(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
begin
  update hl.case set state = 'not_accepted', type = coalesce(a->>'type', type) where id = c.id;
  perform hl.record(a, c.id, null, 'refused', c.state, 'not_accepted', jsonb_build_object('type', coalesce(a->>'type', c.type)));
  perform hl.stop_clocks(c.id, at_now);
  perform hl.tell_reporters(c.id, 'receipt_out_of_scope', 'reply', jsonb_build_object('case', c.code), 'refused');
end $$;

-- Since when a case waits for its reporter (as it last did).
create or replace function hl.waiting_since(of_case bigint) returns timestamptz language plpgsql stable as $$
begin
  return (select e.at from hl.event e where e.case_id = of_case and e.kind = 'waiting' order by e.seq desc limit 1);
end $$;

-- While a case waits the clocks of normal tasks and of the desk stand still; those of what was asked or called do not.
create or replace function hl.hold_clocks(of_case bigint) returns void language sql as $$
  update hl.ladder l set due_at = null
    where l.case_id = of_case and l.due_at is not null and num_nonnulls(l.request_id, l.rollcall_id, l.duty_id) = 0
      and (l.task_id is null or exists (select from hl.task k where k.id = l.task_id and k.urgency = 'normal'))
$$;

-- The reporter has to say something first: clocks of normal tasks and of the desk stand still.
create or replace function hl.wait_case(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
begin
  update hl.case set state = 'waiting' where id = c.id;
  perform hl.record(a, c.id, null, 'waiting', c.state, 'waiting', '{}');
  perform hl.hold_clocks(c.id);
  perform hl.tell_reporters(c.id, 'ask_more', 'reply', jsonb_build_object('case', c.code, 'question', a->>'question'),
                            'waiting' || c.head_seq);
end $$;

-- The wait is over, by the reporter's word or by an operator: a stopped limit has left what it had left.
-- Takes  a->'resume': {to, review_us?, limits: [as hl.relimit takes]}; a case that does not wait is left alone.
create or replace function hl.resume_case(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
declare
  t jsonb;
  k hl.task;
begin
  if c.state <> 'waiting' or not a ? 'resume' then
    return;
  end if;
  update hl.case set state = a->'resume'->>'to' where id = c.id;
  perform hl.record(a, c.id, null, 'resumed', c.state, a->'resume'->>'to', '{}');
  for t in select x from jsonb_array_elements(a->'resume'->'limits') x loop
    k := hl.relimit(t);
    perform hl.record(a, c.id, k.id, 'limits_moved', null, null, hl.limits_json(k) || jsonb_build_object('from', t->'from_us'));
  end loop;
  perform hl.review_by(c.id, (a->'resume'->>'review_us')::bigint);
end $$;

-- A closed case begins anew: with the unit that had it, or in the operators' queue when that unit cannot be reached.
create or replace function hl.reopen_case(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
begin
  update hl.case set state = 'reopened' where id = c.id returning * into c;
  perform hl.record(a, c.id, null, 'reopened', 'closed', 'reopened', '{}');
  update hl.request set state = 'granted', answered_at = at_now, answered_by = a->>'operator', why = a->>'why'
    where case_id = c.id and kind = 'reopen' and state = 'pending';
  update hl.ladder set due_at = null where case_id = c.id and request_id is not null and due_at is not null;
  update hl.person set survey_case = null, survey_until = null where survey_case = c.id;
  perform hl.tell_reporters(c.id, 'reopened', 'reply', jsonb_build_object('case', c.code), c.reopens::text);
  if jsonb_array_length(a->'tasks') > 0 and exists (
      select from jsonb_array_elements(a->'tasks') t cross join lateral hl.contacts(t->>'unit', 'officer') where t->>'role' = 'lead') then
    perform hl.assign_case(a, c, at_now);
  else
    perform hl.review_by(c.id, (a->>'review_us')::bigint);
  end if;
end $$;

-- One grievance, two cases: the reports go over to the other case, whose outcome all of them hear.
create or replace function hl.merge_case(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
declare
  target constant bigint := (a->>'into')::bigint;
  n int;
  other hl.case;
begin
  select * into other from hl.case where id = target;
  if other.state not in ('review', 'dispatched', 'working', 'waiting', 'reopened') then
    perform hl.refuse('merge_target', format('case %s is %s', other.code, other.state));
  end if;
  perform hl.tell_reporters(c.id, 'merged', 'reply', jsonb_build_object('case', c.code, 'into', other.code), 'merged');
  n := hl.move_reports(c.id, target);
  update hl.case x set reporters = (select count(distinct r.person_id) + count(*) filter (where r.person_id is null)
                                    from hl.report r where r.case_id = x.id and r.withdrawn_at is null),
         chases = x.chases + case when x.id = target then c.chases else 0 end
    where x.id in (c.id, target);
  update hl.case set state = 'merged' where id = c.id;
  perform hl.record(a, c.id, null, 'merged', c.state, 'merged', jsonb_build_object('into', other.code));
  perform hl.record(a, target, null, 'absorbed', null, null, jsonb_build_object('from', c.code, 'reports', n));
  perform hl.end_tasks(a, c, at_now);
end $$;

-- Runs as the owner: nobody else may hang a report on another case, and only on one that is open.
create or replace function hl.move_reports(of_case bigint, target bigint) returns int language plpgsql security definer
set search_path = hl, pg_temp as $$
declare n int;
begin
  update hl.report r set case_id = target from hl.case c
    where r.case_id = of_case and c.id = target and c.state in ('review', 'dispatched', 'working', 'waiting', 'reopened');
  get diagnostics n = row_count;
  return n;
end $$;
revoke all on function hl.move_reports(bigint, bigint) from public;
grant execute on function hl.move_reports(bigint, bigint) to hotline_daemon;

-- Whoever reported takes all of it back, or the centre does: the units hear that nothing is left to do.
create or replace function hl.withdraw_case(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
begin
  update hl.case set state = 'withdrawn' where id = c.id;
  perform hl.record(a, c.id, null, 'withdrawn', c.state, 'withdrawn', '{}');
  if a->>'actor' = 'operator' then
    perform hl.tell_reporters(c.id, 'case_withdrawn', 'reply', jsonb_build_object('case', c.code), 'withdrawn');
  end if;
  perform hl.end_tasks(a, c, at_now);
end $$;

-- What is left of a case that ends without a result.
create or replace function hl.end_tasks(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
declare k hl.task;
begin
  perform hl.withdraw_tasks(a, c, array(select id from hl.task where case_id = c.id
    and state in ('dispatched', 'signed', 'arrived', 'handback')), at_now);
  for k in select * from hl.task where case_id = c.id and state = 'done' order by id loop
    update hl.task set state = 'closed' where id = k.id;
    perform hl.record(a, c.id, k.id, 'closed', k.state, 'closed', '{}');
  end loop;
  perform hl.stop_clocks(c.id, at_now);
end $$;

-- Takes tasks away from their units, which are told.
create or replace function hl.withdraw_tasks(a jsonb, c hl.case, tasks bigint[], at_now timestamptz) returns void
language plpgsql as $$
declare k hl.task;
begin
  perform hl.tell_units(c.id, tasks, 'task_withdrawn', '{}', 'withdrawn');
  for k in select * from hl.task where id = any (tasks) order by id loop
    perform hl.lapse_requests(k.id, at_now);
    update hl.task set state = 'withdrawn' where id = k.id;
    perform hl.record(a, c.id, k.id, 'withdrawn', k.state, 'withdrawn', '{}');
    update hl.ladder set due_at = null where task_id = k.id and due_at is not null;
    perform hl.drop_moot(k.id);
  end loop;
end $$;

-- Another unit helps, at an operator's word or because the lead asked for it.
create or replace function hl.add_co_task(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
begin
  perform hl.add_tasks(array[c.id], array[a->'tasks'], at_now, 'operator', a->>'operator');
  if c.state = 'waiting' then
    perform hl.hold_clocks(c.id);
  end if;
  perform hl.record(a, c.id, null, 'joint', null, null, jsonb_build_object('unit', a->'tasks'->0->>'unit'));
  perform hl.on_agenda(c.id, 'joint', at_now);
  if a ? 'request' then
    perform hl.answer_request(a, 'granted', at_now);
    perform hl.tell_units(c.id, array[(a->>'asker')::bigint], 'assist_granted',
      jsonb_build_object('helper', (select name from hl.unit where code = a->'tasks'->0->>'unit')), a->>'request');
  end if;
end $$;
