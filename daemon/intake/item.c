/* item.c - from a provider's message to the row hl.intake takes (contract in hotline/item.h)
 *
 * Pure: decodes, normalises the number, classifies, places, routes, computes limits.
 * What depends on the database's state (repeat, role, open cases) is left to it.
 */
#include "hotline/item.h"

#include "hotline/route.h"
#include "hotline/talk.h"
#include "hotline/text.h"

#include <openssl/evp.h>
#include <string.h>

static const char *const receipt_state[] = {"buffered", "delivered", "undelivered", "rejected", "other"};
static const char *const disposition_name[] = {"dispatch", "review", "not_accepted"};

static json_t *text_json(struct hl_slice s)
{
	return json_stringn(s.ptr ? s.ptr : "", s.len);
}

/* Raw bytes as base64: NUL and broken encodings travel whole. */
static json_t *raw_json(struct hl_arena *arena, struct hl_slice bytes)
{
	unsigned char *out = hl_arena_alloc(arena, 4 * ((bytes.len + 2) / 3) + 1);
	int n;

	if (!out)
		return NULL;
	n = bytes.len ? EVP_EncodeBlock(out, (const unsigned char *)bytes.ptr, (int)bytes.len) : 0;
	return json_stringn((const char *)out, (size_t)n);
}

static const char *join_why(struct hl_arena *arena, const struct hl_classified *cls, const struct hl_routed *routed)
{
	return routed->why[0] ? hl_arena_printf(arena, "%s; %s", cls->why, routed->why) : cls->why;
}

/* words_of - "「着火」「楼道」" */
static const char *words_of(const struct hl_evidence *e, struct hl_arena *arena)
{
	const char *words = "";

	for (size_t i = 0; i < e->n_words; i++)
		words = hl_arena_printf(arena, "%s「%.*s」", words, HL_SLICE_ARG(e->words[i]));
	return words;
}

static json_t *rules_json(const struct hl_classified *cls, struct hl_arena *arena)
{
	json_t *list = json_array();

	for (size_t i = 0; i < cls->n_evidence; i++) {
		const struct hl_evidence *e = &cls->evidence[i];

		json_array_append_new(list,
				      json_pack("{s:s, s:s*, s:f, s:s, s:s}", "rule", e->rule, "type", e->type,
						"points", e->points, "clause", e->clause, "words", words_of(e, arena)));
	}
	return list;
}

static json_t *features_json(const struct hl_classified *cls)
{
	json_t *list = json_array();

	for (size_t i = 0; i < cls->n_influences; i++)
		json_array_append_new(list, json_pack("{s:o, s:f}", "words", text_json(cls->influences[i].words),
						      "share", cls->influences[i].share));
	return list;
}

static json_t *alternatives_json(const struct hl_classified *cls)
{
	json_t *list = json_array();

	for (size_t i = 0; i < cls->n_alternatives; i++)
		json_array_append_new(list, json_pack("{s:s, s:f}", "type", cls->alternatives[i].type, "confidence",
						      cls->alternatives[i].confidence));
	return list;
}

/* decision_json - what a report was decided on and by which versions, for hl.decision. */
static json_t *decision_json(const struct hl_refdata *ref, const struct hl_classified *cls,
			     const struct hl_place *place, const struct hl_routed *routed, struct hl_arena *arena)
{
	return json_pack("{s:s, s:s, s:{s:o, s:o, s:o, s:s, s:s, s:s}}", "rules",
			 hl_classifier_rules_version(ref->classifier), "model",
			 hl_classifier_model_version(ref->classifier), "detail", "rules", rules_json(cls, arena),
			 "features", features_json(cls), "alternatives", alternatives_json(cls), "unit", cls->unit,
			 "place", place->why, "route_why", routed->why);
}

