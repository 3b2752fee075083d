/* main.c - hotlinectl: the operator's hand. Finds the command, its options and its configuration. */
#include "ctl.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ERRORS_MAX_BYTES (64u << 10)

static const struct command {
	const char *name, *arguments, *help;
	int (*run)(struct ctl *ctl);
} commands[] = {
	{"text", "FROM TEXT [--id ID]",
	 "hand a message to the loopback channel as a provider would, show every SMS it leads to", cmd_text},
	{"phone", "NUMBER", "show a phone's inbox", cmd_phone},
	{"case", "CODE", "show a case: stages, tasks, limits, events, notices", cmd_case},
	{"photos", "CASE [--out FOLDER]", "photos and recordings of a case, and those that could not be had; --out: into files",
	 cmd_photos},
	{"explain", "CASE", "why it got its type, urgency, unit and place: rules, words, versions; and who changed it since",
	 cmd_explain},
	{"ask-photo", "CASE [--why TEXT]", "ask the reporters of a case for photos, with a link each", cmd_ask_photo},
	{"verify-number", "NUMBER", "send a fresh code to a contact whose number is not proven yet", cmd_verify_number},
	{"tick", "--to TIME", "move the demo clock (HH:MM, +90m, +4h, +2d or ISO 8601), stopping at every due instant",
	 cmd_tick},
	{"talk", "FILE ...",
	 "replay who said what when, in a transaction that is rolled back, and compare with what is expected (see "
	 "tests/transcripts)",
	 cmd_talk},
	{"review", "",
	 "what waits for an operator, with the limit of each: reports, results, requests, reporters to be heard",
	 cmd_review},
	{"contacts", "[--dead]", "who acts for the units, and each one's last sign of life; --dead: who gives none",
	 cmd_contacts},
	{"notices", "[--held] [--state STATE]",
	 "texts that are held back and why, or all in a state (queued, unknown, ...)", cmd_notices},
	{"quarantine", "[ID] | done ID --why TEXT",
	 "what could not be stored or understood and was set aside; one of them whole; say what became of it", cmd_quarantine},
	{"assign", "CASE TYPE | CASE --unit UNIT [--type TYPE] [--urgency U] [--at PLACE] [--why TEXT]",
	 "class a case and give it to the units of its type, or to that unit", cmd_move},
	{"place", "CASE --at PLACE [--why TEXT] | TEXT",
	 "say where a case is; with a text alone: find compound, building and room in it, no database", cmd_place_case},
	{"accept", "CASE [--why TEXT]", "agree that a case is done: it is closed and the reporters hear it", cmd_move},
	{"redo", "CASE --why TEXT", "send a result back, with a new limit; at most twice", cmd_move},
	{"grant", "CODE | CASE [--kind handback|extend|assist|reopen] [--unit UNIT] --why TEXT",
	 "grant what is asked for", cmd_move},
	{"refuse", "CODE | CASE [--kind ...] --why TEXT",
	 "refuse what is asked for; without a request: not a matter of this hotline", cmd_move},
	{"merge", "CASE INTO --why TEXT", "make a case part of another: its reporters hear that one's outcome",
	 cmd_move},
	{"wait", "CASE [--ask TEXT] --why TEXT", "ask the reporters; clocks of normal tasks stand still", cmd_move},
	{"resume", "CASE [--why TEXT]", "end the wait: clocks go on with what was left", cmd_move},
	{"reopen", "CASE --why TEXT", "begin a closed case anew; at most twice", cmd_move},
	{"withdraw", "CASE --why TEXT", "end a case without a result; the units are told", cmd_move},
	{"task", "add CASE UNIT --co [--days N] --why TEXT", "let another unit help", cmd_move},
	{"rollcall", "CASE --at TIME --place TEXT",
	 "call all units of a case to a place; who does not text 到 is absent", cmd_move},
	{"stage", "CASE photo|stopped [--why TEXT]", "note that the violation was photographed or stopped", cmd_move},
	{"agenda", "[settle CASE --why TEXT]", "what the next joint meeting talks about; settle: it has", cmd_agenda},
	{"ledger",
	 "--from DAY --to DAY [--unit U] [--type T] [--state S] [--subdistrict U] [--csv [--sheet tasks] | --xlsx] "
	 "[--out FILE] [--with-reporters --why TEXT]",
	 "cases and tasks with every limit met or missed; reporters are masked and every export is logged", cmd_ledger},
	{"form", "CASE --pdf | --html [--copy office|reporter|receiver|all] [--out FILE] [--with-reporters --why TEXT]",
	 "the report form of a case, filled from its history", cmd_form},
	{"verify", "[--head HASH]", "check every history chain; compare with a head kept on paper", cmd_verify},
	{"rollup", "", "roll all heads up into one hash, for the paper file", cmd_rollup},
	{"channels", "", "how each channel fares: health, breaker, budget, last error", cmd_channels},
	{"channel", "test NAME --to NUMBER [--wait SECONDS]",
	 "send a real text by this channel and wait for its receipt (60 s)", cmd_channel},
	{"idle", "", "is anything due still on its way?", cmd_idle},
	{"import", "all DIR | KIND FILE... | --history [KIND]  [--dry-run] [--vouched] [--why TEXT]",
	 "bring reference data (.json, .csv; a calendar also as .ics) into the database, or show the difference: units "
	 "duties "
	 "limits rules model compounds calendar templates grammar ladder flow contacts roster",
	 cmd_import},
	{"export", "KIND [--csv | --json]", "print reference data so that import takes it back", cmd_export},
	{"replay", "--since DATE --duties FILE | --limits FILE | --history",
	 "past cases decided again: which would have gone elsewhere or got another limit; --history: every limit and rung "
	 "computed again from the history, and what differs",
	 cmd_replay},
	{"migrate", "[--owner ROLE] [--schema DIR]", "bring the database to this program's schema", cmd_migrate},
	{"calls", "[--live]", "the last calls, or those that go on: who calls, where in the flow, his open cases", cmd_calls},
	{"callbacks", "[--all] [--out FOLDER]",
	 "whom an operator must call, by when and why; --all: those done as well; --out: what they said into files",
	 cmd_callbacks},
	{"callback", "done ID --why TEXT", "say what came of a call-back", cmd_callback},
	{"flow", "check FILE | --graph [FILE]",
	 "check a call flow: every outcome leads on, nothing turns for ever; --graph: draw it as DOT (Graphviz); no database",
	 cmd_flow},
	{"law", "[case|task] --table | --graph | --picture",
	 "the legal moves: Markdown, DOT (Graphviz), Mermaid; --json the moves; no database", cmd_law},
	{"classify", "< JSONL | --evaluate FILE [--except FILE]",
	 "{\"id\",\"title\",\"text\"} per line -> case type, unit, urgency; or the figures on a labelled file, of rules "
	 "alone and with the model; no database",
	 cmd_classify},
	{"train", "--from FILE | --from-cases [--days N]  [--to FILE] [--report] [--without-rules]",
	 "learn the model from labelled texts, no database; or adapt it to what operators settled; print the held-out report",
	 cmd_train},
	{"parse", "< JSONL", "{\"id\",\"who\",\"text\",\"open_codes\"} per line -> verb, code, arguments; no database",
	 cmd_parse},
	{"templates", "[--lint]",
	 "what each text costs, filled with examples; --lint: only what is too long; no database", cmd_templates},
	{"segments", "< TEXT", "encoding, units and parts of a text; no database", cmd_segments},
	{"limit", "--from TIME --working-hours N | --working-days N | --minutes N [--calendar NAME] [--explain]",
	 "when a limit ends, and every boundary on the way; no database", cmd_limit},
};

