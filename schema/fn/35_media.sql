-- Photos and recordings: jobs that fetch them, links that bring them, and how they join a case. The table of states is in
-- include/hotline/media.h. Leases run on the real clock, links on case time.
-- Whoever locks, locks message, case, media in this order.

-- A job per address that came with a message; called by hl.intake in the transaction that stores the message.
create or replace function hl.add_media(items hl.intake_item[], messages bigint[], persons bigint[], routes text[], at_now timestamptz)
returns void language sql as $$
  insert into hl.media (kind, message_id, person_id, channel, url, told_type, made_at)
    select 'photo', messages[t.i], persons[t.i], t.channel, w.ref->>'url', left(coalesce(w.ref->>'type', ''), 100), at_now
    from unnest(items) t cross join lateral jsonb_array_elements(t.media) with ordinality w (ref, n)
    where routes[t.i] <> 'repeat' and coalesce(w.ref->>'url', '') <> '' order by t.i, w.n
$$;

-- Leases jobs that are due, and joins to their cases what was kept before its case was known.
-- Takes  batch: {"limit": n, "lease_us": us}.
-- Gives  {"now": us, "jobs": [{media, kind, channel, url, tries}], "talk": [context ...]}
create or replace function hl.media_due(batch jsonb) returns jsonb language plpgsql as $$
declare
  jobs jsonb;
  woken bigint[];
begin
  with picked as (
    select m.id from hl.media m
    where m.state = 'pending' and m.retry_at <= clock_timestamp() and coalesce(m.lease_until, '-infinity') < clock_timestamp()
    order by m.retry_at, m.id limit (batch->>'limit')::int for update skip locked),
  taken as (
    update hl.media m set tries = m.tries + 1, lease_until = clock_timestamp() + (batch->>'lease_us')::bigint * interval '1 microsecond'
    from picked p where m.id = p.id returning m.*)
  select coalesce(jsonb_agg(jsonb_build_object('media', t.id, 'kind', t.kind, 'channel', t.channel, 'url', t.url, 'tries', t.tries)
                            order by t.id), '[]') into jobs from taken t;
  woken := hl.join_media(array(select m.id from hl.media m
    where m.state = 'kept' and m.case_id is null and m.made_at > hl.now() - interval '3 hours' order by m.id limit 100));
  return jsonb_build_object('now', hl.us(hl.now()), 'jobs', jobs, 'talk', hl.talk_context(woken));
end $$;

-- What became of jobs. One that another daemon has settled meanwhile is left as it is: the file is the same.
-- Takes  batch: {"items": [{media, result: kept | later | given_up, sha256, type, bytes, width, height, reason, after_us}]}.
-- Gives  {"now": us, "talk": [context ...]}: dialogues that waited for a photo
create or replace function hl.media_settled(batch jsonb) returns jsonb language plpgsql as $$
declare
  s jsonb;
  kept bigint[] := '{}';
  m hl.media;
begin
  for s in select x from jsonb_array_elements(batch->'items') x order by (x->>'media')::bigint loop
    update hl.media j set
        state = case s->>'result' when 'kept' then 'kept' when 'given_up' then 'given_up' else 'pending' end,
        url = case s->>'result' when 'later' then j.url end, lease_until = null,
        retry_at = case s->>'result' when 'later' then clock_timestamp() + (s->>'after_us')::bigint * interval '1 microsecond'
                                     else j.retry_at end,
        digest = decode(s->>'sha256', 'hex'), type = s->>'type', bytes = (s->>'bytes')::int,
        width = nullif((s->>'width')::int, 0), height = nullif((s->>'height')::int, 0),
        kept_at = case s->>'result' when 'kept' then hl.now() end,
        reason = case s->>'result' when 'given_up' then left(coalesce(nullif(s->>'reason', ''), 'unknown'), 200) end
      where j.id = (s->>'media')::bigint and j.state = 'pending' returning * into m;
    if m.id is not null and m.state = 'kept' then
      kept := kept || m.id;
    elsif m.id is not null and m.state = 'given_up' then
      perform hl.tell_media_lost(m);
    end if;
  end loop;
  kept := hl.join_media(kept); -- a statement of its own: the context is that of what it leaves
  return jsonb_build_object('now', hl.us(hl.now()), 'talk', hl.talk_context(kept));
end $$;

