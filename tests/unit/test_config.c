/* test_config.c - the configuration file: defaults, every rule, where errors point */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "hotline/config.h"

#define SECRET_A "aaaaaaaaaaaaaaaaaaaaaaaa"
#define SECRET_B "bbbbbbbbbbbbbbbb"

static char dir[] = "/tmp/hl-config-XXXXXX";
static char conf_path[64];

static void write_file(const char *name, const char *text, mode_t mode)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fputs(text, f) < 0, 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(conf_path, sizeof(conf_path), "%s/a.conf", dir);
	write_file("secret", SECRET_A "\n\n  " SECRET_B " \n", 0600);
	write_file("password", "pass word is wrong, this is not\n", 0600);
	write_file("good-password", "demo-password\nsecond line is ignored\n", 0400);
	write_file("open", SECRET_A "\n", 0640);
	write_file("short", SECRET_A "\n123456789012345\n", 0600);
	write_file("empty", "\n\n", 0600);
	write_file("binary", SECRET_A "\x01\n", 0600);
	return 0;
}

static int drop_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int drop_folder(void **state)
{
	(void)state;
	return nftw(dir, drop_entry, 4, FTW_DEPTH | FTW_PHYS);
}

static enum hl_class load_text(const char *text, struct hl_config **config, struct hl_buf *errors)
{
	write_file("a.conf", text, 0644);
	hl_buf_init(errors, 65536);
	return hl_config_load(conf_path, config, errors);
}

static struct hl_config *load_ok(const char *text)
{
	struct hl_config *config;
	struct hl_buf errors;

	if (load_text(text, &config, &errors))
		fail_msg("refused: %s", hl_buf_str(&errors));
	assert_int_equal(errors.len, 0);
	hl_buf_fini(&errors);
	return config;
}

/* The report must be exactly these lines, each without the file's name; ends with NULL. */
static void expect_refusals(const char *text, const char *const *lines)
{
	struct hl_config *config;
	struct hl_buf errors, expected;

	hl_buf_init(&expected, 65536);
	for (; *lines; lines++)
		hl_buf_printf(&expected, "%s:%s\n", conf_path, *lines);
	assert_int_equal(load_text(text, &config, &errors), HL_CONFIG);
	assert_null(config);
	assert_string_equal(hl_buf_str(&errors), hl_buf_str(&expected));
	hl_buf_fini(&errors);
	hl_buf_fini(&expected);
}

static void refuses(const char *text, const char *line)
{
	expect_refusals(text, (const char *const[]){line, NULL});
}

static void an_empty_file_gives_every_default(void **state)
{
	struct hl_config *c = load_ok("");
	char path[128];

	(void)state;
	assert_string_equal(c->listen, "127.0.0.1:8080");
	assert_string_equal(c->public_url, "http://127.0.0.1:8080");
	snprintf(path, sizeof(path), "unix:%s/hotlined.sock", dir);
	assert_string_equal(c->admin_listen, path);
	snprintf(path, sizeof(path), "%s/media", dir);
	assert_string_equal(c->media_dir, path);
	assert_int_equal(c->header_ms, 5000);
	assert_int_equal(c->body_ms, 15000);
	assert_int_equal(c->idle_ms, 30000);
	assert_int_equal(c->answer_ms, 10000);
	assert_int_equal(c->body_bytes, 65536);
	assert_int_equal(c->header_bytes, 16384);
	assert_int_equal(c->max_connections, 4096);
	assert_int_equal(c->max_connections_per_peer, 256);
	assert_int_equal(c->n_trusted_proxies, 0);
	assert_string_equal(c->conninfo, "host=/var/run/postgresql dbname=hotline");
	assert_int_equal(c->db_deadline_ms, 5000);
	assert_int_equal(c->batch_max, 500);
	assert_string_equal(c->log_level, "info");
	assert_false(c->demo_clock);
	assert_int_equal(c->send_deadline_ms, 10000);
	assert_int_equal(c->send_concurrency, 64);
	assert_int_equal(c->lease_ms, 30000);
	assert_int_equal(c->poll_ms, 1000);
	assert_string_equal(c->region_country, "86");
	assert_string_equal(c->language, "zh-CN");
	assert_int_equal(c->n_channels, 0);
	assert_int_equal(c->n_operators, 0);
	hl_config_free(&c);
	assert_null(c);
	hl_config_free(&c);
}

