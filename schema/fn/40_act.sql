-- Applies decided acts of officers, residents and operators, in one call.
-- Takes  batch: [{i, message?, person?, actor, operator?, verb, task?, case?, expect?, text?, why?, tasks?, item?, compound?,
--        place?, reply?: {template, params}}]; expect is the state the decider saw.
-- Gives  [{i, result: ok | stale | refused, reason?, reply?}]; stale: decide again with fresh context.
-- An act and the mark on its message share one transaction: after a crash it is done once or not at all.
-- Whoever locks, locks message, case, task, ladder, person in this order, and cases by id.
create or replace function hl.act(batch jsonb) returns jsonb language plpgsql as $$
declare
  a jsonb;
  answers jsonb := '[]';
  outcome text;
  opened text;
begin
  for a in select x from jsonb_array_elements(batch) x loop
    if a->>'message' is not null and not exists (
        select from hl.message m where m.id = (a->>'message')::bigint and m.state = 'pending' for no key update) then
      outcome := 'repeat';
    else
      opened := null;
      if a->>'verb' = 'open' then
        select o.code into opened from hl.open_cases(
          array[jsonb_populate_record(null::hl.intake_item, a->'item')], array[(a->>'message')::bigint],
          array[(a->>'person')::bigint]) o;
        outcome := 'ok';
      elsif a ? 'all' then
        -- 签全部: every task that is still as it was seen
        perform from hl.case c where c.id in (select k.case_id from hl.task k where k.id in (
          select x::bigint from jsonb_array_elements_text(a->'all') x)) order by c.id for no key update;
        perform hl.act_one(a || jsonb_build_object('task', k, 'expect', 'dispatched')) from jsonb_array_elements(a->'all') k;
        outcome := 'ok';
      else
        outcome := hl.act_one(a);
      end if;
      if outcome = 'ok' then
        perform hl.act_settled(a, opened is not null);
      end if;
    end if;
    answers := answers || jsonb_build_object('i', a->'i', 'result', outcome, 'case', opened);
  end loop;
  return jsonb_build_object('now', hl.us(hl.now()), 'items', answers);
end $$;

-- The bookkeeping behind every act that held: the reply, the loop guard, the message's mark.
create or replace function hl.act_settled(a jsonb, is_opened boolean) returns void language plpgsql as $$
declare who bigint := (a->>'person')::bigint;
begin
  if a->>'verb' not in ('reply', 'wrong_code') then
    update hl.person set guard_since = null, guard_count = 0 where id = who and guard_count > 0;
  end if;
  if a->'reply' is not null and who is not null then
    perform hl.answer_plain((a->>'message')::bigint, who, a->'reply'->>'template', coalesce(a->'reply'->'params', '{}'));
  end if;
  if a->>'message' is not null and not is_opened then
    update hl.message m set state = 'handled', outcome = a->>'verb',
           case_id = coalesce((a->>'case')::bigint, (select k.case_id from hl.task k
                              where k.id = coalesce(a->>'task', a->'all'->>0)::bigint))
      where m.id = (a->>'message')::bigint;
  end if;
end $$;

-- One act. 'ok', or 'stale' when the task or case is no longer as the decider saw it.
create or replace function hl.act_one(a jsonb) returns text language plpgsql as $$
declare
  verb text := a->>'verb';
  k hl.task;
  c hl.case;
  at_now timestamptz := hl.now();
