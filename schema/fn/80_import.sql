-- Reference documents: kept whole with who and why, and spread into tables where rows refer to them.

-- One line of history for an import. changes: {"added", "changed", "removed", "keys"} as hotlinectl found them.
create or replace function hl.note_config(of_kind text, batch jsonb, of_refdata bigint) returns void language sql as $$
  insert into hl.config_change (kind, by_user, why, added, changed, removed, keys, refdata_id)
    select of_kind, batch->>'by', coalesce(batch->>'why', ''), coalesce((c->>'added')::int, 0), coalesce((c->>'changed')::int, 0),
           coalesce((c->>'removed')::int, 0), coalesce(c->'keys', '[]'), of_refdata
    from (select coalesce(batch->'changes', '{}') as c) x
$$;

-- Takes  batch: {"kind", "doc", "by", "why", "changes"}; the document was checked by hotlinectl before.
-- Gives  {"changed": bool}; the same document again changes nothing.
create or replace function hl.import(batch jsonb) returns jsonb language plpgsql as $$
declare
  of_kind constant text := batch->>'kind';
  d constant jsonb := batch->'doc';
  seal constant bytea := sha256(convert_to(d::text, 'UTF8'));
  made bigint;
begin
  if exists (select from hl.refdata r where r.kind = of_kind and r.is_current and r.digest = seal) then
    return jsonb_build_object('changed', false);
  end if;
  update hl.refdata set is_current = false where kind = of_kind and is_current;
  insert into hl.refdata (kind, doc, digest, by_user, why) values (of_kind, d, seal, batch->>'by', coalesce(batch->>'why', ''))
    returning id into made;
  perform hl.note_config(of_kind, batch, made);
  case of_kind
  when 'units' then
    insert into hl.unit (code, name, name_en, kind, clause)
      select code, name, coalesce(name_en, ''), kind, coalesce(clause, '')
      from jsonb_to_recordset(d->'units') x (code text, name text, name_en text, kind text, clause text)
      on conflict (code) do update set name = excluded.name, name_en = excluded.name_en, kind = excluded.kind,
        clause = excluded.clause, is_active = true;
    update hl.unit u set is_active = false
      where not exists (select from jsonb_array_elements(d->'units') x where x->>'code' = u.code);
  when 'case_types' then
    insert into hl.case_type (code, name, lead, co, clause, urgency, demands)
      select x->>'code', x->>'name', x->>'lead', array(select jsonb_array_elements_text(coalesce(x->'co', '[]'))),
             coalesce(x->>'clause', ''), x->>'urgency', array(select jsonb_array_elements_text(coalesce(x->'demands', '[]')))
      from jsonb_array_elements(d->'case_types') x
      on conflict (code) do update set name = excluded.name, lead = excluded.lead, co = excluded.co, clause = excluded.clause,
        urgency = excluded.urgency, demands = excluded.demands;
  when 'places' then
    insert into hl.compound (code, name, aliases, community, subdistrict, property_company, gas_company)
      select x->>'code', x->>'name', array(select jsonb_array_elements_text(coalesce(x->'aliases', '[]'))),
             coalesce(x->>'community', ''), x->>'subdistrict', x->>'property_company', x->>'gas_company'
      from jsonb_array_elements(d->'places') x
      on conflict (code) do update set name = excluded.name, aliases = excluded.aliases, community = excluded.community,
        subdistrict = excluded.subdistrict, property_company = excluded.property_company, gas_company = excluded.gas_company,
        is_active = true;
    -- Old cases still point at a compound that is gone: it is put out of use, not deleted.
    update hl.compound p set is_active = false
      where p.is_active and not exists (select from jsonb_array_elements(d->'places') x where x->>'code' = p.code);
  when 'ladder' then
    delete from hl.rung_rule;
    insert into hl.rung_rule (rung, urgency, applies, unless, audience, template, lane, is_kept, is_call)
      select x->>'rung', u, array(select jsonb_array_elements_text(x->'applies')),
             array(select jsonb_array_elements_text(coalesce(x->'unless', '[]'))), w, x->>'template',
             case when u = 'emergency' then 'emergency' else x->>'lane' end,
             u = 'emergency' or coalesce((x->>'kept')::boolean, false), coalesce((x->>'call')::boolean, false)
      from jsonb_array_elements(d->'rungs') x cross join jsonb_array_elements_text(x->'urgency') u
      cross join jsonb_array_elements_text(x->'audience') w;
  else null;
  end case;
  return jsonb_build_object('changed', true);
