-- 0025c_recording_by_message: from a report to the call in which it was made, for the ledger.
create index recording_by_message on hl.recording (message_id) where message_id is not null;
