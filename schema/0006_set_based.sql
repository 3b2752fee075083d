-- 0006_set_based: the guards of rows that come by the thousand look at statements instead of rows.
-- What they refuse is what 0003 and 0004 refused; schema/INVARIANTS.md names the test of each.

-- ---- references ----------------------------------------------------------------------------------------------------
-- A foreign key asks one query per row and reference, and locks what it finds against removal: half the cost of a report.
-- What hot tables refer to is never removed and never changes its key, whoever asks; so a look by statement is enough.

create function hl.refuse_removal() returns trigger language plpgsql as $$
begin
  raise exception 'rows of hl.% stay what they are: % refused', tg_table_name, tg_op using errcode = 'P0101';
end $$;

create trigger person_stays before delete or truncate or update of id on hl.person
  for each statement execute function hl.refuse_removal();
create trigger message_stays before delete or truncate or update of id on hl.message
  for each statement execute function hl.refuse_removal();
create trigger case_stays before delete or truncate or update of id on hl.case
  for each statement execute function hl.refuse_removal();
create trigger task_stays before delete or truncate or update of id, case_id, unit on hl.task
  for each statement execute function hl.refuse_removal();
create trigger unit_stays before delete or truncate or update of code on hl.unit
  for each statement execute function hl.refuse_removal();
create trigger case_type_stays before delete or truncate or update of code on hl.case_type
  for each statement execute function hl.refuse_removal();
create trigger compound_stays before delete or truncate or update of code on hl.compound
  for each statement execute function hl.refuse_removal();
create trigger report_refers_for_ever before update of message_id, person_id on hl.report
  for each statement execute function hl.refuse_removal();
create trigger notice_code_refers_for_ever before update of task_id, person_id on hl.notice_code
  for each statement execute function hl.refuse_removal();
create trigger ladder_refers_for_ever before update of case_id, task_id on hl.ladder
  for each statement execute function hl.refuse_removal();
create trigger notice_refers_for_ever before update of case_id, task_id, message_id, person_id on hl.notice
  for each statement execute function hl.refuse_removal();

create function hl.refuse_reference(of_table text, key text) returns void language plpgsql as $$
begin
  raise exception 'hl.% refers to what is not there: %', of_table, key using errcode = 'foreign_key_violation';
end $$;

-- Scalar subqueries: each is one index probe per row in every plan, whatever the statistics were when it was made.
create function hl.check_message_refers() returns trigger language plpgsql as $$
begin
  perform hl.refuse_reference(tg_table_name, f.id::text) from fresh f
    where f.person_id is not null and (select p.id from hl.person p where p.id = f.person_id) is null;
  return null;
end $$;
create function hl.check_report_refers() returns trigger language plpgsql as $$
begin
  perform hl.refuse_reference(tg_table_name, f.id::text) from fresh f
    where (select c.id from hl.case c where c.id = f.case_id) is null
       or f.message_id is not null and (select m.id from hl.message m where m.id = f.message_id) is null
       or f.person_id is not null and (select p.id from hl.person p where p.id = f.person_id) is null;
  return null;
end $$;
create function hl.check_notice_code_refers() returns trigger language plpgsql as $$
begin
  perform hl.refuse_reference(tg_table_name, f.code) from fresh f
    where (select k.id from hl.task k where k.id = f.task_id) is null
       or (select p.id from hl.person p where p.id = f.person_id) is null;
  return null;
end $$;
create function hl.check_ladder_refers() returns trigger language plpgsql as $$
begin
  perform hl.refuse_reference(tg_table_name, f.id::text) from fresh f
    where (select c.id from hl.case c where c.id = f.case_id) is null
       or f.task_id is not null and (select k.id from hl.task k where k.id = f.task_id) is null;
  return null;
end $$;
create function hl.check_notice_refers() returns trigger language plpgsql as $$
begin
  perform hl.refuse_reference(tg_table_name, f.dedupe) from fresh f
    where (select p.id from hl.person p where p.id = f.person_id) is null
       or f.case_id is not null and (select c.id from hl.case c where c.id = f.case_id) is null
       or f.task_id is not null and (select k.id from hl.task k where k.id = f.task_id) is null
       or f.message_id is not null and (select m.id from hl.message m where m.id = f.message_id) is null;
  return null;
end $$;

alter table hl.message drop constraint message_person_id_fkey;
create trigger message_refers after insert on hl.message referencing new table as fresh
  for each statement execute function hl.check_message_refers();
