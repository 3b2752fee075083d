/* test_config_refusals.c - every rule of the configuration file, and where a refusal points */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "config_fixture.h"

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
		{"[send]\ndeadline_ms = 20000\nlease_ms = 59999\n",
		 "3: [send] lease_ms: must be at least 3 x deadline_ms"},
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
		config_refuses(cases[i].text, cases[i].line);
}

/* The refusal lists the providers there are. */
static void unknown_provider_line(char *line, size_t n_bytes)
{
	size_t n =
		(size_t)snprintf(line, n_bytes, "2: [channel x] provider: unknown provider 'smoke', must be one of:");

	for (size_t i = 0; hl_provider_at(i); i++)
		n += (size_t)snprintf(line + n, n_bytes - n, " %s", hl_provider_at(i)->name);
}

static void refusals_of_channels(void **state)
{
	static const struct {
		const char *rest, *line;
	} cases[] = {
		{"", "1: [channel x] provider: must be given"},
		{"provider = loopback\nsecret_file = short\n",
		 "3: [channel x] secret_file: secret 2 of the file must be at least 16 bytes"},
		{"provider = loopback\nscheme = twilio\n", "3: [channel x] scheme: unknown key"},
		{"provider = twilio\nsecret_file = secret\nscheme = other\n",
		 "4: [channel x] scheme: must be one of: twilio signalwire; is 'other'"},
		{"scheme = twilio\nsecret_file = secret\nprovider = twilio\nscheme = twilio\n",
		 "5: [channel x] scheme: given twice, first on line 2"},
		{"provider = twilio\nsecret_file = secret\nsend_url = https://a/b\nfrom = 12345\n",
		 "1: [channel x] username: must be given: send_url names no account (.../Accounts/SID/...)"},
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
		{"provider = standard\nsecret_file = whsec\n",
		 "3: [channel x] secret_file: secret 1 of the file must be whsec_ and base64"},
		{"provider = loopback\nprovider = loopback\n", "3: [channel x] provider: given twice, first on line 2"},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "[channel x]\n%s", cases[i].rest);
		config_refuses(text, cases[i].line);
	}
	unknown_provider_line(text, sizeof(text));
	config_refuses("[channel x]\nprovider = smoke\n", text);
	config_refuses("[routes]\nofficer = a b\n[channel a]\nprovider = loopback\n",
		       "2: [routes] officer: there is no [channel b]");
	config_refuses("[channel A]\nprovider = loopback\n", "1: [channel A] name must be 1 to 32 of a-z 0-9 _ -");
	config_refuses("[channel a/b]\nprovider = loopback\n", "1: [channel a/b] name must be 1 to 32 of a-z 0-9 _ -");
	config_refuses("[channel x]\nprovider = loopback\n[channel x]\nprovider = loopback\n",
		       "3: [channel x] a section of this name is already on line 1");
}

static void refusals_of_private_files(void **state)
{
	static const struct {
		const char *key, *file, *rule;
	} cases[] = {
		{"secret_file", "missing", "cannot be opened: No such file or directory"},
		{"secret_file", "open", "file mode is 640, must give nothing to group and others (chmod 600)"},
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
		snprintf(line, sizeof(line), "3: [channel x] %s: %s/%s: %s", cases[i].key, config_dir, cases[i].file,
			 cases[i].rule);
		config_refuses(text, line);
	}
}

static void a_refusal_never_shows_a_secret(void **state)
{
	struct hl_config *config;
	struct hl_buf errors;

	(void)state;
	assert_int_equal(config_load("[channel x]\nprovider = kannel\nsecret_file = short\npassword_file = password\n",
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
	config_refuses_all(
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
	c = config_ok(text);
	assert_int_equal(strlen(c->conninfo), 199 - strlen("conninfo = "));
	hl_config_free(&c);
	memset(text + len, 'a', 200 - strlen("conninfo = "));
	config_refuses(text, "2: line is longer than 199 bytes");
	memset(text, 0, sizeof(text));
	memset(text, 'a', 60);
	text[0] = '[';
	text[59] = ']';
	config_refuses(text, "1: section name is longer than 48 bytes");
}

static void long_socket_paths_are_refused(void **state)
{
	char text[256] = "[http]\nlisten = unix:/", line[256];
	struct hl_config *c;
	size_t len = strlen(text);

	(void)state;
	memset(text + len, 's', 99);
	c = config_ok(text);
	hl_config_free(&c);
	memset(text + len, 's', 100);
	snprintf(line, sizeof(line), "2: [http] listen: path of a socket must be at most 100 bytes, is '%s'",
		 strchr(text, '/'));
	config_refuses(text, line);
	config_refuses("[http]\nlisten = unix:\n", "2: [http] listen: names no path behind unix:");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals_of_single_lines),      cmocka_unit_test(refusals_of_channels),
		cmocka_unit_test(refusals_of_private_files),     cmocka_unit_test(a_refusal_never_shows_a_secret),
		cmocka_unit_test(all_errors_are_told_at_once),   cmocka_unit_test(long_lines_are_refused_not_cut),
		cmocka_unit_test(long_socket_paths_are_refused), cmocka_unit_test(a_file_that_cannot_be_read_is_named),
	};

	return cmocka_run_group_tests(tests, config_setup, config_teardown);
}