static void every_global_key_is_read(void **state)
{
	struct hl_config *c =
		load_ok("\xef\xbb\xbf[http]\nlisten = [::1]:9000\npublic_url = https://hotline.example/sms\n"
			"admin_listen = unix:/run/h.sock\ntrusted_proxies = 127.0.0.1, ::1 unix\n"
			"header_ms = 100\nbody_ms = 101\nidle_ms = 102\nanswer_ms = 103\n"
			"body_bytes = 1048576\nheader_bytes = 1024\nmax_connections = 1\n"
			"max_connections_per_peer = 0\n[db]\nconninfo = host=/run dbname=x\n"
			"deadline_ms = 200\nbatch_max = 1\n[media]\ndir = /srv/media\n[log]\nlevel = debug\n"
			"[demo]\nclock = yes\n[send]\ndeadline_ms = 2000\nconcurrency = 3\nlease_ms = 6000\n"
			"poll_ms = 50\n[region]\ncountry = 852\nlanguage = en\n");

	(void)state;
	assert_string_equal(c->listen, "[::1]:9000");
	assert_string_equal(c->public_url, "https://hotline.example/sms");
	assert_string_equal(c->admin_listen, "unix:/run/h.sock");
	assert_int_equal(c->n_trusted_proxies, 3);
	assert_string_equal(c->trusted_proxies[0], "127.0.0.1");
	assert_string_equal(c->trusted_proxies[1], "::1");
	assert_string_equal(c->trusted_proxies[2], "unix");
	assert_int_equal(c->header_ms, 100);
	assert_int_equal(c->body_ms, 101);
	assert_int_equal(c->idle_ms, 102);
	assert_int_equal(c->answer_ms, 103);
	assert_int_equal(c->body_bytes, 1048576);
	assert_int_equal(c->header_bytes, 1024);
	assert_int_equal(c->max_connections, 1);
	assert_int_equal(c->max_connections_per_peer, 0);
	assert_string_equal(c->conninfo, "host=/run dbname=x");
	assert_int_equal(c->db_deadline_ms, 200);
	assert_int_equal(c->batch_max, 1);
	assert_string_equal(c->media_dir, "/srv/media");
	assert_string_equal(c->log_level, "debug");
	assert_true(c->demo_clock);
	assert_int_equal(c->send_deadline_ms, 2000);
	assert_int_equal(c->send_concurrency, 3);
	assert_int_equal(c->lease_ms, 6000);
	assert_int_equal(c->poll_ms, 50);
	assert_string_equal(c->region_country, "852");
	assert_string_equal(c->language, "en");
	hl_config_free(&c);
}

static const char full_channel[] =
	"[region]\ncountry = 852\n[channel sms-1]\nprovider = kannel\nsecret_file = secret\ntrust = high\n"
	"purpose = officer\nfrom = 12345\nsend_url = http://127.0.0.1:13013/cgi-bin/sendsms\nusername = hotline\n"
	"password_file = good-password\nsign = provider\nsignature = 物业热线\nallow = 127.0.0.1\n"
	"[channel loopback]\nprovider = loopback\n";

static void a_channel_is_read_whole(void **state)
{
	struct hl_config *c = load_ok(full_channel);
	const struct hl_channel_config *ch = hl_config_channel(c, HL_LIT("sms-1"));

	(void)state;
	assert_int_equal(c->n_channels, 2);
	assert_non_null(ch);
	assert_string_equal(ch->channel.name, "sms-1");
	assert_string_equal(ch->channel.provider, "kannel");
	assert_ptr_equal(ch->ops, hl_provider_find("kannel"));
	assert_int_equal(ch->trust, HL_TRUST_HIGH);
	assert_string_equal(ch->purpose, "officer");
	assert_true(hl_slice_eq_str(ch->channel.from, "12345"));
	assert_string_equal(ch->channel.send_url, "http://127.0.0.1:13013/cgi-bin/sendsms");
	assert_string_equal(ch->channel.public_url, "http://127.0.0.1:8080");
	assert_string_equal(ch->channel.country, "852");
	assert_string_equal(ch->channel.username, "hotline");
	assert_true(hl_slice_eq_str(ch->channel.password, "demo-password"));
	assert_false(ch->signs_ours);
	assert_string_equal(ch->signature, "物业热线");
	assert_int_equal(ch->n_allow, 1);
	assert_string_equal(ch->allow[0], "127.0.0.1");
	assert_int_equal(ch->channel.n_secrets, 2);
	assert_true(hl_slice_eq_str(ch->channel.secrets[0].value, SECRET_A));
	assert_true(hl_slice_eq_str(ch->channel.secrets[1].value, SECRET_B));
	hl_config_free(&c);
}

