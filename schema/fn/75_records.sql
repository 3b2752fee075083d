-- What the county prints: the ledger and the report form. Every reading starts with a row in hl.export.

-- A limit met (minutes to spare) or missed (minutes over, negative); null while it may still be met or no longer counts.
create or replace function hl.margin(due timestamptz, met timestamptz, is_void boolean) returns int language sql stable as $$
  select case when met is not null or (not is_void and hl.now() > due)
              then floor(extract(epoch from due - coalesce(met, hl.now())) / 60)::int end
$$;

-- A number that shows its owner which one it is and nobody else whose it is.
create or replace function hl.mask_phone(phone text) returns text language sql immutable strict as $$
  select case when length(phone) < 8 then '****' else left(phone, -8) || '****' || right(phone, 4) end
$$;

-- Words of a report without what looks like a telephone or identity number.
create or replace function hl.mask_text(words text) returns text language sql immutable strict as $$
  select regexp_replace(words, '\+?[0-9][0-9Xx -]{5,}[0-9Xx]', '****', 'g')
$$;

-- One checked filter of an export; null when it is absent.
create or replace function hl.export_word(q jsonb, field text) returns text language plpgsql stable as $$
declare
  word text := q->>field;
  is_known boolean;
begin
  is_known := case field
    when 'unit' then exists (select from hl.unit where code = word)
    when 'type' then exists (select from hl.case_type where code = word)
    when 'subdistrict' then exists (select from hl.unit where code = word and kind = 'subdistrict')
    when 'state' then exists (select from hl.law where scope = 'case' and word in (from_state, to_state)) end;
  if word is not null and not is_known then
    raise exception '%: there is no %', field, word using errcode = 'P0140';
  end if;
  return word;
end $$;

create or replace function hl.export_day(q jsonb, field text) returns timestamptz language plpgsql stable as $$
begin
  if q->>field is null or q->>field !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' then
    raise exception '%: must be a day as 2026-11-25', field using errcode = 'P0140';
  end if;
  return (q->>field)::date::timestamp at time zone 'Asia/Shanghai';
exception when datetime_field_overflow or invalid_datetime_format then
  raise exception '%: there is no day %', field, q->>field using errcode = 'P0140';
end $$;

-- Opens a ledger.
-- Takes  {by, why?, is_named, query: {from, to, unit?, type?, state?, subdistrict?}}; days are the county's, both included.
-- Gives  {export, as_of, months: [{month, cases, tasks}]}.
create or replace function hl.ledger_open(batch jsonb) returns jsonb language plpgsql as $$
declare
  q jsonb := batch->'query';
  day_from timestamptz := hl.export_day(q, 'from');
  day_to timestamptz := hl.export_day(q, 'to') + interval '1 day';
  x hl.export;
begin
  if day_to <= day_from then
    raise exception 'to: must not be before from' using errcode = 'P0140';
  end if;
  perform hl.export_word(q, f) from unnest(array['unit', 'type', 'state', 'subdistrict']) f;
  insert into hl.export (kind, by_user, why, is_named, query, first_id, last_id)
    select 'ledger', batch->>'by', coalesce(batch->>'why', ''), coalesce((batch->>'is_named')::boolean, false), q,
           coalesce(min(c.id), 1), coalesce(max(c.id), 0)
    from hl.case c where c.opened_at >= day_from and c.opened_at < day_to
    returning * into x;
  return jsonb_build_object('export', x.id, 'as_of', hl.iso(hl.now()), 'months', (
    select coalesce(jsonb_agg(jsonb_build_object('month', m.month, 'cases', m.cases, 'tasks', m.tasks) order by m.month), '[]')
    from (select to_char(c.opened_at at time zone 'Asia/Shanghai', 'YYYY-MM') as month, count(*) as cases,
                 sum((select count(*) from hl.task k where k.case_id = c.id)) as tasks
          from hl.ledger_cases(x, 0, null) c group by 1) m));
end $$;

create or replace function hl.ledger_open_named(batch jsonb) returns jsonb language sql as
$$ select hl.ledger_open(batch || '{"is_named": true}') $$;

-- The cases of an export behind one id, by id.
create or replace function hl.ledger_cases(x hl.export, behind bigint, at_most int) returns setof hl.case
language plpgsql stable rows 1000 as $$
declare
  q jsonb := x.query;
  day_from timestamptz := hl.export_day(q, 'from');
  day_to timestamptz := hl.export_day(q, 'to') + interval '1 day';
