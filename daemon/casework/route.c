/* route.c - what happens with a classified and placed report (contract in hotline/route.h)
 *
 * Pure. Limits: at most HL_TASKS_MAX units act at once.
 */
#include "hotline/route.h"

#include "hotline/ask.h"

#include <string.h>

#define HOTLINE_UNIT    "HOT"
#define OUT_OF_SCOPE    "OUT-0"
#define REVIEW_SPARE_US (INT64_C(1800) * 1000000) /* when the calendar cannot tell */

struct routing {
	const struct hl_refdata *ref;
	const struct hl_classified *cls;
	const struct hl_place *place;
	int64_t now_us;
	struct hl_routed *out;
};

/* The unit that stands for a duty at this place; NULL while the place does not say. */
static const char *resolve(const struct routing *r, const char *duty)
{
	const struct hl_compound *c = r->place->compound;

	if (!hl_duties_is_group(r->ref->duties, duty))
		return duty;
	if (!c)
		return NULL;
	if (strcmp(duty, "STR") == 0)
		return c->subdistrict;
	if (strcmp(duty, "UTI-GAS") == 0)
		return c->gas_company;
	return strcmp(duty, "PMC") == 0 ? c->property_company : NULL;
}

static bool has_task(const struct hl_routed *out, const char *unit)
{
	for (size_t i = 0; i < out->n_tasks; i++)
		if (strcmp(out->tasks[i].unit, unit) == 0)
			return true;
	return false;
}

static enum hl_class add_task(struct routing *r, const char *unit, bool is_lead, struct hl_error *err)
{
	const struct hl_unit *u = unit ? hl_duties_unit(r->ref->duties, unit) : NULL;
	struct hl_routed_task *t = &r->out->tasks[r->out->n_tasks];
	struct hl_limit_query q = {.urgency = r->cls->urgency, .case_type = r->cls->type, .from_us = r->now_us};
	const struct hl_calendar *cal;
	enum hl_class cls;

	if (!u || has_task(r->out, unit) || r->out->n_tasks == HL_TASKS_MAX || strcmp(unit, HOTLINE_UNIT) == 0)
		return HL_OK;
	q.unit = unit;
	q.unit_kind = u->kind;
	cal = hl_refdata_calendar(r->ref, unit);
	*t = (struct hl_routed_task){.unit = u->code, .is_lead = is_lead};
	cls = hl_limits_compute(r->ref->limits, cal, &q, &t->limits, err);
	if (cls == HL_OK)
		cls = hl_ladder_compute(r->ref->limits, cal, &q, &t->limits, t->rungs, &t->n_rungs, err);
	if (cls == HL_OK)
		r->out->n_tasks++;
	return cls;
}

/* A gas leak at an unknown compound goes to every gas company: the first that there is leads. */
static enum hl_class add_all_members(struct routing *r, const char *group, struct hl_error *err)
{
	const char *member;
	enum hl_class cls = HL_OK;

	for (size_t i = 0; cls == HL_OK && (member = hl_duties_member(r->ref->duties, group, i)); i++)
		cls = add_task(r, member, r->out->n_tasks == 0, err);
	return cls;
}

static enum hl_class add_tasks(struct routing *r, const struct hl_case_type *type, const char *named_lead,
			       struct hl_error *err)
{
	bool is_any_gas = strcmp(type->lead, "UTI-GAS") == 0 && r->cls->urgency == HL_EMERGENCY;
	const char *lead = named_lead ? named_lead : resolve(r, type->lead);
	enum hl_class cls;

	if (lead)
		cls = add_task(r, lead, true, err);
	else if (is_any_gas)
		cls = add_all_members(r, type->lead, err);
	else
		return HL_OK;
	for (size_t i = 0; cls == HL_OK && r->out->n_tasks > 0 && i < type->n_co; i++)
		cls = add_task(r, resolve(r, type->co[i]), false, err);
	return cls;
}

static void set_review_limit(struct routing *r)
{
	struct hl_instant by;

	if (hl_review_limit(r->ref->limits, hl_refdata_desk(r->ref), r->cls->urgency, r->now_us, &by, NULL) != HL_OK)
		by.at_us = r->now_us + REVIEW_SPARE_US;
	r->out->review_us = by.at_us;
	r->out->desk_us = hl_desk_time(hl_refdata_desk(r->ref), r->cls->urgency, r->now_us);
}

static void send_to_review(struct hl_routed *out, const char *why)
{
	out->disposition = HL_REVIEW;
	out->why = why;
	out->n_tasks = 0;
}

