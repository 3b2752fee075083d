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
    'place', c.place, 'reporters', c.reporters, 'chases', c.chases, 'opened_at', hl.iso(c.opened_at),
    'done_at', hl.iso(c.done_at), 'closed_at', hl.iso(c.closed_at), 'stages', hl.stages(c),
    'tasks', (select coalesce(jsonb_agg(jsonb_build_object('unit', k.unit, 'name', u.name, 'role', k.role, 'state', k.state,
                'assigned_at', hl.iso(k.assigned_at), 'sign_by', hl.iso(k.sign_by), 'arrive_by', hl.iso(k.arrive_by),
                'close_by', hl.iso(k.close_by), 'provisional', k.is_provisional, 'signed_at', hl.iso(k.signed_at),
                'arrived_at', hl.iso(k.arrived_at), 'done_at', hl.iso(k.done_at), 'result', k.result,
                'codes', (select coalesce(jsonb_agg(n.code order by n.code), '[]') from hl.notice_code n where n.task_id = k.id),
                'next', (select jsonb_build_object('rung', l.rungs[l.pos], 'due', hl.iso(l.due_at)) from hl.ladder l
                         where l.task_id = k.id and l.due_at is not null)) order by k.role desc, k.id), '[]')
              from hl.task k join hl.unit u on u.code = k.unit where k.case_id = c.id),
    'events', (select coalesce(jsonb_agg(jsonb_build_object('seq', e.seq, 'at', hl.iso(e.at), 'kind', e.kind,
                'unit', (select k.unit from hl.task k where k.id = e.task_id), 'actor', e.actor, 'operator', e.operator,
                'from', e.from_state, 'to', e.to_state, 'data', e.data) order by e.seq), '[]')
              from hl.event e where e.case_id = c.id),
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

create or replace function hl.review_queue(batch jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object('cases', coalesce(jsonb_agg(jsonb_build_object('case', c.code, 'state', c.state, 'type', c.type,
    'urgency', c.urgency, 'place', c.place, 'confidence', c.confidence, 'why', c.why, 'opened_at', hl.iso(c.opened_at),
    'review_by', hl.iso(l.dues[1])) order by c.opened_at), '[]'))
  from hl.case c left join hl.ladder l on l.case_id = c.id and l.task_id is null
  where c.state in ('review', 'reopened', 'done')
$$;

-- What the daemon needs from the database to be ready: version, law, documents, session settings.
create or replace function hl.hello(batch jsonb) returns jsonb language sql as $$
  select jsonb_build_object(
    'now', hl.us(hl.now()), 'epoch', nextval('hl.lease_epoch'),
    'synchronous_commit', current_setting('synchronous_commit'), 'fsync', current_setting('fsync'),
    'law', (select jsonb_agg(concat_ws('|', scope, event, from_state, to_state)) from hl.law),
    'is_demo', (select is_demo from hl.clock), 'refdata', (select max(id) from hl.refdata where is_current),
    'docs', (select coalesce(jsonb_object_agg(r.kind, r.doc), '{}') from hl.refdata r where r.is_current))
$$;

create or replace function hl.find_case(batch jsonb) returns jsonb language sql stable as $$
  select coalesce((select jsonb_build_object('case_id', c.id, 'state', c.state, 'type', c.type, 'urgency', c.urgency,
    'compound', c.compound, 'place', c.place,
    'text', (select m.text from hl.report r join hl.message m on m.id = r.message_id where r.case_id = c.id order by r.id limit 1))
    from hl.case c where c.code = batch->>'case'), '{}')
$$;
