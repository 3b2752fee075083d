-- 0008z_budgets: how a provider's limits for one phone are kept.

-- Providers that the templates' document names; every other one is '*'. bundle: how many texts may leave as one, 0: none;
-- may_vary: a text that was sent before may be told apart by a number.
create table hl.provider (
  name     text primary key,
  bundle   int not null constraint provider_bundle_check check (bundle between 0 and 10),
  may_vary boolean not null
);
alter table hl.budget add foreign key (provider) references hl.provider;
-- The how-manieth of equal texts a notice is, where that must be told apart.
alter table hl.notice add column nth smallint;
grant select (nth) on hl.notice to hotline_reader;
grant update (nth) on hl.notice to hotline_daemon;
-- One step of hl.budget_plan.
create type hl.budget_step as (ord int, verdict text, nth int, until timestamptz, why text);
grant select on hl.provider to hotline_daemon, hotline_reader;
