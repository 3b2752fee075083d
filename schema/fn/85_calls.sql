-- Calls: what a platform tells about one is written before it is answered; where the flow has got to follows in a second
-- call that is only taken if nobody moved it meanwhile. Whoever is owed a call is on a list with a limit.

-- A desk's text about a call-back: at once when it presses, else when texts may go.
create or replace function hl.tell_callback(of_callback bigint, at_now timestamptz) returns void language sql as $$
  insert into hl.notice (person_id, kind, template, params, dedupe, lane, not_before, made_at)
    select d.person_id, 'callback', case b.reason when 'listen' then 'callback_listen' else 'callback_new' end,
           jsonb_build_object('id', b.id, 'phone', coalesce(p.phone, ''), 'urgency', b.urgency, 'call_by', hl.secs(b.due_at)),
           format('callback:%s:%s', b.id, d.person_id),
           hl.lane_rank(case b.urgency when 'emergency' then 'emergency' else 'dispatch' end),
           -- whoever hangs up while his recording is still on its way is no case for the desk
           case when b.urgency <> 'normal' then at_now else hl.text_time(at_now + interval '1 minute') end, at_now
    from hl.callback b join hl.call c on c.id = b.call_id left join hl.person p on p.id = c.person_id
    cross join hl.contacts('HOT', 'duty') d
    where b.id = of_callback
    on conflict (dedupe) do nothing
$$;

-- Puts a caller on the list, once per reason. Takes the limit in case time.
create or replace function hl.owe_callback(of_call bigint, of_reason text, of_urgency text, due timestamptz, at_now timestamptz)
returns void language plpgsql as $$
declare made bigint;
begin
  insert into hl.callback (call_id, reason, urgency, made_at, due_at)
    values (of_call, of_reason, of_urgency, at_now, greatest(due, at_now + interval '1 minute'))
    on conflict (call_id, reason) do nothing returning id into made;
  if made is not null then
    perform hl.tell_callback(made, at_now);
  end if;
end $$;

-- A recording that came behind the end of its call: the caller was heard after all.
create or replace function hl.forgive_callback(of_call bigint, at_now timestamptz) returns void language sql as $$
  with forgiven as (
    update hl.callback set done_at = at_now, done_by = 'system', why = 'a recording came'
    where call_id = of_call and reason = 'abandoned' and done_at is null returning id)
  update hl.notice n set state = 'dropped', reason = 'a recording came' from forgiven f
    where n.dedupe like format('callback:%s:%%', f.id) and n.state = 'queued'
$$;

-- The open cases of a caller, as the line reads them out: the one whose number was entered first.
create or replace function hl.cases_of_caller(who bigint, digits text) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object('code', c.code, 'state', c.state, 'unit', coalesce(u.name, ''),
                    'place', coalesce(nullif(c.place, ''), p.name, ''), 'close_by', hl.secs(k.close_by),
                    'entered', replace(c.code, '-', '') = digits)
                  order by replace(c.code, '-', '') = digits desc, c.id desc), '[]')
  from (select distinct r.case_id from hl.report r where r.person_id = who and r.withdrawn_at is null) mine
  join hl.case c on c.id = mine.case_id left join hl.compound p on p.code = c.compound
  left join lateral hl.lead_task(c.id) k on true left join hl.unit u on u.code = k.unit
  where c.state in ('review', 'dispatched', 'working', 'waiting', 'reopened', 'done')
     or replace(c.code, '-', '') = digits
$$;

-- A recording, and the job that fetches its sound, once: committed before the platform is answered. Sound that was pushed
-- to us is on disk by now.
create or replace function hl.keep_recording(c hl.call, batch jsonb, at_now timestamptz) returns void language plpgsql as $$
declare
  r constant jsonb := batch->'recording';
  sound bigint;
