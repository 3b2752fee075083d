-- The open case that each item's report joins, if there is one: same place, same type. An emergency is not swallowed by
-- a case that moves at another pace.
create or replace function hl.known_cases(items hl.intake_item[]) returns bigint[] language plpgsql stable as $$
begin
  return (
    select array_agg(known.id order by t.i) from unnest(items) t
    left join lateral (
      select c.id from hl.case c
      where t.disposition = 'dispatch' and c.compound = t.compound and c.type = t.type and c.place = t.place
        and c.state in ('dispatched', 'working', 'waiting', 'reopened', 'review')
        and array_position(array['normal', 'urgent', 'emergency'], c.urgency)
            >= array_position(array['normal', 'urgent', 'emergency'], t.urgency)
      order by c.id limit 1) known on true);
end $$;

-- Opens or joins cases for decided items, all of them in a handful of set-based statements.
-- Takes  items with dense i = 1..n, and for each its message and person (both known by now).
-- Gives  per item {i, case, code, outcome}.
create or replace function hl.open_cases(items hl.intake_item[], messages bigint[], persons bigint[])
returns table (i int, case_id bigint, code text, outcome text) language plpgsql as $$
#variable_conflict use_column
declare
  at_now constant timestamptz := hl.now();
  base constant bigint := hl.year_base(at_now);
  routes text[];
  cases bigint[];
  opens boolean[];
