-- Long texts that came part by part: kept as they come, joined when the last one is there, or when it stays away too long.

-- How long a text waits for its missing parts. Phones and providers send them within seconds.
create or replace function hl.part_patience() returns interval language sql immutable as $$ select interval '2 minutes' $$;

-- Writes the parts among these items down and joins what is complete. Whoever calls holds the persons' locks
-- (hl.lock_reporters): the two last parts of a text may come to two daemons.
-- Gives  the messages that hold whole texts, pending, claimed by the caller for 30 s.
create or replace function hl.take_parts(items hl.intake_item[], messages bigint[], persons bigint[], routes text[], at_now timestamptz)
returns bigint[] language plpgsql as $$
begin
  insert into hl.message_part (message_id, channel, person_id, ref, part, parts, received_at)
    select messages[t.i], t.channel, persons[t.i], concat_ws('/', t.sent_to, t.part->>'ref'), (t.part->>'part')::smallint,
           (t.part->>'parts')::smallint, at_now
    from unnest(items) t where routes[t.i] = 'part';
  return hl.join_parts(array(select distinct persons[t.i] from unnest(items) t where routes[t.i] = 'part'), '-infinity',
                       clock_timestamp() + interval '30 seconds');
end $$;

-- Joins the texts of these persons whose parts are all there, or whose first part came before `late`; a missing part shows
-- as an ellipsis. Of two parts with the same number the first one counts; the other waits for a text of its own.
create or replace function hl.join_parts(of_persons bigint[], late timestamptz, claimed timestamptz) returns bigint[]
language plpgsql as $$
declare
  made bigint[] := '{}';
  whole record;
  id bigint;
begin
  for whole in
    with firsts as (
      select distinct on (p.person_id, p.channel, p.ref, p.parts, p.part) p.* from hl.message_part p
      where p.joined_id is null and p.person_id = any (of_persons)
      order by p.person_id, p.channel, p.ref, p.parts, p.part, p.message_id)
    select f.channel, f.person_id, f.parts, min(f.message_id) as first, array_agg(f.message_id) as messages,
           array_agg(f.part) as numbers
    from firsts f group by f.person_id, f.channel, f.ref, f.parts
    having count(*) = f.parts or min(f.received_at) < late order by 4
  loop
    insert into hl.message (channel, external_id, person_id, sent_to, text, received_at, claimed_until)
      select whole.channel, 'parts:' || whole.first, whole.person_id, m.sent_to,
             (select string_agg(coalesce(x.text, '…'), '' order by n)
              from generate_series(1, whole.parts) n
              left join hl.message x on x.id = whole.messages[array_position(whole.numbers, n::smallint)]),
             hl.now(), claimed
      from hl.message m where m.id = whole.first
      returning hl.message.id into id;
    update hl.message_part p set joined_id = id where p.message_id = any (whole.messages);
    made := made || id;
  end loop;
  return made;
end $$;

-- Texts that have waited long enough for a part; they are pending then, claimed by nobody.
create or replace function hl.join_late_parts() returns void language plpgsql as $$
declare
  late constant timestamptz := hl.now() - hl.part_patience();
  waiting constant bigint[] := array(select distinct p.person_id from hl.message_part p
                                     where p.joined_id is null and p.received_at < late);
begin
  if cardinality(waiting) > 0 then
    perform hl.lock_reporters(waiting);
    perform hl.join_parts(waiting, late, null);
  end if;
end $$;