begin
  return query
    select c.* from hl.case c left join hl.compound p on p.code = c.compound
    where c.id > behind and c.id between x.first_id and x.last_id and c.opened_at >= day_from and c.opened_at < day_to
      and (q->>'type' is null or c.type = q->>'type') and (q->>'state' is null or c.state = q->>'state')
      and (q->>'subdistrict' is null or p.subdistrict = q->>'subdistrict')
      and (q->>'unit' is null or exists (select from hl.task k where k.case_id = c.id and k.unit = q->>'unit'))
    order by c.id limit at_most;
end $$;

create or replace function hl.ledger_task(k hl.task, case_code text, unit_name text) returns jsonb language sql stable as $$
  select jsonb_build_object('case', case_code, 'unit', k.unit, 'unit_name', unit_name, 'role', k.role, 'state', k.state,
    'assigned_at', hl.iso(k.assigned_at), 'sign_by', hl.iso(k.sign_by), 'signed_at', hl.iso(k.signed_at),
    'sign_margin', hl.margin(k.sign_by, k.signed_at, v.is_void),
    'arrive_by', hl.iso(k.arrive_by), 'arrived_at', hl.iso(k.arrived_at),
    'arrive_margin', hl.margin(k.arrive_by, k.arrived_at, v.is_void),
    'close_by', hl.iso(k.close_by), 'done_at', hl.iso(k.done_at), 'close_margin', hl.margin(k.close_by, k.done_at, v.is_void),
    'provisional', k.is_provisional, 'result', k.result)
  from (select k.state in ('handed_back', 'withdrawn', 'closed') as is_void) v
$$;

-- One page of a ledger.
-- Takes  {by, export, after, limit}: only who opened an export reads it.
-- Gives  {rows, after}: one object per case with its tasks; after is null behind the last page.
create or replace function hl.ledger(batch jsonb) returns jsonb language plpgsql stable as $$
declare
  x hl.export;
  n int := least(greatest((batch->>'limit')::int, 1), 2000);
  page jsonb;
  last_id bigint;
  n_rows int;
begin
  select * into x from hl.export where id = (batch->>'export')::bigint and kind = 'ledger' and by_user = batch->>'by';
  if x.id is null then
    raise exception 'export: you opened no ledger %', batch->>'export' using errcode = 'P0140';
  end if;
  with c as materialized (select * from hl.ledger_cases(x, coalesce((batch->>'after')::bigint, 0), n)),
  t as (
    select k.case_id, jsonb_agg(k.j order by k.role desc, k.id) as tasks,
           (array_agg(k.j order by k.id desc) filter (where k.role = 'lead' and k.state not in ('handed_back', 'withdrawn')))[1]
             as lead
    from (select k.*, hl.ledger_task(k, c.code, u.name) as j
          from c join hl.task k on k.case_id = c.id join hl.unit u on u.code = k.unit) k group by k.case_id),
  r as (
    select distinct on (r.case_id) r.case_id, p.name, p.phone, m.channel
    from c join hl.report r on r.case_id = c.id left join hl.person p on p.id = r.person_id
    left join hl.message m on m.id = r.message_id order by r.case_id, r.id),
  v as (
    select r.case_id, count(distinct l.id) as calls, min(extract(epoch from l.answered_at - l.asked_at))::int as answered_s
    from c join hl.report r on r.case_id = c.id join hl.recording g on g.message_id = r.message_id join hl.call l on l.id = g.call_id
    group by r.case_id),
  s as (
    select distinct on (e.case_id) e.case_id, e.data->>'rating' as rating
    from c join hl.event e on e.case_id = c.id where e.kind = 'rated' order by e.case_id, e.seq desc)
  select coalesce(jsonb_agg(jsonb_build_object('case', c.code, 'month', left(hl.iso(c.opened_at), 7),
      'opened_at', hl.iso(c.opened_at), 'state', c.state, 'type', c.type, 'type_name', y.name, 'urgency', c.urgency,
      'subdistrict', sd.name, 'community', p.community, 'compound', p.name, 'place', c.place,
      'property_company', pmc.name, 'channel', r.channel,
      'reporter', case when x.is_named then r.name when r.name is not null then left(r.name, 1) || '**' end,
      'phone', case when x.is_named then r.phone else hl.mask_phone(r.phone) end,
      'reporters', c.reporters, 'chases', c.chases, 'redos', c.redos, 'reopens', c.reopens,
      'calls', v.calls, 'answered_s', v.answered_s, 'lead', t.lead->>'unit_name', 'sign_margin', t.lead->'sign_margin', 'arrive_margin', t.lead->'arrive_margin',
      'close_margin', t.lead->'close_margin', 'done_at', hl.iso(c.done_at), 'closed_at', hl.iso(c.closed_at),
      'rating', s.rating, 'result', t.lead->>'result', 'why', c.why, 'tasks', coalesce(t.tasks, '[]')) order by c.id), '[]'),
    max(c.id), count(*)
  into page, last_id, n_rows
  from c join hl.case_type y on y.code = c.type
  left join hl.compound p on p.code = c.compound left join hl.unit sd on sd.code = p.subdistrict
  left join hl.unit pmc on pmc.code = p.property_company
  left join t on t.case_id = c.id left join r on r.case_id = c.id left join s on s.case_id = c.id
  left join v on v.case_id = c.id;
  return jsonb_build_object('rows', page, 'after', case when n_rows = n then last_id end);