static void print_help(FILE *out)
{
	fputs("usage: hotlinectl [-c FILE] [--json] COMMAND ...\n\n", out);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-9s %s\n            %s\n", commands[i].name, commands[i].arguments, commands[i].help);
	fputs("\nThe configuration is -c FILE, else $HOTLINE_CONF, else var/hotlined.conf. --ref DIR names the\n"
	      "folder of reference files (default schema/ref, here or beside the program's folder). --json prints "
	      "JSON. Failure is a non-zero exit "
	      "status.\n",
	      out);
}

int ctl_fail(const struct ctl *ctl, const char *fmt, ...)
{
	char text[600];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (ctl->as_json) {
		json_t *o = json_pack("{s:s}", "error", text);

		ctl_print(o);
		json_decref(o);
	}
	fprintf(stderr, "hotlinectl: %s\n", text);
	return CTL_FAILED;
}

/* Options without a value. */
// clang-format off: one a line
static const char *const flags[] = {
	"--all",  "--live", "--co",   "--csv",  "--dead", "--dry-run", "--explain", "--graph", "--held",           "--history",
	"--html", "--json", "--lint", "--pdf",     "--picture", "--table", "--vouched", "--with-reporters", "--xlsx",
	"--report", "--from-cases", "--without-rules",
};
// clang-format on

