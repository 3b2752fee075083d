-- What hotlinectl shows. Reporters appear only as numbers of people.

create or replace function hl.iso(t timestamptz) returns text language sql stable strict as
$$ select to_char(t at time zone 'Asia/Shanghai', 'YYYY-MM-DD"T"HH24:MI:SS') || '+08:00' $$;

create or replace function hl.notice_json(n hl.notice) returns jsonb language sql stable as $$
  select jsonb_build_object('notice', n.id, 'kind', n.kind, 'to', p.phone, 'state', n.state, 'reason', n.reason,
    'made_at', hl.iso(n.made_at), 'sent_at', hl.iso(a.sent_at), 'text', a.text, 'segments', a.parts, 'channel', a.channel,
    'lane', l.name, 'template', n.template)
  from hl.person p join hl.lane l on l.rank = n.lane
  left join lateral (select * from hl.attempt a where a.notice_id = n.id order by a.n desc limit 1) a on true
  where p.id = n.person_id
$$;

create or replace function hl.show_case(batch jsonb) returns jsonb language plpgsql stable as $$
declare c hl.case;
begin
  select * into c from hl.case where code = batch->>'case';
  if c.id is null then
    raise exception 'there is no case %', batch->>'case' using errcode = 'P0130';
  end if;
  return jsonb_build_object(
    'case', c.code, 'state', c.state, 'type', c.type, 'type_name', (select name from hl.case_type where code = c.type),
    'urgency', c.urgency, 'unverified', c.is_unverified, 'confidence', c.confidence, 'why', c.why, 'compound', c.compound,
    'place', c.place, 'reporters', c.reporters, 'chases', c.chases, 'priority', hl.priority(c),
    'disputed', c.is_frozen, 'redos', c.redos, 'reopens', c.reopens, 'opened_at', hl.iso(c.opened_at),
    'done_at', hl.iso(c.done_at), 'closed_at', hl.iso(c.closed_at), 'stages', hl.stages(c),
    'tasks', (select coalesce(jsonb_agg(jsonb_build_object('unit', k.unit, 'name', u.name, 'role', k.role, 'state', k.state,
                'assigned_at', hl.iso(k.assigned_at), 'sign_by', hl.iso(k.sign_by), 'arrive_by', hl.iso(k.arrive_by),
                'close_by', hl.iso(k.close_by), 'provisional', k.is_provisional, 'signed_at', hl.iso(k.signed_at),
                'arrived_at', hl.iso(k.arrived_at), 'done_at', hl.iso(k.done_at), 'result', k.result, 'facts', k.facts,
                'codes', (select coalesce(jsonb_agg(n.code order by n.code), '[]') from hl.notice_code n where n.task_id = k.id),
                'next', (select jsonb_build_object('rung', l.rungs[l.pos], 'due', hl.iso(l.due_at)) from hl.ladder l
                         where l.task_id = k.id and l.due_at is not null)) order by k.role desc, k.id), '[]')
              from hl.task k join hl.unit u on u.code = k.unit where k.case_id = c.id),
    'events', (select coalesce(jsonb_agg(jsonb_build_object('seq', e.seq, 'at', hl.iso(e.at), 'kind', e.kind,
                'unit', (select k.unit from hl.task k where k.id = e.task_id), 'actor', e.actor, 'operator', e.operator,
                'from', e.from_state, 'to', e.to_state, 'data', e.data) order by e.seq), '[]')
              from hl.event e where e.case_id = c.id),
    'requests', (select coalesce(jsonb_agg(jsonb_build_object('kind', r.kind, 'unit', (select k.unit from hl.task k where k.id = r.task_id),
                   'reason', r.reason, 'wanted', r.unit, 'days', r.days, 'asked_at', hl.iso(r.asked_at), 'answer_by', hl.iso(r.answer_by),
                   'late_at', hl.iso(r.late_at), 'state', r.state, 'answered_at', hl.iso(r.answered_at), 'answered_by', r.answered_by,
                   'why', r.why) order by r.id), '[]') from hl.request r where r.case_id = c.id),
    'rollcalls', (select coalesce(jsonb_agg(jsonb_build_object('at', hl.iso(r.at), 'place', r.place, 'counted_at', hl.iso(r.counted_at),
                   'units', (select jsonb_agg(jsonb_build_object('unit', k.unit, 'present_at', hl.iso(t.present_at)) order by k.id)
                             from hl.attendance t join hl.task k on k.id = t.task_id where t.rollcall_id = r.id)) order by r.id), '[]')
                  from hl.rollcall r where r.case_id = c.id),
    'duty', (select jsonb_build_object('unit', d.unit, 'found_at', hl.iso(d.found_at), 'due_at', hl.iso(d.due_at), 'missed', d.missed)
             from hl.duty d where d.case_id = c.id),
    'photos', hl.media_json(c.id),
    'notices', (select coalesce(jsonb_agg(hl.notice_json(n) order by n.id), '[]') from hl.notice n where n.case_id = c.id));
