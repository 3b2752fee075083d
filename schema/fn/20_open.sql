-- Opening and joining cases. In sets: a statement costs as much for one report as for ten.

-- The open case that each report joins, if there is one: same place, same type. An emergency is not swallowed by a case
-- that moves at another pace.
create or replace function hl.known_cases(items hl.intake_item[], routes text[]) returns bigint[] language plpgsql stable as $$
begin
  return array(
    select (select c.id from hl.case c
            where c.compound = t.compound and c.type = t.type and c.place = t.place
              and c.state in ('dispatched', 'working', 'waiting', 'reopened', 'review')
              and array_position(array['normal', 'urgent', 'emergency'], c.urgency)
                  >= array_position(array['normal', 'urgent', 'emergency'], t.urgency)
              and routes[t.i] = 'dispatch'
            order by c.id limit 1)
    from unnest(items) t order by t.i);
end $$;

-- Decides what becomes of reports, and locks what they join until the transaction ends.
-- Takes  items with dense i = 1..n, and of those that are reports the disposition (null: no report).
-- Gives  per item its route, its case and whether it opens that case.
create or replace function hl.plan_cases(items hl.intake_item[], at_now timestamptz, inout routes text[], out cases bigint[],
                                         out opens boolean[]) language plpgsql as $$
begin
  perform hl.year_base(at_now); -- before a number is drawn
  -- Two daemons must not open two cases for one matter; and what is joined must not be closed meanwhile. Everything is
  -- locked in one order, so that they cannot wait for each other.
  perform pg_advisory_xact_lock(1, m.matter) from (
    select distinct hashtext(concat_ws('|', t.compound, t.type, t.place)) as matter from unnest(items) t
    where routes[t.i] = 'dispatch' and t.compound is not null order by 1) m;
  cases := hl.known_cases(items, routes);
  if cardinality(array_remove(cases, null)) > 0 then
    perform from hl.case c where c.id = any (cases) order by c.id for no key update;
    cases := hl.known_cases(items, routes);
  end if;

  -- A lead unit nobody can reach makes the case an operator's; a known open case at the same place is joined. Within the
  -- batch the first report of a matter opens its case, the others join it.
  with routed as (
    select t.i, cases[t.i] as known, t.compound, t.type, t.place, t.urgency, case
        when routes[t.i] = 'dispatch' and cases[t.i] is not null then 'join'
        when routes[t.i] = 'dispatch' and not exists (
               select from jsonb_array_elements(t.tasks) k, hl.contacts(k->>'unit', 'officer')
               where k->>'role' = 'lead') then 'no_contact'
        else routes[t.i] end as route
    from unnest(items) t),
  firsts as (
    select r.*, first_value(r.i) over (
             partition by case when r.route = 'dispatch' and r.compound is not null
                               then concat_ws('|', r.compound, r.type, r.place, r.urgency) else '#' || r.i end
             order by r.i) as first_i
    from routed r),
  numbered as materialized (
    select f.i, nextval('hl.case_serial') as id from firsts f
    where f.route is not null and f.known is null and f.i = f.first_i order by f.i)
  select array_agg(f.route order by f.i), array_agg(coalesce(f.known, n.id) order by f.i),
         array_agg(f.route is not null and f.known is null and f.i = f.first_i order by f.i)
    into routes, cases, opens
  from firsts f left join numbered n on n.i = f.first_i;
end $$;

-- Writes planned cases: rows, reports and history, then tasks and notices. Messages and persons are there.
-- The history of a new case is computed here, link by link, and written in the statement that makes the case: so the guards
-- find both at once (0006).
create or replace function hl.write_cases(items hl.intake_item[], routes text[], cases bigint[], opens boolean[],
                                          messages bigint[], persons bigint[], at_now timestamptz) returns void
language plpgsql as $$
declare
  base constant bigint := hl.year_base(at_now);
  with_tasks boolean;
