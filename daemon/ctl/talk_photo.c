/* talk_photo.c - photos in a replayed transcript: the database is told of files that are nowhere */
#include "talk_replay.h"

#include <string.h>

/* "photo WHO": what is on its way to us is there now; "upload WHO": a photo came by the latest link. */
bool replay_photo(struct replay *r, const char *line)
{
	static const char photo[] =
		"jsonb_build_object('sha256', encode(sha256(random()::text::bytea), 'hex'), 'type', "
		"'image/jpeg', 'bytes', 1, 'width', 1, 'height', 1)";
	bool is_upload = strncmp(line, "upload ", 7) == 0;
	const char *args;
	char phone[24];
	json_t *reply;
	bool is_ok;

	if (!replay_find_phone(r, strchr(line, ' ') + 1, phone, sizeof(phone)))
		return !ctl_fail(r->ctl, "%s:%u: there is no such phone", r->path, r->line);
	args = replay_ask(
		r,
		hl_arena_printf(
			&r->arena,
			is_upload ? "select jsonb_build_object('digest', encode(l.digest, 'hex'), 'photos', "
				    "jsonb_build_array(%s)) from hl.upload_link l join hl.person p on p.id = "
				    "l.person_id where p.phone = $1 order by l.id desc limit 1"
				  : "select jsonb_build_object('items', jsonb_agg(%s || "
				    "jsonb_build_object('media', m.id, 'result', 'kept'))) from hl.media m join "
				    "hl.person p on p.id = m.person_id where p.phone = $1 and m.state = 'pending'",
			photo),
		phone, NULL);
	reply = args && *args ? replay_call(r, is_upload ? "take_photos" : "media_settled", json_loads(args, 0, NULL))
			      : NULL;
	if (!reply)
		return !ctl_fail(r->ctl, "%s:%u: no photo is on its way", r->path, r->line);
	is_ok = replay_go_on(r, json_object_get(reply, "talk"));
	json_decref(reply);
	return is_ok;
}
