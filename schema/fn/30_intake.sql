-- The durable step of a webhook: everything waiting at a loop turn, in one call.
-- Takes  batch: jsonb array of hl.intake_item with dense i = 1..n.
-- Gives  {"now": us, "items": [{i, message, outcome, case}], "talk": [context ...]}: items whose answer depends on a
--        dialogue stay pending, claimed by the caller for 30 s, with the context to decide them.
-- A provider's repeat is answered with the first message's id and changes nothing.
create or replace function hl.intake(batch jsonb) returns jsonb language plpgsql as $$
#variable_conflict use_column
declare
  items constant hl.intake_item[] := array(select w from jsonb_populate_recordset(null::hl.intake_item, batch) w order by w.i);
  persons bigint[];
  fresh bigint[];
  messages bigint[];
  routes text[];
  report_is int[];
  opened jsonb;
  talk_ids bigint[];
begin
  insert into hl.person (phone)
    select distinct t.phone from unnest(items) t
    where t.phone is not null and not exists (select from hl.person p where p.phone = t.phone)
    order by 1
    on conflict (phone) do nothing;
  persons := array(select p.id from unnest(items) t left join hl.person p on p.phone = t.phone order by t.i);

  with ins as (
    insert into hl.message (channel, external_id, person_id, sent_to, text, raw, received_at)
      select distinct on (t.channel, t.ext) t.channel, t.ext, persons[t.i], t.sent_to, t.body, decode(t.raw, 'base64'), hl.now()
      from unnest(items) t
      order by t.channel, t.ext, t.i
      on conflict (channel, external_id) do nothing
      returning id, channel, external_id),
  firsts as (
    select t.i, t.channel, t.ext, row_number() over (partition by t.channel, t.ext order by t.i) as nth from unnest(items) t)
  select array_agg(ins.id order by f.i) into fresh
  from firsts f left join ins on f.nth = 1 and ins.channel = f.channel and ins.external_id = f.ext;

  messages := array(
    select coalesce(fresh[t.i], (select m.id from hl.message m where m.channel = t.channel and m.external_id = t.ext))
    from unnest(items) t order by t.i);

  -- What only the database knows: repeats, roles, open dialogues.
  select array_agg(case
           when fresh[t.i] is null then 'repeat'
           when persons[t.i] is null or t.disposition = 'silent' then 'silent'
           when t.verb <> 'report' or nth_of_person > 1 or hl.in_dialogue(persons[t.i]) then 'talk'
           when t.disposition = 'empty' then 'empty'
           else 'report' end order by t.i)
    into routes
  from (select t.*, row_number() over (partition by t.phone order by (fresh[t.i] is null), t.i) as nth_of_person
        from unnest(items) t) t;

  report_is := array(select t.i from unnest(items) t where routes[t.i] = 'report' order by t.i);
  if cardinality(report_is) > 0 then
    select jsonb_agg(jsonb_build_object('i', report_is[o.i], 'case', o.code, 'outcome', o.outcome)) into opened
    from hl.open_cases(
      array(select jsonb_populate_record(t, jsonb_build_object('i', r.ord)) from unnest(report_is) with ordinality r (i, ord)
            join unnest(items) t on t.i = r.i order by r.ord),
      array(select messages[r.i] from unnest(report_is) with ordinality r (i, ord) order by r.ord),
      array(select persons[r.i] from unnest(report_is) with ordinality r (i, ord) order by r.ord)) o;
  end if;

  -- In the order of persons: it locks them.
  perform hl.answer_plain(e.message, e.person, 'ask_substance', '{}') from (
    select messages[t.i] as message, persons[t.i] as person from unnest(items) t where routes[t.i] = 'empty' order by 2) e;
  update hl.message m set state = 'handled', outcome = routes[t.i]
    from unnest(items) t where m.id = messages[t.i] and routes[t.i] in ('empty', 'silent');

  talk_ids := array(select messages[t.i] from unnest(items) t where routes[t.i] = 'talk' order by t.i);
  update hl.message set claimed_until = clock_timestamp() + interval '30 seconds' where id = any (talk_ids);

  return jsonb_build_object(
    'now', hl.us(hl.now()),
    'items', (select jsonb_agg(jsonb_build_object('i', t.i, 'message', messages[t.i], 'outcome', coalesce(o->>'outcome', routes[t.i]),
                                                  'case', o->>'case') order by t.i)
              from unnest(items) t left join jsonb_array_elements(coalesce(opened, '[]')) o on (o->>'i')::int = t.i),
    'talk', hl.talk_context(talk_ids));
end $$;