/* Several compounds have the name that was used: what the reporter is asked, and what the answer is read against. */
static void add_choice(json_t *item, const struct hl_place *place, struct hl_arena *arena)
{
	json_t *codes = json_array();

	for (size_t i = 0; i < place->n_candidates; i++)
		json_array_append_new(codes, json_string(place->candidates[i]->code));
	json_object_set_new(item, "maybe",
			    json_pack("{s:o, s:s}", "codes", codes, "list", hl_place_list(place, arena)));
}

static json_t *report(const struct hl_refdata *ref, struct hl_slice text, enum hl_urgency at_least,
		      struct hl_arena *arena, int64_t now_us)
{
	struct hl_classified cls;
	struct hl_place place;
	struct hl_routed routed;
	struct hl_error err = {.text = ""};
	json_t *item;

	hl_classify(ref->classifier, text, arena, &cls);
	if (cls.urgency < at_least)
		cls.urgency = at_least;
	hl_place_find(ref->gazetteer, text, arena, &place);
	if (hl_route(ref, &cls, &place, now_us, &routed, &err) != HL_OK) {
		routed.disposition = HL_REVIEW;
		routed.why = err.text;
		routed.n_tasks = 0;
	}
	item = json_pack("{s:s, s:s, s:s, s:f, s:s, s:s*, s:s, s:b, s:b, s:b, s:o, s:I, s:I, s:o}", "disposition",
			 disposition_name[routed.disposition], "type", cls.type, "urgency",
			 hl_urgency_name(cls.urgency), "confidence", cls.confidence, "why",
			 join_why(arena, &cls, &routed), "compound", place.compound ? place.compound->code : NULL,
			 "place", place.text, "is_sure", cls.is_auto, "is_guess", cls.is_guess, "is_unverified",
			 routed.is_unverified, "tasks", hl_route_tasks_json(&routed), "review_us",
			 (json_int_t)routed.review_us, "desk_us", (json_int_t)routed.desk_us, "decision",
			 decision_json(ref, &cls, &place, &routed, arena));
	if (place.n_candidates > 1)
		add_choice(item, &place, arena);
	return item;
}

json_t *hl_intake_report(const struct hl_refdata *ref, struct hl_slice text, struct hl_arena *arena, int64_t now_us)
{
	return report(ref, text, HL_NORMAL, arena, now_us);
}

/* What the words decided, unless nobody can be answered or there is nothing to read. */
static void overrule_disposition(json_t *item, bool has_number, bool is_blank)
{
	/* Whatever has no full number (short codes, names) may be a machine: kept, never answered. */
	if (!has_number)
		json_object_set_new(item, "disposition", json_string("silent"));
	else if (is_blank)
		json_object_set_new(item, "disposition", json_string("empty"));
}

/* What the words ask for. Nothing a human asks for stands before an emergency the words tell of. */
static enum hl_verb verb_of(const struct hl_refdata *ref, const json_t *item, struct hl_slice text,
			    struct hl_arena *arena)
{
	const char *urgency = json_string_value(json_object_get(item, "urgency"));
	struct hl_said said;

	if (hl_text_is_blank(text))
		return HL_VERB_REPORT;
	hl_talk_parse(ref->grammar, false, text, NULL, 0, arena, &said);
	if (said.verb != HL_VERB_NONE && urgency && strcmp(urgency, "emergency") == 0)
		return HL_VERB_REPORT;
	return said.verb;
}

/* Addresses of photos, for jobs that fetch them. */
static json_t *media_json(struct hl_arena *arena, const struct hl_inbound *in)
{
	json_t *list = json_array();

	for (size_t i = 0; i < in->n_media; i++)
		json_array_append_new(list,
				      json_pack("{s:o, s:o}", "url",
						text_json(hl_text_decode(arena, in->media[i].url, "UTF-8")), "type",
						text_json(hl_text_decode(arena, in->media[i].type, "UTF-8"))));
	return list;
}

