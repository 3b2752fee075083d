-- The durable step of a webhook: everything waiting at a loop turn, in one call.
-- Takes  batch: jsonb array of hl.intake_item with dense i = 1..n.
-- Gives  {"now": us, "items": [{i, message, outcome, case}], "talk": [context ...]}: items whose answer depends on a
--        dialogue stay pending, claimed by the caller for 30 s, with the context to decide them.
-- A provider's repeat is answered with the first message's id and changes nothing.
create or replace function hl.intake(batch jsonb) returns jsonb language plpgsql as $$
#variable_conflict use_column
declare
  at_now constant timestamptz := hl.now();
  items constant hl.intake_item[] := array(select w from jsonb_populate_recordset(null::hl.intake_item, batch) w order by w.i);
  persons bigint[];
  messages bigint[];
  routes text[]; -- repeat | silent | part | talk | empty | report
  plan record;
  n int;
  talk_ids bigint[];
begin
  -- The same id may come to two daemons at once: the second one waits here, and then sees a repeat.
  perform pg_advisory_xact_lock(3, x.id) from (
    select distinct hashtext(concat_ws('|', t.channel, t.ext)) as id from unnest(items) t order by 1) x;
  insert into hl.person (phone)
    select distinct t.phone from unnest(items) t
    where t.phone is not null and (select p.id from hl.person p where p.phone = t.phone) is null
    order by 1
    on conflict (phone) do nothing;
  persons := array(select (select p.id from hl.person p where p.phone = t.phone) from unnest(items) t order by t.i);

  -- Two texts of one resident at two daemons belong together: the second one looks when the first is done.
  perform hl.lock_reporters(array(select persons[t.i] from unnest(items) t
                                 where t.verb = 'report' and t.disposition <> 'silent' or t.part is not null));
  -- What only the database knows: repeats, roles, open dialogues. An officer, or a resident with something open, may mean
  -- something else than the words say.
  with t as (
    select u.i, u.channel, u.ext, u.phone, u.verb, u.disposition, u.part is not null as is_part, persons[u.i] as person,
           (select m.id from hl.message m where m.channel = u.channel and m.external_id = u.ext) as known,
           row_number() over (partition by u.channel, u.ext order by u.i) > 1 as is_again
    from unnest(items) u),
  numbered as materialized (
    select t.i, nextval('hl.message_id_seq') as id from t where t.known is null and not t.is_again),
  f as (
    select t.*, coalesce(t.known, m.id, first_value(m.id) over (partition by t.channel, t.ext order by t.i)) as message,
           m.id is null as is_repeat, row_number() over (partition by t.phone order by m.id is null, t.i) > 1 as is_next
    from t left join numbered m on m.i = t.i)
  select array_agg(f.message order by f.i),
         array_agg(case
           when f.is_repeat then 'repeat'
           when f.person is null or f.disposition = 'silent' then 'silent'
           when f.is_part then 'part'
           when f.verb <> 'report' or f.is_next
             or (select true from hl.contact c where c.person_id = f.person and c.is_active limit 1)
             or (select true from hl.report r join lateral (select c.state from hl.case c where c.id = r.case_id offset 0) c
                   on c.state in ('review', 'dispatched', 'working', 'waiting', 'reopened', 'done')
                 where r.person_id = f.person and r.withdrawn_at is null limit 1)
             or (select p.survey_until > at_now from hl.person p where p.id = f.person) then 'talk'
           when f.disposition = 'empty' then 'empty'
           else 'report' end order by f.i)
    into messages, routes
  from f;

  if 'report' = any (routes) then
    select p.* into plan from hl.plan_cases(
      items, at_now, array(select case when routes[t.i] = 'report' then t.disposition end from unnest(items) t order by t.i)) p;
  else
    select null::text[] as routes, null::bigint[] as cases, null::boolean[] as opens into plan;
  end if;

  -- Each message is written once, as it ends. Nobody else can have written it since we looked; if so, we look again.
  insert into hl.message (id, channel, external_id, person_id, sent_to, text, raw, received_at, state, outcome, case_id, claimed_until)
    overriding system value
    select messages[t.i], t.channel, t.ext, persons[t.i], t.sent_to, t.body, decode(t.raw, 'base64'),
           coalesce(least(hl.at_us(t.received_us), at_now), at_now),
           case routes[t.i] when 'talk' then 'pending' else 'handled' end,
           case routes[t.i] when 'talk' then null
                            when 'report' then case when plan.opens[t.i] then plan.routes[t.i] else 'joined' end
                            else routes[t.i] end,
           plan.cases[t.i], case routes[t.i] when 'talk' then clock_timestamp() + interval '30 seconds' end
    from unnest(items) t where routes[t.i] <> 'repeat' order by t.channel, t.ext
    on conflict (channel, external_id) do nothing;
  get diagnostics n = row_count;
  if n < cardinality(array_remove(routes, 'repeat')) then
    raise exception 'a message came to two daemons at the same moment' using errcode = 'serialization_failure';
  end if;
  if exists (select from unnest(items) t where t.media is not null) then
    perform hl.add_media(items, messages, persons, routes, at_now);
  end if;
  if 'report' = any (routes) then
    perform hl.write_cases(items, plan.routes, plan.cases, plan.opens, messages, persons, at_now);
  end if;

  -- A known id with other words or of somebody else is no repeat: a modem that counts from one again, or a forger. The first
  -- one stands, and nothing that anybody wrote is lost.
  if 'repeat' = any (routes) then
    perform hl.set_aside(t.channel, t.ext || '#' || left(encode(sha256(convert_to(concat(t.phone, ' ', t.body), 'UTF8')), 'hex'), 12),
                         to_jsonb(t)::text, 'another text under the id of a message that is stored')
      from unnest(items) t join hl.message m on m.id = messages[t.i]
      where routes[t.i] = 'repeat' and m.text is not null and (m.text, m.person_id) is distinct from (t.body, persons[t.i]);
  end if;

  -- In the order of persons: it locks them.
  if 'empty' = any (routes) then
    perform hl.answer_plain(e.message, e.person, e.template, '{}') from (
      select messages[t.i] as message, persons[t.i] as person,
             case when t.media is null then 'ask_substance' else 'ask_about_photo' end as template
      from unnest(items) t where routes[t.i] = 'empty' order by 2) e;
  end if;
  talk_ids := array(select x.message from unnest(messages, routes) x (message, route) where x.route = 'talk');
  if 'part' = any (routes) then
    talk_ids := talk_ids || hl.take_parts(items, messages, persons, routes, at_now);
  end if;
  return jsonb_build_object(
    'now', hl.us(at_now),
    'items', (select jsonb_agg(jsonb_build_object(
                'i', t.i, 'message', messages[t.i], 'case', (select c.code from hl.case c where c.id = plan.cases[t.i]),
                'outcome', case when routes[t.i] <> 'report' then routes[t.i] when plan.opens[t.i] then plan.routes[t.i]
                                else 'joined' end) order by t.i)
              from unnest(items) t),
    'talk', hl.talk_context(talk_ids));
