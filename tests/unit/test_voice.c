/* test_voice.c - dialects against tests/vectors/voice.json, multipart forms, what a transcription answers
 *
 * An event of the file has the fields of a request and what is read from them; a script has what the line shall do and
 * the bytes that say so ("part": they are in it).
 */
#include "hotline/text.h"
#include "hotline/transcript.h"
#include "hotline/voice.h"
#include "voice/multipart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEN(a)      (sizeof(a) / sizeof((a)[0]))
#define ARENA_BYTES (1u << 20)
#define STEPS_MAX   4

static json_t *file;
static struct hl_arena arena;

static int set_up(void **state)
{
	(void)state;
	file = json_load_file("tests/vectors/voice.json", JSON_REJECT_DUPLICATES, NULL);
	hl_arena_init(&arena, ARENA_BYTES);
	return file ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	hl_arena_fini(&arena);
	json_decref(file);
	return 0;
}

static const char *word(const json_t *doc, const char *key, const char *fallback)
{
	const char *text = json_string_value(json_object_get(doc, key));

	return text ? text : fallback;
}

/* ---- what comes in ---------------------------------------------------------------- */

static struct hl_slice body_of(const json_t *vector)
{
	json_t *fields = json_object_get(vector, "fields"), *value;
	const char *key;
	struct hl_slice kept;
	struct hl_buf out;

	hl_buf_init(&out, 100000);
	if (strcmp(word(vector, "dialect", ""), "jambonz") == 0) {
		char *text = json_dumps(fields, JSON_COMPACT);

		hl_buf_add_str(&out, text);
		free(text);
	} else {
		json_object_foreach (fields, key, value) {
			hl_buf_printf(&out, "%s%s=", out.len ? "&" : "", key);
			hl_url_encode(&out, hl_slice_str(json_string_value(value)));
		}
	}
	kept = hl_arena_dup(&arena, hl_buf_slice(&out));
	hl_buf_fini(&out);
	return kept;
}

static void expect_text(const char *name, const json_t *expect, const char *key, struct hl_slice got)
{
	const char *want = word(expect, key, NULL);

	if (want && !hl_slice_eq_str(got, want))
		fail_msg("%s: %s is %.*s", name, key, HL_SLICE_ARG(got));
}

static void expect_flag(const char *name, const json_t *expect, const char *key, bool got)
{
	const json_t *want = json_object_get(expect, key);

	if (want && json_is_true(want) != got)
		fail_msg("%s: %s is %d", name, key, got);
}

static void check_event(const char *name, const json_t *expect, const struct hl_call_event *e)
{
	static const char *const flows[] = {"start", "digits", "recorded", "dialed", "ended"};

	expect_text(name, expect, "call", e->call);
	expect_text(name, expect, "from", e->from);
	expect_text(name, expect, "status", hl_slice_str(hl_call_status_name(e->status)));
	expect_text(name, expect, "digits", e->flow.digits);
	expect_text(name, expect, "flow", hl_slice_str(flows[e->flow.kind]));
	expect_text(name, expect, "recording", e->recording.id);
	expect_text(name, expect, "transcript", e->transcript.text);
	expect_flag(name, expect, "has_sound", e->flow.has_sound);
	expect_flag(name, expect, "is_talked", e->flow.is_talked);
	expect_flag(name, expect, "is_machine", e->is_machine);
	expect_flag(name, expect, "is_out", e->is_out);
	if (json_object_get(expect, "step"))
		assert_int_equal(e->flow.step, json_integer_value(json_object_get(expect, "step")));
	if (json_object_get(expect, "seconds"))
		assert_int_equal(e->recording.seconds, json_integer_value(json_object_get(expect, "seconds")));
	if (json_object_get(expect, "confidence"))
		assert_true(e->transcript.confidence == json_number_value(json_object_get(expect, "confidence")));
}