static json_t *item_of(const struct hl_refdata *ref, const char *channel, const char *country,
		       const struct hl_inbound *in, enum hl_urgency at_least, struct hl_arena *arena, int64_t now_us)
{
	struct hl_slice text = hl_text_decode(arena, in->bytes, in->charset), phone;
	bool has_number = hl_phone_normalise(arena, in->from, country, &phone) && phone.ptr[0] == '+';
	json_t *item = report(ref, text, at_least, arena, now_us);

	overrule_disposition(item, has_number, hl_text_is_blank(text));
	if (has_number)
		json_object_set_new(item, "phone", text_json(phone));
	json_object_set_new(item, "channel", json_string(channel));
	json_object_set_new(item, "ext", text_json(hl_text_decode(arena, in->external_id, "UTF-8")));
	json_object_set_new(item, "sent_to", text_json(hl_text_decode(arena, in->to, "UTF-8")));
	json_object_set_new(item, "body", text_json(text));
	json_object_set_new(item, "raw", raw_json(arena, in->raw.len > 0 ? in->raw : in->bytes));
	if (in->n_media > 0)
		json_object_set_new(item, "media", media_json(arena, in));
	if (in->parts > 1)
		json_object_set_new(item, "part",
				    json_pack("{s:o, s:i, s:i}", "ref",
					      text_json(hl_text_decode(arena, in->part_ref, "UTF-8")), "part",
					      (int)in->part, "parts", (int)in->parts));
	json_object_set_new(item, "verb", json_string(hl_verb_name(verb_of(ref, item, text, arena))));
	if (!hl_arena_failed(arena))
		return item;
	json_decref(item);
	return NULL;
}

json_t *hl_intake_item(const struct hl_refdata *ref, const char *channel, const char *country,
		       const struct hl_inbound *in, struct hl_arena *arena, int64_t now_us)
{
	return item_of(ref, channel, country, in, HL_NORMAL, arena, now_us);
}

/* Words that may not have been said dispatch nobody. */
static void send_to_review(json_t *item)
{
	const char *urgency = json_string_value(json_object_get(item, "urgency"));
	const char *disposition = json_string_value(json_object_get(item, "disposition"));

	if (!urgency || strcmp(urgency, hl_urgency_name(HL_EMERGENCY)) == 0 || !disposition ||
	    strcmp(disposition, disposition_name[HL_DISPATCH]) != 0)
		return;
	json_object_set_new(item, "disposition", json_string(disposition_name[HL_REVIEW]));
	json_object_set_new(item, "is_sure", json_false());
	json_object_set_new(item, "tasks", json_array());
	json_object_set_new(item, "why", json_string("the transcript is doubtful"));
}

json_t *hl_intake_heard(const struct hl_refdata *ref, const char *channel, const char *country,
			const struct hl_heard *heard, struct hl_arena *arena, int64_t now_us)
{
	struct hl_inbound in = {
		.external_id = hl_slice_str(hl_arena_printf(arena, "rec:%lld", (long long)heard->recording)),
		.from = heard->phone,
		.bytes = heard->text,
		.charset = "UTF-8",
	};
	json_t *item =
		item_of(ref, channel, country, &in, heard->is_emergency ? HL_EMERGENCY : HL_NORMAL, arena, now_us);

	if (item && heard->is_doubtful)
		send_to_review(item);
	return item;
}

json_t *hl_intake_receipt(const char *channel, const struct hl_receipt *r)
{
	const char *state = receipt_state[r->state];
	json_t *item =
		json_pack("{s:s, s:I, s:s}", "channel", channel, "attempt", (json_int_t)r->attempt, "state", state);

	/* Receipts have no key of their own; this one is only used when the database refuses it. */
	json_object_set_new(
		item, "ext",
		json_sprintf("receipt %lld %.*s %s", (long long)r->attempt, HL_SLICE_ARG(r->external_id), state));

	if (item && r->external_id.len > 0)
		json_object_set_new(item, "external", json_stringn(r->external_id.ptr, r->external_id.len));
	if (item && r->is_opted_out)
		json_object_set_new(item, "opted_out", json_true());
	if (item && r->status_text.len > 0)
		json_object_set_new(item, "status", json_stringn(r->status_text.ptr, r->status_text.len));
	return item;
}