alter table hl.report drop constraint report_case_id_fkey, drop constraint report_message_id_fkey,
  drop constraint report_person_id_fkey;
create trigger report_refers after insert on hl.report referencing new table as fresh
  for each statement execute function hl.check_report_refers();
alter table hl.notice_code drop constraint notice_code_task_id_fkey, drop constraint notice_code_person_id_fkey;
create trigger notice_code_refers after insert on hl.notice_code referencing new table as fresh
  for each statement execute function hl.check_notice_code_refers();
alter table hl.ladder drop constraint ladder_case_id_fkey, drop constraint ladder_task_id_fkey;
create trigger ladder_refers after insert on hl.ladder referencing new table as fresh
  for each statement execute function hl.check_ladder_refers();
alter table hl.notice drop constraint notice_case_id_fkey, drop constraint notice_task_id_fkey,
  drop constraint notice_message_id_fkey, drop constraint notice_person_id_fkey, drop constraint notice_lane_fkey,
  add constraint notice_lane_check check (lane between 1 and 5); -- the rows of hl.lane, which nobody but a migration writes
create trigger notice_refers after insert on hl.notice referencing new table as fresh
  for each statement execute function hl.check_notice_refers();

-- The references that do change: one row at a time, by an operator or an officer.
create function hl.check_message_refers_still() returns trigger language plpgsql as $$
begin
  perform hl.refuse_reference(tg_table_name, new.id::text)
    where not exists (select from hl.person p where p.id = new.person_id);
  return new;
end $$;
create function hl.check_case_refers_still() returns trigger language plpgsql as $$
begin
  perform hl.refuse_reference(tg_table_name, new.code)
    where not exists (select from hl.case_type t where t.code = new.type)
       or (new.compound is not null and not exists (select from hl.compound p where p.code = new.compound));
  return new;
end $$;
create function hl.check_task_refers_still() returns trigger language plpgsql as $$
begin
  perform hl.refuse_reference(tg_table_name, new.id::text)
    where not exists (select from hl.person p where p.id = new.holder);
  return new;
end $$;
create function hl.check_report_refers_still() returns trigger language plpgsql as $$
begin
  perform hl.refuse_reference(tg_table_name, new.id::text)
    where not exists (select from hl.case c where c.id = new.case_id);
  return new;
end $$;
create trigger report_refers_still before update of case_id on hl.report for each row when (new.case_id <> old.case_id)
  execute function hl.check_report_refers_still();
create trigger message_refers_still before update of person_id on hl.message for each row
  when (new.person_id is not null and new.person_id is distinct from old.person_id)
  execute function hl.check_message_refers_still();
create trigger case_refers_still before update of type, compound on hl.case for each row
  when (new.type <> old.type or new.compound is distinct from old.compound)
  execute function hl.check_case_refers_still();
create trigger task_refers_still before update of holder on hl.task for each row
  when (new.holder is not null and new.holder is distinct from old.holder)
  execute function hl.check_task_refers_still();

-- ---- the chain -----------------------------------------------------------------------------------------------------

-- The canonical text under a link; hl.event_hash computes the same from a row.
create function hl.event_text(case_id bigint, seq int, at timestamptz, kind text, task_id bigint, actor hl.actor_kind,
  person_id bigint, operator text, message_id bigint, from_state text, to_state text, data jsonb, digest bytea)
returns text language sql stable as $$
  select concat_ws('|', case_id, seq, hl.us(at), kind, coalesce(task_id::text, '-'), actor, coalesce(person_id::text, '-'),
    coalesce(operator, '-'), coalesce(message_id::text, '-'), coalesce(from_state, '-'), coalesce(to_state, '-'),
    coalesce(encode(digest, 'hex'), '-'), data::text)
$$;
create function hl.link(prev bytea, event_text text) returns bytea language sql stable as $$
  select sha256(coalesce(prev, ''::bytea) || convert_to(event_text, 'UTF8'))
$$;
-- As a window function over one case in order of seq: the hash of each event, from the head on.
create function hl.chain_step(running bytea, head bytea, event_text text) returns bytea language plpgsql immutable as $$
begin
  return sha256(coalesce(running, head, ''::bytea) || convert_to(event_text, 'UTF8'));
end $$;
create aggregate hl.chain(head bytea, event_text text) (sfunc = hl.chain_step, stype = bytea);

