/* main.c - hotlined: arguments, start order, signals, ordered drain */
#include "hotline/config.h"
#include "hotline/gateway.h"
#include "hotline/log.h"
#include "hotline/media.h"

#include <curl/curl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define EX_CONFIG        78
#define ERRORS_MAX_BYTES (64u << 10)

static const char usage[] = "usage: hotlined -c FILE            run the gateway\n"
			    "       hotlined --check-config -c FILE  read and check the settings, then exit\n"
			    "       hotlined --config-table     print all settings as a Markdown table\n"
			    "       hotlined --help | --version\n";

struct arguments {
	const char *config;
	bool only_check;
};

static int print_table(void)
{
	struct hl_buf out;

	hl_buf_init(&out, ERRORS_MAX_BYTES);
	hl_config_table(&out);
	fputs(hl_buf_str(&out), stdout);
	hl_buf_fini(&out);
	return EXIT_SUCCESS;
}

/* Gives -1 to go on, else the exit code. */
static int read_arguments(int argc, char **argv, struct arguments *a)
{
	static const struct option options[] = {
		{"check-config", no_argument, NULL, 'k'}, {"config-table", no_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},         {"version", no_argument, NULL, 'V'},
		{"config", required_argument, NULL, 'c'}, {NULL, 0, NULL, 0}};
	int opt;

	while ((opt = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
		switch (opt) {
		case 'c':
			a->config = optarg;
			break;
		case 'k':
			a->only_check = true;
			break;
		case 't':
			return print_table();
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		case 'V':
			puts("hotlined 0.1");
			return EXIT_SUCCESS;
		default:
			fputs(usage, stderr);
			return EXIT_FAILURE;
		}
	}
	if (a->config && optind == argc)
		return -1;
	fputs(usage, stderr);
	return EXIT_FAILURE;
}

static struct hl_config *read_config(const char *path)
{
	struct hl_config *config = NULL;
	struct hl_buf errors;

	hl_buf_init(&errors, ERRORS_MAX_BYTES);
	if (hl_config_load(path, &config, &errors) != HL_OK)
		fputs(hl_buf_str(&errors), stderr);
	hl_buf_fini(&errors);
	return config;
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	(void)what;
	hl_log(HL_INFO, "signal", HL_INT("number", sig));
	hl_gateway_drain(arg);
}

static int run(struct hl_loop *loop, const struct hl_config *config)
{
	struct hl_error err = {.text = ""};
	struct gateway *gateway;
	struct event *on_term, *on_int;

	if (hl_gateway_new(loop, config, &gateway, &err) != HL_OK) {
		hl_log(HL_ERROR, "gateway.failed", HL_STR("why", err.text));
		return EX_CONFIG;
	}
	on_term = evsignal_new(hl_loop_base(loop), SIGTERM, on_signal, gateway);
	on_int = evsignal_new(hl_loop_base(loop), SIGINT, on_signal, gateway);
	hl_assert(on_term && on_int);
	event_add(on_term, NULL);
	event_add(on_int, NULL);
	hl_loop_run(loop);
	event_free(on_term);
	event_free(on_int);
	hl_gateway_free(&gateway);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct arguments a = {0};
	struct hl_config *config;
	struct hl_loop *loop;
	enum hl_level level = HL_INFO;
	int rc;

	signal(SIGPIPE, SIG_IGN); /* first of all: a peer that vanishes must not end us */
	umask(077);
	prctl(PR_SET_DUMPABLE, 0); /* secrets and numbers stay out of core files */
	if (argc == 4 && strcmp(argv[1], "--keep") == 0)
		return hl_media_child(argv[2], argv[3]);
	rc = read_arguments(argc, argv, &a);
	if (rc >= 0)
		return rc;
	config = read_config(a.config);
	if (!config)
		return EX_CONFIG;
	if (a.only_check) {
		printf("%s: ok\n", a.config);
		hl_config_free(&config);
		return EXIT_SUCCESS;
	}
	if (hl_log_parse_level(config->log_level, &level))
		hl_log_set_level(level);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	loop = hl_loop_new();
	rc = loop ? run(loop, config) : EXIT_FAILURE;
	hl_loop_free(&loop);
	curl_global_cleanup();
	hl_config_free(&config);
	return rc;
}