-- The desk hears that something cannot be had; who sent a photo hears that it did not arrive.
create or replace function hl.tell_media_lost(m hl.media) returns void language sql as $$
  insert into hl.notice (case_id, message_id, person_id, kind, template, params, dedupe, lane, not_before, made_at)
    select k.case_id, m.message_id, d.person_id, 'media_lost', 'media_lost',
           jsonb_build_object('id', m.id, 'case', coalesce(c.code, ''), 'reason', m.reason),
           format('media:%s:lost:%s', m.id, d.person_id), hl.lane_rank('dispatch'), hl.now(), hl.now()
    from hl.contacts('HOT', 'duty') d
    left join hl.message k on k.id = m.message_id left join hl.case c on c.id = coalesce(m.case_id, k.case_id)
    on conflict (dedupe) do nothing;
  insert into hl.notice (case_id, message_id, person_id, kind, template, dedupe, lane, channel, not_before, made_at)
    select k.case_id, k.id, m.person_id, 'photo_lost', 'photo_lost', format('message:%s:photo_lost', k.id),
           hl.lane_rank('reply'), k.channel, hl.now(), hl.now()
    from hl.message k where k.id = m.message_id and m.kind = 'photo' and m.person_id is not null
    on conflict (dedupe) do nothing
$$;

-- ---- photos and their case --------------------------------------------------------------------------------------------

-- The case that media belong to: that of their message; a photo sent without words belongs to what its sender says next.
create or replace function hl.case_of_media(m hl.media) returns bigint language plpgsql stable as $$
declare of_case bigint;
begin
  if m.message_id is null then
    return coalesce((select l.case_id from hl.upload_link l where l.id = m.link_id),
                    (select x.case_id from hl.recording r join hl.message x on x.id = r.message_id where r.media_id = m.id));
  end if;
  select x.case_id into of_case from hl.message x where x.id = m.message_id;
  if of_case is null and m.person_id is not null then
    select x.case_id into of_case from hl.message x
      where x.person_id = m.person_id and x.id > m.message_id and x.case_id is not null
        and x.received_at < m.made_at + interval '2 hours'
      order by x.id limit 1;
  end if;
  return of_case;
end $$;

-- Joins kept media to their cases, as far as these are known.
-- Gives  the messages by which dialogues that waited for a photo go on; the caller has claimed them.
create or replace function hl.join_media(ids bigint[]) returns bigint[] language plpgsql as $$
declare
  m hl.media;
  of_case bigint;
  woken bigint[] := '{}';
begin
  for m in select x.* from hl.media x where x.id = any (ids) and x.state = 'kept' and x.case_id is null order by x.id loop
    of_case := hl.case_of_media(m);
    continue when of_case is null;
    perform from hl.case c where c.id = of_case for no key update;
    update hl.media x set case_id = of_case where x.id = m.id and x.case_id is null returning * into m;
    continue when m.id is null;
    perform hl.record(jsonb_build_object('actor', case when m.task_id is null then 'reporter' else 'officer' end,
                                         'person', m.person_id, 'message', m.message_id),
                      of_case, m.task_id, m.kind, null, null,
                      jsonb_build_object('media', m.id, 'sha256', encode(m.digest, 'hex')));
    woken := woken || hl.wake_close(m);
  end loop;
  return woken;
end $$;

-- Is there a photo of what a task did: of its own officers, or one that an operator saw? What a reporter photographed
-- shows what was to be done.
create or replace function hl.has_proof(of_case bigint, of_task bigint) returns boolean language plpgsql stable as $$
begin
  return exists (select from hl.event e where e.case_id = of_case and e.kind = 'photo' and (e.task_id = of_task or e.actor = 'operator'));
end $$;

-- A close that only waited for this photo goes on as if its officer had written again: an empty text that names the photo.
create or replace function hl.wake_close(m hl.media) returns bigint[] language plpgsql as $$
declare woken bigint;
begin
  if m.task_id is not null and exists (
      select from hl.dialogue d where d.person_id = m.person_id and d.kind = 'close' and d.expires_at > hl.now()
        and (d.data->>'task')::bigint = m.task_id and d.data->>'asked' = 'ask_evidence') then
    insert into hl.message (channel, external_id, person_id, text, received_at, state, claimed_until)
      values (m.channel, 'photo:' || m.id, m.person_id, '', hl.now(), 'pending', clock_timestamp() + interval '30 seconds')
      on conflict (channel, external_id) do nothing returning id into woken;
  end if;
  return case when woken is null then '{}'::bigint[] else array[woken] end;
end $$;

-- An act told whose photos these are: those of its message, or of an earlier one that a menu asked about.
create or replace function hl.claim_photos(a jsonb) returns void language plpgsql as $$
declare
  of_message constant bigint := coalesce((a->>'photos_of')::bigint, (a->>'message')::bigint);
  of_task constant bigint := coalesce(a->>'task', a->>'about')::bigint;