static void a_channel_needs_only_a_provider(void **state)
{
	struct hl_config *c = load_ok(full_channel);
	const struct hl_channel_config *ch = hl_config_channel(c, HL_LIT("loopback"));

	(void)state;
	assert_non_null(ch);
	assert_int_equal(ch->trust, HL_TRUST_LOW);
	assert_string_equal(ch->purpose, "all");
	assert_true(ch->signs_ours);
	assert_string_equal(ch->signature, "");
	assert_string_equal(ch->channel.send_url, "");
	assert_string_equal(ch->channel.username, "");
	assert_int_equal(ch->channel.from.len, 0);
	assert_int_equal(ch->channel.n_secrets, 0);
	assert_int_equal(ch->n_allow, 0);
	assert_null(hl_config_channel(c, HL_LIT("sms")));
	hl_config_free(&c);
}

static void operators_map_users_to_roles(void **state)
{
	struct hl_config *c = load_ok("[operators]\nroot = admin\nli.na = supervisor\n");

	(void)state;
	assert_int_equal(c->n_operators, 2);
	assert_string_equal(c->operators[0].os_user, "root");
	assert_string_equal(c->operators[0].role, "admin");
	assert_string_equal(c->operators[1].os_user, "li.na");
	assert_string_equal(c->operators[1].role, "supervisor");
	hl_config_free(&c);
}

static void comments_blanks_and_indentation_do_not_matter(void **state)
{
	struct hl_config *c = load_ok("; one\n# two\n\n  [http]  ; three\n\tlisten = 127.0.0.1:1 ; four\r\n"
				      "   header_ms\t=   700   \r\n[media] # five\ndir=m\n");

	(void)state;
	assert_string_equal(c->listen, "127.0.0.1:1");
	assert_int_equal(c->header_ms, 700);
	hl_config_free(&c);
}

static void relative_paths_follow_a_file_named_without_folder(void **state)
{
	struct hl_config *c;
	struct hl_buf errors;
	char back[256];

	(void)state;
	write_file("a.conf", full_channel, 0600);
	assert_non_null(getcwd(back, sizeof(back)));
	assert_int_equal(chdir(dir), 0);
	hl_buf_init(&errors, 4096);
	assert_int_equal(hl_config_load("a.conf", &c, &errors), HL_OK);
	assert_string_equal(c->media_dir, "media");
	assert_string_equal(c->admin_listen, "unix:hotlined.sock");
	hl_config_free(&c);
	hl_buf_fini(&errors);
	assert_int_equal(chdir(back), 0);
}

static void a_lease_follows_the_send_deadline(void **state)
{
	struct hl_config *c = load_ok("[send]\ndeadline_ms = 20000\n");

	(void)state;
	assert_int_equal(c->lease_ms, 60000);
	hl_config_free(&c);
	refuses("[send]\ndeadline_ms = 20000\nlease_ms = 59999\n",
		"3: [send] lease_ms: must be at least 3 x deadline_ms");
}