begin
  if verb = 'reply' then
    return 'ok';
  elsif verb = 'wrong_code' then
    return hl.count_wrong_code(a);
  end if;
  select * into c from hl.case
    where id = coalesce((select x.case_id from hl.task x where x.id = (a->>'task')::bigint), (a->>'case')::bigint,
                        (select x.id from hl.case x where x.code = a->>'case_code'))
    for no key update;
  if a->>'task' is not null then
    select * into k from hl.task where id = (a->>'task')::bigint for no key update;
  end if;
  if c.id is null then
    raise exception 'there is no case %', coalesce(a->>'case_code', a->>'case', 'of task ' || (a->>'task')) using errcode = 'P0130';
  end if;
  if a->>'expect' is not null and a->>'expect' <> coalesce(k.state, c.state) then
    return 'stale';
  end if;
  if a->>'actor' = 'officer' and not hl.may_act(k, (a->>'person')::bigint) then
    return 'refused';
  end if;
  if a->>'actor' = 'reporter' and not exists (
      select from hl.report r where r.case_id = c.id and r.person_id = (a->>'person')::bigint and r.withdrawn_at is null) then
    return 'refused';
  end if;
  if k.id is not null then
    perform hl.act_on_task(a, k, c, at_now);
  else
    perform hl.act_on_case(a, c, at_now);
  end if;
  return 'ok';
end $$;

-- Only a verified number of the unit that holds the task, which was given a code for it, may act on it.
create or replace function hl.may_act(k hl.task, who bigint) returns boolean language sql stable as $$
  select exists (select from hl.contact c where c.person_id = who and c.unit = k.unit and c.is_active
                 and c.verified_at is not null)
     and exists (select from hl.notice_code n where n.task_id = k.id and n.person_id = who)
$$;

-- Writes one line of history for an act.
create or replace function hl.record(a jsonb, of_case bigint, of_task bigint, what text, was text, becomes text, more jsonb)
returns void language sql as $$
  insert into hl.event (case_id, at, kind, task_id, actor, person_id, operator, message_id, from_state, to_state, data, digest)
    select of_case, hl.now(), what, of_task, (a->>'actor')::hl.actor_kind, (a->>'person')::bigint, a->>'operator',
           (a->>'message')::bigint, was, becomes,
           more || case when a->>'why' is null then '{}' else jsonb_build_object('why', a->>'why') end,
           (select m.digest from hl.message m where m.id = (a->>'message')::bigint)
$$;

create or replace function hl.act_on_task(a jsonb, k hl.task, c hl.case, at_now timestamptz) returns void
language plpgsql as $$
declare
  verb text := a->>'verb';
  who bigint := (a->>'person')::bigint;
begin
  if verb = 'sign' then
    update hl.task set state = 'signed', signed_at = at_now, holder = who where id = k.id;
    perform hl.record(a, c.id, k.id, 'signed', k.state, 'signed', '{}');
  elsif verb = 'arrive' then
    update hl.task set state = 'arrived', arrived_at = at_now, signed_at = coalesce(signed_at, at_now),
           holder = coalesce(holder, who) where id = k.id;
    perform hl.record(a, c.id, k.id, 'arrived', k.state, 'arrived', '{}');
  elsif verb = 'close' then
    update hl.task set state = 'done', done_at = at_now, result = a->>'text', signed_at = coalesce(signed_at, at_now),
           holder = coalesce(holder, who) where id = k.id;
    perform hl.record(a, c.id, k.id, 'done', k.state, 'done', '{}');
    update hl.ladder set due_at = null where task_id = k.id;
  elsif verb in ('progress', 'handback', 'extend', 'assist') then
    perform hl.record(a, c.id, k.id, verb || '_said', null, null, coalesce(a->'args', '{}'));
    if verb <> 'progress' then
      perform hl.tell_operators(c, k, verb, (a->>'message')::bigint);
    end if;
  else
    raise exception 'hl.act knows no task verb %', verb using errcode = 'P0110';
  end if;
  perform hl.drop_moot(k.id);
  perform hl.follow_task(a, c);
end $$;

-- Moves the case along with its tasks: work has started, or the lead task is done.
create or replace function hl.follow_task(a jsonb, c hl.case) returns void language plpgsql as $$
declare lead hl.task;
begin
  if c.state = 'dispatched' and exists (select from hl.task where case_id = c.id and state in ('signed', 'arrived')) then
    update hl.case set state = 'working' where id = c.id;
    perform hl.record(a, c.id, null, 'started', c.state, 'working', '{}');
  elsif c.state in ('dispatched', 'working') then
    select * into lead from hl.lead_task(c.id);
    if lead.state = 'done' then
      update hl.case set state = 'done', done_at = hl.now() where id = c.id;
      perform hl.record(a, c.id, null, 'done', c.state, 'done', '{}');
      perform hl.tell_operators(c, lead, 'done', (a->>'message')::bigint);
    end if;
  end if;
