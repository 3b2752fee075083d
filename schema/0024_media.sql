-- 0024_media: photos and recordings, and the links by which a phone without MMS sends them.

-- Who may bring photos for a case by one address, until when and how many. The token itself is only in the text that
-- was sent: who reads this table cannot use it.
create table hl.upload_link (
  id         bigint generated always as identity primary key,
  digest     bytea not null unique check (octet_length(digest) = 32), -- SHA-256 of the token
  case_id    bigint not null references hl.case,
  task_id    bigint references hl.task, -- whose evidence it is; null: a reporter's
  person_id  bigint not null references hl.person,
  channel    text not null default '', -- of the conversation in which it was sent
  photos_max smallint not null default 5 check (photos_max between 1 and 20),
  used       smallint not null default 0,
  made_at    timestamptz not null,
  expires_at timestamptz not null,
  constraint a_link_lives_two_weeks check (expires_at > made_at and expires_at <= made_at + interval '14 days'),
  constraint a_link_is_used_up check (used between 0 and photos_max)
);
create index upload_link_by_case on hl.upload_link (case_id);

-- A photo or a recording: include/hotline/media.h has the table of its states. url goes when it is not needed any more:
-- it names our account at the provider.
create table hl.media (
  id         bigint generated always as identity primary key,
  kind       text not null check (kind in ('photo', 'recording')),
  state      text not null default 'pending' check (state in ('pending', 'kept', 'given_up', 'erased')),
  message_id bigint references hl.message,
  case_id    bigint references hl.case,
  task_id    bigint references hl.task,
  person_id  bigint references hl.person,
  link_id    bigint references hl.upload_link,
  channel    text not null default '',
  url        text,
  told_type  text not null default '',
  tries      smallint not null default 0 check (tries >= 0),
  retry_at   timestamptz not null default '-infinity',
  lease_until timestamptz,
  digest     bytea check (octet_length(digest) = 32), -- SHA-256 of the file, and its name
  type       text check (type in ('image/jpeg', 'audio/wav', 'audio/mpeg')),
  bytes      int check (bytes > 0),
  width      int check (width > 0),
  height     int check (height > 0),
  reason     text,
  made_at    timestamptz not null,
  kept_at    timestamptz,
  constraint a_job_has_an_address check ((state = 'pending') = (url is not null)),
  constraint what_is_kept_is_known check (state <> 'kept' or num_nonnulls(digest, type, bytes, kept_at) = 4),
  constraint a_photo_has_a_size check (state <> 'kept' or kind <> 'photo' or num_nonnulls(width, height) = 2),
  constraint what_is_given_up_has_a_reason check ((state = 'given_up') = (coalesce(reason, '') <> '')),
  constraint only_a_job_is_leased check (lease_until is null or state = 'pending')
);
create index media_due on hl.media (retry_at) where state = 'pending';
create index media_by_case on hl.media (case_id, id) where case_id is not null;
create index media_by_message on hl.media (message_id) where message_id is not null;
create index media_by_task on hl.media (task_id) where task_id is not null;
create index media_without_case on hl.media (made_at) where state = 'kept' and case_id is null;

-- A file's digest stands, a case once known stays the case, and what has ended does not begin again.
create function hl.check_media() returns trigger language plpgsql as $$
begin
  if old.state <> new.state and not (old.state = 'pending' and new.state in ('kept', 'given_up'))
     and not (old.state in ('kept', 'given_up') and new.state = 'erased') then
    raise exception 'media % cannot go from % to %', old.id, old.state, new.state using errcode = 'P0105';
  end if;
  if old.digest is not null and new.digest is distinct from old.digest
     or old.case_id is not null and new.case_id is distinct from old.case_id
     or (old.kind, old.message_id, old.link_id, old.made_at) is distinct from (new.kind, new.message_id, new.link_id, new.made_at) then
    raise exception 'media % is what it is: digest, case and origin stand', old.id using errcode = 'P0105';
  end if;
  return new;
end $$;
create trigger media_moves_forward before update on hl.media for each row execute function hl.check_media();

-- Media that came with a text: [{url, type}].
alter type hl.intake_item add attribute media jsonb;

grant select, insert on hl.media, hl.upload_link to hotline_daemon;
grant update (state, case_id, task_id, person_id, url, tries, retry_at, lease_until, digest, type, bytes, width, height, reason,
  kept_at) on hl.media to hotline_daemon;
grant update (used) on hl.upload_link to hotline_daemon;
grant select (id, kind, state, message_id, case_id, task_id, person_id, told_type, tries, digest, type, bytes, width, height, reason,
  made_at, kept_at) on hl.media to hotline_reader;
grant select, update (state, url, reason) on hl.media to hotline_purge;
grant usage on all sequences in schema hl to hotline_daemon;