begin
  -- Two daemons must not open two cases for one matter; and what is joined must not be closed meanwhile. Everything is
  -- locked in one order, so that they cannot wait for each other.
  perform pg_advisory_xact_lock(1, m.matter) from (
    select distinct hashtext(concat_ws('|', t.compound, t.type, t.place)) as matter from unnest(items) t
    where t.disposition = 'dispatch' and t.compound is not null order by 1) m;
  cases := hl.known_cases(items);
  perform from hl.case c where c.id = any (cases) order by c.id for no key update;
  cases := hl.known_cases(items);

  -- A lead unit nobody can reach makes the case an operator's; a known open case at the same place is joined.
  select array_agg(case
           when t.disposition = 'dispatch' and cases[t.i] is not null then 'join'
           when t.disposition = 'dispatch' and not exists (
                  select from jsonb_array_elements(t.tasks) k, hl.contacts(k->>'unit', 'officer')
                  where k->>'role' = 'lead') then 'no_contact'
           else t.disposition end order by t.i)
    into routes
  from unnest(items) t;

  -- Within the batch the first report of a matter opens its case, the others join it.
  with keyed as (
    select t.i, routes[t.i] as route, cases[t.i] as known,
           case when routes[t.i] = 'dispatch' and t.compound is not null
                then concat_ws('|', t.compound, t.type, t.place, t.urgency) else '#' || t.i end as matter
    from unnest(items) t),
  firsts as (
    select k.*, first_value(k.i) over (partition by k.matter order by k.i) as first_i from keyed k),
  numbered as (
    select f.i, nextval('hl.case_serial') as id from firsts f where f.i = f.first_i and f.known is null order by f.i)
  select array_agg(coalesce(f.known, n.id) order by f.i),
         array_agg(f.known is null and f.i = f.first_i order by f.i)
    into cases, opens
  from firsts f left join numbered n on n.id is not null and n.i = f.first_i;

  insert into hl.case (id, code, type, urgency, state, compound, place, confidence, why, is_sure, is_unverified, opened_at)
    select cases[t.i], hl.case_code(at_now, cases[t.i], base), t.type, t.urgency,
           case routes[t.i] when 'dispatch' then 'dispatched' when 'not_accepted' then 'not_accepted' else 'review' end,
           t.compound, t.place, t.confidence, t.why, t.is_sure, t.is_unverified, at_now
    from unnest(items) t where opens[t.i];

  insert into hl.report (case_id, message_id, person_id, at)
    select cases[t.i], messages[t.i], persons[t.i], at_now from unnest(items) t order by t.i;
  insert into hl.event (case_id, at, kind, actor, person_id, message_id, from_state, to_state, data, digest)
    select c.id, at_now, 'opened', 'reporter', persons[t.i], messages[t.i], '', c.state,
           jsonb_build_object('type', t.type, 'urgency', t.urgency, 'confidence', t.confidence, 'why', t.why,
                              'compound', t.compound, 'route', routes[t.i]), m.digest
    from unnest(items) t join hl.case c on c.id = cases[t.i] left join hl.message m on m.id = messages[t.i]
    where opens[t.i] order by t.i;

  update hl.case c set reporters = c.reporters + j.n
    from (select cases[t.i] as id, count(*) as n from unnest(items) t where not opens[t.i] group by 1) j where c.id = j.id;
  insert into hl.event (case_id, at, kind, actor, person_id, message_id, digest)
    select cases[t.i], at_now, 'joined', 'reporter', persons[t.i], messages[t.i], m.digest
    from unnest(items) t left join hl.message m on m.id = messages[t.i] where not opens[t.i] order by cases[t.i], t.i;

  -- Tasks with their limits, ladders, codes and dispatch notices.
  perform hl.add_tasks(array(select cases[t.i] from unnest(items) t where opens[t.i] and routes[t.i] = 'dispatch' order by t.i),
                    array(select t.tasks from unnest(items) t where opens[t.i] and routes[t.i] = 'dispatch' order by t.i),
                    at_now, 'system', null);

  -- Cases an operator must look at, with the operator's own limit.
  insert into hl.ladder (case_id, rungs, dues, due_at)
    select cases[t.i], array['review'], array[hl.at_us(t.review_us)], hl.at_us(t.review_us)
    from unnest(items) t where opens[t.i] and routes[t.i] in ('review', 'no_contact');
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

  -- One receipt per report.
  insert into hl.notice (case_id, message_id, person_id, kind, template, params, dedupe, lane, channel, not_before, made_at)
    select c.id, messages[t.i], persons[t.i], 'receipt',
           case when c.urgency = 'emergency' and c.place = '' and c.compound is null then 'ask_place_emergency'
                when c.urgency = 'emergency' then 'receipt_emergency'
                when not opens[t.i] then 'receipt_joined'
                when routes[t.i] = 'not_accepted' then 'receipt_out_of_scope'
                when routes[t.i] = 'dispatch' then 'receipt_opened'
                when t.place = '' and t.compound is null then 'ask_place'
                else 'receipt_review' end,
           jsonb_build_object('case', c.code, 'unit', coalesce(u.name, ''), 'reply_by', hl.secs(k.close_by)),
           format('message:%s:receipt', messages[t.i]),
           hl.lane_rank(case c.urgency when 'emergency' then 'emergency' else 'reply' end), m.channel, at_now, at_now
    from unnest(items) t join hl.case c on c.id = cases[t.i] join hl.message m on m.id = messages[t.i]
    left join lateral hl.lead_task(c.id) k on true left join hl.unit u on u.code = k.unit
    where persons[t.i] is not null;

  update hl.message m set state = 'handled', case_id = cases[t.i],
         outcome = case when opens[t.i] then routes[t.i] else 'joined' end
    from unnest(items) t where m.id = messages[t.i];

  return query select t.i, cases[t.i], c.code, case when opens[t.i] then routes[t.i] else 'joined' end
    from unnest(items) t join hl.case c on c.id = cases[t.i] order by t.i;
end $$;

-- Adds decided tasks to cases: rows, events, ladders, codes, dispatch notices.
-- Takes  parallel arrays: case and its [{unit, role, from_us, sign_us, arrive_us, close_us, provisional, rungs[], dues_us[]}];
--        assigned_at is from_us, the instant the limits were counted from, however long the batch waited.
-- Gives  the new tasks' ids.
create or replace function hl.add_tasks(cases bigint[], tasks jsonb[], at_now timestamptz, by_actor hl.actor_kind,
                                        by_operator text)
returns setof bigint language plpgsql as $$
#variable_conflict use_column
declare
  ids bigint[];
  people record;
