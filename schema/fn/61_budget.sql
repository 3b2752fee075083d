-- What a provider takes for one phone: nothing leaves that it would cut, and what waits is visible.

create or replace function hl.spread_budgets(doc jsonb) returns void language plpgsql as $$
begin
  delete from hl.budget;
  delete from hl.provider;
  delete from hl.template_param;
  insert into hl.provider (name, bundle, may_vary)
    select p.name, coalesce((p.rules->>'bundle')::int, 0), coalesce((p.rules->>'vary')::boolean, false)
    from jsonb_each(coalesce(doc->'providers', '{}')) p (name, rules);
  insert into hl.budget (provider, span, n, is_same)
    select p.name, (b->>'per')::interval, (b->>'count')::int, coalesce((b->>'same')::boolean, false)
    from jsonb_each(coalesce(doc->'providers', '{}')) p (name, rules) cross join jsonb_array_elements(coalesce(p.rules->'budget', '[]')) b;
  -- {name}, {name:time} and {name?text} name what shows
  insert into hl.template_param (template, lang, name, is_time)
    select t->>'key', t->>'lang', p->>'name', p->>'type' = 'time'
    from jsonb_array_elements(coalesce(doc->'templates', '[]')) t cross join jsonb_array_elements(coalesce(t->'params', '[]')) p
    where t->>'text' ~ concat('\{', p->>'name', '[}:?]')
    on conflict do nothing;
end $$;

-- Equal for two notices whose texts are equal: only what shows counts, and of a time the minute.
create or replace function hl.text_id(of_template text, params jsonb, of_lang text) returns bigint language plpgsql stable as $$
begin
  return hashtextextended(of_template || coalesce((
    select jsonb_object_agg(p.name, case when p.is_time then to_jsonb(floor((params->>p.name)::numeric / 60)) else params->p.name end)
    from hl.template_param p where p.template = of_template and p.lang = of_lang), params)::text, 0);
end $$;

-- Whose rules hold for a channel: its provider's, else those of '*'.
create or replace function hl.provider_of(batch jsonb, channel text) returns text language plpgsql stable as $$
begin
  return coalesce((select p.name from hl.provider p where p.name = batch->'providers'->>channel), '*');
end $$;
create or replace function hl.has_budget(batch jsonb) returns boolean language plpgsql stable as $$
begin
  return exists (select from jsonb_object_keys(batch->'providers') c (name) join hl.budget b on b.provider = hl.provider_of(batch, c.name));
end $$;

-- The policy, for one phone on one channel; touches nothing.
-- Takes  what was sent of late and its texts; what waits, best first: text, must it go, may it leave together with others.
-- Gives  per waiting text (ord): go (nth: as the nth of equal texts), join (leave with the last that goes), or hold until an
--        instant, and why. What is held is asked about again then.
-- A window of a budget counts what was sent in it; the first that leaves it makes room. Without room the last text that may
-- go takes others along.
create or replace function hl.budget_plan(of_provider text, at_now timestamptz, sent timestamptz[], texts bigint[],
                                          waiting bigint[], kept boolean[], joinable boolean[])
returns table (ord int, verdict text, nth int, until timestamptz, why text) language plpgsql stable as $$
declare
  rules constant hl.provider := (select p from hl.provider p where p.name = of_provider);
  b hl.budget;
  k int;
  carrier int;
  carried int := 1;
begin
  for i in 1..cardinality(waiting) loop
    ord := i; verdict := 'go'; nth := 1; until := null; why := null;
    for b in select * from hl.budget x where x.provider = of_provider and not kept[i] order by x.is_same, x.span loop
      select count(*) into k from unnest(sent, texts) s (at, txt)
        where s.at > at_now - b.span and (not b.is_same or s.txt = waiting[i]);
      continue when k < b.n;
      if b.is_same and rules.may_vary then
        nth := greatest(nth, k + 1);
        continue;
      end if;
      verdict := 'hold';
      why := format('%s %s in %s', b.n, case when b.is_same then 'equal texts' else 'texts' end, hl.span_text(b.span));
      until := greatest(until, b.span + (
        select s.at from unnest(sent, texts) s (at, txt) where s.at > at_now - b.span and (not b.is_same or s.txt = waiting[i])
        order by s.at offset k - b.n limit 1));
    end loop;
    if verdict = 'hold' and why not like '%equal%' and joinable[i] and carrier is not null and carried < rules.bundle then
      verdict := 'join'; nth := carrier; until := null; why := null;
      carried := carried + 1;
    elsif verdict = 'go' then
      sent := sent || at_now;
      texts := texts || waiting[i];
      if joinable[i] and not kept[i] then
        carrier := i;
        carried := 1;
      end if;
    end if;
    return next;
  end loop;
end $$;

create or replace function hl.span_text(span interval) returns text language sql immutable as $$
  select case when span >= interval '1 hour' and extract(epoch from span)::bigint % 3600 = 0 then extract(epoch from span)::bigint / 3600 || ' h'
              when extract(epoch from span)::bigint % 60 = 0 then extract(epoch from span)::bigint / 60 || ' min'
              else extract(epoch from span)::bigint || ' s' end
