-- Which channel a notice goes by. The daemon knows the channels and how they fare; which of them a notice has been through
-- already stands here.

-- Channels that a notice has been through without success.
create or replace function hl.tried(of_notice bigint) returns jsonb language plpgsql stable as $$
begin
  return (
    select coalesce(jsonb_agg(distinct a.channel), '[]') from hl.attempt a
    where a.notice_id = of_notice and a.outcome in ('refused', 'config', 'not_sent', 'unknown'));
end $$;

-- The channel for one notice, or null.
-- Takes  batch: {"order": {"officer": [names], "resident": [...], "bulk": [...]}, "routes": {name: {"prefixes": [...],
--        "templates": [keys] or null}}}: order holds the routes of a purpose, the first best; routes those that may be used now.
--        (With "plain": true, no route having prefixes or templates, hl.lease finds the first by itself.)
--        sticky: the channel of the conversation, which comes before all.
-- A channel that failed this notice comes after those that did not.
create or replace function hl.route(batch jsonb, sticky text, purpose text, phone text, template text, of_notice bigint, tries int)
returns text language plpgsql stable as $$
begin
  return (
    with named as (
      select name, min(nth) as nth
      from (select sticky as name, 0::bigint as nth
            union all select value, ordinality from jsonb_array_elements_text(batch->'order'->purpose) with ordinality) x
      where batch->'routes' ? name group by name),
    failed as (select case when tries > 0 then hl.tried(of_notice) else '[]' end as names)
    select n.name from named n, failed f, lateral (select batch->'routes'->n.name as facts) r
    where (coalesce(jsonb_array_length(r.facts->'prefixes'), 0) = 0
           or exists (select from jsonb_array_elements_text(r.facts->'prefixes') p where starts_with(phone, p)))
      and (coalesce(jsonb_typeof(r.facts->'templates'), 'null') = 'null' or r.facts->'templates' ? template)
    order by f.names ? n.name, n.nth limit 1);
end $$;

-- What channels with a budget have spent on a day, in SMS.
-- Takes  batch: {"budgets": {"day": "2026-11-25", "channels": [names]}}; without it null.
create or replace function hl.spent(batch jsonb) returns jsonb language plpgsql stable as $$
begin
  return (
    select jsonb_object_agg(d.channel, d.parts) from hl.channel_day d
    where batch ? 'budgets' and d.day = (batch->'budgets'->>'day')::date and batch->'budgets'->'channels' ? d.channel);
end $$;

-- Counts accepted SMS of channels with a budget. Takes a batch of hl.settle with budgets in it.
create or replace function hl.spend(batch jsonb) returns void language plpgsql as $$
begin
  insert into hl.channel_day (channel, day, parts)
    select a.channel, (batch->'budgets'->>'day')::date, sum(x.parts)
    from jsonb_to_recordset(batch->'items') x (attempt bigint, outcome text, parts int) join hl.attempt a on a.id = x.attempt
    where batch ? 'budgets' and batch->'budgets'->'channels' ? a.channel and x.outcome = 'accepted'
    group by a.channel order by a.channel
  on conflict (channel, day) do update set parts = channel_day.parts + excluded.parts;
end $$;

-- A real text by one channel, asked for by an operator. Sticky like a reply; it is of use for ten minutes only.
-- Takes  {"channel": name, "to": "+..."}. Gives {"notice": id}.
create or replace function hl.channel_test(args jsonb) returns jsonb language plpgsql as $$
declare
  code constant text := hl.new_code();
  made bigint;
begin
  insert into hl.person (phone) select args->>'to'
    where not exists (select from hl.person p where p.phone = args->>'to') on conflict do nothing;
  insert into hl.notice (person_id, kind, template, params, dedupe, lane, channel, not_before, not_after, made_at)
    select p.id, 'test', 'channel_test', jsonb_build_object('code', code), format('test/%s/%s', args->>'channel', code),
           hl.lane_rank('emergency'), args->>'channel', hl.now(), hl.now() + interval '10 minutes', hl.now()
    from hl.person p where p.phone = args->>'to' returning id into made;
  return jsonb_build_object('notice', made);
end $$;

-- One notice and its last try. Takes {"notice": id}.
create or replace function hl.show_notice(args jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object('notice', n.id, 'state', n.state, 'reason', coalesce(n.reason, ''), 'tries', n.tries,
           'channel', coalesce(a.channel, ''), 'outcome', coalesce(a.outcome, ''), 'detail', coalesce(a.detail, ''))
  from hl.notice n left join lateral (select * from hl.attempt x where x.notice_id = n.id order by x.n desc limit 1) a on true
  where n.id = (args->>'notice')::bigint
$$;