begin
  with t as (
    select u.i, cases[u.i] as case_id, opens[u.i] as is_new, routes[u.i] as route, messages[u.i] as message_id,
           persons[u.i] as person_id, u.type, u.urgency, u.compound, u.place, u.confidence, u.why, u.is_sure, u.is_unverified,
           u.decision, u.maybe,
           case routes[u.i] when 'dispatch' then 'dispatched' when 'not_accepted' then 'not_accepted' else 'review' end as state,
           (select m.digest from hl.message m where m.id = messages[u.i]) as digest
    from unnest(items) u where routes[u.i] is not null),
  told as (
    select t.*, c.head_seq, c.head_hash, coalesce(c.head_seq, 0) + row_number() over w as seq,
           case when t.is_new then 'opened' else 'joined' end as kind, case when t.is_new then '' end as from_state,
           case when t.is_new then t.state end as to_state,
           case when t.is_new
             then jsonb_build_object('type', t.type, 'urgency', t.urgency, 'confidence', t.confidence, 'why', t.why,
                                     'compound', t.compound, 'route', t.route)
             else '{}' end as data
    from t left join lateral (select c.head_seq, c.head_hash from hl.case c where c.id = t.case_id offset 0) c on true
    window w as (partition by t.case_id order by t.is_new desc, t.i)),
  linked as (
    select d.*, hl.chain(d.head_hash, hl.event_text(d.case_id, d.seq::int, at_now, d.kind, null, 'reporter', d.person_id, null,
                  d.message_id, d.from_state, d.to_state, d.data, d.digest)) over (partition by d.case_id order by d.seq) as hash
    from told d),
  events as (
    insert into hl.event (case_id, seq, at, kind, actor, person_id, message_id, from_state, to_state, data, digest, prev_hash, hash)
      select l.case_id, l.seq, at_now, l.kind, 'reporter', l.person_id, l.message_id, l.from_state, l.to_state, l.data, l.digest,
             coalesce(lag(l.hash) over (partition by l.case_id order by l.seq), l.head_hash), l.hash
      from linked l order by l.case_id, l.seq),
  heads as (
    select distinct on (l.case_id) l.case_id, l.seq, l.hash from linked l order by l.case_id, l.seq desc),
  -- A new case has as many reporters as it has lines of history so far.
  made as (
    insert into hl.case (id, code, type, urgency, state, compound, place, confidence, why, is_sure, is_unverified, opened_at,
                         maybe, reporters, head_seq, head_hash)
      select t.case_id, hl.case_code(at_now, t.case_id, base), t.type, t.urgency, t.state, t.compound, t.place, t.confidence,
             t.why, t.is_sure, t.is_unverified, at_now,
             case when t.maybe is not null then array(select jsonb_array_elements_text(t.maybe->'codes')) end, h.seq, h.seq, h.hash
      from t join heads h on h.case_id = t.case_id where t.is_new order by t.i),
  decided as (
    insert into hl.decision (message_id, case_id, at, type, urgency, confidence, is_sure, route, rules, model, detail)
      select t.message_id, t.case_id, at_now, t.type, t.urgency, t.confidence, t.is_sure,
             case when t.is_new then t.route else 'join' end, t.decision->>'rules', t.decision->>'model', t.decision->'detail'
      from t where t.decision is not null order by t.i),
  met as (
    update hl.case c set reporters = c.reporters + j.n
      from (select t.case_id, count(*) as n from t group by 1 having not bool_or(t.is_new)) j where c.id = j.case_id)
  insert into hl.report (case_id, message_id, person_id, at)
    select t.case_id, t.message_id, t.person_id, at_now from t order by t.i;

  with_tasks := exists (select from unnest(routes, opens) u (route, is_new) where u.route = 'dispatch' and u.is_new);
  if with_tasks then
    perform hl.add_tasks(array(select cases[t.i] from unnest(items) t where opens[t.i] and routes[t.i] = 'dispatch' order by t.i),
                         array(select t.tasks from unnest(items) t where opens[t.i] and routes[t.i] = 'dispatch' order by t.i),
                         at_now, 'system', null);
  end if;

  -- One receipt per report; and cases an operator must look at, with the operator's own limit.
  with t as (
    select u.i, cases[u.i] as case_id, opens[u.i] as is_new, routes[u.i] as route, messages[u.i] as message_id,
           persons[u.i] as person_id, u.channel, u.review_us, c.code, c.urgency, c.place, c.compound,
           u.place as told_place, u.compound as told_compound, u.maybe
    from unnest(items) u
    join lateral (select c.* from hl.case c where c.id = cases[u.i] offset 0) c on true),
  clocks as (
    insert into hl.ladder (case_id, rungs, dues, due_at)
      select t.case_id, array['review'], array[hl.at_us(t.review_us)], hl.at_us(t.review_us)
      from t where t.is_new and t.route in ('review', 'no_contact'))
  insert into hl.notice (case_id, message_id, person_id, kind, template, params, dedupe, lane, channel, not_before, made_at)
    select t.case_id, t.message_id, t.person_id, 'receipt',
           case when t.urgency = 'emergency' and t.is_new and t.maybe is not null then 'ask_which_emergency'
                when t.urgency = 'emergency' and t.place = '' and t.compound is null then 'ask_place_emergency'
                when t.urgency = 'emergency' then 'receipt_emergency'
                when not t.is_new then 'receipt_joined'
                when t.route = 'not_accepted' then 'receipt_out_of_scope'
                when t.route = 'dispatch' then 'receipt_opened'
                when t.maybe is not null then 'ask_which'
                when t.told_place = '' and t.told_compound is null then 'ask_place'
                else 'receipt_review' end,
           jsonb_build_object('case', t.code, 'unit', coalesce((select u.name from hl.unit u where u.code = k.unit), ''),
                              'reply_by', hl.secs(k.close_by), 'places', t.maybe->'list'),
           concat('message:', t.message_id, ':receipt'),
           hl.lane_rank(case t.urgency when 'emergency' then 'emergency' else 'reply' end), t.channel, at_now, at_now
    from t left join lateral hl.lead_task(t.case_id) k on true
    where t.person_id is not null;

  perform hl.tell_review(array_agg(cases[t.i] order by t.i), array_agg(messages[t.i] order by t.i),
      array_agg(case routes[t.i] when 'no_contact' then 'no_contact' else 'review_new' end order by t.i),
      array_agg(t.review_us order by t.i), array_agg(coalesce(hl.at_us(t.desk_us), at_now) order by t.i),
      array_agg((select u.name from jsonb_array_elements(t.tasks) k join hl.unit u on u.code = k->>'unit'
                 where k->>'role' = 'lead') order by t.i), at_now)
    from unnest(items) t
    where opens[t.i] and (routes[t.i] in ('review', 'no_contact') or t.is_unverified) having count(*) > 0;

  -- Property companies that report have duties of their own.
  perform hl.start_duties(array_agg(cases[t.i] order by t.i), array_agg(persons[t.i] order by t.i), at_now)
    from unnest(items) t where opens[t.i] and persons[t.i] is not null having count(*) > 0;