static bool takes_value(const char *word)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (strcmp(word, flags[i]) == 0)
			return false;
	return strncmp(word, "--", 2) == 0;
}

bool ctl_flag(const struct ctl *ctl, const char *name)
{
	for (int i = 0; i < ctl->argc; i++)
		if (strcmp(ctl->argv[i], name) == 0)
			return true;
	return false;
}

const char *ctl_option(const struct ctl *ctl, const char *name)
{
	for (int i = 0; i + 1 < ctl->argc; i++)
		if (strcmp(ctl->argv[i], name) == 0)
			return ctl->argv[i + 1];
	return NULL;
}

const char *ctl_word(const struct ctl *ctl, int n)
{
	for (int i = 0; i < ctl->argc; i++) {
		if (strncmp(ctl->argv[i], "--", 2) == 0)
			i += takes_value(ctl->argv[i]);
		else if (n-- == 0)
			return ctl->argv[i];
	}
	return NULL;
}

void ctl_print(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	fputc('\n', stdout);
}

const struct hl_config *ctl_config(struct ctl *ctl)
{
	struct hl_buf errors;

	if (ctl->config)
		return ctl->config;
	hl_buf_init(&errors, ERRORS_MAX_BYTES);
	if (hl_config_load(ctl->config_path, &ctl->config, &errors) != HL_OK)
		ctl_fail(ctl, "%s", hl_buf_str(&errors));
	hl_buf_fini(&errors);
	return ctl->config;
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (name && strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* Options may stand before or behind the command. Gives the index of the command's name. */
static int read_options(struct ctl *ctl, int argc, char **argv)
{
	int at = 1;

	while (at < argc && argv[at][0] == '-') {
		if (strcmp(argv[at], "-c") == 0 && at + 1 < argc)
			ctl->config_path = argv[++at];
		else if (strcmp(argv[at], "--json") == 0)
			ctl->as_json = true;
		else if (strcmp(argv[at], "--ref") == 0 && at + 1 < argc)
			ctl->ref_dir = argv[++at];
		else
			break;
		at++;
	}
	for (int i = at; i < argc; i++)
		if (strcmp(argv[i], "--json") == 0)
			ctl->as_json = true;
	return at;
}

/* schema/ref here, else beside the folder of the program: the commands that need no database work from anywhere. */
static const char *shipped_ref_dir(char *path, size_t path_bytes)
{
	static const char here[] = "schema/ref", beside[] = "/../schema/ref";
	ssize_t n = readlink("/proc/self/exe", path, path_bytes - sizeof(beside));
	char *slash;

	if (access(here, R_OK) == 0 || n <= 0)
		return here;
	path[n] = '\0';
	slash = strrchr(path, '/');
	memcpy(slash ? slash : path, beside, sizeof(beside));
	return access(path, R_OK) == 0 ? path : here;
}

int main(int argc, char **argv)
{
	char ref_dir[4096];
	const char *env = getenv("HOTLINE_CONF");
	struct ctl ctl = {.config_path = env ? env : "var/hotlined.conf",
			  .ref_dir = shipped_ref_dir(ref_dir, sizeof(ref_dir)),
			  .all_argv = argv};
	int at = read_options(&ctl, argc, argv), rc;
	const struct command *command = at < argc ? find(argv[at]) : NULL;

	signal(SIGPIPE, SIG_IGN);
	if (at < argc && (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)) {
		print_help(stdout);
		return CTL_OK;
	}
	if (!command) {
		if (at < argc)
			fprintf(stderr, "hotlinectl: no such command: %s\n", argv[at]);
		print_help(stderr);
		return CTL_USAGE;
	}
	ctl.name = command->name;
	ctl.argc = argc - at - 1;
	ctl.argv = argv + at + 1;
	if (ctl_option(&ctl, "--ref"))
		ctl.ref_dir = ctl_option(&ctl, "--ref");
	ctl.why = ctl_option(&ctl, "--why");
	curl_global_init(CURL_GLOBAL_DEFAULT);
	rc = command->run(&ctl);
	if (rc == CTL_USAGE)
		fprintf(stderr, "usage: hotlinectl %s %s\n", command->name, command->arguments);
	hl_config_free(&ctl.config);
	curl_global_cleanup();
	return rc;
}