static void refusals_of_single_lines(void **state)
{
	static const struct {
		const char *text, *line;
	} cases[] = {
		{"[htp]\nlisten = x\n", "1: [htp] unknown section"},
		{"[channel]\n", "1: [channel] unknown section"},
		{"[log]\n\nlevle = info\n", "3: [log] levle: unknown key"},
		{"[operators x]\n", "1: [operators x] unknown section"},
		{"[log]\nlevel = loud\n", "2: [log] level: must be one of: debug info warn error; is 'loud'"},
		{"[log]\nlevel =\n", "2: [log] level: must not be empty"},
		{"[log]\nlevel = info\nlevel = info\n", "3: [log] level: given twice, first on line 2"},
		{"[log]\n[db]\n[log]\nlevel = info\n", "3: [log] a section of this name is already on line 1"},
		{"[demo]\nclock = true\n", "2: [demo] clock: must be one of: no yes; is 'true'"},
		{"[http]\nheader_ms = 99\n", "2: [http] header_ms: must be a number from 100 to 600000 ms, is '99'"},
		{"[http]\nbody_bytes = 1048577\n",
		 "2: [http] body_bytes: must be a number from 1024 to 1048576 bytes, is '1048577'"},
		{"[http]\nmax_connections = 4k\n",
		 "2: [http] max_connections: must be a number from 1 to 65536, is '4k'"},
		{"[http]\nmax_connections = 99999999999999999999\n",
		 "2: [http] max_connections: must be a number from 1 to 65536, is '99999999999999999999'"},
		{"[http]\nlisten = localhost:80\n",
		 "2: [http] listen: must be HOST:PORT with a numeric host, or unix:PATH, is 'localhost:80'"},
		{"[http]\nlisten = 127.0.0.1\n",
		 "2: [http] listen: must be HOST:PORT with a numeric host, or unix:PATH, is '127.0.0.1'"},
		{"[http]\nlisten = ::1:80\n",
		 "2: [http] listen: must be HOST:PORT with a numeric host, or unix:PATH, is '::1:80'"},
		{"[http]\nlisten = 127.0.0.1:65536\n",
		 "2: [http] listen: must be HOST:PORT with a numeric host, or unix:PATH, is '127.0.0.1:65536'"},
		{"[http]\ntrusted_proxies = 127.0.0.1 10.0.0.0/8\n",
		 "2: [http] trusted_proxies: must be IP addresses or unix, '10.0.0.0/8' is neither"},
		{"[http]\npublic_url = hotline.example\n",
		 "2: [http] public_url: must begin with http:// or https://, is 'hotline.example'"},
		{"[http]\npublic_url = http://\n", "2: [http] public_url: names no host"},
		{"[http]\npublic_url = http://a:b@hotline.example\n", "2: [http] public_url: must not hold a login"},
		{"[http]\npublic_url = http://hotline.example/\n", "2: [http] public_url: must not end in /"},
		{"[http]\npublic_url = http://hot line\n",
		 "2: [http] public_url: must be printable ASCII without blanks or #"},
		{"[region]\ncountry = +86\n", "2: [region] country: must be 1 to 3 digits"},
		{"[region]\ncountry = 8686\n", "2: [region] country: must be at most 3 characters"},
		{"[operators]\nroot = boss\n",
		 "2: [operators] root: must be one of: operator supervisor admin; is 'boss'"},
		{"[operators]\nroot = admin\nroot = admin\n", "3: [operators] root: given twice"},
		{"[operators]\nroot =\n", "2: [operators] root: must be one of: operator supervisor admin; is ''"},
		{"level = info\n", "1: level: stands before the first [section]"},
		{"[log]\nlevel\n", "2: is neither [section] nor key = value"},
		{"[log\n", "1: section line has no ]"},
		{"[log] level = info\n", "1: nothing but a comment may follow ]"},
		{"[log]\nlevel = in\x01"
		 "fo\n",
		 "2: line holds a control character"},
		{"[log]\nlevel = \xff\n", "2: line is not valid UTF-8"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refuses(cases[i].text, cases[i].line);
}

static void refusals_of_channels(void **state)
{
	static const struct {
		const char *rest, *line;
	} cases[] = {
		{"", "1: [channel x] provider: must be given"},
		{"provider = smoke\n",
		 "2: [channel x] provider: unknown provider 'smoke', must be one of: loopback kannel"},
		{"provider = kannel\n",
		 "1: [channel x] secret_file: must be given: the provider's webhook has no other protection"},
		{"provider = loopback\ntrust = some\n", "3: [channel x] trust: must be one of: low high; is 'some'"},
		{"provider = loopback\npurpose = me\n",
		 "3: [channel x] purpose: must be one of: all resident officer bulk; is 'me'"},
		{"provider = loopback\nsign = us\n", "3: [channel x] sign: must be one of: provider ours; is 'us'"},
		{"provider = loopback\nsignature = 【热线】\n",
		 "3: [channel x] signature: must be written without 【】"},
		{"provider = loopback\nsend_url = http://127.0.0.1:1/\n",
		 "1: [channel x] from: must be given when the channel sends"},
		{"provider = loopback\nsend_url = sink\n",
		 "3: [channel x] send_url: must begin with http:// or https://, is 'sink'"},
		{"provider = loopback\nsend_url = http://127.0.0.1:1/\nfrom = 12345\n[http]\nlisten = unix:w\n",
		 "3: [channel x] send_url: needs [http] public_url: it does not follow from listen"},
		{"provider = loopback\nsend_url = http://127.0.0.1:1/\nfrom = 12345\n[http]\nlisten = 0.0.0.0:80\n",
		 "3: [channel x] send_url: needs [http] public_url: it does not follow from listen"},
		{"provider = kannel\nsecret_file = secret\nsend_url = http://127.0.0.1:1/\nfrom = 12345\nusername = "
		 "u\n",
		 "1: [channel x] password_file: must be given when the channel sends"},
		{"provider = kannel\nsecret_file = secret\nsend_url = http://127.0.0.1:1/\nfrom = 12345\n"
		 "password_file = good-password\n",
		 "1: [channel x] username: must be given when the channel sends"},
		{"provider = loopback\nprovider = loopback\n", "3: [channel x] provider: given twice, first on line 2"},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "[channel x]\n%s", cases[i].rest);
		refuses(text, cases[i].line);
	}
	refuses("[channel A]\nprovider = loopback\n", "1: [channel A] name must be 1 to 32 of a-z 0-9 _ -");
	refuses("[channel a/b]\nprovider = loopback\n", "1: [channel a/b] name must be 1 to 32 of a-z 0-9 _ -");
	refuses("[channel x]\nprovider = loopback\n[channel x]\nprovider = loopback\n",
		"3: [channel x] a section of this name is already on line 1");
}

static void refusals_of_private_files(void **state)
{
	static const struct {
		const char *key, *file, *rule;
	} cases[] = {
		{"secret_file", "missing", "cannot be opened: No such file or directory"},
		{"secret_file", "open", "file mode is 640, must give nothing to group and others (chmod 600)"},
		{"secret_file", "short", "secret 2 of the file must be at least 16 bytes"},
		{"secret_file", "empty", "file holds no secret"},
		{"secret_file", "binary", "secret 1 of the file must be printable ASCII without blanks"},
		{"secret_file", ".", "is not a regular file"},
		{"password_file", "open", "file mode is 640, must give nothing to group and others (chmod 600)"},
		{"password_file", "empty", "first line must be a password of printable ASCII without blanks"},
		{"password_file", "password", "first line must be a password of printable ASCII without blanks"},
	};
	char text[256], line[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "[channel x]\nprovider = loopback\n%s = %s\n", cases[i].key,
			 cases[i].file);
		snprintf(line, sizeof(line), "3: [channel x] %s: %s/%s: %s", cases[i].key, dir, cases[i].file,
			 cases[i].rule);
		refuses(text, line);
	}
}

