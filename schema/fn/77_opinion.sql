-- Second opinions (daemon/intake/opinion.c): which cases to ask about, and what an answer does.

-- Marks cases in review that nobody asked about yet as asked; those whose answer never came are asked once more, then given
-- up. Emergencies and what operators have had in hand already are not asked about.
-- Takes  batch: {"limit": n, "again_us": us, "model": name}. Gives {"cases": [{case_id, case, text}]}.
create or replace function hl.opinions_wanted(batch jsonb) returns jsonb language plpgsql as $$
declare
  late constant timestamptz := clock_timestamp() - (batch->>'again_us')::bigint * interval '1 microsecond';
  ids bigint[];
begin
  update hl.opinion set state = 'none', answered_at = clock_timestamp(), reason = 'no answer'
    where state = 'asked' and asked_at < late and tries = 2;
  with due as (
    select o.case_id from hl.opinion o where o.state = 'asked' and o.asked_at < late
    order by o.asked_at limit (batch->>'limit')::int for update skip locked),
  again as (
    update hl.opinion o set tries = 2, asked_at = clock_timestamp() from due where o.case_id = due.case_id returning o.case_id)
  select coalesce(array_agg(case_id), '{}') into ids from again;
  with fresh as (
    insert into hl.opinion (case_id, model)
      select c.id, batch->>'model' from hl.case c
      where c.state = 'review' and not c.is_sure and c.urgency <> 'emergency' and c.redos = 0 and c.reopens = 0
        and not exists (select from hl.opinion o where o.case_id = c.id)
      order by c.opened_at desc limit greatest((batch->>'limit')::int - cardinality(ids), 0)
      on conflict (case_id) do nothing returning case_id)
  select ids || coalesce(array_agg(case_id), '{}') into ids from fresh;
  return jsonb_build_object('cases', (
    select coalesce(jsonb_agg(jsonb_build_object('case_id', c.id, 'case', c.code, 'text', m.text) order by c.id), '[]')
    from hl.case c
    cross join lateral (select min(r.message_id) as id from hl.report r where r.case_id = c.id) r
    join hl.message m on m.id = r.id
    where c.id = any (ids) and coalesce(m.text, '') <> ''));
end $$;

-- An answer, or why there is none. It agrees when its type is one of the first two of what the classifier said.
-- Takes  batch: {"case_id", "may_accept", type, urgency, reason | trouble}.
-- Gives  {"accepted": the case may be dispatched by it now, "case": number}.
create or replace function hl.opinion_given(batch jsonb) returns jsonb language plpgsql as $$
declare
  c hl.case;
  d hl.decision;
  agreed boolean;
  accepted boolean := false;
begin
  select * into c from hl.case where id = (batch->>'case_id')::bigint for no key update;
  if batch ? 'trouble' then
    update hl.opinion set state = 'none', answered_at = clock_timestamp(), reason = left(batch->>'trouble', 200)
      where case_id = c.id and state = 'asked';
    return jsonb_build_object('accepted', false, 'case', c.code);
  end if;
  select x.* into d from hl.report r join hl.decision x on x.message_id = r.message_id
    where r.case_id = c.id order by r.message_id limit 1;
  agreed := coalesce(batch->>'type' in (d.type, d.detail->'alternatives'->0->>'type'), false);
  update hl.opinion set state = 'given', answered_at = clock_timestamp(), type = batch->>'type', urgency = batch->>'urgency',
         agrees = agreed, reason = left(batch->>'reason', 200)
    where case_id = c.id and state = 'asked';
  if found then
    accepted := agreed and (batch->>'may_accept')::boolean and c.state = 'review' and c.compound is not null
                and batch->>'type' not like 'OUT-%' and hl.is_dispatched(batch->>'type');
    perform hl.record('{"actor": "system"}', c.id, null, 'opinion', null, null,
      jsonb_build_object('type', batch->>'type', 'agrees', agreed, 'accepted', accepted));
    if accepted then
      perform hl.trust_opinion(c.id);
    end if;
  end if;
  return jsonb_build_object('accepted', accepted, 'case', c.code);
end $$;

-- What is the centre's own (consultation, telecom) is never dispatched.
create or replace function hl.is_dispatched(of_type text) returns boolean language sql stable as
$$ select t.lead <> 'HOT' from hl.case_type t where t.code = of_type $$;

-- Runs as the owner: the only way to a sure class behind the report itself, open to an opinion that agrees and nothing else.
create or replace function hl.trust_opinion(of_case bigint) returns void language sql security definer
set search_path = hl, pg_temp as $$
  update hl.case c set is_sure = true, type = o.type
    from hl.opinion o where c.id = of_case and o.case_id = c.id and o.state = 'given' and o.agrees and c.state = 'review'
$$;
revoke all on function hl.trust_opinion(bigint) from public;
grant execute on function hl.trust_opinion(bigint) to hotline_daemon;
