-- Clocks: due rungs become notices. The scan costs what is due, not what is open.

-- The ladders that fell due, locked, the longest overdue first. Found by the index ladder_due whatever the statistics
-- say: a fresh table has none, and the planner would read all of it.
-- Their cases are locked with them, because a line of history will be written: one that somebody acts on is left for the
-- next pulse, so that this call never waits and cannot be one of two that wait for each other.
create or replace function hl.due_ladders(at_now timestamptz, n int) returns bigint[] language sql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
  select array(select l.id from hl.ladder l join hl.case c on c.id = l.case_id where l.due_at <= at_now
               order by l.due_at limit n for no key update skip locked)
$$;

-- The rule's name of a rung: "progress.2" is the first repeat of progress.
create or replace function hl.rung_base(rung text) returns text language sql immutable as $$ select split_part(rung, '.', 1) $$;

-- Does a rung still mean something to a task? Its state, and what was said since the rung spoke last.
-- plpgsql, because its plans are kept: it is asked of every rung that is due.
create or replace function hl.rule_speaks(r hl.rung_rule, k hl.task) returns boolean language plpgsql stable as $$
begin
  if k.state is null or not k.state = any (r.applies) then
    return false;
  elsif r.unless = '{}' then
    return true;
  end if;
  return not exists (
    select from hl.event e where e.task_id = k.id and e.kind = any (r.unless) and e.seq > coalesce((
      select max(x.seq) from hl.event x where x.task_id = k.id and x.kind = 'rung' and hl.rung_base(x.data->>'rung') = r.rung), 0));
end $$;
create or replace function hl.rung_speaks(of_rung text, k hl.task) returns boolean language plpgsql stable as $$
begin
  return exists (select from hl.rung_rule r where r.rung = hl.rung_base(of_rung) and r.urgency = k.urgency and hl.rule_speaks(r, k));
end $$;

-- Fires every rung that fell due, up to a number of ladders, in one call.
-- Takes  batch: {"limit": n}. Gives {"now": us, "fired": n, "next": us or null}.
-- Rungs of one ladder that fell due while nobody was there (real downtime) collapse into the latest that still means
-- something; those of one and the same instant are all said.
create or replace function hl.fire_due(batch jsonb) returns jsonb language plpgsql as $$
declare
  at_now constant timestamptz := hl.now();
  ids bigint[];
  n int;
begin
  perform hl.fire_callbacks(at_now);
  perform hl.run_jobs(at_now); -- before anything is locked: a digest looks at every open task
  ids := hl.due_ladders(at_now, (batch->>'limit')::int);
  n := cardinality(ids);
  if n > 0 then
    create temp table if not exists fired (
      ladder bigint, case_id bigint, task_id bigint, rung text, skipped text[], due timestamptz, last int,
      subject bigint, request_id bigint, rollcall_id bigint, duty_id bigint) on commit delete rows;
    insert into fired
      select l.id, l.case_id, l.task_id, l.rungs[x.ord],
             case when x.ord = s.said then array(select l.rungs[y] from generate_series(l.pos, s.said - 1) y
                                                 where l.dues[y] < l.dues[s.said]) end, l.dues[x.ord], s.last,
             coalesce(l.task_id, l.request_id, l.rollcall_id, l.duty_id), l.request_id, l.rollcall_id, l.duty_id
      from hl.ladder l left join hl.task k on k.id = l.task_id
      cross join lateral (
        select max(x.ord)::int as last, coalesce(max(x.ord) filter (where hl.rung_speaks(l.rungs[x.ord], k)), max(x.ord))::int as said
        from unnest(l.dues) with ordinality x (at, ord) where x.ord >= l.pos and x.at <= at_now) s
      cross join lateral generate_series(l.pos, s.last) x (ord)
      where l.id = any (ids) and (x.ord = s.said or (x.ord < s.said and l.dues[x.ord] = l.dues[s.said]
                                                     and hl.rung_speaks(l.rungs[x.ord], k)));
    update hl.ladder l set pos = least(f.last + 1, cardinality(l.rungs)), due_at = l.dues[f.last + 1]
      from fired f where l.id = f.ladder and l.id = any (ids);
    perform hl.fire_tasks(at_now);
    perform hl.fire_reviews(at_now);
    perform hl.fire_subjects(at_now);
  end if;
  return jsonb_build_object('now', hl.us(at_now), 'fired', n, 'refdata', (select max(id) from hl.refdata where is_current),
    'next', (select hl.us(min(due_at)) from hl.ladder where due_at is not null));
