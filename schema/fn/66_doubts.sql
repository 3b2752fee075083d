-- Attempts whose outcome is unknown, where the provider can be asked.

-- Attempts to ask about now: 20 s after the outcome became unknown, then each time twice as long after the last time, five
-- times. Whoever gets one has marked it, so that of two daemons one asks.
-- Takes  {"channels": [names], "limit": n}. Gives {"doubts": [{attempt, channel, to, text, external, sent_us}]}.
create or replace function hl.doubts(batch jsonb) returns jsonb language plpgsql as $$
declare
  real_now constant timestamptz := clock_timestamp();
  found jsonb;
begin
  with due as (
    select a.id from hl.attempt a join hl.notice n on n.id = a.notice_id
    where a.outcome = 'unknown' and a.asked < 5 and a.settled_at < real_now - interval '20 seconds'
      and coalesce(a.asked_at, '-infinity') < real_now - interval '20 seconds' * 2 ^ a.asked
      and batch->'channels' ? a.channel and n.state = 'unknown' and n.tries = a.n
    order by a.settled_at limit (batch->>'limit')::int for update of a skip locked),
  marked as (
    update hl.attempt a set asked = a.asked + 1, asked_at = real_now from due where a.id = due.id returning a.*)
  select jsonb_agg(jsonb_build_object('attempt', m.id, 'channel', m.channel, 'to', p.phone, 'text', coalesce(m.text, ''),
           'external', coalesce(m.external_id, ''), 'sent_us', hl.us(m.started_at)) order by m.id)
    into found
  from marked m join hl.notice n on n.id = m.notice_id join hl.person p on p.id = n.person_id where p.phone is not null;
  return jsonb_build_object('doubts', coalesce(found, '[]'));
end $$;

-- The provider knows of no such text. Those that are sent again once need not wait any longer; replies and surveys stay
-- unknown (they are never sent again), and say so.
-- Takes  {"attempts": [ids]}.
create or replace function hl.absent(batch jsonb) returns jsonb language plpgsql as $$
declare
  ids constant bigint[] := array(select value::bigint from jsonb_array_elements_text(batch->'attempts'));
  n int;
begin
  perform hl.lock_notices(ids);
  update hl.notice t set reason = 'the provider knows nothing of it', retry_at = least(t.retry_at, hl.resend_at(t.lane, clock_timestamp()))
    from hl.attempt a where a.id = any (ids) and t.id = a.notice_id and t.tries = a.n and t.state = 'unknown';
  get diagnostics n = row_count;
  return jsonb_build_object('moved', n);
end $$;

-- The provider says of these attempts that the phone wants nothing more from us. Residents are taken at the word; an
-- officer cannot opt out, his texts go on and fail, and he is found as a contact that is not reached.
create or replace function hl.opt_out(attempts bigint[]) returns void language plpgsql as $$
begin
  update hl.person p set is_opted_out = true
  where not p.is_opted_out
    and p.id in (select n.person_id from hl.attempt a join hl.notice n on n.id = a.notice_id where a.id = any (attempts))
    and not exists (select from hl.contact c where c.person_id = p.id and c.is_active);
end $$;