-- Chains a new event behind the case's head, one row at a time. The head row is locked, so two writers cannot fork a chain.
-- Runs as the owner: nobody else may write a head.
create or replace function hl.chain_event() returns trigger language plpgsql security definer set search_path = hl, pg_temp as $$
begin
  select head_seq + 1, head_hash into new.seq, new.prev_hash from hl.case where id = new.case_id for no key update;
  if new.seq is null then
    perform hl.refuse_reference(tg_table_name, format('%s of case %s', new.kind, new.case_id));
  end if;
  new.hash := hl.event_hash(new);
  update hl.case set head_seq = new.seq, head_hash = new.hash where id = new.case_id;
  return new;
end $$;

-- Whoever gives an event its place in the chain must have computed it as the database does; all others get it here.
drop trigger event_is_chained on hl.event;
create trigger event_is_chained before insert on hl.event for each row
  when (new.seq is null or new.hash is null or new.hash is distinct from
        hl.link(new.prev_hash, hl.event_text(new.case_id, new.seq, new.at, new.kind, new.task_id, new.actor, new.person_id,
                                             new.operator, new.message_id, new.from_state, new.to_state, new.data, new.digest)))
  execute function hl.chain_event();

alter table hl.event drop constraint event_case_id_fkey, drop constraint event_task_id_fkey,
  drop constraint event_person_id_fkey, drop constraint event_message_id_fkey;

-- ---- the law, and what history says --------------------------------------------------------------------------------

-- What a statement left open for the end of its transaction: a row whose history is still to come, or the other way round.
-- Rows live only until their transaction commits.
create unlogged table hl.unsettled (
  id      bigint generated always as identity primary key,
  case_id bigint not null,
  task_id bigint
);

-- The limits that history gave a task last.
create function hl.has_recorded_limits(k hl.task) returns boolean language plpgsql stable as $$
declare said constant jsonb := (
  select e.data from hl.event e where e.task_id = k.id and e.data ? 'close_by' order by e.seq desc limit 1);
begin
  return ((said->>'sign_by')::bigint, (said->>'arrive_by')::bigint, (said->>'close_by')::bigint)
    is not distinct from (hl.us(k.sign_by), hl.us(k.arrive_by), hl.us(k.close_by));
end $$;

create or replace function hl.check_limits_recorded() returns trigger language plpgsql as $$
declare k hl.task;
begin
  select * into k from hl.task where id = new.id;
  if not hl.has_recorded_limits(k) then
    raise exception 'the limits of task % are not those in its history', k.id using errcode = 'P0108';
  end if;
  return null;
end $$;

create function hl.check_settled() returns trigger language plpgsql security definer set search_path = hl, pg_temp as $$
declare
  c hl.case;
  k hl.task;
  said constant text := hl.recorded_state(new.case_id, new.task_id);
begin
  delete from hl.unsettled where id = new.id;
  if new.task_id is null then
    select * into c from hl.case where id = new.case_id;
    if said is distinct from c.state then
      raise exception 'case % is %, but history says %', c.code, quote_literal(c.state), coalesce(said, 'nothing')
        using errcode = 'P0104';
    end if;
  else
    select * into k from hl.task where id = new.task_id;
    if said is distinct from k.state then
      raise exception 'task % is %, but history says %', k.id, quote_literal(k.state), coalesce(said, 'nothing')
        using errcode = 'P0104';
    elsif not hl.has_recorded_limits(k) then
      raise exception 'the limits of task % are not those in its history', k.id using errcode = 'P0108';
    end if;
  end if;
  return null;
end $$;
create constraint trigger a_change_is_recorded after insert on hl.unsettled
  deferrable initially deferred for each row execute function hl.check_settled();