-- Is the sender an officer, or a resident with something open, so that words alone do not tell what is meant?
create or replace function hl.in_dialogue(who bigint) returns boolean language plpgsql stable as $$
begin
  return exists (select from hl.contact c where c.person_id = who and c.is_active)
      or exists (select from hl.report r join hl.case c on c.id = r.case_id
                 where r.person_id = who and r.withdrawn_at is null
                   and c.state in ('review', 'dispatched', 'working', 'waiting', 'reopened', 'done'))
      or exists (select from hl.person p where p.id = who and p.survey_until > hl.now());
end $$;

-- An answer that belongs to no task, at most one per message, within the loop guard.
create or replace function hl.answer_plain(of_message bigint, who bigint, template text, params jsonb)
returns void language sql as $$
  insert into hl.notice (message_id, person_id, kind, template, params, dedupe, lane, channel, not_before, made_at)
    select m.id, who, 'reply', answer_plain.template, answer_plain.params, format('message:%s:reply', m.id), hl.lane_rank('reply'), m.channel,
           hl.now(), hl.now()
    from hl.message m where m.id = of_message and hl.may_answer(who)
    on conflict (dedupe) do nothing
$$;

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
    'wrong_count', case when p.wrong_since > hl.now() - interval '1 hour' then p.wrong_count else 0 end,
    'survey', (select c.code from hl.case c where c.id = p.survey_case and p.survey_until > hl.now()),
    'survey_case', p.survey_case,
    'survey_urgency', (select c.urgency from hl.case c where c.id = p.survey_case and p.survey_until > hl.now()),
    'tasks', (select coalesce(jsonb_agg(jsonb_build_object(
                'task', k.id, 'code', n.code, 'state', k.state, 'unit', k.unit, 'case', c.code, 'case_id', c.id,
                'case_state', c.state, 'urgency', k.urgency, 'close_by', hl.secs(k.close_by), 'sign_by', hl.secs(k.sign_by),
                'signed_at', hl.secs(k.signed_at), 'holder', k.holder, 'holder_name', coalesce(h.name, ''),
                'place', c.place, 'type', t.name, 'assigned_us', hl.us(k.assigned_at), 'close_us', hl.us(k.close_by),
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
                'urgency', c.urgency, 'is_sure', c.is_sure, 'chases', c.chases, 'unit', coalesce(u.name, ''),
                'close_by', hl.secs(k.close_by))
                || case when c.state = 'waiting' then jsonb_build_object('tasks', hl.tasks_json(c.id), 'waiting_us',
                     (select hl.us(e.at) from hl.event e where e.case_id = c.id and e.kind = 'waiting' order by e.seq desc limit 1))
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
declare ids bigint[];
begin
  with given_up as (
    update hl.message m set state = 'handled', outcome = 'given_up'
    from (select id from hl.message where state = 'pending' and claims >= 5 and claimed_until < clock_timestamp()
          for update skip locked) g
    where m.id = g.id returning m.id)
  insert into hl.notice (message_id, person_id, kind, template, params, dedupe, lane, not_before, made_at)
    select g.id, d.person_id, 'given_up', 'quarantined', jsonb_build_object('id', 'M' || g.id),
           format('message:%s:given_up:%s', g.id, d.person_id), hl.lane_rank('dispatch'), hl.now(), hl.now()
    from given_up g cross join hl.contacts('HOT', 'duty') d;
  with picked as (
    select id from hl.message where state = 'pending' and coalesce(claimed_until, '-infinity') < clock_timestamp()
    order by id limit (batch->>'limit')::int for update skip locked),
  taken as (
    update hl.message m set claimed_until = clock_timestamp() + interval '30 seconds', claims = m.claims + 1
    from picked where m.id = picked.id returning m.id)
  select coalesce(array_agg(id), '{}') into ids from taken;
  return jsonb_build_object('now', hl.us(hl.now()), 'talk', hl.talk_context(ids));
end $$;

-- A message the database refused: its raw item is kept and an operator told, so that the provider can be answered 200.
create or replace function hl.quarantine_item(batch jsonb) returns jsonb language plpgsql as $$
declare qid bigint;
begin
  insert into hl.quarantine (channel, external_id, item, reason)
    values (batch->>'channel', batch->>'ext', batch->>'item', batch->>'reason')
    on conflict (channel, external_id) do nothing returning id into qid;
  if qid is not null then
    insert into hl.notice (person_id, kind, template, params, dedupe, lane, not_before, made_at)
      select d.person_id, 'quarantine', 'quarantined', jsonb_build_object('id', 'Q' || qid), format('quarantine:%s:%s', qid, d.person_id),
             hl.lane_rank('dispatch'), hl.now(), hl.now() from hl.contacts('HOT', 'duty') d;
  else
    select id into qid from hl.quarantine where channel = batch->>'channel' and external_id = batch->>'ext';
  end if;
  return jsonb_build_object('quarantine', qid);
end $$;