static void what_platforms_tell_is_read(void **state)
{
	const json_t *vector;
	size_t i;

	(void)state;
	json_array_foreach (json_object_get(file, "events"), i, vector) {
		const struct hl_dialect *dialect = hl_dialect_find(word(vector, "dialect", ""));
		const char *name = word(vector, "name", "?");
		const json_t *expect = json_object_get(vector, "expect");
		struct hl_http_request req = {.method = HL_LIT("POST"),
					      .query = hl_slice_str(word(vector, "query", "")),
					      .body = body_of(vector),
					      .arena = &arena};
		struct hl_channel ch = {.name = "line"};
		struct hl_error err = {.text = ""};
		struct hl_call_event e;
		enum hl_class cls;

		assert_non_null(dialect);
		cls = dialect->parse(&ch, &req, hl_slice_str(word(vector, "subpath", "")), &e, &err);
		if (word(expect, "error", NULL)) {
			assert_int_equal(cls, HL_INPUT);
			assert_non_null(strstr(err.text, word(expect, "error", "")));
			continue;
		}
		if (cls != HL_OK)
			fail_msg("%s: %s", name, err.text);
		check_event(name, expect, &e);
	}
}

/* ---- what goes out ----------------------------------------------------------------- */

static struct hl_line_step step_of(const json_t *doc)
{
	static const struct {
		const char *key;
		enum hl_line_verb verb;
	} verbs[] = {{"say", HL_LINE_SAY},   {"gather", HL_LINE_GATHER}, {"record", HL_LINE_RECORD},
		     {"dial", HL_LINE_DIAL}, {"wait", HL_LINE_WAIT},     {"hangup", HL_LINE_HANGUP}};
	struct hl_line_step step = {.finish = word(doc, "finish", ""),
				    .timeout_s = (unsigned)json_integer_value(json_object_get(doc, "timeout")),
				    .text = word(doc, "say", NULL)};

	for (size_t i = 0; i < LEN(verbs); i++)
		if (json_object_get(doc, verbs[i].key)) {
			unsigned n = (unsigned)json_integer_value(json_object_get(doc, verbs[i].key));

			step.verb = verbs[i].verb;
			step.n_digits = step.max_s = n;
			if (step.verb == HL_LINE_DIAL || step.verb == HL_LINE_WAIT)
				step.timeout_s = n;
		}
	return step;
}

static void what_platforms_are_told_is_written(void **state)
{
	static const struct hl_setting settings[] = {{"tts_engine", "flite"}, {"tts_voice", "kal"}};
	const json_t *vector, *one;
	size_t i, k;

	(void)state;
	json_array_foreach (json_object_get(file, "scripts"), i, vector) {
		struct hl_channel ch = {.name = "line",
					.provider = word(vector, "provider", "twilio"),
					.from = HL_LIT("12345"),
					.settings = settings,
					.n_settings = LEN(settings)};
		struct hl_line_step steps[STEPS_MAX];
		struct hl_line_script s = {.channel = &ch,
					   .arena = &arena,
					   .base = "https://h.example/hook/line/voice",
					   .lang = "en",
					   .step = 2,
					   .steps = steps,
					   .phones = {"1231231234"},
					   .n_phones = 1,
					   .has_transcripts = json_is_true(json_object_get(vector, "transcripts"))};
		const char *expect = word(vector, "expect", "");
		struct hl_buf out;

		json_array_foreach (json_object_get(vector, "steps"), k, one)
			if (k < STEPS_MAX)
				steps[s.n_steps++] = step_of(one);
		hl_buf_init(&out, 100000);
		hl_dialect_find(word(vector, "dialect", ""))->render(&s, &out);
		if (json_is_true(json_object_get(vector, "part")) ? !strstr(hl_buf_str(&out), expect)
								  : strcmp(hl_buf_str(&out), expect) != 0)
			fail_msg("%s:\n%s\n%s", word(vector, "name", "?"), hl_buf_str(&out), expect);
		hl_buf_fini(&out);
	}
}