end $$;

-- The six stages of the notice, each with time and actor or visibly empty.
create or replace function hl.stages(c hl.case) returns jsonb language sql stable as $$
  select jsonb_agg(jsonb_build_object('stage', s.name, 'at', hl.iso(e.at), 'actor', e.actor) order by s.ord)
  from (values (1, '发现', array['opened']), (2, '拍照', array['photo']), (3, '制止', array['stopped']),
               (4, '呈报', array['assigned']), (5, '处理', array['signed', 'arrived', 'progress_said']),
               (6, '结案', array['closed'])) s (ord, name, kinds)
  left join lateral (select e.at, e.actor from hl.event e where e.case_id = c.id and e.kind = any (s.kinds)
                     order by e.seq limit 1) e on true
$$;

-- A phone's inbox: every text that went to a number, oldest first.
create or replace function hl.show_phone(batch jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object('phone', batch->>'phone', 'inbox', coalesce((
    select jsonb_agg(hl.notice_json(n) order by n.id)
    from hl.person p join hl.notice n on n.person_id = p.id
    where p.phone = batch->>'phone' and exists (select from hl.attempt a where a.notice_id = n.id and a.text is not null)), '[]'))
$$;

-- What one message led to.
create or replace function hl.show_message(batch jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object('message', m.id, 'state', m.state, 'outcome', m.outcome, 'case', c.code,
    'settled', m.state = 'handled' and not exists (
       select from hl.notice n where (n.message_id = m.id or (n.case_id = m.case_id and n.made_at >= m.received_at))
         and n.not_before <= hl.now() and (n.state = 'sending' or (n.state = 'queued' and n.tries = 0))),
    'sms', coalesce((select jsonb_agg(hl.notice_json(n) order by n.id) from hl.notice n
       where n.message_id = m.id or (n.case_id = m.case_id and n.made_at >= m.received_at)), '[]'))
  from hl.message m left join hl.case c on c.id = m.case_id where m.id = (batch->>'message')::bigint
$$;

-- Everything sent since an instant of case time, for a clock that is being moved.
create or replace function hl.show_since(batch jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object('now', hl.iso(hl.now()), 'now_us', hl.us(hl.now()), 'sms', coalesce((
    select jsonb_agg(hl.notice_json(n) order by n.id) from hl.notice n
    where n.made_at > hl.at_us((batch->>'since')::bigint)), '[]'))
$$;

-- What waits for an operator: cases to be classed or placed, results to be checked, requests to be answered, reporters
-- to be heard. The most pressing first: by limit, then by how many people pushed.
create or replace function hl.review_queue(batch jsonb) returns jsonb language plpgsql stable as $$
begin
  return (with waiting as (
    select c.id as case_id, null::hl.task as k, c.state as kind, c.why, coalesce(e.at, c.opened_at) as since, l.due as due, null as reason,
           null::int as days, null as wanted
    from hl.case c
    left join lateral (select e.at from hl.event e where e.case_id = c.id and e.task_id is null and e.to_state = c.state
                       order by e.seq desc limit 1) e on true
    left join lateral (select l.dues[1] as due from hl.ladder l where l.case_id = c.id
                         and num_nonnulls(l.task_id, l.request_id, l.rollcall_id, l.duty_id) = 0 and c.state <> 'waiting'
                       order by l.id desc limit 1) l on true
    where c.state in ('review', 'reopened', 'done', 'waiting')
    union all
    select r.case_id, k, r.kind, r.reason, r.asked_at, r.answer_by, r.reason, r.days, r.unit
    from hl.request r left join hl.task k on k.id = r.task_id where r.state = 'pending')
  select jsonb_build_object('cases', coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('case', c.code,
    'kind', w.kind, 'state', c.state, 'type', c.type, 'urgency', c.urgency, 'place', c.place, 'confidence', c.confidence,
    'opinion', case when w.kind = 'review' then hl.opinion_json(c.id) end, 'why', w.why,
    'since', hl.iso(w.since), 'opened_at', hl.iso(c.opened_at), 'limit', hl.iso(w.due), 'review_by', hl.iso(w.due),
    'left_s', hl.secs(w.due) - hl.secs(hl.now()), 'late', w.due < hl.now(), 'priority', hl.priority(c), 'reporters', c.reporters,
    'chases', c.chases, 'frozen', c.is_frozen, 'unit', (w.k).unit,
    -- who was to help and never signed: what the operator agrees with is on record with them absent
    'unsigned', (select jsonb_agg(k.unit order by k.id) from hl.task k
                 where k.case_id = c.id and w.kind = 'done' and k.role = 'co' and k.state = 'dispatched'), 'days', w.days, 'wanted', w.wanted,
    'codes', (select jsonb_agg(n.code order by n.code) from hl.notice_code n where n.task_id = (w.k).id)))
    order by w.due nulls last, hl.priority(c) desc, c.id), '[]'))
  from waiting w join hl.case c on c.id = w.case_id);