end $$;

-- An answer that belongs to no task, at most one per message, within the loop guard.
create or replace function hl.answer_plain(of_message bigint, who bigint, template text, params jsonb)
returns void language plpgsql as $$
begin
  insert into hl.notice (message_id, person_id, kind, template, params, dedupe, lane, channel, not_before, made_at)
    select m.id, who, 'reply', answer_plain.template, answer_plain.params, format('message:%s:reply', m.id), hl.lane_rank('reply'), m.channel,
           hl.now(), hl.now()
    from hl.message m where m.id = of_message and hl.may_answer(who)
    on conflict (dedupe) do nothing;
end $$;

-- Loop guard: consecutive automatic answers that led to no valid verb (5 an hour; 60 for an officer).
create or replace function hl.may_answer(who bigint) returns boolean language plpgsql as $$
declare
  p hl.person;
  cap int := case when exists (select from hl.contact c where c.person_id = who and c.is_active) then 60 else 5 end;
begin
  select * into p from hl.person where id = who for no key update;
  if p.guard_since is null or p.guard_since < hl.now() - interval '1 hour' then
    update hl.person set guard_since = hl.now(), guard_count = 1 where id = who;
    return true;
  end if;
  update hl.person set guard_count = guard_count + 1 where id = who;
  return p.guard_count < cap;
end $$;