begin
  if exists (select from hl.recording x where x.call_id = c.id and x.external_id = r->>'ext') then
    return;
  end if;
  if r ? 'sha256' then
    insert into hl.media (kind, state, person_id, channel, digest, type, bytes, made_at, kept_at)
      values ('recording', 'kept', c.person_id, c.channel, decode(r->>'sha256', 'hex'), r->>'type', (r->>'bytes')::int, at_now, at_now)
      returning id into sound;
  elsif coalesce(r->>'url', '') <> '' then
    insert into hl.media (kind, person_id, channel, url, made_at) values ('recording', c.person_id, c.channel, r->>'url', at_now)
      returning id into sound;
  end if;
  insert into hl.recording (call_id, external_id, seconds, urgency, made_at, listen_by, media_id)
    values (c.id, r->>'ext', (r->>'seconds')::int,
            case when coalesce((c.state->>'effects')::int, 0) & 2 > 0 then 'emergency' else 'normal' end, at_now,
            greatest(hl.at_us((batch->>'listen_us')::bigint), at_now + interval '1 minute'), sound);
  perform hl.forgive_callback(c.id, at_now);
end $$;

-- Keeps what a platform tells, and gives what the flow looks at.
-- Takes  batch: {channel, call, direction, attempt?, phone?, landline, to, events: [{key, kind, data}], digits?, listen_us,
--        recording?: {ext, seconds?, url? or sha256, type, bytes}}
-- Gives  {now, call, version, state, phone, landline, lang, ended, answered, operators: [phone], cases: [...], is_case,
--        registered, recording?: {id, state, urgency}, notice?: {...}}
create or replace function hl.call_look(batch jsonb) returns jsonb language plpgsql as $$
declare
  at_now constant timestamptz := hl.now();
  c hl.call;
  who hl.person;
  entered text;
  read_out bigint;
begin
  if batch->>'phone' is not null then
    insert into hl.person (phone, is_landline) values (batch->>'phone', (batch->>'landline')::boolean) on conflict (phone) do nothing;
    update hl.person p set is_landline = (batch->>'landline')::boolean
      where p.phone = batch->>'phone' and p.is_landline <> (batch->>'landline')::boolean;
    select * into who from hl.person p where p.phone = batch->>'phone';
  end if;
  read_out := hl.notice_of_call(batch->>'channel', batch->>'call', (batch->>'attempt')::bigint);
  if read_out is not null then
    select p.* into who from hl.notice n join hl.person p on p.id = n.person_id where n.id = read_out;
  end if;
  insert into hl.call (channel, external_id, direction, person_id, sent_to, started_at, notice_id)
    values (batch->>'channel', batch->>'call', case when read_out is null then batch->>'direction' else 'out' end, who.id,
            coalesce(batch->>'to', ''), at_now, read_out)
    on conflict (channel, external_id) do nothing;
  select * into c from hl.call x where x.channel = batch->>'channel' and x.external_id = batch->>'call' for no key update;
  if c.person_id is null and who.id is not null then
    update hl.call set person_id = who.id where id = c.id;
    c.person_id := who.id;
  end if;
  select * into who from hl.person p where p.id = c.person_id;
  insert into hl.call_event (call_id, key, at, kind, data)
    select c.id, e->>'key', at_now, e->>'kind', coalesce(e->'data', '{}') from jsonb_array_elements(batch->'events') e
    on conflict (call_id, key) do nothing;
  if batch ? 'recording' then
    perform hl.keep_recording(c, batch, at_now);
  end if;
  entered := coalesce(nullif(batch->>'digits', ''), c.state->>'digits');
  return jsonb_build_object('now', hl.us(at_now), 'call', c.id, 'version', c.version, 'state', c.state, 'direction', c.direction,
    'phone', who.phone, 'landline', who.is_landline, 'lang', who.lang, 'ended', c.ended_at is not null,
    'answered', c.answered_at is not null,
    'operators', (select coalesce(jsonb_agg(p.phone), '[]') from (select d.person_id from hl.contacts('HOT', 'duty') d limit 8) d
                  join hl.person p on p.id = d.person_id where p.phone ~ '^\+'),
    'cases', hl.cases_of_caller(c.person_id, entered),
    'registered', (select k.code from hl.recording r join hl.message m on m.id = r.message_id join hl.case k on k.id = m.case_id
                   where r.call_id = c.id order by r.id desc limit 1))
    || case when c.notice_id is not null then (select jsonb_build_object('notice', jsonb_build_object('template', n.template, 'params',
         n.params, 'lang', who.lang)) from hl.notice n where n.id = c.notice_id) else '{}' end
    || case when batch ? 'recording' then jsonb_build_object('recording', (
         select jsonb_build_object('id', r.id, 'state', r.state, 'urgency', r.urgency) from hl.recording r
         where r.call_id = c.id and r.external_id = batch->'recording'->>'ext')) else '{}' end;