end $$;

-- Rungs of tasks: who is told is data (hl.rung_rule); a rung whose task moved on says nothing. Texts about normal matters
-- keep working time: they wait for the next opening when a rung was late. A unit's people have the unit's hours.
create or replace function hl.fire_tasks(at_now timestamptz) returns void language plpgsql as $$
#variable_conflict use_column
declare
  people record;
  opening constant timestamptz := hl.text_time(at_now);
  has_calendars constant boolean := exists (select from hl.unit_calendar);
begin
  create temp table if not exists told (task_id bigint, rung text, person_id bigint, rule hl.rung_rule) on commit delete rows;
  insert into told
    select k.id, f.rung, who.person_id, r
    from fired f join hl.task k on k.id = f.task_id
    join hl.rung_rule r on r.rung = hl.rung_base(f.rung) and r.urgency = k.urgency and hl.rule_speaks(r, k)
    cross join lateral hl.audience(k, r.audience) who;
  select array_agg(task_id) as tasks, array_agg(person_id) as persons into people from told where (rule).audience in
    ('officer', 'deputy', 'head');
  perform hl.issue_codes(people.tasks, people.persons);
  insert into hl.notice (case_id, task_id, person_id, kind, template, params, dedupe, lane, is_kept, applies, not_before, made_at, is_call, not_after)
    select k.case_id, k.id, t.person_id, w.kind, (t.rule).template, x.params,
           format('task:%s:%s:%s', k.id, w.kind, t.person_id), hl.lane_rank((t.rule).lane), (t.rule).is_kept, (t.rule).applies,
           case when k.urgency <> 'normal' then at_now
                when has_calendars and (t.rule).audience in ('officer', 'deputy', 'head')
                  then hl.text_time(at_now, hl.calendar_of(k.unit))
                else opening end, at_now, (t.rule).is_call, case when (t.rule).is_call then at_now + interval '30 minutes' end
    from told t join hl.task k on k.id = t.task_id
    -- offset 0 keeps it a look-up by key for every line told. Merged into the join it would hash all cases: told is a
    -- temporary table without statistics, and the planner takes it for hundreds of lines.
    cross join lateral (select params from hl.task_texts(k.id, t.person_id) offset 0) x
    -- the same rung may text somebody and ring him
    cross join lateral (select case when (t.rule).is_call then 'call' else t.rung end as kind offset 0) w
    order by k.id, t.person_id
    on conflict (dedupe) do nothing;
  perform hl.drop_superseded(at_now);
  perform hl.record_rungs(at_now);
end $$;

-- History of the rungs that spoke. Linked here and not row by row: hl.due_ladders holds the cases, so that their heads stay.
create or replace function hl.record_rungs(at_now timestamptz) returns void language plpgsql as $$
begin
  with said as (
    select f.case_id, f.task_id, c.head_hash, c.head_seq + row_number() over (partition by f.case_id order by f.task_id, f.due) as seq,
           jsonb_build_object('rung', f.rung, 'due', hl.us(f.due), 'told', coalesce(t.n, 0))
           || case when cardinality(f.skipped) > 0 then jsonb_build_object('collapsed', f.skipped) else '{}' end as data
    from fired f join hl.task k on k.id = f.task_id
    cross join lateral (select c.head_seq, c.head_hash from hl.case c where c.id = f.case_id offset 0) c
    left join (select task_id, count(*) as n from told group by 1) t on t.task_id = f.task_id
    where hl.rung_speaks(f.rung, k)),
  linked as (
    select s.*, hl.chain(s.head_hash, hl.event_text(s.case_id, s.seq::int, at_now, 'rung', s.task_id, 'system', null, null, null, null,
                  null, s.data, null)) over (partition by s.case_id order by s.seq) as hash
    from said s)
  insert into hl.event (case_id, seq, at, kind, task_id, actor, data, prev_hash, hash)
    select l.case_id, l.seq, at_now, 'rung', l.task_id, 'system', l.data,
           coalesce(lag(l.hash) over (partition by l.case_id order by l.seq), l.head_hash), l.hash
    from linked l order by l.case_id, l.seq;