end $$;

-- Whoever speaks for a unit, as the form prints it: an official, not a reporter.
create or replace function hl.form_unit(of_unit text, who bigint) returns jsonb language sql stable as $$
  select jsonb_build_object('unit', u.name, 'contact', p.name, 'phone', p.phone)
  from hl.unit u left join lateral (
    select p.name, p.phone from hl.person p
    where p.id = coalesce(who, (select c.person_id from hl.contact c where c.unit = u.code and c.is_active
                                order by array_position(array['officer', 'duty', 'deputy', 'head'], c.role), c.rank, c.id limit 1))
  ) p on true
  where u.code = of_unit
$$;

-- Fills the report form of one case and logs that it was printed.
-- Takes  {by, why?, is_named, case}. Gives the fields of annex 2; what the history does not know is null.
create or replace function hl.form(batch jsonb) returns jsonb language plpgsql as $$
declare
  c hl.case;
  lead hl.task;
  is_named boolean := coalesce((batch->>'is_named')::boolean, false);
  reporting text;
  said hl.event;
begin
  select * into c from hl.case where code = batch->>'case';
  if c.id is null then
    raise exception 'case: there is no case %', batch->>'case' using errcode = 'P0130';
  end if;
  insert into hl.export (kind, by_user, why, is_named, query, first_id, last_id)
    values ('form', batch->>'by', coalesce(batch->>'why', ''), is_named, jsonb_build_object('case', c.code), c.id, c.id);
  select * into lead from hl.lead_task(c.id);
  -- A property company or another unit reports in its own name; for a resident the hotline does.
  select k.unit into reporting from hl.report r join hl.contact k on k.person_id = r.person_id and k.is_active
    where r.case_id = c.id order by r.id, k.id limit 1;
  select * into said from hl.event e where e.case_id = c.id and e.actor = 'operator' and e.kind = 'assigned' order by e.seq desc limit 1;
  return jsonb_build_object(
    'case', c.code, 'state', c.state, 'opened_at', hl.iso(c.opened_at), 'urgency', c.urgency,
    'type_name', (select name from hl.case_type where code = c.type),
    'clause', (select clause from hl.case_type where code = c.type),
    'reporting', hl.form_unit(coalesce(reporting, 'HOT'), null), 'receiving', hl.form_unit(lead.unit, lead.holder),
    'reporter', case when is_named then (select jsonb_build_object('name', p.name, 'phone', p.phone)
       from hl.report r join hl.person p on p.id = r.person_id where r.case_id = c.id order by r.id limit 1) end,
    'place', concat_ws(' ', (select s.name from hl.compound p join hl.unit s on s.code = p.subdistrict where p.code = c.compound),
                       nullif(c.place, '')),
    'details', (select coalesce(jsonb_agg(case when is_named then m.text else hl.mask_text(m.text) end order by r.id), '[]')
       from (select * from hl.report r where r.case_id = c.id order by r.id limit 5) r join hl.message m on m.id = r.message_id
       where m.text is not null),
    'reporting_opinion', jsonb_build_object('text', said.data->>'why', 'name', said.operator, 'at', hl.iso(said.at)),
    'receiving_opinion', jsonb_build_object('text', lead.result, 'at', hl.iso(lead.done_at),
       'name', case when lead.done_at is not null then (select name from hl.person where id = lead.holder) end),
    'co', (select coalesce(jsonb_agg(u.name order by k.id), '[]') from hl.task k join hl.unit u on u.code = k.unit
       where k.case_id = c.id and k.role = 'co' and k.state not in ('handed_back', 'withdrawn')),
    'reporters', c.reporters, 'chases', c.chases, 'redos', c.redos, 'reopens', c.reopens,
    'closed_at', hl.iso(c.closed_at), 'stages', hl.stages(c));
end $$;

create or replace function hl.form_named(batch jsonb) returns jsonb language sql as
$$ select hl.form(batch || '{"is_named": true}') $$;
