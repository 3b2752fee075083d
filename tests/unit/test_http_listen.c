/* test_http_listen.c - addresses, local sockets, who a peer is, descriptors that run out */
#include "http_fixture.h"

#include "hotline/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

static void a_tcp_peer_is_named_by_its_address(void **state)
{
	struct fixture f;
	struct client c;

	(void)state;
	begin_held(&f, &c, &default_options, GET("/"));
	assert_true(hl_slice_eq_str(hl_http_exchange_request(f.held[0])->peer, "127.0.0.1"));
	assert_int_equal(hl_http_exchange_request(f.held[0])->peer_uid, -1);
	echo(f.held[0]);
	end_joined(&f, &c);
}

static void a_local_peer_is_known_by_its_uid(void **state)
{
	struct hl_http_server_options options = default_options;
	char folder[] = "/tmp/hl-http-XXXXXX", path[64], address[80];
	struct fixture f;
	struct client c, d;
	struct hl_error err;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/s", folder);
	snprintf(address, sizeof(address), "unix:%s", path);
	options.max_connections_per_peer = 1;
	begin(&f, &options);
	f.holds = true;
	assert_int_equal(hl_http_server_listen(f.server, address, &err), HL_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	join_local(&f, &c, path);
	join_local(&f, &d, path);
	say(&c, GET("/"));
	say(&d, GET("/"));
	UNTIL(&f, f.n_held == 2);
	assert_int_equal(hl_http_exchange_request(f.held[0])->peer_uid, getuid());
	assert_true(hl_slice_eq_str(hl_http_exchange_request(f.held[0])->peer, "unix"));

	assert_int_equal(hl_http_server_listen(f.server, address, &err), HL_CONFIG);
	assert_non_null(strstr(err.text, "another process serves it"));
	echo(f.held[0]);
	echo(f.held[1]);
	leave(&f, &c);
	leave(&f, &d);
	end(&f);
	assert_int_equal(stat(path, &st), -1);
	rmdir(folder);
}

static void a_dead_socket_is_replaced_and_a_file_is_not(void **state)
{
	char folder[] = "/tmp/hl-http-XXXXXX", address[80];
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct hl_error err;
	struct fixture f;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/s", folder);
	snprintf(address, sizeof(address), "unix:%s/s", folder);
	begin(&f, &default_options);

	fd = open(addr.sun_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	assert_int_equal(hl_http_server_listen(f.server, address, &err), HL_CONFIG);
	assert_non_null(strstr(err.text, "not a socket"));
	unlink(addr.sun_path);

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	assert_int_equal(hl_http_server_listen(f.server, address, &err), HL_OK);
	end(&f);
	rmdir(folder);
}

/* Somebody serves it and is too busy to accept: that is not dead. */
static void a_busy_socket_is_not_replaced(void **state)
{
	char folder[] = "/tmp/hl-http-XXXXXX", address[80];
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct hl_error err;
	struct fixture f;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), waiting[4];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/s", folder);
	snprintf(address, sizeof(address), "unix:%s/s", folder);
	begin(&f, &default_options);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 0), 0);
	for (int i = 0; i < 4; i++) {
		waiting[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(waiting[i], (struct sockaddr *)&addr, sizeof(addr));
	}
	assert_int_equal(hl_http_server_listen(f.server, address, &err), HL_CONFIG);
	assert_non_null(strstr(err.text, "another process serves it"));
	for (int i = 0; i < 4; i++)
		close(waiting[i]);
	close(fd);
	unlink(addr.sun_path);
	end(&f);
	rmdir(folder);
}

static void bad_addresses_are_refused_with_a_reason(void **state)
{
	static const char *const addresses[] = {
		"",
		"127.0.0.1",
		"127.0.0.1:",
		":8080",
		"localhost:8080",
		"127.0.0.1:65536",
		"127.0.0.1:-1",
		"[::1:8080",
		"[127.0.0.1]:1",
		"::1:8080",
		"[::1]8080",
		"unix:",
		"unix:relative",
		"203.0.113.1:0",
	};
	struct fixture f;
	struct hl_error err;
	char busy[32];

	(void)state;
	begin(&f, &default_options);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		assert_int_equal(hl_http_server_listen(f.server, addresses[i], &err), HL_CONFIG);
		assert_int_equal(err.cls, HL_CONFIG);
		assert_non_null(strstr(err.text, "could not listen on"));
	}
	snprintf(busy, sizeof(busy), "127.0.0.1:%d", hl_http_server_port(f.server));
	assert_int_equal(hl_http_server_listen(f.server, busy, &err), HL_CONFIG);
	assert_non_null(strstr(err.text, strerror(EADDRINUSE)));
	end(&f);
}

static void count_lines(void *arg, enum hl_level level, const char *line)
{
	if (level >= HL_WARN && strstr(line, "http.accept_failed"))
		++*(unsigned *)arg;
}

static int take_descriptor(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/* Fault 36: without descriptors the listener rests instead of spinning, and serves again afterwards. */
static void running_out_of_descriptors_neither_spins_nor_floods_the_log(void **state)
{
	struct rlimit before, low;
	struct sockaddr_in addr;
	struct fixture f;
	struct client c;
	unsigned n_lines = 0;
	int waiting[4], taken[512], n_taken = 0;

	(void)state;
	begin(&f, &default_options);
	addr = server_address(&f);
	for (int i = 0; i < 4; i++)
		waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	low = (struct rlimit){.rlim_cur = 256, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	hl_log_set_sink(count_lines, &n_lines);
	while ((taken[n_taken] = take_descriptor(waiting[0])) >= 0)
		n_taken++;
	for (int i = 0; i < 4; i++)
		assert_int_equal(connect(waiting[i], (struct sockaddr *)&addr, sizeof(addr)), 0);

	UNTIL(&f, hl_http_server_stats(f.server)->rejected == 1);
	turn_idly(&f);
	assert_int_equal(hl_http_server_stats(f.server)->rejected, 1);
	UNTIL(&f, hl_http_server_stats(f.server)->rejected == 2);
	assert_int_equal(n_lines, 1);
	assert_true(take_descriptor(waiting[0]) < 0);

	while (n_taken > 0)
		close(taken[--n_taken]);
	setrlimit(RLIMIT_NOFILE, &before);
	join(&f, &c);
	say(&c, GET("/"));
	UNTIL(&f, has_heard(&c, "HTTP/1.1 200 "));
	hl_log_set_sink(NULL, NULL);
	for (int i = 0; i < 4; i++)
		close(waiting[i]);
	end_joined(&f, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tcp_peer_is_named_by_its_address),
		cmocka_unit_test(a_local_peer_is_known_by_its_uid),
		cmocka_unit_test(a_dead_socket_is_replaced_and_a_file_is_not),
		cmocka_unit_test(a_busy_socket_is_not_replaced),
		cmocka_unit_test(bad_addresses_are_refused_with_a_reason),
		cmocka_unit_test(running_out_of_descriptors_neither_spins_nor_floods_the_log),
	};

	return cmocka_run_group_tests_name("http_listen", tests, NULL, NULL);
}