end $$;

-- What an earlier rung said and nobody has got yet (a long outage, a budget) is dropped when a later one speaks to the same
-- person about the same task. By rank and not by state: see hl.drop_moot.
create or replace function hl.drop_superseded(at_now timestamptz) returns void language sql as $$
  update hl.notice n set state = 'dropped', reason = 'superseded by ' || t.rung
  from (select distinct on (task_id, person_id) task_id, person_id, rung from told order by task_id, person_id, (rule).is_kept desc) t
  where n.task_id = t.task_id and n.person_id = t.person_id and hl.notice_rank(n.state) = 0 and not n.is_kept and n.made_at < at_now
    and exists (select from hl.rung_rule r where r.rung = hl.rung_base(n.kind))
$$;

-- The people behind an audience word for a task. The officer is the one who holds it while he is there and can be reached,
-- else the first on duty.
create or replace function hl.audience(k hl.task, word text) returns table (person_id bigint) language sql stable as $$
  select k.holder where word = 'officer' and hl.is_present(k.holder, k.unit)
  union all
  select c.person_id from (select person_id from hl.contacts(k.unit, 'officer') limit 1) c
    where word = 'officer' and not hl.is_present(k.holder, k.unit)
  union all
  select c.person_id from hl.contacts(k.unit, word) c where word in ('deputy', 'head')
  union all
  select c.person_id from hl.unit u cross join hl.contacts(u.code, 'duty') c where word = 'office' and u.kind = 'office'
  union all
  select c.person_id from hl.unit u cross join hl.contacts(u.code, 'duty') c where word = 'leaders' and u.kind = 'leader'
  union all
  select c.person_id from hl.unit u cross join hl.contacts(u.code, 'duty') c where word = 'duty' and u.kind = 'hotline'
$$;

-- The operator's own limit: an unanswered review goes to the office. Requests, rolls and duties have their own
-- (hl.fire_subjects).
create or replace function hl.fire_reviews(at_now timestamptz) returns void language sql as $$
  insert into hl.notice (case_id, person_id, kind, template, params, dedupe, lane, not_before, made_at)
    select c.id, d.person_id, 'review_late', 'review_late',
           jsonb_build_object('case', c.code, 'urgency', c.urgency, 'review_by', hl.secs(f.due)),
           format('case:%s:review_late:%s:%s', c.id, f.ladder, d.person_id), hl.lane_rank('reminder'),
           case when c.urgency = 'normal' then hl.text_time(at_now) else at_now end, at_now
    from fired f join hl.case c on c.id = f.case_id cross join hl.unit u cross join hl.contacts(u.code, 'duty') d
    where f.subject is null and c.state in ('review', 'done', 'reopened') and u.kind = 'office'
    on conflict (dedupe) do nothing;
  insert into hl.event (case_id, at, kind, actor, data)
    select f.case_id, at_now, 'rung', 'system', jsonb_build_object('rung', f.rung, 'due', hl.us(f.due))
    from fired f join hl.case c on c.id = f.case_id
    where f.subject is null and c.state in ('review', 'done', 'reopened');
$$;

-- Moves a demo clock to the next instant at which something happens, at most to a limit.
-- Takes  batch: {"to": us, "under_way": bool}. Gives {"now": us, "reached": bool}. Refused unless the installation is a demo.
-- The clock runs while its mover waits at a stop: a goal that passed meanwhile (under_way) is reached, and the clock stays.
create or replace function hl.tick_step(batch jsonb) returns jsonb language plpgsql security definer
set search_path = hl, pg_temp as $$
declare
  until constant timestamptz := hl.at_us((batch->>'to')::bigint);
  at_now timestamptz;
  stop timestamptz;
  c hl.clock;
