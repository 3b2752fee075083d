-- The outbox: lease, settle, receipts. Leases run on the real clock, due times on case time.

-- Leases due notices, highest lane first, and commits an attempt row for each before anything leaves.
-- Takes  batch: {"limit": n, "lease_us": us, "epoch": n, "channels": {"officer": name, "resident": name}, "known": [names],
--        "providers": {channel: provider}, and what hl.route reads}.
-- Gives  {"now": us, "notices": [{attempt, notice, phone, lang, template, params, channel, resend, lane, nth, purpose, tried}],
--        "spent": {channel: SMS of the day}}
create or replace function hl.lease(batch jsonb) returns jsonb language plpgsql as $$
declare
  at_now constant timestamptz := hl.now();
  real_now constant timestamptz := clock_timestamp();
  until constant timestamptz := real_now + (batch->>'lease_us')::bigint * interval '1 microsecond';
  leased jsonb;
  due bigint[];
begin
  due := array(select n.id from hl.notice n
    where n.state = 'queued' and n.not_before <= at_now and n.retry_at <= real_now
      and (not n.is_call or n.not_after < at_now) -- calls are made by hl.rings_due; here only those that came too late go
    order by n.lane, n.id limit (batch->>'limit')::int for update skip locked);
  if hl.has_budget(batch) then
    due := hl.within_budget(due, batch, at_now);
  end if;
  with judged as (
    select n.id, n.lane, hl.why_stale(n, at_now) as stale, hl.channel_of(n, batch) as channel
    from hl.notice n where n.id = any (due)),
  routed as (
    select j.id, j.channel, row_number() over (partition by j.channel order by j.lane, j.id)
             > coalesce((batch->'room'->>j.channel)::int, 2147483647) or j.channel is null as is_held
    from judged j where j.stale is null),
  -- No route at the moment, or no room on it: others go first.
  held as (
    update hl.notice n set retry_at = real_now + interval '1 second' from routed r where n.id = r.id and r.is_held),
  dropped as (
    update hl.notice n set state = 'dropped', reason = j.stale from judged j where n.id = j.id and j.stale is not null),
  taken as (
    update hl.notice n set state = 'sending', tries = n.tries + 1, lease_epoch = (batch->>'epoch')::bigint, lease_until = until
    from routed r where n.id = r.id and not r.is_held
    returning n.*, r.channel as via),
  tried as (
    insert into hl.attempt (notice_id, n, channel, epoch, sent_at)
      select t.id, t.tries, t.via, t.lease_epoch, at_now
      from taken t
      returning id, notice_id, channel)
  select jsonb_agg(jsonb_build_object('attempt', a.id, 'notice', t.id, 'phone', p.phone, 'lang', p.lang, 'template', t.template,
           'params', t.params, 'channel', a.channel, 'resend', t.is_resend, 'lane', t.lane, 'nth', t.nth,
           'purpose', hl.purpose_of(t.person_id, t.task_id, t.lane), 'tried', case when t.tries > 1 then hl.tried(t.id) end) order by t.lane, t.id)
    into leased
  from tried a join taken t on t.id = a.notice_id join hl.person p on p.id = t.person_id;
  return jsonb_build_object('now', hl.us(at_now), 'notices', coalesce(leased, '[]'), 'spent', hl.spent(batch));
end $$;

-- Facts may have changed since a notice was made: the task moved on, the contact left, the hour passed. Null: it may go.
create or replace function hl.why_stale(n hl.notice, at_now timestamptz) returns text language plpgsql stable as $$
begin
  return case
    when n.not_after < at_now then 'too late'
    when n.applies is not null and not coalesce((select k.state = any (n.applies) from hl.task k where k.id = n.task_id), false)
      then 'task is ' || coalesce((select k.state from hl.task k where k.id = n.task_id), 'gone')
    when (select p.phone is null or p.is_landline from hl.person p where p.id = n.person_id)
      and (hl.takes_no_texts(n.person_id) or (select p.phone from hl.person p where p.id = n.person_id) is null)
      then case when (select p.phone from hl.person p where p.id = n.person_id) is null then 'no number' else 'a landline takes no texts' end
    when n.task_id is not null and n.kind <> 'no_contact' and n.kind <> 'operator' and not exists (
           select from hl.contact c where c.person_id = n.person_id and c.is_active) then 'contact is no longer active'
  end;
end $$;

-- For whom a notice is, which decides its route.
create or replace function hl.purpose_of(who bigint, of_task bigint, of_lane smallint) returns text language plpgsql stable as $$
begin
  return case when of_lane = hl.lane_rank('bulk') then 'bulk'
              when of_task is not null or exists (select from hl.contact c where c.person_id = who and c.is_active) then 'officer'
              else 'resident' end;
end $$;