static void a_refusal_never_shows_a_secret(void **state)
{
	struct hl_config *config;
	struct hl_buf errors;

	(void)state;
	assert_int_equal(load_text("[channel x]\nprovider = kannel\nsecret_file = short\npassword_file = password\n",
				   &config, &errors),
			 HL_CONFIG);
	assert_null(strstr(hl_buf_str(&errors), SECRET_A));
	assert_null(strstr(hl_buf_str(&errors), "123456789012345"));
	assert_null(strstr(hl_buf_str(&errors), "pass word"));
	hl_buf_fini(&errors);
}

static void all_errors_are_told_at_once(void **state)
{
	(void)state;
	expect_refusals(
		"[http]\nlisten = 127.0.0.1:1\nfoo = 1\nheader_ms = x\n[channel a]\nprovider = kannel\n[nope]\n"
		"[send]\nlease_ms = 3000\nrubbish\n",
		(const char *const[]){
			"10: is neither [section] nor key = value", "7: [nope] unknown section",
			"3: [http] foo: unknown key",
			"4: [http] header_ms: must be a number from 100 to 600000 ms, is 'x'",
			"9: [send] lease_ms: must be at least 3 x deadline_ms",
			"5: [channel a] secret_file: must be given: the provider's webhook has no other protection",
			NULL});
}

