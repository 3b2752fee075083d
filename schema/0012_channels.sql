-- 0012_channels: what channels with a budget have sent on a day; which doubtful attempts the provider was asked about.

create table hl.channel_day (
  channel text not null,
  day     date not null,
  parts   bigint not null constraint spent_parts_are_counted check (parts >= 0),
  primary key (channel, day)
);
grant select, insert, update on hl.channel_day to hotline_daemon;
grant select on hl.channel_day to hotline_reader;

-- asked: how many times the provider was asked what became of an attempt whose outcome is unknown.
alter table hl.attempt add column asked smallint not null default 0, add column asked_at timestamptz,
  add constraint asked_says_when check ((asked = 0) = (asked_at is null));
create index attempt_doubtful on hl.attempt (settled_at) where outcome = 'unknown' and asked < 5;
grant update (asked, asked_at) on hl.attempt to hotline_daemon;