enum hl_class hl_route(const struct hl_refdata *ref, const struct hl_classified *cls, const struct hl_place *place,
		       int64_t now_us, struct hl_routed *out_r, struct hl_error *err)
{
	struct routing r = {.ref = ref, .cls = cls, .place = place, .now_us = now_us, .out = out_r};
	const struct hl_case_type *type = hl_duties_type(ref->duties, cls->type);
	bool is_emergency = cls->urgency == HL_EMERGENCY;
	enum hl_class done;

	*out_r = (struct hl_routed){.disposition = HL_DISPATCH, .why = "", .from_us = now_us};
	set_review_limit(&r);
	if (!type) {
		send_to_review(out_r, "case type is not in the duty table");
		return HL_OK;
	}
	if (strcmp(type->code, OUT_OF_SCOPE) == 0 && cls->is_auto && !is_emergency) {
		out_r->disposition = HL_NOT_ACCEPTED;
		return HL_OK;
	}
	if (!is_emergency && (!cls->is_auto || !place->compound)) {
		send_to_review(out_r, cls->is_auto ? "place is not known" : "class is not sure");
		return HL_OK;
	}
	out_r->is_unverified = is_emergency && (!cls->is_auto || !place->compound);
	done = add_tasks(&r, type, NULL, err);
	if (done == HL_OK && out_r->n_tasks == 0)
		send_to_review(out_r, "no unit follows from type and place");
	return done;
}

enum hl_class hl_route_decided(const struct hl_refdata *ref, const struct hl_classified *cls,
			       const struct hl_place *place, const char *lead, int64_t now_us, struct hl_routed *out_r,
			       struct hl_error *err)
{
	struct routing r = {.ref = ref, .cls = cls, .place = place, .now_us = now_us, .out = out_r};
	const struct hl_case_type *type = hl_duties_type(ref->duties, cls->type);

	*out_r = (struct hl_routed){.disposition = HL_DISPATCH, .why = "", .from_us = now_us};
	set_review_limit(&r);
	return type ? add_tasks(&r, type, lead, err) : HL_OK;
}

enum hl_class hl_route_unit(const struct hl_refdata *ref, const struct hl_classified *cls, const char *unit,
			    bool is_lead, int64_t now_us, struct hl_routed *out_r, struct hl_error *err)
{
	const struct hl_place nowhere = {.text = "", .why = ""};
	struct routing r = {.ref = ref, .cls = cls, .place = &nowhere, .now_us = now_us, .out = out_r};

	*out_r = (struct hl_routed){.disposition = HL_DISPATCH, .why = "", .from_us = now_us};
	set_review_limit(&r);
	return add_task(&r, unit, is_lead, err);
}

static json_t *rung_names(const struct hl_routed_task *t)
{
	json_t *names = json_array();

	for (size_t i = 0; i < t->n_rungs; i++)
		json_array_append_new(names, json_string(t->rungs[i].name));
	return names;
}

static json_t *rung_dues(const struct hl_routed_task *t)
{
	json_t *dues = json_array();

	for (size_t i = 0; i < t->n_rungs; i++)
		json_array_append_new(dues, json_integer(t->rungs[i].due_us));
	return dues;
}

json_t *hl_route_tasks_json(const struct hl_routed *routed)
{
	json_t *list = json_array();

	for (size_t i = 0; i < routed->n_tasks; i++) {
		const struct hl_routed_task *t = &routed->tasks[i];
		json_t *task = json_pack("{s:s, s:s, s:I, s:I, s:I, s:b, s:o, s:o}", "unit", t->unit, "role",
					 t->is_lead ? "lead" : "co", "from_us", (json_int_t)routed->from_us, "sign_us",
					 (json_int_t)t->limits.sign_us, "close_us", (json_int_t)t->limits.close_us,
					 "provisional", t->limits.is_provisional, "rungs", rung_names(t), "dues_us",
					 rung_dues(t));

		if (task && t->limits.arrive_us)
			json_object_set_new(task, "arrive_us", json_integer(t->limits.arrive_us));
		if (task && t->is_handed_on)
			json_object_set_new(task, "handed_on", json_true());
		/* What the limit rests on, for whoever replays the history. */
		if (task && t->kept_from)
			json_object_set_new(task, "basis", json_pack("{s:I}", "kept_from", (json_int_t)t->kept_from));
		else if (task && t->days)
			json_object_set_new(task, "basis", json_pack("{s:i}", "days", t->days));
		json_array_append_new(list, task);
	}
	return list;
}
