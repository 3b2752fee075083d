-- 0011_talk: the words people use are reference data; dialogues that wait for an answer.

alter table hl.refdata drop constraint refdata_kind_check;
alter table hl.refdata add constraint refdata_kind_check
  check (kind in ('units', 'case_types', 'limits', 'rules', 'places', 'calendar', 'templates', 'ladder', 'grammar'));

-- What the next text of a phone answers: a menu, a close that is being asked for step by step. One of a kind per person;
-- an answered one expires at once, the row stays for the next.
create table hl.dialogue (
  person_id  bigint not null references hl.person,
  kind       text not null check (kind in ('menu', 'close')),
  data       jsonb not null check (jsonb_typeof(data) = 'object'),
  expires_at timestamptz not null,
  primary key (person_id, kind)
);
grant select, insert, update on hl.dialogue to hotline_daemon;
grant select, update (data) on hl.dialogue to hotline_purge;
revoke all on hl.dialogue from hotline_reader;
