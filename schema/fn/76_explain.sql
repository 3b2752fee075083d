-- Why a case got its type, urgency, unit and place: what was recorded when it was decided, and who changed it since.

create or replace function hl.type_json(of_type text) returns jsonb language sql stable as $$
  select jsonb_build_object('type', t.code, 'name', t.name, 'lead', t.lead, 'clause', t.clause) from hl.case_type t where t.code = of_type
$$;

-- An operator's word on a class: what it was before and what he said. The first before is the machine's.
create or replace function hl.corrections(of_case bigint) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
    'at', hl.iso(e.at), 'by', e.operator, 'kind', e.kind, 'type', e.data->>'type', 'was', e.was,
    'is_change', e.kind = 'refused' or e.data->>'type' is distinct from e.was, 'urgency', e.data->>'urgency',
    'compound', e.data->>'compound', 'why', e.data->>'why')) order by e.seq), '[]')
  from (select x.*, coalesce(lag(x.data->>'type') over (order by x.seq),
                             (select o.data->>'type' from hl.event o where o.case_id = of_case and o.kind = 'opened')) as was
        from hl.event x where x.case_id = of_case and x.task_id is null and x.actor = 'operator'
          and (x.kind in ('assigned', 'reassigned') or x.kind = 'refused' and x.to_state = 'not_accepted')) e
$$;

create or replace function hl.explain(batch jsonb) returns jsonb language plpgsql stable as $$
declare c hl.case;
begin
  select * into c from hl.case where code = batch->>'case';
  if c.id is null then
    raise exception 'there is no case %', batch->>'case' using errcode = 'P0130';
  end if;
  return jsonb_build_object(
    'case', c.code, 'state', c.state, 'now', hl.type_json(c.type) || jsonb_build_object('urgency', c.urgency,
      'compound', c.compound, 'place', c.place),
    'decisions', (select coalesce(jsonb_agg(hl.type_json(d.type) || jsonb_build_object('message', d.message_id,
        'at', hl.iso(d.at), 'urgency', d.urgency, 'confidence', d.confidence, 'sure', d.is_sure, 'route', d.route,
        'versions', jsonb_build_object('rules', d.rules, 'model', d.model)) || d.detail order by d.message_id), '[]')
      from hl.report r join hl.decision d on d.message_id = r.message_id where r.case_id = c.id),
    'units', (select coalesce(jsonb_agg(jsonb_build_object('unit', k.unit, 'name', u.name, 'role', k.role, 'state', k.state)
        order by k.role desc, k.id), '[]') from hl.task k join hl.unit u on u.code = k.unit where k.case_id = c.id),
    'opinion', hl.opinion_json(c.id),
    'corrections', hl.corrections(c.id));
end $$;

create or replace function hl.opinion_json(of_case bigint) returns jsonb language sql stable as $$
  select jsonb_strip_nulls(jsonb_build_object('state', o.state, 'model', o.model, 'type', o.type, 'urgency', o.urgency,
    'agrees', o.agrees, 'reason', nullif(o.reason, '')))
  from hl.opinion o where o.case_id = of_case
$$;

-- What operators have settled, as labelled texts to learn from: they gave or confirmed the type, agreed to the result, or
-- sent the report away. Newest first; a text that was erased, or is older than asked for, is not there.
-- Takes  batch: {"days": n, "limit": n}. Gives {"cases": [{id, text, type, urgency, said, by}]}; said: what the machine said.
create or replace function hl.training_cases(batch jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object('cases', coalesce(jsonb_agg(jsonb_build_object('id', x.code, 'text', x.text, 'type', x.type,
    'urgency', x.urgency, 'said', x.said, 'by', x.kind) order by x.id desc), '[]'))
  from (
    select c.id, c.code, m.text, c.urgency, d.type as said, e.kind,
           case e.kind when 'refused' then 'OUT-0' else c.type end as type
    from hl.case c
    cross join lateral (select e.kind from hl.event e where e.case_id = c.id and e.task_id is null and e.actor = 'operator'
                          and (e.kind in ('assigned', 'reassigned', 'closed') or e.kind = 'refused' and e.to_state = 'not_accepted')
                        order by e.seq desc limit 1) e
    cross join lateral (select min(r.message_id) as id from hl.report r where r.case_id = c.id) r
    join hl.message m on m.id = r.id
    join hl.decision d on d.message_id = r.id
    where c.opened_at > hl.now() - (batch->>'days')::int * interval '1 day' and c.state not in ('merged', 'withdrawn')
      and coalesce(m.text, '') <> ''
    order by c.id desc limit (batch->>'limit')::int) x
$$;
