-- 0004_guards: what must hold whoever writes, and who may write what.

create function hl.refuse_rewrite() returns trigger language plpgsql as $$
begin
  raise exception 'history is append-only: % on hl.% refused', tg_op, tg_table_name using errcode = 'P0101';
end $$;

create trigger event_is_append_only before update or delete on hl.event
  for each row execute function hl.refuse_rewrite();
create trigger event_is_never_truncated before truncate on hl.event
  for each statement execute function hl.refuse_rewrite();

-- The canonical text under a link of the chain. Whoever verifies computes the same.
create function hl.event_hash(e hl.event) returns bytea language sql stable as $$
  select sha256(coalesce(e.prev_hash, ''::bytea) || convert_to(concat_ws('|',
    e.case_id, e.seq, hl.us(e.at), e.kind, coalesce(e.task_id::text, '-'), e.actor, coalesce(e.person_id::text, '-'),
    coalesce(e.operator, '-'), coalesce(e.message_id::text, '-'), coalesce(e.from_state, '-'), coalesce(e.to_state, '-'),
    coalesce(encode(e.digest, 'hex'), '-'), e.data::text), 'UTF8'))
$$;

-- Chains a new event behind the case's head. The head row is locked, so two writers cannot fork a chain.
create function hl.chain_event() returns trigger language plpgsql as $$
declare head record;
begin
  select c.head_seq, c.head_hash into head from hl.case c where c.id = new.case_id for no key update;
  new.seq := head.head_seq + 1;
  new.prev_hash := head.head_hash;
  new.hash := hl.event_hash(new);
  if new.to_state is not null and not exists (
      select from hl.law l where l.scope = case when new.task_id is null then 'case' else 'task' end
        and l.event = new.kind and l.from_state = new.from_state and l.to_state = new.to_state) then
    raise exception 'the law knows no move % from % to %', new.kind, quote_literal(new.from_state),
      quote_literal(new.to_state) using errcode = 'P0102';
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

-- ... and never without a line in the history that says so, in the same transaction.
create function hl.check_case_recorded() returns trigger language plpgsql as $$
begin
  if not exists (select from hl.event e where e.case_id = new.id and e.task_id is null and e.to_state = new.state) then
    raise exception 'case % is % without an event', new.code, new.state using errcode = 'P0104';
  end if;
  return null;
end $$;
create function hl.check_task_recorded() returns trigger language plpgsql as $$
begin
  if not exists (select from hl.event e where e.case_id = new.case_id and e.task_id = new.id and e.to_state = new.state) then
    raise exception 'task % is % without an event', new.id, new.state using errcode = 'P0104';
  end if;
  return null;
end $$;
create constraint trigger case_change_is_recorded after insert or update of state on hl.case
  deferrable initially deferred for each row execute function hl.check_case_recorded();
create constraint trigger task_change_is_recorded after insert or update of state on hl.task
  deferrable initially deferred for each row execute function hl.check_task_recorded();

-- Delivery state only moves forward.
create function hl.notice_rank(state text) returns int language sql immutable as $$
  select case state when 'queued' then 0 when 'sending' then 1 when 'unknown' then 2 when 'accepted' then 3 else 4 end
$$;
create function hl.check_notice_move() returns trigger language plpgsql as $$
begin
  if old.state = new.state
     or hl.notice_rank(new.state) > hl.notice_rank(old.state)
     -- a try that failed for now, a lost lease, and the one resend of an unknown outcome go back into the queue
     or (new.state = 'queued' and old.state in ('sending', 'unknown')) then
    return new;
  end if;
  raise exception 'notice % cannot go from % to %', new.id, old.state, new.state using errcode = 'P0105';
end $$;
create trigger notice_moves_forward before update of state on hl.notice
  for each row execute function hl.check_notice_move();

-- Rights. The daemon adds and moves on; it cannot delete, nor change history, messages or the law.
grant select on all tables in schema hl to hotline_daemon, hotline_reader;
revoke select on hl.person, hl.message, hl.attempt, hl.quarantine from hotline_reader;
grant insert on hl.refdata, hl.unit, hl.case_type, hl.compound, hl.person, hl.contact, hl.message, hl.quarantine,
  hl.case_year, hl.case, hl.report, hl.task, hl.notice_code, hl.event, hl.head_rollup, hl.ladder, hl.notice, hl.attempt,
  hl.receipt, hl.rung_rule to hotline_daemon;
grant update on hl.unit, hl.case_type, hl.compound, hl.contact, hl.case, hl.task, hl.ladder, hl.notice, hl.attempt,
  hl.rung_rule to hotline_daemon;
grant update (state, outcome, case_id, claimed_until, claims, person_id) on hl.message to hotline_daemon;
grant update (is_current) on hl.refdata to hotline_daemon;
grant update (withdrawn_at) on hl.report to hotline_daemon;
grant update (phone, name, lang, is_opted_out, guard_since, guard_count, wrong_since, wrong_count, survey_case,
  survey_until) on hl.person to hotline_daemon;
grant delete on hl.rung_rule to hotline_daemon;
grant usage on all sequences in schema hl to hotline_daemon;

-- The purge role erases people and texts; the history keeps ids and digests.
grant select, update on hl.person to hotline_purge;
grant select, update (text, raw) on hl.message to hotline_purge;
grant select, update (text) on hl.attempt to hotline_purge;
grant select, insert on hl.event to hotline_purge;
grant select, update (head_seq, head_hash) on hl.case to hotline_purge;
grant select on hl.report, hl.notice, hl.law to hotline_purge;
