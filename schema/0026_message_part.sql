-- 0026_message_part: long texts that a provider hands over part by part.

-- A part of a long text. The part itself is a message like any other (kept, answered, never twice); which text it belongs
-- to stands here. joined_id is the message that holds the whole, once all parts are there or have been waited for.
create table hl.message_part (
  message_id  bigint primary key references hl.message,
  channel     text not null,
  person_id   bigint not null references hl.person,
  ref         text not null, -- the provider's word for the whole; it comes again after some hundred texts
  part        smallint not null,
  parts       smallint not null,
  received_at timestamptz not null,
  joined_id   bigint references hl.message,
  constraint a_part_is_one_of_several check (parts between 2 and 255 and part between 1 and parts),
  constraint a_part_is_not_the_whole check (joined_id <> message_id)
);
create index message_part_waiting on hl.message_part (person_id, channel, ref) where joined_id is null;
create index message_part_joined on hl.message_part (joined_id) where joined_id is not null;

-- Which part of what: {ref, part, parts}.
alter type hl.intake_item add attribute part jsonb;

grant select, insert, update (joined_id) on hl.message_part to hotline_daemon;
grant select on hl.message_part to hotline_reader;