begin
  if not exists (select from hl.media m where m.message_id = of_message) then
    return;
  end if;
  if of_message <> (a->>'message')::bigint then
    update hl.message m set case_id = (select x.case_id from hl.message x where x.id = (a->>'message')::bigint)
      where m.id = of_message and m.case_id is null;
  end if;
  if a->>'actor' = 'officer' and of_task is not null then
    update hl.media m set task_id = of_task where m.message_id = of_message and m.task_id is null and m.case_id is null;
  end if;
  perform hl.join_media(array(select m.id from hl.media m where m.message_id = of_message and m.state = 'kept' and m.case_id is null));
end $$;

-- ---- links ------------------------------------------------------------------------------------------------------------

-- A fresh link for somebody's photos of a case. Gives its token, which stands nowhere else.
create or replace function hl.make_link(of_case bigint, of_task bigint, who bigint, by_channel text) returns text
language plpgsql as $$
declare
  at_now constant timestamptz := hl.now();
  token constant text := translate(rtrim(encode(substring(
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) for 16), 'base64'), '='), '+/', '-_');
begin
  insert into hl.upload_link (digest, case_id, task_id, person_id, channel, made_at, expires_at)
    values (sha256(convert_to(token, 'UTF8')), of_case, of_task, who, coalesce(by_channel, ''), at_now, at_now + interval '14 days');
  return token;
end $$;

-- An act whose reply shall hold a link gets it, if pages are served (base) and its case is known.
create or replace function hl.with_link(a jsonb) returns jsonb language plpgsql as $$
declare
  of_task constant bigint := coalesce(a->>'task', a->>'about')::bigint;
  of_case constant bigint := coalesce((a->>'case')::bigint, (select k.case_id from hl.task k where k.id = of_task));
  base constant text := coalesce(a->'link'->>'base', '');
begin
  if base = '' or of_case is null then
    return a;
  end if;
  return jsonb_set(a, '{reply,params,url}', to_jsonb(base || '/u/' || hl.make_link(of_case, of_task, (a->>'person')::bigint,
    (select m.channel from hl.message m where m.id = (a->>'message')::bigint))));
end $$;

-- Asks a reporter of a case for photos, with a link where pages are served (base).
create or replace function hl.want_photo(of_case bigint, who bigint, base text, of_message bigint, dedupe text) returns void
language sql as $$
  insert into hl.notice (case_id, message_id, person_id, kind, template, params, dedupe, lane, channel, not_before, made_at)
    select c.id, of_message, who, 'photo_wanted', 'photo_wanted',
           jsonb_build_object('case', c.code) || case when coalesce(base, '') = '' then '{}' else jsonb_build_object('url',
             base || '/u/' || hl.make_link(c.id, null, who, m.channel)) end,
           want_photo.dedupe, hl.lane_rank('reply'), m.channel, hl.now(), hl.now()
    from hl.case c
    left join lateral (select x.channel from hl.message x where x.person_id = who order by x.id desc limit 1) m on true
    where c.id = of_case
    on conflict (dedupe) do nothing
$$;

-- An operator asks every reporter of a case for photos.
-- Takes  batch: {"case", "by", "why", "web": where pages are served}. Gives {"now": us, "asked": n}
create or replace function hl.ask_photos(batch jsonb) returns jsonb language plpgsql as $$
declare
  c hl.case;
  who bigint[];
begin
  select * into c from hl.case x where x.code = batch->>'case' for no key update;
  if c.id is null then
    raise exception 'there is no case %', batch->>'case' using errcode = 'P0130';
  end if;
  who := array(select distinct r.person_id from hl.report r join hl.person p on p.id = r.person_id
               where r.case_id = c.id and r.withdrawn_at is null and p.phone is not null order by 1);
  perform hl.record(batch || jsonb_build_object('actor', 'operator', 'operator', batch->>'by'), c.id, null, 'photo_asked', null, null, '{}');
  perform hl.want_photo(c.id, w, batch->>'web', null, format('case:%s:photo_wanted:%s:%s', c.id, c.head_seq, w)) from unnest(who) w;
  return jsonb_build_object('now', hl.us(hl.now()), 'asked', cardinality(who));
end $$;

