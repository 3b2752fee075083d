/* hl_intake.c - what classing and placing a text costs on one core, and what model and gazetteer take
 *
 *     hl_intake [N [COMPOUNDS]] < /dev/null     in the project's folder; prints one JSON object
 *
 * Texts are the shipped examples of the classifier, each drawn out or cut to 100 characters, with a compound of a
 * made-up gazetteer of 50,000 names in every second one. COMPOUNDS share these names: 12500 (the default) have four
 * each. Times are CPU time of this thread; the fastest of 5 rounds, since other work on the machine only ever adds.
 */
#include "hotline/classify.h"
#include "hotline/place.h"
#include "hotline/text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define N_NAMES    50000
#define N_DEFAULT  20000
#define RUNES      100
#define TEXTS_MAX  1024
#define ROUNDS     5
#define ARENA      ((size_t)16 << 20)
#define TEXT_BYTES (RUNES * 4)

struct world {
	struct hl_classifier *classifier;
	struct hl_gazetteer *gazetteer;
	char texts[TEXTS_MAX][TEXT_BYTES + 1];
	size_t n_texts;
};

static double cpu_s(void)
{
	struct rusage used;

	getrusage(RUSAGE_THREAD, &used);
	return (double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static json_t *read_file(const char *name)
{
	char path[100];
	json_t *doc;

	snprintf(path, sizeof(path), "schema/ref/%s.json", name);
	doc = json_load_file(path, 0, NULL);
	if (!doc) {
		fprintf(stderr, "hl_intake: %s cannot be read\n", path);
		exit(2);
	}
	return doc;
}

/* ---- a made-up gazetteer ---------------------------------------------------------- */

/* The k-th name: two characters of 300 common ones each, and one of 20 ends; all different. */
static void make_name(size_t k, char *out, size_t size)
{
	static const char *const ends[] = {"花园", "小区",   "家园",   "名邸", "华府", "公寓", "新村",
					   "苑",   "国际城", "广场",   "庭院", "佳苑", "一期", "二期",
					   "山庄", "家属院", "回迁楼", "雅居", "里",   "大厦"};
	size_t pair = k / 20;
	unsigned a = 0x5b00 + (unsigned)(pair % 300) * 7, b = 0x6c00 + (unsigned)(pair / 300 + pair) % 300 * 5;

	snprintf(out, size, "%c%c%c%c%c%c%s", (char)(0xe0 | a >> 12), (char)(0x80 | (a >> 6 & 63)),
		 (char)(0x80 | (a & 63)), (char)(0xe0 | b >> 12), (char)(0x80 | (b >> 6 & 63)), (char)(0x80 | (b & 63)),
		 ends[k % 20]);
}

static json_t *make_places(size_t n)
{
	json_t *list = json_array();
	size_t per = N_NAMES / n;

	for (size_t i = 0; i < n; i++) {
		char name[40];
		json_t *aliases = json_array();

		for (size_t k = 1; k < per; k++) {
			make_name(i * per + k, name, sizeof(name));
			json_array_append_new(aliases, json_string(name));
		}
		make_name(i * per, name, sizeof(name));
		json_array_append_new(
			list, json_pack("{s:o, s:s, s:o, s:s, s:o, s:o, s:s, s:s}", "code", json_sprintf("C%05zu", i),
					"name", name, "aliases", aliases, "subdistrict", "STR-A", "community",
					json_sprintf("第%zu社区", i / 40), "road", json_sprintf("第%zu大道", i / 60),
					"property_company", "PMC-01", "gas_company", "UTI-1"));
	}
	return json_pack("{s:o}", "places", list);
}

/* ---- texts ------------------------------------------------------------------------ */

static void add_text(struct world *w, const char *text)
{
	char *out, name[40] = "";
	size_t n = 0, len = 0;

	if (w->n_texts == TEXTS_MAX || !text || !*text)
		return;
	out = w->texts[w->n_texts];
	if (w->n_texts % 2)
		make_name(w->n_texts * 37 % N_NAMES, name, sizeof(name));
	for (const char *part = name; n < RUNES; part = text) {
		struct hl_slice s = hl_slice_str(part);

		for (size_t pos = 0; pos < s.len && n < RUNES; n++) {
			size_t start = pos;

			hl_text_next(s, &pos);
			memcpy(out + len, s.ptr + start, pos - start);
			len += pos - start;
		}
	}
	out[len] = '\0';
	w->n_texts++;
}

static void make_texts(struct world *w)
{
	json_t *doc = read_file("examples"), *list;
	const char *type;

	json_object_foreach (json_object_get(doc, "examples"), type, list)
		for (size_t i = 0; i < json_array_size(list); i++)
			add_text(w, json_string_value(json_array_get(list, i)));
	json_decref(doc);
}

/* ---- what is measured ------------------------------------------------------------- */

typedef void work_fn(const struct world *w, struct hl_slice text, struct hl_arena *arena);

static void fold(const struct world *w, struct hl_slice text, struct hl_arena *arena)
{
	(void)w;
	hl_text_fold(arena, text);
}

static void place(const struct world *w, struct hl_slice text, struct hl_arena *arena)
{
	struct hl_place found;

	hl_place_find(w->gazetteer, text, arena, &found);
}

static void classify(const struct world *w, struct hl_slice text, struct hl_arena *arena)
{
	struct hl_classified cls;

	hl_classify(w->classifier, text, arena, &cls);
}

static void both(const struct world *w, struct hl_slice text, struct hl_arena *arena)
{
	classify(w, text, arena);
	place(w, text, arena);
}

static double measure_us(const struct world *w, work_fn *work, size_t n)
{
	double best = 1e9;

	for (size_t round = 0; round < ROUNDS; round++) {
		double start = cpu_s(), took;

		for (size_t i = 0; i < n; i++) {
			struct hl_arena arena;

			hl_arena_init(&arena, ARENA);
			work(w, hl_slice_str(w->texts[i % w->n_texts]), &arena);
			hl_arena_fini(&arena);
		}
		took = (cpu_s() - start) / (double)n * 1e6;
		best = took < best ? took : best;
	}
	return best;
}

/* load - from parsed documents, as the daemon has them when the database has answered. */
static json_t *load(struct world *w, size_t n_compounds)
{
	json_t *rules = read_file("rules"), *types = read_file("case_types"), *model = read_file("model");
	json_t *places = make_places(n_compounds);
	double start = cpu_s(), model_s, all_s;
	struct hl_error err = {.text = ""};

	if (hl_classifier_new(rules, types, model, &w->classifier, &err)) {
		fprintf(stderr, "hl_intake: %s\n", err.text);
		exit(2);
	}
	model_s = cpu_s() - start;
	if (hl_gazetteer_new(places, &w->gazetteer, &err)) {
		fprintf(stderr, "hl_intake: %s\n", err.text);
		exit(2);
	}
	all_s = cpu_s() - start;
	json_decref(rules);
	json_decref(types);
	json_decref(model);
	json_decref(places);
	return json_pack("{s:f, s:f, s:f, s:f}", "load_model_ms", model_s * 1e3, "load_ms", all_s * 1e3, "gazetteer_mb",
			 (double)hl_gazetteer_bytes(w->gazetteer) / 1e6, "model_mb",
			 (double)hl_classifier_bytes(w->classifier) / 1e6);
}

int main(int argc, char **argv)
{
	static struct world w;
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : N_DEFAULT;
	size_t n_compounds = argc > 2 ? strtoul(argv[2], NULL, 10) : N_NAMES / 4;
	json_t *out;

	if (!n || !n_compounds || n_compounds > N_NAMES) {
		fprintf(stderr, "usage: hl_intake [N [COMPOUNDS]]\n");
		return 2;
	}
	out = load(&w, n_compounds);
	make_texts(&w);
	json_object_set_new(out, "fold_us", json_real(measure_us(&w, fold, n)));
	json_object_set_new(out, "place_us", json_real(measure_us(&w, place, n)));
	json_object_set_new(out, "classify_us", json_real(measure_us(&w, classify, n)));
	json_object_set_new(out, "text_us", json_real(measure_us(&w, both, n)));
	json_dumpf(out, stdout, JSON_REAL_PRECISION(4));
	putchar('\n');
	json_decref(out);
	hl_gazetteer_free(&w.gazetteer);
	hl_classifier_free(&w.classifier);
	return 0;
}