-- By which channel a notice leaves: its own while that is there, else the first of its route. Null: none at the moment.
create or replace function hl.channel_of(n hl.notice, batch jsonb) returns text language plpgsql stable as $$
begin
  return case
    when not batch ? 'order' then
      case when batch->'known' ? n.channel then n.channel
           when n.task_id is not null or exists (select from hl.contact c where c.person_id = n.person_id and c.is_active)
             then batch->'channels'->>'officer'
           else batch->'channels'->>'resident' end
    when n.tries = 0 and batch ? 'plain' then -- what hl.route would find, without its price
      case when batch->'routes' ? n.channel then n.channel
           else batch->'order'->hl.purpose_of(n.person_id, n.task_id, n.lane)->>0 end
    else hl.route(batch, n.channel, hl.purpose_of(n.person_id, n.task_id, n.lane),
                  (select p.phone from hl.person p where p.id = n.person_id), n.template, n.id, n.tries) end;
end $$;

-- Gives up leases that ran out, and sends again what is still unknown. A call of its own, and row by row once a guard refuses
-- one of them: what cannot be given up keeps nothing else from being sent.
-- Takes  batch: {"limit": n}. Gives {"now": us, "swept": n, "refused": n, "why": text of the last refusal}.
create or replace function hl.sweep(batch jsonb) returns jsonb language plpgsql as $$
declare
  real_now constant timestamptz := clock_timestamp();
  n constant int := (batch->>'limit')::int;
  ids constant bigint[] :=
    array(select id from hl.notice where state = 'sending' and lease_until < real_now order by lease_until limit n)
    || array(select id from hl.notice where state = 'unknown' and not is_resend and retry_at <= real_now order by retry_at limit n);
  one bigint;
  refused int := 0;
  why text;
begin
  if cardinality(ids) > 0 then
    begin
      perform hl.sweep_leases(real_now, ids);
    exception when others then
      foreach one in array ids loop
        begin
          perform hl.sweep_leases(real_now, array[one]);
        exception when others then
          refused := refused + 1;
          why := sqlerrm;
        end;
      end loop;
    end;
  end if;
  return jsonb_build_object('now', hl.us(hl.now()), 'swept', cardinality(ids) - refused, 'refused', refused, 'why', why);
end $$;

-- A lease that ran out, and an unknown outcome nobody could settle, of named notices.
-- A lease is much longer than a send: nothing more can be heard about it, so it does not wait for a receipt again.
create or replace function hl.sweep_leases(real_now timestamptz, ids bigint[]) returns void language plpgsql as $$
begin
  with lost as (
    update hl.notice n set state = 'unknown', lease_until = null, reason = 'lease ran out',
           retry_at = hl.resend_at(n.lane, real_now)
    from (select id from hl.notice where id = any (ids) and state = 'sending' and lease_until < real_now
          order by id for update skip locked) l
    where n.id = l.id returning n.id, n.tries)
  update hl.attempt a set outcome = 'unknown', settled_at = real_now, detail = 'lease ran out'
    from lost where a.notice_id = lost.id and a.n = lost.tries and a.outcome is null;
  update hl.notice n set state = 'queued', is_resend = true, retry_at = real_now
    from (select id from hl.notice where id = any (ids) and state = 'unknown' and not is_resend and retry_at <= real_now
            and lane in (select rank from hl.lane where is_resent)
          order by id for update skip locked) u
    where n.id = u.id;
end $$;

-- When an unknown outcome is sent once more, marked: emergency, dispatch and ladder notices; replies and surveys never.
create or replace function hl.resend_at(of_lane smallint, soonest timestamptz) returns timestamptz language plpgsql stable as $$
begin
  return case when l.is_resent then soonest else 'infinity' end from hl.lane l where l.rank = of_lane;
end $$;

-- Locks the notices of attempts, always notice before attempt and by id, as the sweep does.
create or replace function hl.lock_notices(attempts bigint[]) returns void language plpgsql as $$
begin
  perform from hl.notice n where n.id in (select a.notice_id from hl.attempt a where a.id = any (attempts))
    order by n.id for no key update;
end $$;

-- Results of attempts.
-- Takes  batch: {"epoch": n, "items": [{attempt, outcome, external?, detail?, delay_us?, text?, parts?, failover?, opted_out?}]}.
-- failover: another channel may take what this one did not.
-- A result only counts for the lease it was made under. One that comes after the lease was given up still tells what became
-- of a notice that was not sent again since; otherwise it is recorded on the attempt and changes nothing else.
create or replace function hl.settle(batch jsonb) returns jsonb language plpgsql as $$
declare
  real_now constant timestamptz := clock_timestamp();
  n int;
