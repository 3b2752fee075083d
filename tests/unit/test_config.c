/* test_config.c - the configuration file: what is read from it, defaults, the table of keys */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "config_fixture.h"

static void an_empty_file_gives_every_default(void **state)
{
	struct hl_config *c = config_ok("");
	char path[128];

	(void)state;
	assert_string_equal(c->listen, "127.0.0.1:8080");
	assert_string_equal(c->public_url, "http://127.0.0.1:8080");
	snprintf(path, sizeof(path), "unix:%s/hotlined.sock", config_dir);
	assert_string_equal(c->admin_listen, path);
	snprintf(path, sizeof(path), "%s/media", config_dir);
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
		config_ok("\xef\xbb\xbf[http]\nlisten = [::1]:9000\npublic_url = https://hotline.example/sms\n"
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
	struct hl_config *c = config_ok(full_channel);
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
	struct hl_config *c = config_ok(full_channel);
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
	struct hl_config *c = config_ok("[operators]\nroot = admin\nli.na = supervisor\n");

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
	struct hl_config *c = config_ok("; one\n# two\n\n  [http]  ; three\n\tlisten = 127.0.0.1:1 ; four\r\n"
					"   header_ms\t=   700   \r\n[media] # five\ndir=m\n");

	(void)state;
	assert_string_equal(c->listen, "127.0.0.1:1");
	assert_int_equal(c->header_ms, 700);
	hl_config_free(&c);
}

static void a_lease_follows_the_send_deadline(void **state)
{
	struct hl_config *c = config_ok("[send]\ndeadline_ms = 20000\n");

	(void)state;
	assert_int_equal(c->lease_ms, 60000);
	hl_config_free(&c);
	config_refuses("[send]\ndeadline_ms = 20000\nlease_ms = 59999\n",
		       "3: [send] lease_ms: must be at least 3 x deadline_ms");
}

static void relative_paths_follow_a_file_named_without_folder(void **state)
{
	struct hl_config *c;
	struct hl_buf errors;
	char back[256];

	(void)state;
	config_write("a.conf", full_channel, 0600);
	assert_non_null(getcwd(back, sizeof(back)));
	assert_int_equal(chdir(config_dir), 0);
	hl_buf_init(&errors, 4096);
	assert_int_equal(hl_config_load("a.conf", &c, &errors), HL_OK);
	assert_string_equal(c->media_dir, "media");
	assert_string_equal(c->admin_listen, "unix:hotlined.sock");
	hl_config_free(&c);
	hl_buf_fini(&errors);
	assert_int_equal(chdir(back), 0);
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
		"| `[channel NAME]` | `provider` | word | must be given | `loopback`, `kannel`, ",
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
		cmocka_unit_test(the_table_is_markdown_with_six_columns),
	};

	return cmocka_run_group_tests(tests, config_setup, config_teardown);
}
