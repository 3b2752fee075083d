-- Reference documents: kept whole with who and why, and spread into tables where rows refer to them.
-- Takes  batch: {"kind", "doc", "by", "why"}; the document was checked by hotlinectl before.
-- Gives  {"changed": bool}; the same document again changes nothing.
create or replace function hl.import(batch jsonb) returns jsonb language plpgsql as $$
declare
  of_kind constant text := batch->>'kind';
  d constant jsonb := batch->'doc';
  seal constant bytea := sha256(convert_to(d::text, 'UTF8'));
begin
  if exists (select from hl.refdata r where r.kind = of_kind and r.is_current and r.digest = seal) then
    return jsonb_build_object('changed', false);
  end if;
  update hl.refdata set is_current = false where kind = of_kind and is_current;
  insert into hl.refdata (kind, doc, digest, by_user, why) values (of_kind, d, seal, batch->>'by', coalesce(batch->>'why', ''));
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
  when 'ladder' then
    delete from hl.rung_rule;
    insert into hl.rung_rule (rung, urgency, applies, unless, audience, template, lane, is_kept)
      select x->>'rung', u, array(select jsonb_array_elements_text(x->'applies')),
             array(select jsonb_array_elements_text(coalesce(x->'unless', '[]'))), w, x->>'template',
             case when u = 'emergency' then 'emergency' else x->>'lane' end,
             u = 'emergency' or coalesce((x->>'kept')::boolean, false)
      from jsonb_array_elements(d->'rungs') x cross join jsonb_array_elements_text(x->'urgency') u
      cross join jsonb_array_elements_text(x->'audience') w;
  else null;
  end case;
  return jsonb_build_object('changed', true);
end $$;

-- Contacts are not kept as documents: names and numbers live in hl.person only.
-- Takes  batch: {"contacts": [{unit, role, rank, phone, name, lang?}], "by", "why"}. Contacts not named are deactivated.
create or replace function hl.import_contacts(batch jsonb) returns jsonb language plpgsql as $$
declare n int;
begin
  insert into hl.person (phone, name, lang)
    select distinct on (x.phone) x.phone, x.name, coalesce(x.lang, 'zh-CN')
    from jsonb_to_recordset(batch->'contacts') x (phone text, name text, lang text) order by x.phone
    on conflict (phone) do update set name = excluded.name, lang = excluded.lang;
  insert into hl.contact (unit, person_id, role, rank, verified_at)
    select x.unit, p.id, x.role, coalesce(x.rank, 1), hl.now()
    from jsonb_to_recordset(batch->'contacts') x (unit text, role text, rank smallint, phone text) join hl.person p on p.phone = x.phone
    on conflict (unit, person_id, role) do update set rank = excluded.rank, is_active = true;
  get diagnostics n = row_count;
  update hl.contact c set is_active = false from hl.person p
    where p.id = c.person_id and c.is_active and not exists (
      select from jsonb_to_recordset(batch->'contacts') x (unit text, role text, phone text)
      where x.unit = c.unit and x.role = c.role and x.phone = p.phone);
  return jsonb_build_object('contacts', n);
end $$;
