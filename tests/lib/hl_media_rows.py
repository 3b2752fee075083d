"""hl_media_rows - rows of media, upload links and verifications that break one rule each, for test_invariants.py."""

MEDIA = ("insert into hl.media (kind, state, url, digest, type, bytes, width, height, kept_at, reason, lease_until, tries, made_at) values"
         " ('{kind}', '{state}', {url}, {digest}, {type}, {bytes}, {width}, {height}, {kept}, {reason}, {lease}, {tries}, now())")
GOOD_MEDIA = {"kind": "photo", "state": "pending", "url": "'u'", "digest": "null", "type": "null", "bytes": "null", "width": "null",
              "height": "null", "kept": "null", "reason": "null", "lease": "null", "tries": "0"}
KEPT = {"state": "kept", "url": "null", "digest": "sha256('')", "type": "'image/jpeg'", "bytes": "9", "width": "3", "height": "3",
        "kept": "now()"}
LINK = ("insert into hl.upload_link (digest, case_id, person_id, photos_max, used, made_at, expires_at) values"
        " ({digest}, %(case)s, %(person)s, {most}, {used}, now(), now() + interval '{days} days')")
GOOD_LINK = {"digest": "sha256('')", "most": 5, "used": 0, "days": 14}


def media(**more):
    return MEDIA.format(**{**GOOD_MEDIA, **more})


def kept(**more):
    return media(**{**KEPT, **more})


def link(**more):
    return LINK.format(**{**GOOD_LINK, **more})


PIN = ("insert into hl.verification (person_id, pin, sent_at, expires_at, wrong) values (%(person)s, '{pin}', now(),"
       " now() + interval '{life}', {wrong})")


def pin(**more):
    return PIN.format(**{"pin": "123456", "life": "1 day", "wrong": 0, **more})


RULES = {
    "media_kind_check": [media(kind="film")],
    "media_state_check": [media(state="lost", url="null")],
    "media_tries_check": [media(tries="-1")],
    "media_digest_check": [kept(digest="'short'")],
    "media_type_check": [kept(type="'image/gif'")],
    "media_bytes_check": [kept(bytes="0")],
    "media_width_check": [kept(width="0")],
    "media_height_check": [kept(height="0")],
    "a_job_has_an_address": [media(url="null"), kept(url="'u'")],
    "only_a_job_is_leased": [kept(lease="now()")],
    "what_is_kept_is_known": [kept(**{column: "null"}) for column in ("digest", "type", "bytes", "kept")],
    "a_photo_has_a_size": [kept(width="null"), kept(height="null")],
    "what_is_given_up_has_a_reason": [media(state="given_up", url="null"), media(state="given_up", url="null", reason="''"),
                                      media(reason="'r'")],
    "a_link_lives_two_weeks": [link(days=15), link(days=0)],
    "a_link_is_used_up": [link(used=6), link(used=-1)],
    "upload_link_photos_max_check": [link(most=0), link(most=21)],
    "upload_link_digest_check": [link(digest="'short'")],
    "upload_link_digest_key": [f"{link()}; {link()}"],
    "a_pin_lives_a_day": [pin(life="25 hours"), pin(life="0 s")],
    "five_wrong_pins_end_it": [pin(wrong=6), pin(wrong=-1)],
    "verification_pin_check": [pin(pin=wrong) for wrong in ("12345", "1234567", "12345a", "")],
}