begin
  perform hl.lock_notices(array(select (x->>'attempt')::bigint from jsonb_array_elements(batch->'items') x));
  with r as (
    select * from jsonb_to_recordset(batch->'items') x (attempt bigint, outcome text, external text, detail text,
                                                        delay_us bigint, text text, parts smallint,
                                                        failover boolean)),
  tried as (
    update hl.attempt a set
           outcome = case when a.outcome in ('accepted', 'delivered', 'undelivered') then a.outcome else r.outcome end,
           external_id = coalesce(r.external, a.external_id), detail = r.detail, text = r.text, parts = r.parts,
           settled_at = coalesce(a.settled_at, real_now)
    from r where a.id = r.attempt
    returning a.id, a.notice_id, a.n, a.outcome, r.detail, coalesce(r.delay_us, 0) as delay_us, coalesce(r.failover, false) as failover)
  update hl.notice n set
      state = case
        when t.outcome in ('accepted', 'delivered', 'undelivered', 'unknown') then t.outcome
        when (t.outcome in ('later', 'not_sent', 'config') or t.failover) and n.tries < 48 then 'queued'
        else 'refused' end,
      lease_until = null,
      reason = case when t.outcome in ('accepted', 'delivered') then null else coalesce(nullif(t.detail, ''), t.outcome) end,
      -- doubling back-off from 5 s to 10 min with jitter, or what the provider asked for
      retry_at = case
        when t.outcome = 'unknown' then hl.resend_at(n.lane, real_now + interval '2 minutes')
        when t.failover then real_now
        else real_now + greatest(t.delay_us * interval '1 microsecond',
                                 least(5 * 2 ^ least(n.tries - 1, 8), 600) * (0.8 + random() * 0.4) * interval '1 second') end
    from tried t where n.id = t.notice_id and n.tries = t.n and n.lease_epoch = (batch->>'epoch')::bigint
      and (n.state = 'sending'
           or n.state = 'unknown' and t.outcome in ('accepted', 'delivered', 'undelivered', 'refused'));
  get diagnostics n = row_count;
  perform hl.spend(batch);
  perform hl.opt_out(array(select (x->>'attempt')::bigint from jsonb_array_elements(batch->'items') x where x ? 'opted_out'));
  return jsonb_build_object('now', hl.us(hl.now()), 'settled', n);
end $$;

-- Delivery receipts, in any order, any number of times; they only move a notice forward.
-- Takes  batch: [{i, channel, attempt?, external?, state, status, opted_out?}]. Gives {"now": us, "moved": n, "items": [{i}]}.
create or replace function hl.receipts(batch jsonb) returns jsonb language plpgsql as $$
declare
  n int;
  attempts constant bigint[] := array(
    select coalesce((select a.id from hl.attempt a where a.id = x.attempt and a.channel = x.channel),
                    (select a.id from hl.attempt a where coalesce(x.attempt, 0) = 0 and a.channel = x.channel
                       and a.external_id = x.external order by a.id desc limit 1))
    from rows from (jsonb_to_recordset(batch) as (channel text, attempt bigint, external text)) with ordinality
         x (channel, attempt, external, ord) order by x.ord);
begin
  perform hl.lock_notices(attempts);
  with r as (
    select x.*, attempts[x.ord] as attempt_id
    from rows from (jsonb_to_recordset(batch) as (i int, channel text, external text, state text, status text))
         with ordinality x (i, channel, external, state, status, ord)),
  kept as (
    insert into hl.receipt (attempt_id, channel, external_id, state, status)
      select attempt_id, channel, external, state, coalesce(status, '') from r order by i),
  best as (
    select attempt_id, case when bool_or(state = 'delivered') then 'delivered'
                            when bool_or(state in ('undelivered', 'rejected')) then 'undelivered' else 'accepted' end as state
    from r where attempt_id is not null and state <> 'other' group by attempt_id),
  tried as (
    update hl.attempt a set outcome = b.state, settled_at = coalesce(a.settled_at, clock_timestamp())
    from best b where a.id = b.attempt_id
      and (a.outcome is null or a.outcome in ('unknown', 'accepted') or (a.outcome = 'undelivered' and b.state = 'delivered'))
    returning a.notice_id, a.n, a.outcome)
  -- The failure of an earlier try says nothing about the one on its way.
  update hl.notice n set state = t.outcome, lease_until = null,
         reason = case t.outcome when 'undelivered' then 'not delivered' end
    from tried t where n.id = t.notice_id
      and (hl.notice_rank(t.outcome) > hl.notice_rank(n.state) or (n.state = 'undelivered' and t.outcome = 'delivered'))
      and (t.outcome <> 'undelivered' or t.n = n.tries);
  get diagnostics n = row_count;
  perform hl.opt_out(array(select attempts[x.ord] from jsonb_array_elements(batch) with ordinality x (item, ord)
                           where x.item ? 'opted_out'));
  return jsonb_build_object('now', hl.us(hl.now()), 'moved', n,
    'items', (select jsonb_agg(jsonb_build_object('i', x->'i')) from jsonb_array_elements(batch) x));
end $$;

-- Is anything on its way that is due now? (for tests and for hotlinectl text and tick)
create or replace function hl.outbox_idle(batch jsonb) returns jsonb language sql as $$
  select jsonb_build_object('idle',
    not exists (select from hl.notice where state = 'sending')
    and not exists (select from hl.notice where state = 'queued' and not_before <= hl.now() and tries = 0 and not is_call)
    and not exists (select from hl.message where state = 'pending')
    and not exists (select from hl.ladder where due_at <= hl.now()))
$$;
