"""What messages and notices are never allowed to become, whoever writes SQL."""
import hashlib

import hl_rows as rows
from hl_rows import NOTICE_BACK, sqlstate


def test_a_message_is_sealed_with_salt_and_digest_of_its_own(cursor):
    first, second = rows.message(cursor, text="一样"), rows.message(cursor, text="一样")
    cursor.execute("insert into hl.message (channel, external_id, text, salt, digest, received_at) values ('c', 'given', '一样', '', '', now())"
                   " returning id")
    given = cursor.fetchone()[0]
    cursor.execute("select salt, digest from hl.message where id in %s", ((first, second, given),))
    found = [(bytes(salt), bytes(digest)) for salt, digest in cursor.fetchall()]
    assert len({salt for salt, _ in found}) == len({digest for _, digest in found}) == 3
    assert all(len(salt) == 16 and digest == hashlib.sha256(salt + "一样".encode()).digest() for salt, digest in found)


DELIVERY = {
    "queued": {"sending", "unknown", "accepted", "delivered", "undelivered", "refused", "dropped"},
    "sending": {"queued", "unknown", "accepted", "delivered", "undelivered", "refused", "dropped"},
    "unknown": {"accepted", "delivered", "undelivered", "refused", "dropped"},
    "accepted": {"delivered", "undelivered", "refused", "dropped"},
    "delivered": set(), "undelivered": {"delivered"}, "refused": set(), "dropped": set(),
}


def test_a_notice_only_moves_forward(cursor, keys):
    update = ("update hl.notice set state = %s, reason = 'r', lease_until = case when %s = 'sending' then now() end where id = %s")
    for was, allowed in DELIVERY.items():
        notice = rows.notice(cursor, keys["person"], state=was)
        for becomes in DELIVERY:
            error = rows.refusal(cursor, update, (becomes, becomes, notice))
            assert sqlstate(error) == (None if becomes == was or becomes in allowed else NOTICE_BACK), (was, becomes)


def test_an_unknown_outcome_is_sent_again_once_and_marked_but_never_a_reply_or_a_survey(cursor, keys):
    again = "update hl.notice set state = 'queued', is_resend = true where id = %s"
    for lane, is_resent in (("emergency", True), ("dispatch", True), ("reminder", True), ("reply", False), ("bulk", False)):
        notice = rows.notice(cursor, keys["person"], state="unknown", lane=lane)
        assert sqlstate(rows.refusal(cursor, again, (notice,))) == (None if is_resent else NOTICE_BACK), lane
        assert sqlstate(rows.refusal(cursor, "update hl.notice set state = 'queued' where id = %s", (notice,))) == NOTICE_BACK
        cursor.execute("update hl.notice set is_resend = true where id = %s", (notice,))
        assert sqlstate(rows.refusal(cursor, again, (notice,))) == NOTICE_BACK, lane