end $$;

-- Opens or joins cases for decided items whose messages wait.
-- Takes  items with dense i = 1..n, and for each its message and person.
-- Gives  per item {i, case, code, outcome}.
create or replace function hl.open_cases(items hl.intake_item[], messages bigint[], persons bigint[])
returns table (i int, case_id bigint, code text, outcome text) language plpgsql as $$
#variable_conflict use_column
declare
  at_now constant timestamptz := hl.now();
  plan record;
begin
  select * into plan from hl.plan_cases(items, at_now, array(select t.disposition from unnest(items) t order by t.i));
  perform hl.write_cases(items, plan.routes, plan.cases, plan.opens, messages, persons, at_now);
  update hl.message m set state = 'handled', case_id = plan.cases[t.i],
         outcome = case when plan.opens[t.i] then plan.routes[t.i] else 'joined' end
    from unnest(items) t where m.id = messages[t.i];
  return query select t.i, plan.cases[t.i], c.code, case when plan.opens[t.i] then plan.routes[t.i] else 'joined' end
    from unnest(items) t join hl.case c on c.id = plan.cases[t.i] order by t.i;
end $$;

-- Adds decided tasks to cases: rows, history, ladders, codes, dispatch notices. The caller holds the cases.
-- Takes  parallel arrays: case and its [{unit, role, from_us, sign_us, arrive_us, close_us, provisional, rungs[], dues_us[]}];
--        assigned_at is from_us, the instant the limits were counted from, however long the batch waited.
-- Gives  the new tasks' ids.
create or replace function hl.add_tasks(cases bigint[], tasks jsonb[], at_now timestamptz, by_actor hl.actor_kind,
                                        by_operator text)
returns setof bigint language plpgsql as $$
#variable_conflict use_column
declare
  ids bigint[];
  people bigint[];