end $$;

-- Where the flow has got to, and what comes of it.
-- Takes  batch: {call, version, state, asked, answered, outcome?, said?, passed?, callback?: {reason, urgency, due_us}}
-- Gives  {now, result: ok | stale}
create or replace function hl.call_move(batch jsonb) returns jsonb language plpgsql as $$
declare
  at_now constant timestamptz := hl.now();
  was timestamptz;
  c hl.call;
begin
  select x.ended_at into was from hl.call x where x.id = (batch->>'call')::bigint for no key update;
  update hl.call x set state = batch->'state', version = x.version + 1,
      asked_at = coalesce(x.asked_at, case when (batch->>'asked')::boolean or (batch->>'answered')::boolean then at_now end),
      answered_at = coalesce(x.answered_at, case when (batch->>'answered')::boolean then at_now end),
      ended_at = coalesce(x.ended_at, case when batch ? 'outcome' then at_now end), outcome = coalesce(x.outcome, batch->>'outcome')
    where x.id = (batch->>'call')::bigint and x.version = (batch->>'version')::int returning x.* into c;
  if not found then
    return jsonb_build_object('now', hl.us(at_now), 'result', 'stale');
  end if;
  if c.notice_id is not null then
    perform hl.ring_told(c, batch->>'said', coalesce((batch->>'passed')::boolean, false), was is null and c.ended_at is not null, at_now);
  end if;
  if batch ? 'callback' then
    perform hl.owe_callback((batch->>'call')::bigint, batch->'callback'->>'reason', batch->'callback'->>'urgency',
                            hl.at_us((batch->'callback'->>'due_us')::bigint), at_now);
  end if;
  return jsonb_build_object('now', hl.us(at_now), 'result', 'ok');
end $$;

-- What became of a recording. Takes {recording, message?, why?}: why it was not read, or
-- cannot be answered. Somebody must listen to what was not read.
create or replace function hl.recording_done(batch jsonb) returns jsonb language plpgsql as $$
declare
  at_now constant timestamptz := hl.now();
  r hl.recording;
begin
  select * into r from hl.recording x where x.id = (batch->>'recording')::bigint for update;
  if r.state = 'new' then
    update hl.recording x set state = case when batch ? 'why' then 'listen' else 'heard' end,
        message_id = (batch->>'message')::bigint, reason = batch->>'why' where x.id = r.id;
    perform hl.join_media(array[r.media_id]);
    if batch ? 'why' then
      perform hl.owe_callback(r.call_id, 'listen', r.urgency, r.listen_by, at_now);
    end if;
  end if;
  return jsonb_build_object('now', hl.us(at_now));
end $$;

-- Leases recordings whose sound is kept and that nobody has written down, a failed try waits longer each time; after the fifth
-- somebody must listen.
-- Takes  batch: {"limit": n, "lease_us": us, "channels": [names of those whose platform writes nothing down]}
-- Gives  {"now": us, "given_up": n, "jobs": [{recording, channel, phone, lang, urgency, sha256, type}]}
create or replace function hl.transcripts_due(batch jsonb) returns jsonb language plpgsql as $$
declare
  spent bigint[];
  jobs jsonb;
