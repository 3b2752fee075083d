-- Applies decided acts of officers, residents and operators, in one call.
-- Takes  batch: [{i, message?, person?, actor, operator?, verb, task?, case?, expect?, version?, text?, why?, ...,
--        reply?: {template, params}}]; expect is the state the decider saw, version the length of the history it saw.
-- Gives  {"now": us, "items": [{i, result: ok | stale | refused | repeat, rule?, case?}]}; stale: decide again with fresh
--        context. What a phone asks against a rule is refused, answered with the rule's name and leaves nothing behind;
--        an operator's act raises.
-- An act and the mark on its message share one transaction: after a crash it is done once or not at all.
-- Whoever locks, locks message, case, task, ladder, person in this order, and cases by id.
create or replace function hl.act(batch jsonb) returns jsonb language plpgsql as $$
declare
  a jsonb;
  answers jsonb := '[]';
  outcome text;
  opened text;
  rule text;
begin
  for a in select x from jsonb_array_elements(batch) x loop
    rule := null;
    if a->>'message' is not null and not exists (
        select from hl.message m where m.id = (a->>'message')::bigint and m.state = 'pending' for no key update) then
      outcome := 'repeat';
    else
      opened := null;
      if a->>'verb' = 'open' then
        perform hl.lock_reporters(array[(a->>'person')::bigint]);
      end if;
      if a->>'verb' = 'open' and hl.live_cases((a->>'person')::bigint) <> (a->>'n_live')::bigint then
        outcome := 'stale';
      elsif a->>'verb' = 'open' then
        select o.code into opened from hl.open_cases(
          array[jsonb_populate_record(null::hl.intake_item, a->'item')], array[(a->>'message')::bigint],
          array[(a->>'person')::bigint]) o;
        perform hl.record(a, c.id, null, s, null, null, '{}')
          from jsonb_array_elements_text(coalesce(a->'stages', '[]')) s join hl.case c on c.code = opened;
        if a ? 'link' then
          perform hl.want_photo(c.id, (a->>'person')::bigint, a->'link'->>'base', (a->>'message')::bigint,
                                format('message:%s:photo_wanted', a->>'message')) from hl.case c where c.code = opened;
        end if;
        outcome := 'ok';
      elsif a ? 'all' then
        -- 签全部: every task that is still as it was seen
        perform from hl.case c where c.id in (select k.case_id from hl.task k where k.id in (
          select x::bigint from jsonb_array_elements_text(a->'all') x)) order by c.id for no key update;
        if exists (select from hl.task k where k.id in (select x::bigint from jsonb_array_elements_text(a->'all') x)
                   and k.state <> 'dispatched') then
          outcome := 'stale';
        else
          perform hl.act_one(a || jsonb_build_object('task', k, 'expect', 'dispatched')) from jsonb_array_elements(a->'all') k;
          outcome := 'ok';
        end if;
      elsif a->>'actor' = 'operator' then
        outcome := hl.act_one(a);
      else
        begin
          outcome := hl.act_one(a);
          if outcome = 'refused' then
            rule := 'not_yours';
          end if;
        -- moves against the law, rules of a request or a result, what is there already
        exception when sqlstate 'P0102' or sqlstate 'P0103' or sqlstate 'P0106' or sqlstate 'P0107' or sqlstate 'P0140'
                       or check_violation or unique_violation then
          outcome := 'refused';
          rule := hl.rule_of(sqlstate, sqlerrm);
        end;
      end if;
      if outcome in ('ok', 'refused') then
        perform hl.act_settled(a, opened is not null, rule);
      end if;
    end if;
    answers := answers || jsonb_build_object('i', a->'i', 'result', outcome, 'rule', rule, 'case', opened);
  end loop;
  return jsonb_build_object('now', hl.us(hl.now()), 'items', answers);
end $$;

-- The name of the rule behind an error of ours: "rule: why" of hl.refuse; the law's own errors are `law`.
create or replace function hl.rule_of(state text, said text) returns text language sql immutable as $$
  select case when state = 'P0140' then split_part(said, ':', 1) when state like 'P01%' then 'law'
              else coalesce(substring(said from '"([^"]*)"$'), 'constraint') end
$$;
create or replace function hl.refuse(rule text, said text) returns void language plpgsql as $$
begin
  raise exception '%: %', rule, said using errcode = 'P0140';
end $$;

