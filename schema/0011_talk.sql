-- 0011_talk: the words people use are reference data; dialogues that wait for an answer.

alter table hl.refdata drop constraint refdata_kind_check;
alter table hl.refdata add constraint refdata_kind_check
  check (kind in ('units', 'case_types', 'limits', 'rules', 'places', 'calendar', 'templates', 'ladder', 'grammar'));