-- New history, judged by statement: it follows the head, refers to what is there, moves along the law from where the last
-- move ended, and dispatches only what may be dispatched. Then the heads are moved.
create function hl.check_events() returns trigger language plpgsql security definer set search_path = hl, pg_temp as $$
declare bad record;
begin
  update hl.case c set head_seq = l.seq, head_hash = l.hash
    from (select distinct on (f.case_id) f.case_id, f.seq, f.hash from fresh f
          where f.seq > (select h.head_seq from hl.case h where h.id = f.case_id) order by f.case_id, f.seq desc) l
    where c.id = l.case_id;
  with judged as (
    select f.*, c.code, c.head_seq, c.head_hash, case
        when c.id is null
          or f.task_id is not null and (select k.id from hl.task k where k.id = f.task_id) is null
          or f.person_id is not null and (select p.id from hl.person p where p.id = f.person_id) is null
          or f.message_id is not null and (select m.id from hl.message m where m.id = f.message_id) is null then 'refers'
        when f.seq > c.head_seq or f.seq = c.head_seq and f.hash <> c.head_hash or f.seq < 1
          or f.prev_hash is distinct from (select p.hash from hl.event p where p.case_id = f.case_id and p.seq = f.seq - 1)
          then 'follows'
        when f.to_state is null then null
        when (select count(*) from hl.law l where l.scope = case when f.task_id is null then 'case' else 'task' end
                and l.from_state = f.from_state and l.to_state = f.to_state and l.event = f.kind) = 0 then 'law'
        when f.from_state <> coalesce(case when f.task_id is null then
               (select e.to_state from hl.event e where e.case_id = f.case_id and e.seq < f.seq and e.task_id is null
                  and e.to_state is not null order by e.seq desc limit 1)
             else
               (select e.to_state from hl.event e where e.task_id = f.task_id and e.seq < f.seq and e.case_id = f.case_id
                  and e.to_state is not null order by e.seq desc limit 1) end, '') then 'start'
        when f.task_id is null and f.to_state = 'dispatched' and f.kind <> 'resumed'
          and (c.type like 'OUT-%' or (f.actor <> 'operator' and not c.is_sure and c.urgency <> 'emergency')) then 'dispatch'
        when f.to_state is distinct from case when f.task_id is null then c.state
               else (select k.state from hl.task k where k.id = f.task_id) end then 'open'
      end as verdict
    from fresh f
    left join lateral (select c.* from hl.case c where c.id = f.case_id offset 0) c on true)
  select j.* into bad from judged j where j.verdict is not null order by j.verdict = 'open' limit 1;
  if bad.verdict is null then
    return null;
  end if;
  case bad.verdict
  when 'refers' then
    perform hl.refuse_reference(tg_table_name, format('%s of case %s', bad.kind, bad.case_id));
  when 'follows' then
    raise exception 'event % of case % does not follow the head of its chain', bad.seq, bad.case_id using errcode = 'P0109';
  when 'law' then
    raise exception 'the law knows no move % from % to %', bad.kind, quote_literal(bad.from_state), quote_literal(bad.to_state)
      using errcode = 'P0102';
  when 'start' then
    raise exception 'history does not say %, so no move starts there', quote_literal(bad.from_state) using errcode = 'P0106';
  when 'dispatch' then
    raise exception 'case % cannot be dispatched: it is out of scope, or not sure and an operator decides', bad.code
      using errcode = 'P0107';
  else
    insert into hl.unsettled (case_id, task_id)
      select distinct f.case_id, f.task_id from fresh f where f.to_state is not null;
  end case;
  return null;
end $$;
create trigger event_is_lawful after insert on hl.event referencing new table as fresh
  for each statement execute function hl.check_events();

