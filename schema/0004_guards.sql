-- 0004_guards: what must hold whoever writes, and who may write what. schema/INVARIANTS.md names the test of each.

create function hl.refuse_rewrite() returns trigger language plpgsql as $$
begin
  raise exception 'history is append-only: % on hl.% refused', tg_op, tg_table_name using errcode = 'P0101';
end $$;

create trigger event_is_append_only before update or delete on hl.event
  for each row execute function hl.refuse_rewrite();
create trigger event_is_never_truncated before truncate on hl.event
  for each statement execute function hl.refuse_rewrite();

-- A message's digest is salted, so that it tells nothing once text and salt are erased.
create function hl.seal_message() returns trigger language plpgsql as $$
begin
  new.salt := uuid_send(gen_random_uuid());
  new.digest := sha256(new.salt || convert_to(coalesce(new.text, ''), 'UTF8'));
  return new;
end $$;
create trigger message_is_sealed before insert on hl.message for each row execute function hl.seal_message();

-- The canonical text under a link of the chain. Whoever verifies computes the same.
create function hl.event_hash(e hl.event) returns bytea language plpgsql stable as $$
begin
  return sha256(coalesce(e.prev_hash, ''::bytea) || convert_to(concat_ws('|',
    e.case_id, e.seq, hl.us(e.at), e.kind, coalesce(e.task_id::text, '-'), e.actor, coalesce(e.person_id::text, '-'),
    coalesce(e.operator, '-'), coalesce(e.message_id::text, '-'), coalesce(e.from_state, '-'), coalesce(e.to_state, '-'),
    coalesce(encode(e.digest, 'hex'), '-'), e.data::text), 'UTF8'));
end $$;

-- The state that history gives a case, or one of its tasks; null before the first move.
create function hl.recorded_state(of_case bigint, of_task bigint) returns text language plpgsql stable as $$
begin
  if of_task is null then
    return (select e.to_state from hl.event e where e.case_id = of_case and e.task_id is null and e.to_state is not null
            order by e.seq desc limit 1);
  end if;
  return (select e.to_state from hl.event e where e.task_id = of_task and e.case_id = of_case and e.to_state is not null
          order by e.seq desc limit 1);
end $$;

-- A move in the history is one the law knows, and starts where the last one ended.
create function hl.check_event_move(e hl.event) returns void language plpgsql stable as $$
declare was text := coalesce(hl.recorded_state(e.case_id, e.task_id), '');
begin
  if not exists (
      select from hl.law l where l.scope = case when e.task_id is null then 'case' else 'task' end
        and l.event = e.kind and l.from_state = e.from_state and l.to_state = e.to_state) then
    raise exception 'the law knows no move % from % to %', e.kind, quote_literal(e.from_state), quote_literal(e.to_state)
      using errcode = 'P0102';
  end if;
  if was <> e.from_state then
    raise exception 'history says %, so no move starts at %', quote_literal(was), quote_literal(e.from_state)
      using errcode = 'P0106';
  end if;
end $$;

-- Out of scope is never dispatched; what the machine is not sure of only goes out by an operator, or as an emergency.
create function hl.check_dispatch(c hl.case, by_actor hl.actor_kind) returns void language plpgsql immutable as $$
begin
  if c.type like 'OUT-%' then
    raise exception 'case % is out of scope and cannot be dispatched', c.code using errcode = 'P0107';
  end if;
  if by_actor <> 'operator' and not c.is_sure and c.urgency <> 'emergency' then
    raise exception 'case % is not sure: an operator decides', c.code using errcode = 'P0107';
  end if;
end $$;

-- Chains a new event behind the case's head. The head row is locked, so two writers cannot fork a chain.
-- Runs as the owner: nobody else may write a head.
create function hl.chain_event() returns trigger language plpgsql security definer set search_path = hl, pg_temp as $$
declare c hl.case;
begin
  select * into c from hl.case where id = new.case_id for no key update;
  new.seq := c.head_seq + 1;
  new.prev_hash := c.head_hash;
  new.hash := hl.event_hash(new);
  if new.to_state is not null then
    perform hl.check_event_move(new);
    if new.task_id is null and new.to_state = 'dispatched' and new.kind <> 'resumed' then
      perform hl.check_dispatch(c, new.actor);
    end if;
  end if;
  update hl.case set head_seq = new.seq, head_hash = new.hash where id = new.case_id;
  return new;