-- What the talk engine needs to know about the senders of pending messages.
create or replace function hl.talk_context(ids bigint[]) returns jsonb language plpgsql stable as $$
begin
  if cardinality(ids) = 0 then
    return '[]';
  end if;
  return (select coalesce(jsonb_agg(jsonb_build_object(
    'message', m.id, 'person', p.id, 'channel', m.channel, 'text', m.text, 'lang', p.lang,
    'units', (select coalesce(jsonb_agg(distinct c.unit), '[]') from hl.contact c
              where c.person_id = p.id and c.is_active and c.verified_at is not null),
    'is_grid_worker', exists (select from hl.contact c where c.person_id = p.id and c.role = 'grid' and c.is_active
                              and c.verified_at is not null),
    'wrong_count', case when p.wrong_since > hl.now() - interval '1 hour' then p.wrong_count else 0 end,
    'survey', (select c.code from hl.case c where c.id = p.survey_case and p.survey_until > hl.now()),
    'photos', (select count(*) from hl.media x where x.message_id = m.id),
    'unverified', exists (select from hl.contact c where c.person_id = p.id and c.is_active and c.verified_at is null),
    'pin', (select v.pin from hl.verification v
            where v.person_id = p.id and v.done_at is null and v.wrong < 5 and v.expires_at > hl.now()),
    'survey_case', p.survey_case, 'dialogues', hl.dialogues_of(p.id), 'is_opted_out', p.is_opted_out,
    'survey_urgency', (select c.urgency from hl.case c where c.id = p.survey_case and p.survey_until > hl.now()),
    -- a roll-call waits for its 1 until something else is asked of the contact
    'duties', (select coalesce(jsonb_agg(jsonb_build_object('case_id', c.id, 'case', c.code) order by c.id desc), '[]')
               from hl.duty d join hl.case c on c.id = d.case_id where d.person_id = p.id and d.missed is null),
    'muster', exists (select from hl.muster r where r.person_id = p.id and r.answered_at is null
                        and r.asked_at > hl.now() - interval '7 days' and not exists (
                          select from hl.notice n where n.person_id = p.id and n.task_id is not null and n.made_at > r.asked_at)),
    'tasks', (select coalesce(jsonb_agg(jsonb_build_object(
                'task', k.id, 'code', n.code, 'state', k.state, 'unit', k.unit, 'case', c.code, 'case_id', c.id,
                'case_state', c.state, 'urgency', k.urgency, 'close_by', hl.secs(k.close_by), 'sign_by', hl.secs(k.sign_by),
                'signed_at', hl.secs(k.signed_at), 'holder', k.holder, 'holder_name', coalesce(h.name, ''),
                'place', c.place, 'type', t.name,
                'role', k.role, 'demands', t.demands, 'has_photo', hl.has_proof(k.case_id, k.id), 'assigned_us', hl.us(k.assigned_at), 'close_us', hl.us(k.close_by),
                'stopped_us', case when c.state = 'waiting' and k.urgency = 'normal' then hl.us(greatest(hl.waiting_since(c.id), k.assigned_at)) end,
                'frozen', c.is_frozen, 'extended', exists (select from hl.event e where e.task_id = k.id and e.kind = 'extension_granted'),
                'asked', (select coalesce(jsonb_agg(r.kind), '[]') from hl.request r where r.task_id = k.id and r.state = 'pending'),
                'rollcall', exists (select from hl.attendance x join hl.rollcall o on o.id = x.rollcall_id
                                    where x.task_id = k.id and x.present_at is null and o.counted_at is null))
                -- whoever reads may look at the first ones only: those named in the text are among them
                order by position(n.code in upper(normalize(coalesce(m.text, ''), NFKC))) = 0, k.id), '[]')
              -- from the open tasks of the person's units: the codes ever given to an officer only grow
              from (select distinct a.unit from hl.contact a where a.person_id = p.id and a.is_active
                      and a.verified_at is not null) mine
              join hl.task k on k.unit = mine.unit and k.state in ('dispatched', 'signed', 'arrived', 'handback', 'done')
              join hl.notice_code n on n.task_id = k.id and n.person_id = p.id join hl.case c on c.id = k.case_id
              join hl.case_type t on t.code = c.type left join hl.person h on h.id = k.holder),
    'cases', (select coalesce(jsonb_agg(jsonb_build_object(
                'case_id', c.id, 'code', c.code, 'state', c.state, 'type', c.type, 'compound', c.compound, 'place', c.place,
                'urgency', c.urgency, 'is_sure', c.is_sure, 'maybe', c.maybe, 'chases', c.chases, 'unit', coalesce(u.name, ''),
                'close_by', hl.secs(k.close_by))
                || case when c.state = 'waiting' then jsonb_build_object('tasks', hl.tasks_json(c.id), 'waiting_us',
                     hl.us(hl.waiting_since(c.id)))
                   else '{}' end order by c.id desc), '[]')
              from (select distinct r.case_id from hl.report r where r.person_id = p.id and r.withdrawn_at is null) mine
              join hl.case c on c.id = mine.case_id
              left join lateral hl.lead_task(c.id) k on true left join hl.unit u on u.code = k.unit
              where c.state in ('review', 'dispatched', 'working', 'waiting', 'reopened', 'done')
                 or (c.state = 'closed' and c.closed_at > hl.now() - interval '7 days')))
    order by m.id), '[]')
  from hl.message m join hl.person p on p.id = m.person_id where m.id = any (ids) and m.state = 'pending');
end $$;