$$;

-- Which of some queued, locked notices may leave now; the others wait, or leave inside another text.
-- A phone is locked while its budget is spent: a second daemon leaves it to the first, and never waits.
create or replace function hl.within_budget(ids bigint[], batch jsonb, at_now timestamptz) returns bigint[] language plpgsql as $$
declare
  allowed bigint[] := '{}';
  p record;
  spent hl.phone_budget;
begin
  for p in
    select x.person_id, x.channel, hl.provider_of(batch, x.channel) as provider, array_agg(x.id order by x.lane, x.id) as ids,
           array_agg(x.txt order by x.lane, x.id) as texts, array_agg(x.is_kept or x.lane = hl.lane_rank('emergency') order by x.lane, x.id) as kept,
           array_agg(x.lane >= hl.lane_rank('dispatch') and not x.is_kept and x.template <> 'bundle' order by x.lane, x.id) as joinable
    from (select n.*, hl.channel_of(n, batch) as to_channel, hl.text_id(n.template, n.params, w.lang) as txt
          from hl.notice n join hl.person w on w.id = n.person_id where n.id = any (ids)) n
    cross join lateral (select n.id, n.person_id, n.to_channel as channel, n.lane, n.is_kept, n.template, n.txt) x
    where hl.why_stale((select y from hl.notice y where y.id = x.id), at_now) is null
    group by 1, 2 order by 1, 2
  loop
    if not exists (select from hl.budget b where b.provider = p.provider) then
      allowed := allowed || p.ids;
      continue;
    end if;
    continue when not pg_try_advisory_xact_lock(61, hashtext(concat(p.person_id, ':', p.channel)));
    insert into hl.phone_budget (person_id, channel) values (p.person_id, p.channel) on conflict do nothing;
    select * into spent from hl.phone_budget b where b.person_id = p.person_id and b.channel = p.channel;
    allowed := allowed || hl.spend(p.ids, p.provider, at_now, spent, p.texts, p.kept, p.joinable);
  end loop;
  -- what is stale is dropped by the lease
  return allowed || array(select n.id from hl.notice n where n.id = any (ids) and hl.why_stale(n, at_now) is not null);
end $$;

-- Carries a plan out for one phone. Gives what leaves now.
create or replace function hl.spend(ids bigint[], of_provider text, at_now timestamptz, spent hl.phone_budget, txt bigint[],
                                    kept boolean[], joinable boolean[]) returns bigint[] language plpgsql as $$
declare
  plan hl.budget_step[] := array(select row(x.ord, x.verdict, x.nth, x.until, x.why)::hl.budget_step
                                 from hl.budget_plan(of_provider, at_now, spent.sent, spent.texts, txt, kept, joinable) x order by x.ord);
  go int[] := array(select x.ord from unnest(plan) x where x.verdict = 'go' order by x.ord);
  leaving bigint[];
  longest constant interval := (select max(span) from hl.budget where provider = of_provider);
begin
  update hl.notice n set not_before = x.until, held = x.why from unnest(plan) x where x.verdict = 'hold' and n.id = ids[x.ord];
  update hl.notice n set nth = x.nth from unnest(plan) x
    where x.verdict = 'go' and x.nth > 1 and n.id = ids[x.ord];
  leaving := array(select coalesce(hl.bundle(array[ids[o]] || array(select ids[x.ord] from unnest(plan) x
                                                                   where x.verdict = 'join' and x.nth = o order by x.ord), spent.channel, at_now), ids[o])
                   from unnest(go) o);
  update hl.notice set held = null where id = any (leaving) and held is not null;
  update hl.phone_budget b set sent = s.sent, texts = s.texts
    from (select coalesce(array_agg(y.at order by y.n), '{}') as sent, coalesce(array_agg(y.txt order by y.n), '{}') as texts
          from (select x.* from unnest(spent.sent || array_fill(at_now, array[cardinality(go)]),
                                       spent.texts || array(select txt[o] from unnest(go) o)) with ordinality x (at, txt, n)
                where x.at > at_now - longest order by x.n desc limit 500) y) s
    where b.person_id = spent.person_id and b.channel = spent.channel;
  return leaving;
end $$;

-- One text that carries several; null: there is only one.
create or replace function hl.bundle(members bigint[], of_channel text, at_now timestamptz) returns bigint language plpgsql as $$
declare made bigint;
begin
  if cardinality(members) < 2 then
    return null;
  end if;
  insert into hl.notice (person_id, kind, template, params, dedupe, lane, channel, not_before, made_at)
    select min(n.person_id), 'bundle', 'bundle',
           jsonb_build_object('items', jsonb_agg(jsonb_build_object('template', n.template, 'params', n.params) order by n.lane, n.id)),
           format('bundle:%s:%s', members[1], hl.us(at_now)), min(n.lane), of_channel, at_now, at_now
    from hl.notice n where n.id = any (members) returning id into made;
  update hl.notice set state = 'bundled', bundle_id = made, held = null where id = any (members);
  return made;
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