begin
  select * into c from hl.clock for update;
  at_now := hl.now();
  if not c.is_demo then
    raise exception 'this installation has no demo clock ([demo] clock = yes, then migrate)' using errcode = 'P0120';
  end if;
  if until < at_now and not coalesce((batch->>'under_way')::boolean, false) then
    raise exception 'the clock only moves forward: it is % already', at_now using errcode = 'P0121';
  end if;
  select min(t) into stop from (
    select min(due_at) as t from hl.ladder where due_at > at_now
    union all select min(due_at) from hl.callback where done_at is null and told_at is null and due_at > at_now
    union all select min(due_at) from hl.job where is_stop and due_at > at_now
    union all select min(not_before) from hl.notice where state = 'queued' and not_before > made_at and not_before > at_now) w;
  stop := least(stop, until);
  update hl.clock set offset_us = offset_us + hl.us(stop) - hl.us(at_now) where stop > at_now;
  return jsonb_build_object('now', hl.us(greatest(stop, at_now)), 'reached', stop >= until);
end $$;
revoke all on function hl.tick_step(jsonb) from public;
grant execute on function hl.tick_step(jsonb) to hotline_daemon;

-- Rolls all heads up into one hash, for the office's paper file.
create or replace function hl.rollup(batch jsonb) returns jsonb language plpgsql as $$
declare r hl.head_rollup;
begin
  insert into hl.head_rollup (at, cases, hash)
    select date_trunc('hour', clock_timestamp()), count(*),
           sha256(convert_to(coalesce(string_agg(c.id || ':' || encode(c.head_hash, 'hex'), ',' order by c.id), ''), 'UTF8'))
    from hl.case c
    on conflict (at) do nothing returning * into r;
  return jsonb_build_object('at', r.at, 'cases', r.cases, 'hash', encode(r.hash, 'hex'));
end $$;

-- Checks every chain, and the texts it vouches for. Gives {"cases", "events", "broken": [{case, seq, what}]} with at most 100 broken links.
create or replace function hl.verify(batch jsonb) returns jsonb language sql stable as $$
  with link as (
    select e.*, lag(e.seq) over w as before_seq, lag(e.hash) over w as before_hash
    from hl.event e window w as (partition by e.case_id order by e.seq)),
  broken as (
    select c.code, l.seq, case
        when l.seq <> coalesce(l.before_seq, 0) + 1 then 'missing event before this one'
        when l.prev_hash is distinct from l.before_hash then 'does not follow the event before it'
        else 'changed' end as what
      from link l join hl.case c on c.id = l.case_id
      where l.seq <> coalesce(l.before_seq, 0) + 1 or l.prev_hash is distinct from l.before_hash
         or l.hash is distinct from hl.link(l.prev_hash, hl.event_text(l.case_id, l.seq, l.at, l.kind, l.task_id, l.actor,
              l.person_id, l.operator, l.message_id, l.from_state, l.to_state, l.data, l.digest))
    union all
    select c.code, e.seq, 'the text of its message was changed'
      from hl.event e join hl.message m on m.id = e.message_id join hl.case c on c.id = e.case_id
      where m.text is not null and e.digest <> sha256(m.salt || convert_to(m.text, 'UTF8'))
    union all
    select c.code, c.head_seq, 'the head of the chain is missing'
      from hl.case c where not exists (
        select from hl.event e where e.case_id = c.id and e.seq = c.head_seq and e.hash = c.head_hash))
  select jsonb_build_object(
    'cases', (select count(*) from hl.case), 'events', (select count(*) from hl.event),
    'head', encode(sha256(convert_to(coalesce((select string_agg(c.id || ':' || encode(c.head_hash, 'hex'), ',' order by c.id)
                                               from hl.case c), ''), 'UTF8')), 'hex'),
    'broken', coalesce((select jsonb_agg(jsonb_build_object('case', b.code, 'seq', b.seq, 'what', b.what))
                        from (select * from broken order by code, seq limit 100) b), '[]'))
$$;
