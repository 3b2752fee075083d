-- 0020_model: the classifier's learned weights are a reference document like any other: versions, who, why.
alter table hl.refdata drop constraint refdata_kind_check;
alter table hl.refdata add constraint refdata_kind_check
  check (kind in ('units', 'case_types', 'limits', 'rules', 'model', 'places', 'calendar', 'templates', 'ladder', 'grammar'));