end $$;

-- Contacts are not kept as documents: names and numbers live in hl.person only.
-- Takes  batch: {"contacts": [{unit, role, rank, phone, name, lang?}], "by", "why", "changes", "vouched"}. Contacts not named are
--        deactivated, their duties with them.
create or replace function hl.import_contacts(batch jsonb) returns jsonb language plpgsql as $$
declare
  n int;
  gone text[];
begin
  perform hl.part_with_numbers(batch->'contacts');
  insert into hl.person (phone, name, lang)
    select distinct on (x.phone) x.phone, x.name, coalesce(x.lang, 'zh-CN')
    from jsonb_to_recordset(batch->'contacts') x (phone text, name text, lang text) order by x.phone
    on conflict (phone) do update set name = excluded.name, lang = excluded.lang;
  insert into hl.contact (unit, person_id, role, rank, verified_at)
    select x.unit, p.id, x.role, coalesce(x.rank, 1),
           -- proven already, vouched for by whoever imports, or of a demo installation; all others get a pin
           case when (batch->>'vouched')::boolean or (select is_demo from hl.clock)
                  or exists (select from hl.contact k where k.person_id = p.id and k.verified_at is not null) then hl.now() end
    from jsonb_to_recordset(batch->'contacts') x (unit text, role text, rank smallint, phone text) join hl.person p on p.phone = x.phone
    on conflict (unit, person_id, role) do update set rank = excluded.rank, is_active = true;
  get diagnostics n = row_count;
  with left_unit as (
    update hl.contact c set is_active = false from hl.person p
      where p.id = c.person_id and c.is_active and not exists (
        select from jsonb_to_recordset(batch->'contacts') x (unit text, role text, phone text)
        where x.unit = c.unit and x.role = c.role and x.phone = p.phone)
      returning c.unit)
  select coalesce(array_agg(distinct unit), '{}') into gone from left_unit;
  update hl.roster r set is_active = false from hl.contact c
    where c.id = r.contact_id and r.is_active and not c.is_active;
  perform hl.cover_absent(gone, hl.now());
  perform hl.send_pin(w.id) from (select distinct c.person_id as id from hl.contact c
                                  where c.is_active and c.verified_at is null order by 1) w
    where not exists (select from hl.verification v where v.person_id = w.id and v.done_at is null and v.expires_at > hl.now());
  perform hl.note_config('contacts', batch, null);
  return jsonb_build_object('contacts', n);
end $$;

-- Duties and leave, all of them anew.
-- Takes  batch: {"roster": [{unit, role, phone, kind, days?, from, until, note?}], "by", "why", "changes"}; times are the
--        current calendar's local ones.
create or replace function hl.import_roster(batch jsonb) returns jsonb language plpgsql as $$
declare
  n int;
  local_zone constant text := coalesce((select r.doc->>'zone' from hl.refdata r where r.kind = 'calendar' and r.is_current),
                                       'Asia/Shanghai');