-- Is there a link behind a token, and how many photos does it still take?
-- Takes  batch: {"digest": SHA-256 of the token, hexadecimal}. Gives {"state": open | full | expired | unknown, "left": n, "case"}
create or replace function hl.look_link(batch jsonb) returns jsonb language sql stable as $$
  select coalesce((
    select jsonb_build_object('state', case when l.expires_at <= hl.now() then 'expired' when l.used >= l.photos_max then 'full'
                                            when c.state in ('merged', 'withdrawn') then 'expired' else 'open' end,
                              'left', l.photos_max - l.used, 'case', c.code)
    from hl.upload_link l join hl.case c on c.id = l.case_id where l.digest = decode(batch->>'digest', 'hex')),
    '{"state": "unknown", "left": 0}')
$$;

-- Photos that came by a link and are on disk. Those beyond what the link takes are not taken.
-- Takes  batch: {"digest", "photos": [{sha256, type, bytes, width, height}]}
-- Gives  {"now": us, "state", "left", "case", "taken": n, "talk": [context ...]}
create or replace function hl.take_photos(batch jsonb) returns jsonb language plpgsql as $$
declare
  l hl.upload_link;
  looked jsonb;
  taken bigint[] := '{}';
  woken bigint[];
begin
  perform from hl.case c where c.id = (select x.case_id from hl.upload_link x where x.digest = decode(batch->>'digest', 'hex'))
    for no key update;
  select * into l from hl.upload_link x where x.digest = decode(batch->>'digest', 'hex') for no key update;
  looked := hl.look_link(batch);
  if looked->>'state' = 'open' then
    with came as (
      select p.*, row_number() over () as n
      from jsonb_to_recordset(batch->'photos') p (sha256 text, type text, bytes int, width int, height int)),
    made as (
      insert into hl.media (kind, state, task_id, person_id, link_id, channel, digest, type, bytes, width, height, made_at, kept_at)
        select 'photo', 'kept', l.task_id, l.person_id, l.id, l.channel, decode(w.sha256, 'hex'), w.type, w.bytes, w.width, w.height,
               hl.now(), hl.now()
        from came w where w.n <= l.photos_max - l.used
          -- the same picture twice is one: a phone that reloads sends it again
          and not exists (select from hl.media x where x.link_id = l.id and x.digest = decode(w.sha256, 'hex'))
        order by w.n returning id)
    select coalesce(array_agg(id order by id), '{}') into taken from made;
    update hl.upload_link x set used = x.used + cardinality(taken) where x.id = l.id;
  end if;
  woken := hl.join_media(taken); -- a statement of its own: the context is that of what it leaves
  return hl.look_link(batch) || jsonb_build_object('now', hl.us(hl.now()), 'taken', cardinality(taken),
    'talk', hl.talk_context(woken));
end $$;

-- ---- shown ------------------------------------------------------------------------------------------------------------

create or replace function hl.media_json(of_case bigint) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('media', m.id, 'kind', m.kind, 'state', m.state,
      'unit', (select k.unit from hl.task k where k.id = m.task_id), 'by', case when m.task_id is null then 'reporter' else 'officer' end,
      'at', hl.iso(m.made_at), 'sha256', encode(m.digest, 'hex'), 'type', m.type, 'bytes', m.bytes, 'width', m.width,
      'height', m.height, 'tries', m.tries, 'reason', m.reason)) order by m.id), '[]')
  from hl.media m where m.case_id = of_case
     or m.case_id is null and (m.task_id in (select k.id from hl.task k where k.case_id = of_case)
                               or m.message_id in (select r.message_id from hl.report r where r.case_id = of_case))
$$;

-- Photos and recordings of a case, and those that could not be had.
-- Takes  batch: {"case"}.
create or replace function hl.show_photos(batch jsonb) returns jsonb language plpgsql stable as $$
declare of_case constant bigint := (select c.id from hl.case c where c.code = batch->>'case');
begin
  if of_case is null then
    raise exception 'there is no case %', batch->>'case' using errcode = 'P0130';
  end if;
  return jsonb_build_object('case', batch->>'case', 'photos', hl.media_json(of_case));
end $$;

-- Which file a photo or a recording is. Takes  batch: {"media"}.
create or replace function hl.media_file(batch jsonb) returns jsonb language plpgsql stable as $$
declare m hl.media;
begin
  select * into m from hl.media x where x.id = (batch->>'media')::bigint and x.state = 'kept';
  if m.id is null then
    raise exception 'there is no photo or recording %', batch->>'media' using errcode = 'P0130';
  end if;
  return jsonb_build_object('media', m.id, 'sha256', encode(m.digest, 'hex'), 'type', m.type);
end $$;