end $$;
create trigger event_is_chained before insert on hl.event for each row execute function hl.chain_event();

-- A state may only change along the law ...
create function hl.check_move() returns trigger language plpgsql as $$
declare was text := '';
begin
  if tg_op = 'UPDATE' then
    was := old.state;
  end if;
  if was <> new.state and not exists (
      select from hl.law l where l.scope = tg_argv[0] and l.from_state = was and l.to_state = new.state) then
    raise exception '% cannot go from % to %', tg_argv[0], quote_literal(was), quote_literal(new.state)
      using errcode = 'P0103';
  end if;
  return new;
end $$;
create trigger case_moves_by_law before insert or update of state on hl.case
  for each row execute function hl.check_move('case');
create trigger task_moves_by_law before insert or update of state on hl.task
  for each row execute function hl.check_move('task');

-- ... and at every commit is the one that history says. Both sides are checked: a change without an event, and an
-- event without the change.
create function hl.check_case_recorded() returns trigger language plpgsql as $$
declare
  of_case constant bigint := case tg_table_name when 'event' then to_jsonb(new)->>'case_id' else to_jsonb(new)->>'id' end;
  c record;
begin
  select code, state, hl.recorded_state(id, null) as said into c from hl.case where id = of_case;
  if c.said is distinct from c.state then
    raise exception 'case % is %, but history says %', c.code, quote_literal(c.state), coalesce(c.said, 'nothing')
      using errcode = 'P0104';
  end if;
  return null;
end $$;
create function hl.check_task_recorded() returns trigger language plpgsql as $$
declare
  of_task constant bigint := case tg_table_name when 'event' then to_jsonb(new)->>'task_id' else to_jsonb(new)->>'id' end;
  k record;
begin
  select id, state, hl.recorded_state(case_id, id) as said into k from hl.task where id = of_task;
  if k.said is distinct from k.state then
    raise exception 'task % is %, but history says %', k.id, quote_literal(k.state), coalesce(k.said, 'nothing')
      using errcode = 'P0104';
  end if;
  return null;
end $$;
create constraint trigger case_change_is_recorded after insert or update of state on hl.case
  deferrable initially deferred for each row execute function hl.check_case_recorded();
create constraint trigger task_change_is_recorded after insert or update of state on hl.task
  deferrable initially deferred for each row execute function hl.check_task_recorded();
create constraint trigger recorded_case_has_changed after insert on hl.event
  deferrable initially deferred for each row when (new.to_state is not null and new.task_id is null)
  execute function hl.check_case_recorded();
create constraint trigger recorded_task_has_changed after insert on hl.event
  deferrable initially deferred for each row when (new.to_state is not null and new.task_id is not null)
  execute function hl.check_task_recorded();

-- A task's limits are those that history gave it last: they can be replayed, and no change is silent.
create function hl.check_limits_recorded() returns trigger language plpgsql as $$
declare
  k hl.task;
  said jsonb;
begin
  select * into k from hl.task where id = new.id;
  select e.data into said from hl.event e where e.task_id = k.id and e.data ? 'close_by' order by e.seq desc limit 1;
  if ((said->>'sign_by')::bigint, (said->>'arrive_by')::bigint, (said->>'close_by')::bigint)
     is distinct from (hl.us(k.sign_by), hl.us(k.arrive_by), hl.us(k.close_by)) then
    raise exception 'the limits of task % are not those in its history', k.id using errcode = 'P0108';
  end if;
  return null;
end $$;
create constraint trigger limits_are_recorded after insert or update of sign_by, arrive_by, close_by on hl.task
  deferrable initially deferred for each row execute function hl.check_limits_recorded();

-- How often a case came back is counted here, whatever is given; the table bounds it.
create function hl.count_returns() returns trigger language plpgsql as $$
begin
  new.redos := old.redos + (old.state = 'done' and new.state = 'working')::int;
  new.reopens := old.reopens + (old.state = 'closed' and new.state = 'reopened')::int;
  return new;