static void long_lines_are_refused_not_cut(void **state)
{
	char text[400] = "[db]\nconninfo = ";
	struct hl_config *c;
	size_t len = strlen(text);

	(void)state;
	memset(text + len, 'a', 199 - strlen("conninfo = "));
	c = load_ok(text);
	assert_int_equal(strlen(c->conninfo), 199 - strlen("conninfo = "));
	hl_config_free(&c);
	memset(text + len, 'a', 200 - strlen("conninfo = "));
	refuses(text, "2: line is longer than 199 bytes");
	memset(text, 0, sizeof(text));
	memset(text, 'a', 60);
	text[0] = '[';
	text[59] = ']';
	refuses(text, "1: section name is longer than 48 bytes");
}

static void long_socket_paths_are_refused(void **state)
{
	char text[256] = "[http]\nlisten = unix:/", line[256];
	struct hl_config *c;
	size_t len = strlen(text);

	(void)state;
	memset(text + len, 's', 99);
	c = load_ok(text);
	hl_config_free(&c);
	memset(text + len, 's', 100);
	snprintf(line, sizeof(line), "2: [http] listen: path of a socket must be at most 100 bytes, is '%s'",
		 strchr(text, '/'));
	refuses(text, line);
	refuses("[http]\nlisten = unix:\n", "2: [http] listen: names no path behind unix:");
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
	struct hl_config *c;
	struct hl_buf errors;

	(void)state;
	hl_buf_init(&errors, 4096);
	assert_int_equal(hl_config_load("/nowhere/a.conf", &c, &errors), HL_CONFIG);
	assert_null(c);
	assert_string_equal(hl_buf_str(&errors), "/nowhere/a.conf: cannot be opened: No such file or directory\n");
	hl_buf_fini(&errors);
}

static void the_table_is_markdown_with_six_columns(void **state)
{
	static const char *const rows[] = {
		"| section | key | type | default | range | help |\n|---|---|---|---|---|---|\n",
		"| `[http]` | `listen` | address | `127.0.0.1:8080` | `HOST:PORT` or `unix:PATH` | where webhooks "
		"arrive |\n",
		"| `[http]` | `body_bytes` | number | `65536` | 1024 to 1048576 bytes | largest body, beyond it 413 "
		"|\n",
		"| `[send]` | `lease_ms` | number | 3 x `deadline_ms` | 3000 to 3600000 ms | how long a notice belongs "
		"to one"
		" daemon, at least 3 x `deadline_ms` |\n",
		"| `[channel NAME]` | `provider` | word | must be given | `loopback`, `kannel` |",
		"| `[channel NAME]` | `trust` | word | `low` | `low`, `high` |",
		"| `[operators]` | `USER` | word |  | `operator`, `supervisor`, `admin` |",
	};
	struct hl_buf table;
	size_t n_bars = 0;

	(void)state;
	hl_buf_init(&table, 65536);
	hl_config_table(&table);
	assert_false(hl_buf_failed(&table));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!strstr(hl_buf_str(&table), rows[i]))
			fail_msg("no row: %s\n%s", rows[i], hl_buf_str(&table));
	}
	for (size_t i = 0; i < table.len; i++) {
		n_bars += table.ptr[i] == '|';
		if (table.ptr[i] == '\n') {
			assert_int_equal(n_bars, 7);
			n_bars = 0;
		}
	}
	hl_buf_fini(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_gives_every_default),
		cmocka_unit_test(every_global_key_is_read),
		cmocka_unit_test(a_channel_is_read_whole),
		cmocka_unit_test(a_channel_needs_only_a_provider),
		cmocka_unit_test(operators_map_users_to_roles),
		cmocka_unit_test(comments_blanks_and_indentation_do_not_matter),
		cmocka_unit_test(relative_paths_follow_a_file_named_without_folder),
		cmocka_unit_test(a_lease_follows_the_send_deadline),
		cmocka_unit_test(refusals_of_single_lines),
		cmocka_unit_test(refusals_of_channels),
		cmocka_unit_test(refusals_of_private_files),
		cmocka_unit_test(a_refusal_never_shows_a_secret),
		cmocka_unit_test(all_errors_are_told_at_once),
		cmocka_unit_test(long_lines_are_refused_not_cut),
		cmocka_unit_test(long_socket_paths_are_refused),
		cmocka_unit_test(a_file_that_cannot_be_read_is_named),
		cmocka_unit_test(the_table_is_markdown_with_six_columns),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
