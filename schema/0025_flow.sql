-- 0025_flow: what the line says and does with a call is a reference document like any other.
alter table hl.refdata drop constraint refdata_kind_check;
alter table hl.refdata add constraint refdata_kind_check
  check (kind in ('units', 'case_types', 'limits', 'rules', 'model', 'places', 'calendar', 'templates', 'ladder', 'grammar', 'flow'));
