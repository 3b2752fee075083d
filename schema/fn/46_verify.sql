-- Numbers of contacts are proven once: a pin goes out by SMS, and comes back from the phone that got it. Until then nobody
-- acts by that number for a unit, and nothing about cases goes to it (hl.contacts, hl.talk_context, hl.may_act).

-- Sends a fresh pin, unless one went out within ten minutes.
create or replace function hl.send_pin(who bigint) returns boolean language plpgsql as $$
declare
  at_now constant timestamptz := hl.now();
  bytes constant bytea := uuid_send(gen_random_uuid());
  fresh constant text := lpad((((get_byte(bytes, 0)::bigint << 24) + (get_byte(bytes, 1) << 16) + (get_byte(bytes, 2) << 8)
                                + get_byte(bytes, 3)) % 1000000)::text, 6, '0');
begin
  insert into hl.verification as v (person_id, pin, sent_at, expires_at) values (who, fresh, at_now, at_now + interval '24 hours')
    on conflict (person_id) do update
      set pin = excluded.pin, sent_at = excluded.sent_at, expires_at = excluded.expires_at, wrong = 0, done_at = null
      where v.sent_at <= at_now - interval '10 minutes';
  if not found then
    return false;
  end if;
  insert into hl.notice (person_id, kind, template, params, dedupe, lane, not_before, made_at)
    select who, 'verify', 'verify', jsonb_build_object('pin', fresh, 'unit', u.name, 'role', c.role),
           format('verify:%s:%s', who, hl.us(at_now)), hl.lane_rank('dispatch'), at_now, at_now
    from hl.contact c join hl.unit u on u.code = c.unit
    where c.person_id = who and c.is_active order by c.verified_at is not null, c.id limit 1;
  return true;
end $$;

-- What a text of an unverified contact does: verb verify (the pin was right), verify_wrong, verify_send.
create or replace function hl.verify_act(a jsonb) returns text language plpgsql as $$
declare
  who constant bigint := (a->>'person')::bigint;
  at_now constant timestamptz := hl.now();
  n int;
begin
  case a->>'verb'
  when 'verify' then
    update hl.verification v set done_at = at_now
      where v.person_id = who and v.pin = a->>'pin' and v.done_at is null and v.wrong < 5 and v.expires_at > at_now;
    if not found then
      return 'stale';
    end if;
    update hl.contact c set verified_at = at_now where c.person_id = who and c.is_active and c.verified_at is null;
    -- what is open at the unit can be named from now on
    perform hl.issue_codes(array_agg(k.id order by k.id), array_agg(who order by k.id))
      from hl.task k where k.state in ('dispatched', 'signed', 'arrived', 'handback')
        and k.unit in (select c.unit from hl.contact c where c.person_id = who and c.is_active and c.role in ('officer', 'deputy'))
      having count(*) > 0;
  when 'verify_wrong' then
    update hl.verification v set wrong = v.wrong + 1
      where v.person_id = who and v.done_at is null and v.wrong < 5 returning v.wrong into n;
    if n = 5 then
      insert into hl.notice (message_id, person_id, kind, template, params, dedupe, lane, not_before, made_at)
        select distinct on (h.person_id) (a->>'message')::bigint, h.person_id, 'verify_failed', 'verify_failed',
               jsonb_build_object('unit', u.name), format('verify:%s:failed:%s:%s', who, hl.us(at_now), h.person_id),
               hl.lane_rank('dispatch'), at_now, at_now
        from hl.contact c join hl.unit u on u.code = c.unit
        cross join lateral (select * from hl.contacts(c.unit, 'head') union all select * from hl.contacts('HOT', 'duty')) h
        where c.person_id = who and c.is_active and h.person_id <> who order by h.person_id
        on conflict (dedupe) do nothing;
    end if;
  else
    perform hl.send_pin(who);
  end case;
  return 'ok';
end $$;

-- An operator has a pin sent again. Takes  batch: {"phone"}. Gives {"now": us, "sent": whether one left}
create or replace function hl.verify_number(batch jsonb) returns jsonb language plpgsql as $$
declare who constant bigint := (select p.id from hl.person p join hl.contact c on c.person_id = p.id and c.is_active and c.verified_at is null
                                where p.phone = batch->>'phone' limit 1);
begin
  if who is null then
    raise exception 'no contact of that number waits to be verified' using errcode = 'P0130';
  end if;
  return jsonb_build_object('now', hl.us(hl.now()), 'sent', hl.send_pin(who));
end $$;

-- A number that an import gives to somebody else: whoever had it keeps his history, without the number; the new one begins
-- with nothing and must prove it.
create or replace function hl.part_with_numbers(contacts jsonb) returns void language plpgsql as $$
declare moved constant bigint[] := array(
  select distinct p.id from jsonb_to_recordset(contacts) x (phone text, name text) join hl.person p on p.phone = x.phone
  where p.name is not null and p.name <> x.name and exists (select from hl.contact c where c.person_id = p.id));
begin
  update hl.contact c set is_active = false where c.person_id = any (moved) and c.is_active;
  update hl.person p set phone = null where p.id = any (moved);
end $$;
