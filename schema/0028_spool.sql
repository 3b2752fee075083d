-- 0028_spool: a text that waited in a daemon's spool came when it came, not when it was told again.

alter type hl.intake_item add attribute received_us bigint;
