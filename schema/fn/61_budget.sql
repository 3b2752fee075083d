-- What a provider takes for one phone: nothing leaves that it would cut, and what waits is visible.

create or replace function hl.spread_budgets(doc jsonb) returns void language plpgsql as $$
begin
  delete from hl.budget;
  insert into hl.budget (provider, span, n, is_same)
    select p.name, (b->>'per')::interval, (b->>'count')::int, coalesce((b->>'same')::boolean, false)
    from jsonb_each(coalesce(doc->'providers', '{}')) p (name, rules) cross join jsonb_array_elements(coalesce(p.rules->'budget', '[]')) b;
end $$;

-- What is held back and why, or what is in one state: at most 1000, the oldest first.
-- Takes  batch: {"held": bool, "state": text}. Gives {"notices": [{id, to (masked), kind, lane, state, why, until}], "count": all}.
create or replace function hl.show_notices(batch jsonb) returns jsonb language plpgsql stable as $$
declare
  is_held constant boolean := coalesce((batch->>'held')::boolean, false);
begin
  if not is_held and batch->>'state' not in ('queued', 'sending', 'accepted', 'delivered', 'undelivered', 'refused', 'unknown',
                                             'expired', 'dropped', 'bundled') then
    raise exception 'state: there is no state %', batch->>'state' using errcode = 'P0130';
  end if;
  return (
    with found as (
      select n.* from hl.notice n
      where case when is_held then n.state = 'queued' and n.held is not null and n.not_before > hl.now()
                 else n.state = batch->>'state' end)
    select jsonb_build_object('count', (select count(*) from found), 'notices', coalesce(jsonb_agg(jsonb_build_object(
             'id', f.id, 'to', hl.mask(p.phone), 'kind', f.kind, 'lane', l.name, 'state', f.state,
             'why', coalesce(f.held, f.reason), 'until', hl.iso(case when f.state = 'queued' then f.not_before end)) order by f.id), '[]'))
    from (select * from found order by id limit 1000) f join hl.person p on p.id = f.person_id join hl.lane l on l.rank = f.lane);
end $$;