end $$;

-- How hard people push: every reporter behind the first, and every 催.
create or replace function hl.priority(c hl.case) returns int language sql immutable as
$$ select c.chases + greatest(c.reporters - 1, 0) $$;

-- What the daemon needs from the database to be ready: version, law, documents, session settings.
-- What a daemon must know of a server before it gives it anything: of every new link.
create or replace function hl.greet(batch jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'synchronous_commit', current_setting('synchronous_commit'), 'fsync', current_setting('fsync'),
    'law', (select jsonb_agg(concat_ws('|', scope, event, from_state, to_state)) from hl.law))
$$;

-- Gives json: two megabytes of documents are written once then, and not copied by every step of jsonb.
create or replace function hl.hello(batch jsonb) returns json language plpgsql as $$
begin
  return (select json_build_object(
    'synchronous_commit', g.greeting->'synchronous_commit', 'fsync', g.greeting->'fsync', 'law', g.greeting->'law',
    'now', hl.us(hl.now()), 'epoch', nextval('hl.lease_epoch'),
    'is_demo', (select is_demo from hl.clock), 'refdata', (select max(id) from hl.refdata where is_current),
    'docs', (select coalesce(json_object_agg(r.kind, r.doc), '{}') from hl.refdata r where r.is_current))
    from hl.greet(batch) g (greeting));
end $$;

-- All that an operator's move is decided on (daemon/casework/operate.c), {} when there is no such case.
-- Takes  batch: {"case": number of a case, or the code of a task; "into": number of another case}.
create or replace function hl.find_case(batch jsonb) returns jsonb language plpgsql stable as $$
declare
  c hl.case;
  named bigint;
  n int;
begin
  select * into c from hl.case where code = batch->>'case';
  if c.id is null then
    select max(x.task_id), count(distinct x.task_id) into named, n from hl.notice_code x where x.code = upper(batch->>'case');
    if n > 1 then
      raise exception 'case: several tasks have the code %, give the number of the case', batch->>'case' using errcode = 'P0130';
    end if;
    select x.* into c from hl.case x join hl.task k on k.case_id = x.id where k.id = named;
  end if;
  if c.id is null then
    raise exception 'there is no case %', batch->>'case' using errcode = 'P0130';
  end if;
  return jsonb_build_object('now', hl.us(hl.now()), 'case_id', c.id, 'code', c.code, 'version', c.head_seq, 'state', c.state,
    'type', c.type, 'urgency', c.urgency, 'compound', c.compound, 'place', c.place, 'is_sure', c.is_sure,
    'is_frozen', c.is_frozen, 'redos', c.redos, 'reopens', c.reopens, 'task', named,
    'waiting_us', case when c.state = 'waiting' then hl.us(hl.waiting_since(c.id)) end,
    'into', (select jsonb_build_object('case_id', x.id, 'code', x.code, 'state', x.state) from hl.case x where x.code = batch->>'into'),
    'tasks', hl.tasks_json(c.id),
    'requests', (select coalesce(jsonb_agg(jsonb_build_object('request', r.id, 'kind', r.kind, 'task', r.task_id, 'unit', r.unit,
                   'days', r.days, 'close_us', hl.us(r.close_by)) order by r.id), '[]')
                 from hl.request r where r.case_id = c.id and r.state = 'pending'));
end $$;

-- The tasks of a case with their limits and the rungs that are still to come.
create or replace function hl.tasks_json(of_case bigint) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object('task', k.id, 'unit', k.unit, 'role', k.role, 'state', k.state, 'urgency', k.urgency,
      'assigned_us', hl.us(k.assigned_at), 'sign_us', hl.us(k.sign_by), 'arrive_us', hl.us(k.arrive_by), 'close_us', hl.us(k.close_by),
      'provisional', k.is_provisional, 'signed', k.signed_at is not null,
      'extended', exists (select from hl.event e where e.task_id = k.id and e.kind = 'extension_granted'),
      'rungs', to_jsonb(l.rungs[l.pos:]), 'dues_us', (select jsonb_agg(hl.us(d) order by ord)
        from unnest(l.dues[l.pos:]) with ordinality x (d, ord))) order by k.id), '[]')
  from hl.task k left join hl.ladder l on l.task_id = k.id where k.case_id = of_case
$$;