begin
  with wanted as (
    select w.case_id, w.ord, k.unit, k.role, coalesce(k.provisional, false) as is_provisional,
           coalesce(k.handed_on, false) as is_handed_on, hl.at_us(k.from_us) as assigned_at,
           k.sign_us, k.arrive_us, k.close_us, k.basis, k.rungs,
           array(select hl.at_us(x) from unnest(k.dues_us) with ordinality d (x, n) order by d.n) as dues
    from unnest(cases, tasks) with ordinality w (case_id, list, ord)
    cross join lateral jsonb_to_recordset(w.list) k (unit text, role text, from_us bigint, sign_us bigint, arrive_us bigint,
                                                     close_us bigint, provisional boolean, handed_on boolean, basis jsonb, rungs text[],
                                                     dues_us bigint[])
    order by w.ord, k.role desc),
  k as materialized (
    select w.*, nextval('hl.task_id_seq') as id from wanted w),
  told as (
    select k.id, k.case_id, c.head_hash, c.head_seq + row_number() over (partition by k.case_id order by k.id) as seq,
           jsonb_build_object('unit', k.unit, 'role', k.role, 'sign_by', k.sign_us, 'arrive_by', k.arrive_us,
                              'close_by', k.close_us, 'provisional', k.is_provisional)
             || coalesce(k.basis, '{}') as data
    from k join lateral (select c.head_seq, c.head_hash from hl.case c where c.id = k.case_id offset 0) c on true),
  linked as (
    select d.*, hl.chain(d.head_hash, hl.event_text(d.case_id, d.seq::int, at_now, 'assigned', d.id, by_actor, null, by_operator,
                  null, '', 'dispatched', d.data, null)) over (partition by d.case_id order by d.seq) as hash
    from told d),
  events as (
    insert into hl.event (case_id, seq, at, kind, task_id, actor, operator, from_state, to_state, data, prev_hash, hash)
      select l.case_id, l.seq, at_now, 'assigned', l.id, by_actor, by_operator, '', 'dispatched', l.data,
             coalesce(lag(l.hash) over (partition by l.case_id order by l.seq), l.head_hash), l.hash
      from linked l order by l.case_id, l.seq),
  made as (
    insert into hl.task (id, case_id, unit, role, state, urgency, assigned_at, sign_by, arrive_by, close_by, is_provisional,
                         is_handed_on)
      overriding system value
      select k.id, k.case_id, k.unit, k.role, 'dispatched', (select c.urgency from hl.case c where c.id = k.case_id), k.assigned_at,
             hl.at_us(k.sign_us), hl.at_us(k.arrive_us), hl.at_us(k.close_us), k.is_provisional, k.is_handed_on
      from k order by k.id),
  clocks as (
    insert into hl.ladder (case_id, task_id, rungs, dues, due_at)
      select k.case_id, k.id, k.rungs, k.dues, k.dues[1] from k order by k.id)
  select array_agg(k.id order by k.id),
         array_agg((select o.person_id from hl.contacts(k.unit, 'officer') o limit 1) order by k.id)
    into ids, people
  from k;
  perform hl.issue_codes(ids, people);

  insert into hl.notice (case_id, task_id, person_id, kind, template, params, dedupe, lane, applies, not_before, made_at)
    select k.case_id, k.id, o.person, 'dispatch', case k.role when 'lead' then 'dispatch' else 'dispatch_co' end,
           p.params, concat('task:', k.id, ':dispatch:', o.person),
           hl.lane_rank(case k.urgency when 'emergency' then 'emergency' else 'dispatch' end), array['dispatched'],
           at_now, at_now
    from unnest(ids, people) o (task, person)
    join lateral (select k.* from hl.task k where k.id = o.task offset 0) k on true
    cross join lateral hl.task_texts(k.id, o.person) p
    where o.person is not null;
  -- An unreachable co unit is the operator's to mend, once.
  if cardinality(array_remove(people, null)) < cardinality(ids) then
    insert into hl.notice (case_id, task_id, person_id, kind, template, params, dedupe, lane, not_before, made_at)
      select k.case_id, k.id, d.person_id, 'no_contact', 'no_contact',
             jsonb_build_object('unit', u.name, 'case', c.code), concat('task:', k.id, ':no_contact:', d.person_id),
             hl.lane_rank(case k.urgency when 'emergency' then 'emergency' else 'dispatch' end), at_now, at_now
      from unnest(ids, people) o (task, person) join hl.task k on k.id = o.task join hl.unit u on u.code = k.unit
      join hl.case c on c.id = k.case_id cross join hl.contacts('HOT', 'duty') d
      where o.person is null;
  end if;
  return query select unnest(ids);
end $$;

-- The parameters every notice about a task may use. Nothing in them tells who reported. As rows, so that it is inlined.
create or replace function hl.task_texts(of_task bigint, who bigint) returns table (params jsonb) language sql stable as $$
  select jsonb_build_object(
    'code', coalesce((select n.code from hl.notice_code n where n.task_id = k.id and n.person_id = who), ''),
    'case', c.code, 'place', case when c.place <> '' then c.place else coalesce(p.name, '') end, 'type', split_part(t.name, '（', 1),
    'urgency', k.urgency, 'unit', u.name, 'unverified', case when c.is_unverified then '待核实' else '' end,
    'sign_by', hl.secs(k.sign_by), 'close_by', hl.secs(k.close_by),
    'chases', case when c.chases > 0 then c.chases::text else '' end,
    'voices', case when c.reporters > 1 then c.reporters::text else '' end)
  from hl.task k join hl.case c on c.id = k.case_id join hl.case_type t on t.code = c.type join hl.unit u on u.code = k.unit
  left join hl.compound p on p.code = c.compound
  where k.id = of_task
$$;
create or replace function hl.task_params(k hl.task, who bigint) returns jsonb language plpgsql stable as $$
begin
  return (select p.params from hl.task_texts(k.id, who) p);
end $$;