-- The context of named messages once more, after an act that came too late.
create or replace function hl.talk_again(batch jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object('now', hl.us(hl.now()),
    'talk', hl.talk_context(array(select jsonb_array_elements_text(batch->'messages')::bigint)))
$$;

-- Pending messages whose process died between the 2xx and the decision. One that failed five times is an operator's.
create or replace function hl.claim_pending(batch jsonb) returns jsonb language plpgsql as $$
declare
  ids bigint[];
  n int;
begin
  with given_up as (
    update hl.message m set state = 'handled', outcome = 'given_up'
    from (select id from hl.message where state = 'pending' and claims >= 5 and claimed_until < clock_timestamp()
          for update skip locked) g
    where m.id = g.id returning m.*)
  select count(hl.set_aside(g.channel, g.external_id,
                            jsonb_build_object('phone', p.phone, 'body', g.text, 'message', g.id)::text,
                            'its meaning could not be decided five times'))
    into n from given_up g left join hl.person p on p.id = g.person_id;
  perform hl.join_late_parts();
  with picked as (
    select id from hl.message where state = 'pending' and coalesce(claimed_until, '-infinity') < clock_timestamp()
    order by id limit (batch->>'limit')::int for update skip locked),
  taken as (
    update hl.message m set claimed_until = clock_timestamp() + interval '30 seconds', claims = m.claims + 1
    from picked where m.id = picked.id returning m.id)
  select coalesce(array_agg(id), '{}') into ids from taken;
  return jsonb_build_object('now', hl.us(hl.now()), 'talk', hl.talk_context(ids));
end $$;

-- Keeps what cannot be a message or a receipt, once, and tells an operator. Gives its number.
create or replace function hl.set_aside(of_channel text, ext text, of_item text, why text) returns bigint language plpgsql as $$
declare qid bigint;
begin
  insert into hl.quarantine (channel, external_id, item, reason) values (of_channel, ext, of_item, why)
    on conflict (channel, external_id) do nothing returning id into qid;
  if qid is null then
    return (select q.id from hl.quarantine q where q.channel = of_channel and q.external_id = ext);
  end if;
  insert into hl.notice (person_id, kind, template, params, dedupe, lane, not_before, made_at)
    select d.person_id, 'quarantine', 'quarantined', jsonb_build_object('id', 'Q' || qid), format('quarantine:%s:%s', qid, d.person_id),
           hl.lane_rank('dispatch'), hl.now(), hl.now() from hl.contacts('HOT', 'duty') d;
  return qid;
end $$;

-- A message the database refused: its raw item is kept and an operator told, so that the provider can be answered 200.
create or replace function hl.quarantine_item(batch jsonb) returns jsonb language plpgsql as $$
begin
  return jsonb_build_object('quarantine', hl.set_aside(batch->>'channel', batch->>'ext', batch->>'item', batch->>'reason'));
end $$;

-- What waits for an operator, the oldest first, at most 1000; or one of them whole.
-- Takes  {"id": n?}. Gives {"waiting": n, "quarantine": [{id, channel, external_id, at, reason, item?, done_by?, done_why?}]}.
create or replace function hl.show_quarantine(args jsonb) returns jsonb language plpgsql stable as $$
declare
  wanted constant bigint := (args->>'id')::bigint;
begin
  if wanted is not null and not exists (select from hl.quarantine q where q.id = wanted) then
    raise exception 'id: nothing was set aside as Q%', wanted using errcode = 'P0130';
  end if;
  return jsonb_build_object('waiting', (select count(*) from hl.quarantine where done_at is null),
    'quarantine', (select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
        'id', 'Q' || q.id, 'channel', q.channel, 'external_id', q.external_id, 'at', hl.iso(q.at), 'reason', q.reason,
        'item', case when wanted is not null then q.item end, 'done_by', q.done_by, 'done_why', q.done_why)) order by q.id), '[]')
      from (select * from hl.quarantine x where case when wanted is null then x.done_at is null else x.id = wanted end
            order by x.id limit 1000) q));
end $$;

-- An operator says what became of it. Takes {"id": n, "by": name, "why": text}. Gives {"id": "Qn"}.
create or replace function hl.end_quarantine(args jsonb) returns jsonb language plpgsql as $$
declare
  ended bigint;
begin
  if coalesce(btrim(args->>'why'), '') = '' then
    raise exception 'why: must say what became of it' using errcode = 'P0130';
  end if;
  update hl.quarantine set done_at = clock_timestamp(), done_by = args->>'by', done_why = args->>'why'
    where id = (args->>'id')::bigint and done_at is null returning id into ended;
  if ended is null then
    raise exception 'id: nothing waits as Q%', args->>'id' using errcode = 'P0130';
  end if;
  return jsonb_build_object('id', 'Q' || ended);
end $$;