begin
  with made as (
    insert into hl.task (case_id, unit, role, state, urgency, assigned_at, sign_by, arrive_by, close_by, is_provisional, is_handed_on)
      select w.case_id, k.unit, k.role, 'dispatched', c.urgency, hl.at_us(k.from_us), hl.at_us(k.sign_us), hl.at_us(k.arrive_us),
             hl.at_us(k.close_us), coalesce(k.provisional, false), coalesce(k.handed_on, false)
      from unnest(cases, tasks) w (case_id, list) join hl.case c on c.id = w.case_id
      cross join jsonb_to_recordset(w.list) k (unit text, role text, from_us bigint, sign_us bigint, arrive_us bigint, close_us bigint,
                                               provisional boolean, handed_on boolean)
      order by w.case_id, k.role desc
      returning id)
  select coalesce(array_agg(made.id order by made.id), '{}') into ids from made;

  insert into hl.event (case_id, at, kind, task_id, actor, operator, from_state, to_state, data)
    select k.case_id, at_now, 'assigned', k.id, by_actor, by_operator, '', 'dispatched',
           jsonb_build_object('unit', k.unit, 'role', k.role, 'sign_by', hl.us(k.sign_by), 'arrive_by', hl.us(k.arrive_by),
                              'close_by', hl.us(k.close_by), 'provisional', k.is_provisional)
    from hl.task k where k.id = any (ids) order by k.id;

  insert into hl.ladder (case_id, task_id, rungs, dues, due_at)
    select k.case_id, k.id, d.rungs, d.dues, d.dues[1]
    from unnest(cases, tasks) w (case_id, list)
    cross join jsonb_array_elements(w.list) j
    join hl.task k on k.id = any (ids) and k.case_id = w.case_id and k.unit = j->>'unit'
    cross join lateral (
      select array(select jsonb_array_elements_text(j->'rungs')) as rungs,
             array(select hl.at_us(x::bigint) from jsonb_array_elements_text(j->'dues_us') x) as dues) d;

  -- The officer of each unit; an unreachable co unit is the operator's to mend, once.
  select array_agg(k.id) as task_ids, array_agg(o.person_id) as person_ids into people
  from hl.task k cross join lateral (select person_id from hl.contacts(k.unit, 'officer') limit 1) o
  where k.id = any (ids);
  perform hl.issue_codes(people.task_ids, people.person_ids);

  insert into hl.notice (case_id, task_id, person_id, kind, template, params, dedupe, lane, applies, not_before, made_at)
    select k.case_id, k.id, o.person, 'dispatch', case k.role when 'lead' then 'dispatch' else 'dispatch_co' end,
           hl.task_params(k, o.person), format('task:%s:dispatch:%s', k.id, o.person),
           hl.lane_rank(case k.urgency when 'emergency' then 'emergency' else 'dispatch' end), array['dispatched'],
           at_now, at_now
    from unnest(people.task_ids, people.person_ids) o (task, person) join hl.task k on k.id = o.task;
  insert into hl.notice (case_id, task_id, person_id, kind, template, params, dedupe, lane, not_before, made_at)
    select k.case_id, k.id, d.person_id, 'no_contact', 'no_contact',
           jsonb_build_object('unit', u.name, 'case', c.code), format('task:%s:no_contact:%s', k.id, d.person_id),
           hl.lane_rank(case k.urgency when 'emergency' then 'emergency' else 'dispatch' end), at_now, at_now
    from hl.task k join hl.unit u on u.code = k.unit join hl.case c on c.id = k.case_id cross join hl.contacts('HOT', 'duty') d
    where k.id = any (ids) and not (k.id = any (coalesce(people.task_ids, '{}')));
  return query select unnest(ids);
end $$;

-- The parameters every notice about a task may use. Nothing in them tells who reported.
create or replace function hl.task_params(k hl.task, who bigint) returns jsonb language plpgsql stable as $$
begin
  return (select jsonb_build_object(
    'code', coalesce((select n.code from hl.notice_code n where n.task_id = k.id and n.person_id = who), ''),
    'case', c.code, 'place', case when c.place <> '' then c.place else coalesce(p.name, '') end, 'type', split_part(t.name, '（', 1),
    'urgency', k.urgency, 'unit', u.name, 'unverified', case when c.is_unverified then '待核实' else '' end,
    'sign_by', hl.secs(k.sign_by), 'close_by', hl.secs(k.close_by),
    'chases', case when c.chases > 0 then c.chases::text else '' end,
    'voices', case when c.reporters > 1 then c.reporters::text else '' end)
  from hl.case c join hl.case_type t on t.code = c.type join hl.unit u on u.code = k.unit
  left join hl.compound p on p.code = c.compound
  where c.id = k.case_id);
end $$;
