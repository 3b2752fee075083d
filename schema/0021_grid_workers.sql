-- 0021_grid_workers: community grid workers report with the duties of a property company, and get no tasks.

alter table hl.contact drop constraint contact_role_check,
  add constraint contact_role_check check (role in ('officer', 'deputy', 'head', 'duty', 'grid'));