-- New cases: their type and place are there, they are born by the law, and their head is their history's.
create function hl.check_new_cases() returns trigger language plpgsql security definer set search_path = hl, pg_temp as $$
declare bad record;
begin
  select j.* into bad from (
    select f.id, f.code, f.state, case
        when (select t.code from hl.case_type t where t.code = f.type) is null
          or f.compound is not null and (select p.code from hl.compound p where p.code = f.compound) is null then 'refers'
        when (select count(*) from hl.law l where l.scope = 'case' and l.from_state = '' and l.to_state = f.state) = 0 then 'law'
        when case when c.head_seq = 0 then c.head_hash is not null
               else c.head_hash is null or c.head_hash is distinct from
                      (select e.hash from hl.event e where e.case_id = f.id and e.seq = c.head_seq) end then 'head'
        when f.state is distinct from (
               select e.to_state from hl.event e where e.case_id = f.id and e.task_id is null and e.to_state is not null
               order by e.seq desc limit 1) then 'open'
      end as verdict
    from fresh f join lateral (select c.head_seq, c.head_hash from hl.case c where c.id = f.id offset 0) c on true) j
  where j.verdict is not null order by j.verdict = 'open' limit 1;
  if bad.verdict is null then
    return null;
  end if;
  case bad.verdict
  when 'refers' then
    perform hl.refuse_reference(tg_table_name, bad.code);
  when 'law' then
    raise exception 'case cannot go from '''' to %', quote_literal(bad.state) using errcode = 'P0103';
  when 'head' then
    raise exception 'case % has a head that is not in its history', bad.code using errcode = 'P0109';
  else
    insert into hl.unsettled (case_id) select f.id from fresh f;
  end case;
  return null;
end $$;
alter table hl.case drop constraint case_type_fkey, drop constraint case_compound_fkey;
create trigger new_case_is_lawful after insert on hl.case referencing new table as fresh
  for each statement execute function hl.check_new_cases();

-- New tasks: likewise, and their limits are those in their history.
create function hl.check_new_tasks() returns trigger language plpgsql security definer set search_path = hl, pg_temp as $$
declare bad record;
begin
  select j.* into bad from (
    select f.id, f.state, case
        when (select c.id from hl.case c where c.id = f.case_id) is null
          or (select u.code from hl.unit u where u.code = f.unit) is null
          or f.holder is not null and (select p.id from hl.person p where p.id = f.holder) is null then 'refers'
        when (select count(*) from hl.law l where l.scope = 'task' and l.from_state = '' and l.to_state = f.state) = 0 then 'law'
        when e.to_state is distinct from f.state
          or ((e.data->>'sign_by')::bigint, (e.data->>'arrive_by')::bigint, (e.data->>'close_by')::bigint)
             is distinct from (hl.us(f.sign_by), hl.us(f.arrive_by), hl.us(f.close_by)) then 'open'
      end as verdict
    from fresh f left join lateral (
      select e.to_state, e.data from hl.event e where e.task_id = f.id and e.case_id = f.case_id
      order by e.seq desc limit 1) e on true) j
  where j.verdict is not null order by j.verdict = 'open' limit 1;
  if bad.verdict is null then
    return null;
  end if;
  case bad.verdict
  when 'refers' then
    perform hl.refuse_reference(tg_table_name, bad.id::text);
  when 'law' then
    raise exception 'task cannot go from '''' to %', quote_literal(bad.state) using errcode = 'P0103';
  else
    insert into hl.unsettled (case_id, task_id) select f.case_id, f.id from fresh f;
  end case;
  return null;
end $$;
alter table hl.task drop constraint task_case_id_fkey, drop constraint task_unit_fkey, drop constraint task_holder_fkey;
create trigger new_task_is_lawful after insert on hl.task referencing new table as fresh
  for each statement execute function hl.check_new_tasks();

-- Changes come one at a time and are looked at so.
drop trigger case_moves_by_law on hl.case;
create trigger case_moves_by_law before update of state on hl.case for each row when (old.state <> new.state)
  execute function hl.check_move('case');
drop trigger task_moves_by_law on hl.task;
create trigger task_moves_by_law before update of state on hl.task for each row when (old.state <> new.state)
  execute function hl.check_move('task');
drop trigger case_change_is_recorded on hl.case;
create constraint trigger case_change_is_recorded after update of state on hl.case
  deferrable initially deferred for each row when (old.state <> new.state) execute function hl.check_case_recorded();
drop trigger task_change_is_recorded on hl.task;
create constraint trigger task_change_is_recorded after update of state on hl.task
  deferrable initially deferred for each row when (old.state <> new.state) execute function hl.check_task_recorded();
drop trigger limits_are_recorded on hl.task;
create constraint trigger limits_are_recorded after update of sign_by, arrive_by, close_by on hl.task
  deferrable initially deferred for each row
  when ((old.sign_by, old.arrive_by, old.close_by) is distinct from (new.sign_by, new.arrive_by, new.close_by))
  execute function hl.check_limits_recorded();
drop trigger recorded_case_has_changed on hl.event;
drop trigger recorded_task_has_changed on hl.event;
drop function hl.check_event_move(hl.event);
drop function hl.check_dispatch(hl.case, hl.actor_kind);
-- A move forward needs no look: the function decides about all others.
drop trigger notice_moves_forward on hl.notice;
create trigger notice_moves_forward before update of state on hl.notice for each row
  when (old.state <> new.state and hl.notice_rank(new.state) <= hl.notice_rank(old.state))
  execute function hl.check_notice_move();

-- Only what was planned for later: a notice that is due when it is made, as nearly all are, costs this index nothing.
drop index hl.notice_later;
create index notice_later on hl.notice (not_before) where state = 'queued' and not_before > made_at;

-- Functions of schema/fn that went or take other arguments now.
drop function if exists hl.code_check(text);
drop function if exists hl.in_dialogue(bigint);
drop function if exists hl.known_cases(hl.intake_item[]);
drop function if exists hl.sweep_leases(timestamptz);
