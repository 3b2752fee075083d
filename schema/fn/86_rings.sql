-- Calls to officers: notices that are read aloud. They live in hl.notice like texts; only who leases them is another.

-- Leases calls that are due.
-- Takes  batch: {"limit": n, "lease_us": us, "channel": name}
-- Gives  {"now": us, "epoch": n, "rings": [{attempt, notice, phone}]}
create or replace function hl.rings_due(batch jsonb) returns jsonb language plpgsql as $$
declare
  at_now constant timestamptz := hl.now();
  epoch constant bigint := nextval('hl.lease_epoch');
  rings jsonb;
begin
  with due as (
    select n.id from hl.notice n
    where n.state = 'queued' and n.is_call and n.not_before <= at_now and n.retry_at <= clock_timestamp() and n.not_after >= at_now
    order by n.lane, n.id limit (batch->>'limit')::int for update skip locked),
  judged as (select n.id, hl.why_stale(n, at_now) as stale from hl.notice n join due d on d.id = n.id),
  dropped as (
    update hl.notice n set state = 'dropped', reason = j.stale from judged j
    where n.id = j.id and j.stale is not null),
  taken as (
    update hl.notice n set state = 'sending', tries = n.tries + 1, lease_epoch = epoch, channel = batch->>'channel',
        lease_until = clock_timestamp() + (batch->>'lease_us')::bigint * interval '1 microsecond'
    from judged j where n.id = j.id and j.stale is null returning n.*),
  tried as (
    insert into hl.attempt (notice_id, n, channel, epoch, sent_at) select t.id, t.tries, t.channel, epoch, at_now from taken t
      returning id, notice_id)
  select coalesce(jsonb_agg(jsonb_build_object('attempt', a.id, 'notice', t.id, 'phone', p.phone) order by t.id), '[]') into rings
  from tried a join taken t on t.id = a.notice_id join hl.person p on p.id = t.person_id;
  return jsonb_build_object('now', hl.us(at_now), 'epoch', epoch, 'rings', rings);
end $$;

-- The notice behind an outgoing call: by our attempt's number, else by the platform's id.
create or replace function hl.notice_of_call(of_channel text, of_call text, of_attempt bigint) returns bigint language sql stable as $$
  select a.notice_id from hl.attempt a join hl.notice n on n.id = a.notice_id
  where n.is_call and a.channel = of_channel and (a.id = of_attempt or of_attempt is null and a.external_id = of_call)
  order by a.id desc limit 1
$$;

-- Whoever was rung did not take it: the next officer, deputy or head of the unit who was not rung yet.
create or replace function hl.ring_next(of_notice bigint, at_now timestamptz) returns void language plpgsql as $$
declare
  n hl.notice;
  k hl.task;
  next_one bigint;
begin
  select * into n from hl.notice x where x.id = of_notice;
  select * into k from hl.task x where x.id = n.task_id;
  if k.state is distinct from 'dispatched' then
    return;
  end if;
  select c.person_id into next_one from (
      select person_id, 1 as rank, row_number() over () as nth from hl.contacts(k.unit, 'officer')
      union all select person_id, 2, row_number() over () from hl.contacts(k.unit, 'head')) c
    where not exists (select from hl.notice r where r.task_id = k.id and r.is_call and r.person_id = c.person_id)
    order by c.rank, c.nth limit 1;
  if next_one is null then
    return; -- the desk and the heads have the texts of this rung
  end if;
  perform hl.issue_codes(array[k.id], array[next_one]);
  insert into hl.notice (case_id, task_id, person_id, kind, template, params, dedupe, lane, is_kept, is_call, applies, not_before,
                         not_after, made_at)
    select n.case_id, k.id, next_one, 'call', n.template, t.params, format('task:%s:call:%s', k.id, next_one), n.lane, true, true,
           n.applies, at_now, at_now + interval '30 minutes', at_now
    from hl.task_texts(k.id, next_one) t
    on conflict (dedupe) do nothing;
end $$;

-- What an officer did with a call, as it happens: the key to take it stands for the text he would have sent, and goes the
-- same way. Whoever passes it on, or did not take the call, is followed by the next one, once.
-- Takes  said: the text or null; is_passed; is_over: the call has ended just now
create or replace function hl.ring_told(c hl.call, said text, is_passed boolean, is_over boolean, at_now timestamptz) returns void
language plpgsql as $$
begin
  if said is not null then
    insert into hl.message (channel, external_id, person_id, text, received_at)
      values (c.channel, 'call:' || c.id || ':sign', c.person_id, said, at_now) on conflict (channel, external_id) do nothing;
  end if;
  if said is not null or is_passed or is_over then
    update hl.notice n set state = case when is_over and c.outcome = 'missed' then 'undelivered' else 'delivered' end,
        lease_until = null, reason = case when is_over and c.outcome = 'missed' then 'nobody took the call' end
      where n.id = c.notice_id and n.state in ('sending', 'accepted', 'unknown');
  end if;
  if is_passed or is_over and c.outcome = 'missed' then
    perform hl.ring_next(c.notice_id, at_now);
  end if;
end $$;
