-- 0024b_verification: a contact's number is proven once, by a code that is sent to it and comes back from it.
create table hl.verification (
  person_id  bigint primary key references hl.person,
  pin        text not null check (pin ~ '^[0-9]{6}$'),
  sent_at    timestamptz not null,
  expires_at timestamptz not null,
  wrong      smallint not null default 0,
  done_at    timestamptz,
  constraint a_pin_lives_a_day check (expires_at > sent_at and expires_at <= sent_at + interval '24 hours'),
  constraint five_wrong_pins_end_it check (wrong between 0 and 5)
);
grant select, insert, update on hl.verification to hotline_daemon;