-- The bookkeeping behind every act that held or was refused: the reply, the loop guard, the message's mark.
create or replace function hl.act_settled(a jsonb, is_opened boolean, rule text) returns void language plpgsql as $$
declare who bigint := (a->>'person')::bigint;
begin
  if a->>'verb' not in ('reply', 'wrong_code', 'verify_wrong', 'verify_send') and rule is null then
    update hl.person set guard_since = null, guard_count = 0 where id = who and guard_count > 0;
  end if;
  if rule is null and jsonb_typeof(a->'dialogues') = 'object' and who is not null then
    perform hl.keep_dialogues(a);
  end if;
  if a ? 'link' and a ? 'reply' and rule is null then
    a := hl.with_link(a);
  end if;
  if rule is not null and who is not null then
    perform hl.answer_plain((a->>'message')::bigint, who, 'move_refused',
      jsonb_build_object('code', coalesce(a->'reply'->'params'->>'code', a->'reply'->'params'->>'case', ''), 'rule', rule));
  elsif a->'reply' is not null and who is not null then
    perform hl.answer_plain((a->>'message')::bigint, who, a->'reply'->>'template', coalesce(a->'reply'->'params', '{}'));
  end if;
  if a->>'message' is not null and not is_opened then
    update hl.message m set state = 'handled', outcome = case when rule is null then a->>'verb' else 'refused' end,
           case_id = coalesce((a->>'case')::bigint, (select k.case_id from hl.task k
                              where k.id = coalesce(a->>'task', a->'all'->>0, a->>'about')::bigint))
      where m.id = (a->>'message')::bigint;
  end if;
  if a->>'message' is not null and rule is null then
    perform hl.claim_photos(a);
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
  elsif verb in ('verify', 'verify_wrong', 'verify_send') then
    return hl.verify_act(a);
  elsif verb = 'muster' then
    return hl.answer_muster(a);
  elsif verb in ('stop', 'start') then
    return hl.opt(a);
  end if;
  if a->>'into' is not null then
    perform from hl.case where id in ((a->>'case')::bigint, (a->>'into')::bigint) order by id for no key update;
  end if;
  select * into c from hl.case
    where id = coalesce((select x.case_id from hl.task x where x.id = (a->>'task')::bigint), (a->>'case')::bigint)
    for no key update;
  if a->>'task' is not null then
    select * into k from hl.task where id = (a->>'task')::bigint for no key update;
  end if;
  if c.id is null then
    raise exception 'there is no case %', coalesce(a->>'case', 'of task ' || (a->>'task')) using errcode = 'P0130';
  end if;
  if a->>'expect' <> coalesce(k.state, c.state) or (a->>'version')::int <> c.head_seq then
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
  elsif a->>'actor' = 'operator' then
    perform hl.operate(a, c, at_now);
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
  if verb in ('progress', 'extend', 'assist') and k.state not in ('dispatched', 'signed', 'arrived', 'handback') then
    perform hl.refuse('law', format('task is %s: nothing is left to be said about it', k.state)); -- no move that the law would refuse
  elsif verb = 'sign' then
    update hl.task set state = 'signed', signed_at = at_now, holder = who where id = k.id;
    perform hl.record(a, c.id, k.id, 'signed', k.state, 'signed', '{}');
  elsif verb = 'arrive' then
    if k.state <> 'arrived' then
      update hl.task set state = 'arrived', arrived_at = at_now, signed_at = coalesce(signed_at, at_now),
             holder = coalesce(holder, who) where id = k.id;
      perform hl.record(a, c.id, k.id, 'arrived', k.state, 'arrived', '{}');
    end if;
    perform hl.attend(a, k, at_now);
  elsif verb = 'close' then
    update hl.task set state = 'done', done_at = at_now, result = a->>'text', facts = coalesce(a->'facts', '{}'),
           signed_at = coalesce(signed_at, at_now), holder = coalesce(holder, who) where id = k.id;
    perform hl.record(a, c.id, k.id, 'done', k.state, 'done', jsonb_strip_nulls(jsonb_build_object('facts', a->'facts')));
    perform hl.lapse_requests(k.id, at_now);
    update hl.ladder set due_at = null where task_id = k.id and due_at is not null;
  elsif verb = 'progress' then
    perform hl.record(a, c.id, k.id, 'progress_said', null, null, coalesce(a->'args', '{}'));
  elsif verb in ('handback', 'extend', 'assist') then
    perform hl.ask(a, k, c, at_now);
  else
    raise exception 'hl.act knows no task verb %', verb using errcode = 'P0110';
  end if;
  perform hl.drop_moot(k.id);
  perform hl.follow_task(a, c);
end $$;

-- Moves the case along with its tasks: work has started, or the lead task is done. The unit's result ends a wait for the
-- reporter: what was asked is not needed any more.
create or replace function hl.follow_task(a jsonb, c hl.case) returns void language plpgsql as $$
declare lead hl.task;
begin
  if c.state = 'dispatched' and exists (select from hl.task where case_id = c.id and state in ('signed', 'arrived')) then
    update hl.case set state = 'working' where id = c.id;
    perform hl.record(a, c.id, null, 'started', c.state, 'working', '{}');
  elsif c.state in ('dispatched', 'working', 'waiting') then
    select * into lead from hl.lead_task(c.id);
    if lead.state = 'done' then
      if c.state = 'waiting' then
        update hl.case set state = 'working' where id = c.id;
        perform hl.record(a, c.id, null, 'resumed', c.state, 'working', '{}');
        c.state := 'working';
      end if;
      update hl.case set state = 'done', done_at = hl.now() where id = c.id;
      perform hl.record(a, c.id, null, 'done', c.state, 'done', '{}');
      perform hl.review_by(c.id, (a->>'review_us')::bigint);
      perform hl.tell_operators(c, lead, 'done', (a->>'message')::bigint, (a->>'desk_us')::bigint);
    end if;
  end if;