begin
  spent := array(select r.id from hl.recording r where r.state = 'new' and r.asked >= 5 and r.retry_at <= clock_timestamp()
                 order by r.id limit 100);
  perform hl.recording_done(jsonb_build_object('recording', s, 'why', 'the transcription does not answer')) from unnest(spent) s;
  with picked as (
    select r.id from hl.recording r join hl.call c on c.id = r.call_id join hl.media m on m.id = r.media_id
    where r.state = 'new' and r.asked < 5 and r.retry_at <= clock_timestamp() and m.state = 'kept' and batch->'channels' ? c.channel
    order by r.retry_at, r.id limit (batch->>'limit')::int for update of r skip locked),
  taken as (
    update hl.recording r set asked = r.asked + 1,
        retry_at = clock_timestamp() + (batch->>'lease_us')::bigint * interval '1 microsecond'
    from picked p where r.id = p.id returning r.*)
  select coalesce(jsonb_agg(jsonb_build_object('recording', t.id, 'channel', c.channel, 'phone', p.phone, 'lang', p.lang,
           'urgency', t.urgency, 'sha256', encode(m.digest, 'hex'), 'type', m.type) order by t.id), '[]') into jobs
  from taken t join hl.call c on c.id = t.call_id join hl.media m on m.id = t.media_id left join hl.person p on p.id = c.person_id;
  return jsonb_build_object('now', hl.us(hl.now()), 'given_up', cardinality(spent), 'jobs', jobs);
end $$;

-- A try that failed: 2 s, 8 s, 32 s, 2 min until the next. Takes {recording}.
create or replace function hl.transcript_later(batch jsonb) returns jsonb language plpgsql as $$
begin
  update hl.recording r set retry_at = clock_timestamp() + interval '2 seconds' * 4 ^ (r.asked - 1)
    where r.id = (batch->>'recording')::bigint and r.state = 'new' and r.asked > 0;
  return jsonb_build_object('now', hl.us(hl.now()));
end $$;

-- Call-backs past their limit are the office's to know, once; recordings whose text never came are an operator's to hear.
create or replace function hl.fire_callbacks(at_now timestamptz) returns void language plpgsql as $$
declare r record;
begin
  for r in
    select x.id from hl.recording x where x.state = 'new' and x.made_at < at_now - interval '10 minutes' order by x.id limit 100
  loop
    perform hl.recording_done(jsonb_build_object('recording', r.id, 'why', 'no transcript came'));
  end loop;
  with late as (
    update hl.callback b set told_at = at_now from (
      select id from hl.callback where done_at is null and told_at is null and due_at <= at_now order by due_at limit 100
      for update skip locked) x
    where b.id = x.id returning b.*)
  insert into hl.notice (person_id, kind, template, params, dedupe, lane, not_before, made_at)
    select d.person_id, 'callback_late', 'callback_late', jsonb_build_object('id', l.id, 'urgency', l.urgency, 'call_by', hl.secs(l.due_at)),
           format('callback:%s:late:%s', l.id, d.person_id), hl.lane_rank('reminder'),
           case when l.urgency = 'normal' then hl.text_time(at_now) else at_now end, at_now
    from late l cross join hl.unit u cross join hl.contacts(u.code, 'duty') d where u.kind = 'office'
    on conflict (dedupe) do nothing;
end $$;

-- ---- what operators see and do ---------------------------------------------------------------------------------------

create or replace function hl.show_callbacks(batch jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object('now', hl.us(hl.now()), 'callbacks', coalesce(jsonb_agg(x.row order by x.rank, x.due_at), '[]')) from (
    select b.due_at, array_position(array['emergency', 'urgent', 'normal'], b.urgency) as rank, jsonb_build_object(
      'id', b.id, 'reason', b.reason, 'urgency', b.urgency, 'phone', p.phone, 'at', hl.us(b.made_at), 'due', hl.us(b.due_at),
      'late', b.due_at < hl.now(), 'done', b.done_by, 'why', b.why,
      'cases', (select coalesce(jsonb_agg(k->>'code'), '[]') from jsonb_array_elements(hl.cases_of_caller(p.id, null)) k),
      'recordings', (select coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'seconds', r.seconds, 'state', r.state, 'why', r.reason,
                       'media', m.id, 'type', m.type)), '[]')
                     from hl.recording r left join hl.media m on m.id = r.media_id and m.state = 'kept' where r.call_id = c.id)) as row
    from hl.callback b join hl.call c on c.id = b.call_id left join hl.person p on p.id = c.person_id
    where b.done_at is null or coalesce((batch->>'all')::boolean, false)
    order by b.done_at is not null, b.id desc limit 500) x