begin
  update hl.roster set is_active = false where is_active;
  insert into hl.roster (contact_id, kind, days, from_min, until_min, from_at, until_at, zone, note)
    select c.id, x.kind,
           case when x.kind = 'week' then array(select array_position(array['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], d)
                                                from jsonb_array_elements_text(x.days) d order by 1) end,
           case when x.kind = 'week' then split_part(x."from", ':', 1)::int * 60 + split_part(x."from", ':', 2)::int end,
           case when x.kind = 'week' then split_part(x.until, ':', 1)::int * 60 + split_part(x.until, ':', 2)::int end,
           case when x.kind <> 'week' then x."from"::timestamp at time zone local_zone end,
           case when x.kind <> 'week' then x.until::timestamp at time zone local_zone end,
           local_zone, coalesce(x.note, '')
    from jsonb_to_recordset(batch->'roster') x (unit text, role text, phone text, kind text, days jsonb, "from" text, until text,
                                                note text)
    join hl.person p on p.phone = x.phone
    join hl.contact c on c.person_id = p.id and c.unit = x.unit and c.role = x.role and c.is_active
    order by x.unit, x.role, x.kind desc, x."from", x.phone;
  get diagnostics n = row_count;
  if n <> jsonb_array_length(batch->'roster') then
    raise exception 'a duty names somebody who is no contact any more' using errcode = 'P0192';
  end if;
  perform hl.cover_leave('-infinity', hl.now());
  perform hl.note_config('roster', batch, null);
  return jsonb_build_object('roster', n);
end $$;

-- Everything that an import is compared with. One at a time: whoever asks in a transaction holds the configuration.
create or replace function hl.config(batch jsonb) returns jsonb language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtext('hl.config'));
  return jsonb_build_object(
    'now', hl.us(hl.now()),
    'docs', (select coalesce(jsonb_object_agg(r.kind, r.doc), '{}') from hl.refdata r where r.is_current),
    'contacts', (
      select coalesce(jsonb_agg(jsonb_build_object('unit', c.unit, 'role', c.role, 'rank', c.rank, 'phone', p.phone,
                                                   'name', p.name)
                                || case when p.lang = 'zh-CN' then '{}' else jsonb_build_object('lang', p.lang) end
                                order by c.id), '[]')
      from hl.contact c join hl.person p on p.id = c.person_id where c.is_active and p.phone is not null),
    'roster', (
      select coalesce(jsonb_agg(jsonb_build_object('unit', c.unit, 'role', c.role, 'phone', p.phone, 'kind', r.kind, 'note', r.note)
        || case when r.kind = 'week'
             then jsonb_build_object('days', (select jsonb_agg((array['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])[d]
                                                               order by d) from unnest(r.days) d),
                                     'from', to_char(r.from_min / 60, 'FM00') || ':' || to_char(r.from_min % 60, 'FM00'),
                                     'until', to_char(r.until_min / 60, 'FM00') || ':' || to_char(r.until_min % 60, 'FM00'))
             else jsonb_build_object('from', to_char(r.from_at at time zone r.zone, 'YYYY-MM-DD HH24:MI'),
                                     'until', to_char(r.until_at at time zone r.zone, 'YYYY-MM-DD HH24:MI')) end
        order by r.id), '[]')
      from hl.roster r join hl.contact c on c.id = r.contact_id join hl.person p on p.id = c.person_id where r.is_active));
end $$;

-- Who imported what, when and why, the latest first. Takes {"kind"?, "limit"?}.
create or replace function hl.config_history(batch jsonb) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(to_jsonb(h) order by h.id desc), '[]') from (
    select c.id, c.kind, c.at, c.by_user as by, c.why, c.added, c.changed, c.removed, c.keys
    from hl.config_change c where batch->>'kind' is null or c.kind = batch->>'kind'
    order by c.id desc limit coalesce((batch->>'limit')::int, 100)) h
$$;

-- Open tasks whose limits crossed a year without holidays. Gives {"tasks": [ids]}.
create or replace function hl.provisional_tasks(batch jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object('tasks', coalesce(jsonb_agg(k.id order by k.case_id, k.id), '[]'))
  from hl.task k where k.is_provisional and k.state in ('dispatched', 'signed', 'arrived', 'handback')
$$;

-- New limits for provisional tasks after a calendar came: tasks, history and ladders in sets.
-- Takes  batch: {"tasks": [{task, sign_us, arrive_us, close_us, provisional, rungs[], dues_us[]}], "by"}
-- Gives  {"tasks": how many got other limits or are no longer provisional}
-- A rung that was fired stays fired; those that are left move.
create or replace function hl.recompute_limits(batch jsonb) returns jsonb language plpgsql as $$
declare n int;
begin
  create temp table if not exists fresh_limits (
    task_id bigint, case_id bigint, sign_by timestamptz, arrive_by timestamptz, close_by timestamptz, provisional boolean,
    rungs text[], dues timestamptz[]) on commit drop;
  delete from fresh_limits;
  perform from hl.case c where c.id in (
      select k.case_id from jsonb_to_recordset(batch->'tasks') x (task bigint) join hl.task k on k.id = x.task)
    order by c.id for no key update;
  insert into fresh_limits
    select k.id, k.case_id, hl.at_us(x.sign_us), hl.at_us(x.arrive_us), hl.at_us(x.close_us), x.provisional,
           array(select jsonb_array_elements_text(x.rungs)),
           array(select hl.at_us(d::bigint) from jsonb_array_elements_text(x.dues_us) d)
    from jsonb_to_recordset(batch->'tasks') x (task bigint, sign_us bigint, arrive_us bigint, close_us bigint, provisional boolean,
                                               rungs jsonb, dues_us jsonb)
    join hl.task k on k.id = x.task
    where k.is_provisional and k.state in ('dispatched', 'signed', 'arrived', 'handback')
      and (k.sign_by, k.arrive_by, k.close_by, k.is_provisional)
          is distinct from (hl.at_us(x.sign_us), hl.at_us(x.arrive_us), hl.at_us(x.close_us), x.provisional);
  get diagnostics n = row_count;
  insert into hl.event (case_id, at, kind, task_id, actor, operator, data)
    select f.case_id, hl.now(), 'limits_recomputed', f.task_id, 'operator', batch->>'by',
           jsonb_build_object('sign_by', hl.us(f.sign_by), 'arrive_by', hl.us(f.arrive_by), 'close_by', hl.us(f.close_by),
                              'provisional', f.provisional)
    from fresh_limits f order by f.case_id, f.task_id;
  update hl.task k set sign_by = f.sign_by, arrive_by = f.arrive_by, close_by = f.close_by, is_provisional = f.provisional
    from fresh_limits f where k.id = f.task_id;
  perform hl.follow_limit(k) from fresh_limits f join hl.task k on k.id = f.task_id;
  update hl.ladder l set rungs = w.rungs, dues = w.dues, pos = w.n_fired + 1,
         due_at = case when l.due_at is null then null else w.dues[w.n_fired + 1] end
    from fresh_limits f, lateral (
      select array_agg(s.rung order by s.is_left, s.due, s.ord) as rungs, array_agg(s.due order by s.is_left, s.due, s.ord) as dues,
             (count(*) filter (where not s.is_left))::smallint as n_fired
      from (select r.rung, r.due, r.ord, false as is_left from hl.ladder o, unnest(o.rungs, o.dues) with ordinality r (rung, due, ord)
            where o.task_id = f.task_id and r.ord < o.pos
            union all
            select r.rung, r.due, r.ord, true from unnest(f.rungs, f.dues) with ordinality r (rung, due, ord)
            where not exists (select from hl.ladder o where o.task_id = f.task_id and r.rung = any (o.rungs[1:o.pos - 1]))) s) w
    where l.task_id = f.task_id and l.due_at is not null;
  return jsonb_build_object('tasks', n);
end $$;

-- Cases since a day with what a decision rests on, and where they first went. Takes {"since": us, "limit"}.
create or replace function hl.past_cases(batch jsonb) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'case', c.code, 'type', c.type, 'urgency', c.urgency, 'compound', c.compound, 'state', c.state, 'at', hl.us(c.opened_at),
    'is_sure', c.is_sure,
    'tasks', (
      select coalesce(jsonb_agg(jsonb_build_object('unit', k.unit, 'role', k.role, 'from_us', hl.us(k.assigned_at),
                        'sign_us', (e.data->>'sign_by')::bigint, 'close_us', (e.data->>'close_by')::bigint) order by k.id), '[]')
      from hl.task k
      cross join lateral (select e.data from hl.event e where e.task_id = k.id and e.kind = 'assigned' order by e.seq limit 1) e
      where k.case_id = c.id and k.assigned_at = (select min(o.assigned_at) from hl.task o where o.case_id = c.id)))
    order by c.id), '[]')
  from (select * from hl.case c where c.opened_at >= hl.at_us((batch->>'since')::bigint)
        order by c.id limit (batch->>'limit')::int) c
$$;

-- The hotline's desk hears once that a year's holidays are missing. A demo's clock is
-- nobody's year. Takes {"year"}.
create or replace function hl.tell_missing_year(batch jsonb) returns jsonb language plpgsql as $$
declare n int;
begin
  insert into hl.notice (person_id, kind, template, params, dedupe, lane, not_before, made_at)
    select d.person_id, 'calendar_missing', 'calendar_missing', jsonb_build_object('year', batch->>'year'),
           format('calendar:%s:%s', batch->>'year', d.person_id), hl.lane_rank('bulk'), hl.now(), hl.now()
    from hl.contacts('HOT', 'duty') d where not (select c.is_demo from hl.clock c)
    on conflict (dedupe) do nothing;
  get diagnostics n = row_count;
  return jsonb_build_object('told', n);
end $$;