end $$;

-- The operator's own clock on a case: the one that ran before ends.
create or replace function hl.review_by(of_case bigint, by_us bigint) returns void language sql as $$
  update hl.ladder set due_at = null
    where case_id = of_case and num_nonnulls(task_id, request_id, rollcall_id, duty_id) = 0 and due_at is not null;
  insert into hl.ladder (case_id, rungs, dues, due_at)
    select of_case, array['review'], array[hl.at_us(by_us)], hl.at_us(by_us) where by_us is not null;
$$;

-- Queued notices of a task whose time has passed (already signed, already done) are dropped with a note.
-- By rank and not by state: the planner would go through the queue when its statistics are from a quiet time.
create or replace function hl.drop_moot(of_task bigint) returns void language sql as $$
  update hl.notice n set state = 'dropped', reason = 'task is ' || k.state
  from hl.task k
  where n.task_id = of_task and k.id = of_task and hl.notice_rank(n.state) = 0 and n.applies is not null
    and not (k.state = any (n.applies))
$$;

-- The desk hears of new work; of what does not press, in working hours (desk_us).
create or replace function hl.tell_operators(c hl.case, k hl.task, what text, message bigint, desk_us bigint) returns void
language sql as $$
  insert into hl.notice (case_id, task_id, message_id, person_id, kind, template, params, dedupe, lane, not_before, made_at)
    select c.id, k.id, message, d.person_id, 'operator', case what when 'done' then 'operator_done' else 'operator_asked' end,
           jsonb_build_object('case', c.code, 'unit', coalesce(u.name, ''), 'what', what),
           format('task:%s:%s:%s:%s', coalesce(k.id::text, 'case' || c.id), what, coalesce(message::text, 'op' || c.head_seq), d.person_id),
           hl.lane_rank(case c.urgency when 'emergency' then 'emergency' else 'dispatch' end),
           greatest(hl.now(), hl.at_us(desk_us)), hl.now()
    from hl.contacts('HOT', 'duty') d left join hl.unit u on u.code = k.unit
    on conflict (dedupe) do nothing
$$;

create or replace function hl.act_on_case(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
declare
  verb text := a->>'verb';
  who bigint := (a->>'person')::bigint;
begin
  case verb
  when 'assign' then perform hl.assign_case(a, c, at_now);
  when 'supplement' then
    perform hl.record(a, c.id, null, 'supplemented', null, null, '{}');
    perform hl.resume_case(a, c, at_now);
  when 'join' then
    perform hl.record(a, c.id, null, 'supplemented', null, null, '{}');
    perform hl.resume_case(a, c, at_now);
    if c.compound is null and a->>'compound' is not null then
      perform hl.place_case(a, c, at_now);
    end if;
  when 'stage' then perform hl.record(a, c.id, null, a->>'stage', null, null, '{}');
  when 'chase' then
    update hl.case set chases = chases + 1 where id = c.id;
    perform hl.record(a, c.id, null, 'chased', null, null, jsonb_build_object('count', c.chases + 1, 'reporters', c.reporters));
  when 'survey' then
    perform hl.record(a, c.id, null, 'rated', null, null, jsonb_build_object('rating', left(a->>'rating', 1)));
    update hl.person set survey_case = null, survey_until = null where id = who;
    perform hl.ask_reopen(a, c, at_now);
  when 'withdraw' then perform hl.withdraw_report(a, c, at_now);
  else
    raise exception 'hl.act knows no case verb %', verb using errcode = 'P0110';
  end case;
end $$;

-- Takes back one reporter's report; the case lives while others remain.
create or replace function hl.withdraw_report(a jsonb, c hl.case, at_now timestamptz) returns void language plpgsql as $$
declare n int;
begin
  update hl.report set withdrawn_at = at_now
    where case_id = c.id and person_id = (a->>'person')::bigint and withdrawn_at is null;
  get diagnostics n = row_count;
  update hl.case set reporters = greatest(reporters - n, 0) where id = c.id;
  perform hl.record(a, c.id, null, 'report_withdrawn', null, null, '{}');
  if exists (select from hl.report where case_id = c.id and withdrawn_at is null)
     or c.state not in ('review', 'dispatched', 'working', 'waiting', 'reopened') then
    return;
  end if;
  perform hl.withdraw_case(a, c, at_now);
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