end $$;

-- Queued notices of a task whose time has passed (already signed, already done) are dropped with a note.
-- By rank and not by state: the planner would go through the queue when its statistics are from a quiet time.
create or replace function hl.drop_moot(of_task bigint) returns void language sql as $$
  update hl.notice n set state = 'dropped', reason = 'task is ' || k.state
  from hl.task k
  where n.task_id = of_task and k.id = of_task and hl.notice_rank(n.state) = 0 and n.applies is not null
    and not (k.state = any (n.applies))
$$;

create or replace function hl.tell_operators(c hl.case, k hl.task, what text, message bigint) returns void language sql as $$
  insert into hl.notice (case_id, task_id, message_id, person_id, kind, template, params, dedupe, lane, not_before, made_at)
    select c.id, k.id, message, d.person_id, 'operator', case what when 'done' then 'operator_done' else 'operator_asked' end,
           jsonb_build_object('case', c.code, 'unit', u.name, 'what', what),
           format('task:%s:%s:%s:%s', k.id, what, coalesce(message::text, 'op'), d.person_id),
           hl.lane_rank('dispatch'), hl.now(), hl.now()
    from hl.contacts('HOT', 'duty') d, hl.unit u where u.code = k.unit
    on conflict (dedupe) do nothing
$$;

create or replace function hl.act_on_case(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
declare
  verb text := a->>'verb';
  who bigint := (a->>'person')::bigint;
begin
  case verb
  when 'accept' then perform hl.accept_case(a, c, at_now);
  when 'assign' then perform hl.assign_case(a, c, at_now);
  when 'supplement' then perform hl.record(a, c.id, null, 'supplemented', null, null, '{}');
  when 'join' then
    perform hl.record(a, c.id, null, 'supplemented', null, null, '{}');
    if c.compound is null and a->>'compound' is not null then
      perform hl.place_case(a, c, at_now);
    end if;
  when 'chase' then
    update hl.case set chases = chases + 1 where id = c.id;
    perform hl.record(a, c.id, null, 'chased', null, null, jsonb_build_object('count', c.chases + 1));
  when 'survey' then
    perform hl.record(a, c.id, null, 'rated', null, null, jsonb_build_object('rating', a->>'rating'));
    update hl.person set survey_case = null, survey_until = null where id = who;
  when 'withdraw' then perform hl.withdraw_report(a, c, at_now);
  else
    raise exception 'hl.act knows no case verb %', verb using errcode = 'P0110';
  end case;
end $$;

-- The centre agrees: the case and all its tasks are closed, every reporter hears the outcome and may rate it.
create or replace function hl.accept_case(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
declare
  lead_result text;
  k hl.task;
begin
  select result into lead_result from hl.task where case_id = c.id and role = 'lead' and state = 'done';
  update hl.case set state = 'closed', closed_at = at_now where id = c.id;
  perform hl.record(a, c.id, null, 'closed', c.state, 'closed', '{}');
  for k in select * from hl.task where case_id = c.id and state in ('dispatched', 'signed', 'arrived', 'done') order by id loop
    update hl.task set state = 'closed' where id = k.id;
    perform hl.record(a, c.id, k.id, 'closed', k.state, 'closed', '{}');
    perform hl.drop_moot(k.id);
  end loop;
  update hl.ladder set due_at = null where case_id = c.id and due_at is not null;
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

-- A case in review gets its place and tasks, by an operator or because the resident named the place.
create or replace function hl.assign_case(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
begin
  update hl.case set state = 'dispatched', type = coalesce(a->>'type', type), urgency = coalesce(a->>'urgency', urgency),
         compound = coalesce(a->>'compound', compound), place = coalesce(nullif(a->>'place', ''), place)
    where id = c.id;
  perform hl.record(a, c.id, null, 'assigned', c.state, 'dispatched',
                    jsonb_build_object('compound', a->>'compound', 'type', coalesce(a->>'type', c.type)));
  update hl.ladder set due_at = null where case_id = c.id and task_id is null and due_at is not null;
  perform hl.add_tasks(array[c.id], array[a->'tasks'], at_now, (a->>'actor')::hl.actor_kind, a->>'operator');
end $$;

-- Words told where an unplaced case is: whoever was sent without a place is told.
create or replace function hl.place_case(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
begin
  update hl.case set compound = a->>'compound', place = coalesce(nullif(a->>'place', ''), place) where id = c.id;
  perform hl.record(a, c.id, null, 'placed', null, null, jsonb_build_object('compound', a->>'compound'));
  insert into hl.notice (case_id, task_id, message_id, person_id, kind, template, params, dedupe, lane, applies, not_before, made_at)
    select c.id, k.id, (a->>'message')::bigint, n.person_id, 'placed', 'placed', hl.task_params(k, n.person_id),
           format('task:%s:placed:%s', k.id, n.person_id),
           hl.lane_rank(case k.urgency when 'emergency' then 'emergency' else 'dispatch' end),
           array['dispatched', 'signed', 'arrived'], at_now, at_now
    from hl.task k join hl.notice_code n on n.task_id = k.id
    where k.case_id = c.id and k.state in ('dispatched', 'signed', 'arrived') order by k.id, n.person_id
    on conflict (dedupe) do nothing;
end $$;

-- Takes back one reporter's report; the case lives while others remain.
create or replace function hl.withdraw_report(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
declare
  k hl.task;
  n int;
begin
  update hl.report set withdrawn_at = at_now
    where case_id = c.id and person_id = (a->>'person')::bigint and withdrawn_at is null;
  get diagnostics n = row_count;
  update hl.case set reporters = greatest(reporters - n, 0) where id = c.id;
  perform hl.record(a, c.id, null, 'report_withdrawn', null, null, '{}');
  if exists (select from hl.report where case_id = c.id and withdrawn_at is null)
     or c.state not in ('review', 'dispatched', 'working', 'waiting') then
    return;
  end if;
  update hl.case set state = 'withdrawn' where id = c.id;
  perform hl.record(a, c.id, null, 'withdrawn', c.state, 'withdrawn', '{}');
  for k in select * from hl.task where case_id = c.id and state in ('dispatched', 'signed', 'arrived', 'handback') order by id loop
    update hl.task set state = 'withdrawn' where id = k.id;
    perform hl.record(a, c.id, k.id, 'withdrawn', k.state, 'withdrawn', '{}');
    perform hl.drop_moot(k.id);
  end loop;
  update hl.ladder set due_at = null where case_id = c.id and due_at is not null;
end $$;

-- Wrong codes are counted per number; the fifth within an hour tells the unit head, once. A right code always works.
create or replace function hl.count_wrong_code(a jsonb) returns text language plpgsql as $$
declare
  who bigint := (a->>'person')::bigint;
  n int;
begin
  update hl.person set
      wrong_count = case when wrong_since > hl.now() - interval '1 hour' then wrong_count + 1 else 1 end,
      wrong_since = case when wrong_since > hl.now() - interval '1 hour' then wrong_since else hl.now() end
    where id = who returning wrong_count into n;
  if n = 5 then
    insert into hl.notice (message_id, person_id, kind, template, params, dedupe, lane, not_before, made_at)
      select (a->>'message')::bigint, h.person_id, 'wrong_codes', 'wrong_codes', jsonb_build_object('unit', u.name),
             format('person:%s:wrong:%s:%s', who, hl.secs(hl.now()), h.person_id), hl.lane_rank('dispatch'), hl.now(), hl.now()
      from hl.contact c join hl.unit u on u.code = c.unit cross join lateral hl.contacts(c.unit, 'head') h
      where c.person_id = who and c.is_active;
  end if;
  return 'ok';
end $$;
