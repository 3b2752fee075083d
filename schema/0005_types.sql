-- 0005_types: the row in which intake hands a decided message to the database.
-- Everything here was decided by pure code; the database decides only what depends on its own state.
create type hl.intake_item as (
  i int, channel text, ext text, phone text, sent_to text, body text, raw text,
  verb text,            -- what the words ask for when said by a resident
  disposition text,     -- dispatch | review | not_accepted | empty | silent (no answer, no case)
  type text, urgency text, confidence real, why text, compound text, place text, is_sure boolean, is_unverified boolean,
  tasks jsonb,          -- [{unit, role, from_us, sign_us, arrive_us, close_us, provisional, rungs[], dues_us[]}]
  review_us bigint      -- by when an operator must have looked
);