static void calls_are_ordered_in_each_dialect(void **state)
{
	static const struct hl_setting settings[] = {{"gateway", "sofia/gateway/county/"}};
	static const struct {
		const char *dialect, *url, *body, *login, *answer, *id;
	} cases[] = {
		{"twiml", "http://x/Calls.json",
		 "To=%2B8610000000220&From=12345&Url=https%3A%2F%2Fh%2Fvoice%3Fa%3D7&Method=POST&StatusCallback="
		 "https%3A%2F%2Fh%2Fvoice%2Fstatus%3Fa%3D7&StatusCallbackEvent=completed&Timeout=25&MachineDetection="
		 "Enable",
		 "Basic QUM6a2V5", "{\"sid\":\"CA7\"}", "CA7"},
		{"jambonz", "http://x/Calls.json",
		 "{\"from\":\"12345\",\"to\":{\"type\":\"phone\",\"number\":\"+8610000000220\"},\"call_hook\":{\"url\":"
		 "\"https://h/voice?a=7\",\"method\":\"POST\"},\"call_status_hook\":{\"url\":\"https://h/voice/"
		 "status?a=7\","
		 "\"method\":\"POST\"},\"timeout\":25}",
		 "Bearer key", "{\"sid\":\"u-7\"}", "u-7"},
		{"httapi",
		 "http://x/"
		 "Calls.json?originate%20%7Borigination_uuid%3Dhotline-7%2Coriginate_timeout%3D25%7Dsofia%2Fgateway%2F"
		 "county%2F%2B8610000000220%20%26httapi%28%7Burl%3Dhttps%3A%2F%2Fh%2Fvoice%3Fa%3D7%2Cmethod%3Dpost%7D%"
		 "29",
		 "", "Basic QUM6a2V5", "+OK Job-UUID: 1", "hotline-7"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		const struct hl_dialect *d = hl_dialect_find(cases[i].dialect);
		struct hl_channel ch = {.from = HL_LIT("12345"),
					.username = "AC",
					.password = HL_LIT("key"),
					.settings = settings,
					.n_settings = 1};
		struct hl_line_order order = {7, HL_LIT("+8610000000220"), "http://x/Calls.json", "https://h/voice",
					      25};
		struct hl_answer answer;
		struct hl_request req;
		struct hl_error err;

		assert_int_equal(d->order(&ch, &order, &arena, &req, &err), HL_OK);
		assert_string_equal(req.url, cases[i].url);
		assert_true(hl_slice_eq_str(req.body, cases[i].body));
		assert_false(req.is_get);
		assert_true(hl_slice_eq_str(req.headers[1].value, cases[i].login));
		d->ordered(&ch, &order, 200, hl_slice_str(cases[i].answer), &arena, &answer);
		assert_int_equal(answer.outcome, HL_OUT_ACCEPTED);
		assert_true(hl_slice_eq_str(answer.external_id, cases[i].id));
		d->ordered(&ch, &order, 200, HL_LIT("<html>"), &arena, &answer);
		assert_int_equal(answer.outcome, HL_OUT_UNKNOWN);
		d->ordered(&ch, &order, 500, HL_LIT("{}"), &arena, &answer);
		assert_int_equal(answer.outcome, HL_OUT_UNKNOWN);
		d->ordered(&ch, &order, 401, HL_LIT("{}"), &arena, &answer);
		assert_int_equal(answer.outcome, HL_OUT_CONFIG);
		d->ordered(&ch, &order, 400, HL_LIT("{}"), &arena, &answer);
		assert_int_equal(answer.outcome, HL_OUT_REFUSED);
	}
}

/* ---- forms with files ---------------------------------------------------------------- */

#define PART                                                                                                           \
	"--b\r\nContent-Disposition: form-data; name=\"attach_file:rec:x\"; filename=\"r.wav\"\r\nContent-Type: "      \
	"audio/wav\r\n\r\n"

static void parts_of_a_form_are_found_and_broken_ones_refused(void **state)
{
	static const struct {
		const char *type, *body;
		bool is_good;
	} cases[] = {
		{"multipart/form-data; boundary=b", PART "RIFF\r\n--b--\r\n", true},
		{"multipart/form-data; boundary=\"b\"", PART "RIFF\r\n--b--", true},
		{"multipart/form-data", PART "RIFF\r\n--b--", false},
		{"multipart/form-data; boundary=c", PART "RIFF\r\n--b--", false},
		{"multipart/form-data; boundary=b", PART "RIFF", false},
		{"multipart/form-data; boundary=b", PART "RIFF\r\n--b", false},
		{"multipart/form-data; boundary=b", "--b\r\nno end of headers", false},
		{"multipart/form-data; boundary=b", "", false},
		{"multipart/form-data; boundary=b", PART "RIFF\r\n" PART "RIFF\r\n" PART "RIFF\r\n--b--", false},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_part parts[2];
		size_t n;
		bool ok = hl_multipart_parts(hl_slice_str(cases[i].type), hl_slice_str(cases[i].body), parts, 2, &n);

		assert_int_equal(ok, cases[i].is_good);
		if (!ok)
			continue;
		assert_int_equal(n, 1);
		assert_true(hl_slice_eq_str(parts[0].name, "attach_file:rec:x"));
		assert_true(hl_slice_eq_str(parts[0].body, "RIFF"));
		assert_true(hl_slice_eq_str(parts[0].type, "audio/wav"));
	}
}

/* ---- transcripts ----------------------------------------------------------------------- */

static void answers_of_a_transcription_are_judged(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum hl_transcript_next next;
		const char *text;
		bool is_sure, is_doubtful;
	} cases[] = {
		{200, "{\"text\":\"hello\"}", HL_TRANSCRIPT_TAKE, "hello", false, false},
		{200, "{\"text\":\"hello\",\"segments\":[{\"avg_logprob\":-0.1,\"no_speech_prob\":0.01}]}",
		 HL_TRANSCRIPT_TAKE, "hello", true, false},
		{200, "{\"text\":\"hm\",\"segments\":[{\"avg_logprob\":-1.5,\"no_speech_prob\":0.3}]}",
		 HL_TRANSCRIPT_TAKE, "hm", false, true},
		{200,
		 "{\"text\":\"thanks for watching\",\"segments\":[{\"avg_logprob\":-0.1,\"no_speech_prob\":0.95}]}",
		 HL_TRANSCRIPT_TAKE, "", true, false},
		{200, "{\"words\":1}", HL_TRANSCRIPT_LATER, "", false, false},
		{200, "<html>", HL_TRANSCRIPT_LATER, "", false, false},
		{400, "{\"error\":{}}", HL_TRANSCRIPT_NEVER, "", false, false},
		{413, "", HL_TRANSCRIPT_NEVER, "", false, false},
		{401, "", HL_TRANSCRIPT_LATER, "", false, false},
		{429, "", HL_TRANSCRIPT_LATER, "", false, false},
		{500, "", HL_TRANSCRIPT_LATER, "", false, false},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_slice text;
		double confidence;

		assert_int_equal(
			hl_transcript_read(cases[i].status, hl_slice_str(cases[i].body), &arena, &text, &confidence),
			cases[i].next);
		assert_true(hl_slice_eq_str(text, cases[i].text));
		assert_int_equal(confidence > 0.8, cases[i].is_sure);
		assert_int_equal(confidence >= 0 && confidence < 0.6, cases[i].is_doubtful);
	}
}