end $$;
create trigger case_returns_are_counted before update of state, redos, reopens on hl.case
  for each row execute function hl.count_returns();

-- Delivery state only moves forward.
create function hl.notice_rank(state text) returns int language sql immutable as $$
  select case state when 'queued' then 0 when 'sending' then 1 when 'unknown' then 2 when 'accepted' then 3 else 4 end
$$;
create function hl.check_notice_move() returns trigger language plpgsql as $$
begin
  if old.state = new.state
     or hl.notice_rank(new.state) > hl.notice_rank(old.state)
     -- whichever receipt was faster: one phone that did get the text settles it
     or (old.state = 'undelivered' and new.state = 'delivered')
     -- a try that failed for now, a lost lease, and the one resend of an unknown outcome go back into the queue
     or (old.state = 'sending' and new.state = 'queued')
     or (old.state = 'unknown' and new.state = 'queued' and not old.is_resend and new.is_resend
         and exists (select from hl.lane l where l.rank = new.lane and l.is_resent)) then
    return new;
  end if;
  raise exception 'notice % cannot go from % to %', new.id, old.state, new.state using errcode = 'P0105';
end $$;
create trigger notice_moves_forward before update of state on hl.notice
  for each row execute function hl.check_notice_move();

-- Rights. The daemon adds and moves on; it cannot delete, nor change history, messages, numbers of cases or the law.
-- Readers see neither people nor texts nor the codes by which officers are known.
grant select on all tables in schema hl to hotline_daemon, hotline_reader;
revoke select on hl.person, hl.message, hl.attempt, hl.quarantine, hl.notice, hl.notice_code from hotline_reader;
grant select (id, case_id, task_id, message_id, person_id, kind, template, dedupe, lane, channel, applies, not_before,
  not_after, state, tries, is_resend, retry_at, reason, made_at) on hl.notice to hotline_reader;
grant insert on hl.refdata, hl.unit, hl.case_type, hl.compound, hl.person, hl.contact, hl.message, hl.quarantine,
  hl.case_year, hl.case, hl.report, hl.task, hl.notice_code, hl.event, hl.head_rollup, hl.ladder, hl.notice, hl.attempt,
  hl.receipt, hl.rung_rule to hotline_daemon;
grant update on hl.unit, hl.case_type, hl.compound, hl.contact, hl.rung_rule to hotline_daemon;
grant update (type, urgency, state, compound, place, is_unverified, reporters, chases, done_at, closed_at)
  on hl.case to hotline_daemon;
grant update (state, sign_by, arrive_by, close_by, is_provisional, holder, signed_at, arrived_at, done_at, result)
  on hl.task to hotline_daemon;
grant update (rungs, dues, pos, due_at) on hl.ladder to hotline_daemon;
grant update (state, tries, is_resend, retry_at, lease_epoch, lease_until, reason, not_before, channel)
  on hl.notice to hotline_daemon;
grant update (outcome, external_id, detail, text, parts, settled_at) on hl.attempt to hotline_daemon;
grant update (state, outcome, case_id, claimed_until, claims, person_id) on hl.message to hotline_daemon;
grant update (is_current) on hl.refdata to hotline_daemon;
grant update (withdrawn_at) on hl.report to hotline_daemon;
grant update (phone, name, lang, is_opted_out, guard_since, guard_count, wrong_since, wrong_count, survey_case,
  survey_until) on hl.person to hotline_daemon;
grant delete on hl.rung_rule to hotline_daemon;
grant usage on all sequences in schema hl to hotline_daemon;

-- The purge role erases people and texts; the history keeps ids and digests.
grant select, update on hl.person to hotline_purge;
grant select, update (text, raw, salt) on hl.message to hotline_purge;
grant select, update (text, detail) on hl.attempt to hotline_purge;
grant select, update (item) on hl.quarantine to hotline_purge;
grant select, update (params) on hl.notice to hotline_purge;
grant select, insert on hl.event to hotline_purge;
grant select on hl.clock, hl.case, hl.task, hl.report, hl.law to hotline_purge;
