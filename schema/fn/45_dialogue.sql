-- Dialogues: what an act leaves to be answered, and what a text may answer.

-- Keeps what an act says about its sender's dialogues: {kind: {minutes, ...}} waits so long for an answer, {kind: null} ends.
create or replace function hl.keep_dialogues(a jsonb) returns void language sql as $$
  insert into hl.dialogue as d (person_id, kind, data, expires_at)
    select (a->>'person')::bigint, w.key, case jsonb_typeof(w.value) when 'object' then w.value - 'minutes' else '{}' end,
           case jsonb_typeof(w.value) when 'object' then hl.now() + (w.value->>'minutes')::int * interval '1 minute'
                                      else '-infinity' end
    from jsonb_each(a->'dialogues') w
    on conflict (person_id, kind) do update set data = excluded.data, expires_at = excluded.expires_at
$$;

-- The dialogues a person's next text may answer: {kind: data}.
create or replace function hl.dialogues_of(who bigint) returns jsonb language sql stable as $$
  select coalesce(jsonb_object_agg(d.kind, d.data), '{}') from hl.dialogue d
  where d.person_id = who and d.expires_at > hl.now()
$$;

-- How many cases of a person still live: an act that opens one must not come too late.
create or replace function hl.live_cases(who bigint) returns bigint language sql stable as $$
  select count(distinct c.id) from hl.report r join hl.case c on c.id = r.case_id
  where r.person_id = who and r.withdrawn_at is null
    and c.state in ('review', 'dispatched', 'working', 'waiting', 'reopened', 'done')
$$;

-- Whoever opens cases for a person does it alone: two daemons must not open two for two texts that belong together.
create or replace function hl.lock_reporters(persons bigint[]) returns void language plpgsql as $$
begin
  perform pg_advisory_xact_lock(2, w.p) from (
    select distinct (p % 2147483647)::int as p from unnest(persons) p where p is not null order by 1) w;
end $$;

-- STOP and START. A resident gets no optional notices any more, or again; an officer's wish is told to those who can name
-- another contact, and changes nothing.
create or replace function hl.opt(a jsonb) returns text language plpgsql as $$
begin
  if a->>'actor' = 'reporter' then
    update hl.person set is_opted_out = (a->>'verb' = 'stop') where id = (a->>'person')::bigint;
    return 'ok';
  end if;
  insert into hl.notice (message_id, person_id, kind, template, params, dedupe, lane, not_before, made_at)
    select distinct on (h.person_id) (a->>'message')::bigint, h.person_id, 'officer_stopped', 'officer_stopped',
           jsonb_build_object('unit', u.name), format('message:%s:officer_stopped:%s', a->>'message', h.person_id),
           hl.lane_rank('dispatch'), hl.now(), hl.now()
    from hl.contact c join hl.unit u on u.code = c.unit
    cross join lateral (select * from hl.contacts(c.unit, 'head') union all select * from hl.contacts('HOT', 'duty')) h
    where c.person_id = (a->>'person')::bigint and c.is_active and h.person_id <> c.person_id
    order by h.person_id
    on conflict (dedupe) do nothing;
  return 'ok';
end $$;