static void a_recording_is_sent_as_a_form(void **state)
{
	struct hl_part parts[8];
	struct hl_buf out;
	size_t n;

	(void)state;
	hl_buf_init(&out, 10000);
	hl_transcript_body(&out, "whisper-1", "zh-CN", HL_LIT("audio/wav"), HL_LIT("RIFF"));
	assert_true(hl_multipart_parts(HL_LIT(HL_TRANSCRIPT_TYPE), hl_buf_slice(&out), parts, LEN(parts), &n));
	assert_int_equal(n, 4);
	assert_true(hl_slice_eq_str(parts[0].body, "whisper-1") && hl_slice_eq_str(parts[2].body, "zh"));
	assert_true(hl_slice_eq_str(parts[3].name, "file") && hl_slice_eq_str(parts[3].filename, "recording.wav") &&
		    hl_slice_eq_str(parts[3].body, "RIFF"));
	hl_buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_platforms_tell_is_read),
		cmocka_unit_test(what_platforms_are_told_is_written),
		cmocka_unit_test(calls_are_ordered_in_each_dialect),
		cmocka_unit_test(parts_of_a_form_are_found_and_broken_ones_refused),
		cmocka_unit_test(answers_of_a_transcription_are_judged),
		cmocka_unit_test(a_recording_is_sent_as_a_form),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