$$;

-- Takes {id, why, by}.
create or replace function hl.callback_done(batch jsonb) returns jsonb language plpgsql as $$
begin
  if coalesce(batch->>'why', '') = '' then
    raise exception 'say what came of the call (--why)' using errcode = 'P0151';
  end if;
  update hl.callback set done_at = hl.now(), done_by = batch->>'by', why = batch->>'why'
    where id = (batch->>'id')::bigint and done_at is null;
  if not found then
    raise exception 'there is no open call-back %', batch->>'id' using errcode = 'P0151';
  end if;
  return jsonb_build_object('now', hl.us(hl.now()), 'id', batch->'id');
end $$;

-- Calls of this moment, or of a span. Takes {"live": bool, "from"?: us, "until"?: us}.
create or replace function hl.show_calls(batch jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object('now', hl.us(hl.now()), 'calls', coalesce(jsonb_agg(x.row order by x.id desc), '[]')) from (
    select c.id, jsonb_build_object(
      'id', c.id, 'channel', c.channel, 'direction', c.direction, 'phone', p.phone, 'at', hl.us(c.started_at),
      'asked', hl.us(c.asked_at), 'answered', hl.us(c.answered_at), 'ended', hl.us(c.ended_at), 'outcome', c.outcome,
      'node', c.state->>'node', 'seconds_to_answer', extract(epoch from c.answered_at - c.asked_at)::float8,
      'cases', (select coalesce(jsonb_agg(jsonb_build_object('case', k->>'code', 'state', k->>'state', 'unit', k->>'unit')), '[]')
                from jsonb_array_elements(hl.cases_of_caller(c.person_id, null)) k)) as row
    from hl.call c left join hl.person p on p.id = c.person_id
    where (not coalesce((batch->>'live')::boolean, false) or c.ended_at is null and c.started_at > hl.now() - interval '6 hours')
      and c.started_at >= coalesce(hl.at_us((batch->>'from')::bigint), '-infinity')
      and c.started_at < coalesce(hl.at_us((batch->>'until')::bigint), 'infinity')
    order by c.id desc limit 2000) x
$$;

-- For /metrics: of the last day, whoever asked for a person.
create or replace function hl.call_metrics() returns jsonb language sql stable as $$
  with asked as (
    select c.answered_at, extract(epoch from c.answered_at - c.asked_at) as took, c.ended_at
    from hl.call c where c.direction = 'in' and c.started_at > hl.now() - interval '1 day' and c.asked_at is not null),
  ended as (
    select c.outcome, count(*) as n from hl.call c
    where c.direction = 'in' and c.started_at > hl.now() - interval '1 day' and c.ended_at is not null group by 1)
  select jsonb_build_array(
    hl.metric('calls_live', 'Calls that go on.', (select jsonb_build_array(jsonb_build_object('labels', '', 'value', count(*)))
      from hl.call where ended_at is null and started_at > hl.now() - interval '6 hours')),
    hl.metric('calls_day', 'Incoming calls of the last day that ended, by outcome.',
      (select jsonb_agg(jsonb_build_object('labels', format('{outcome="%s"}', outcome), 'value', n)) from ended)),
    hl.metric('calls_answered_20s_ratio', 'Share of those who asked for a person in the last day that was answered within 20 seconds; 1 when nobody asked.',
      (select jsonb_build_array(jsonb_build_object('labels', '', 'value',
         case when count(*) = 0 then 1 else count(*) filter (where took <= 20)::float8 / count(*) end)) from asked)),
    hl.metric('call_answer_seconds', 'Mean time to answer of the last day.',
      (select jsonb_build_array(jsonb_build_object('labels', '', 'value', coalesce(avg(took), 0))) from asked)),
    hl.metric('callbacks_open', 'Callers an operator owes a call.',
      (select jsonb_build_array(jsonb_build_object('labels', '', 'value', count(*))) from hl.callback where done_at is null)))
$$;
