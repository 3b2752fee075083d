-- 0027_quarantine: what was set aside is an operator's work: it waits until somebody says what became of it.

alter table hl.quarantine
  add column done_at  timestamptz,
  add column done_by  text,
  add column done_why text,
  add constraint set_aside_until_somebody_says_why check (
    (done_at is null) = (done_by is null) and (done_at is null) = (coalesce(done_why, '') = ''));
create index quarantine_waiting on hl.quarantine (id) where done_at is null;
grant update (done_at, done_by, done_why) on hl.quarantine to hotline_daemon;
