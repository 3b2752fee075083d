-- 0023_decisions: what every report was classed on, as it was decided; second opinions.

-- One row per report: the class given, by which rules and model, and what spoke for it. Never changed, so that nobody has to
-- guess later with newer rules. The detail holds words of the message: it is erased with the message's text.
create table hl.decision (
  message_id bigint primary key,
  case_id    bigint not null,
  at         timestamptz not null,
  type       text not null,
  urgency    text not null,
  confidence real not null,
  is_sure    boolean not null,
  route      text not null, -- dispatch | review | no_contact | not_accepted | join
  rules      text not null constraint decision_names_its_versions check (rules ~ '^[0-9a-f]{16}$'),
  model      text not null constraint decision_names_its_model check (model ~ '^([0-9a-f]{16})?$'),
  detail     jsonb not null default '{}'
) with (fillfactor = 100);

-- References are looked at by statement, as those of other hot tables are (0006).
create function hl.check_decision_refers() returns trigger language plpgsql as $$
begin
  perform hl.refuse_reference(tg_table_name, f.message_id::text) from fresh f
    where (select m.id from hl.message m where m.id = f.message_id) is null
       or (select c.id from hl.case c where c.id = f.case_id) is null;
  return null;
end $$;
create trigger decision_refers after insert on hl.decision referencing new table as fresh
  for each statement execute function hl.check_decision_refers();
create trigger decision_stays before delete or truncate or update of message_id, case_id, at, type, urgency, confidence, is_sure,
  route, rules, model on hl.decision
  for each statement execute function hl.refuse_removal();

alter type hl.intake_item add attribute decision jsonb;

-- What a language model said about a case in review: advice. A row is there from the moment it is asked, so that a crash
-- loses nothing: it is asked again, at most so often.
create table hl.opinion (
  case_id     bigint primary key references hl.case,
  state       text not null default 'asked' constraint opinion_state_check check (state in ('asked', 'given', 'none')),
  tries       smallint not null default 1 constraint an_opinion_is_asked_twice_at_most check (tries between 1 and 2),
  asked_at    timestamptz not null default clock_timestamp(),
  answered_at timestamptz,
  model       text not null,
  type        text references hl.case_type,
  urgency     text check (urgency in ('normal', 'urgent', 'emergency')),
  agrees      boolean,         -- its type is one of the classifier's first two
  reason      text not null default '' constraint opinion_reason_is_short check (length(reason) <= 200),
  constraint an_opinion_given_names_a_type check ((state = 'given') = (type is not null and agrees is not null)),
  constraint an_answer_to_be_had_has_its_time check ((state = 'asked') = (answered_at is null))
);
create index opinion_asked on hl.opinion (asked_at) where state = 'asked';

grant select on hl.decision, hl.opinion to hotline_daemon;
grant select (message_id, case_id, at, type, urgency, confidence, is_sure, route, rules, model) on hl.decision to hotline_reader;
grant select (case_id, state, tries, asked_at, answered_at, model, type, urgency, agrees) on hl.opinion to hotline_reader;
grant insert on hl.decision, hl.opinion to hotline_daemon;
grant update (state, tries, asked_at, answered_at, type, urgency, agrees, reason) on hl.opinion to hotline_daemon;
grant select, update (detail) on hl.decision to hotline_purge;
grant select, update (reason) on hl.opinion to hotline_purge;
