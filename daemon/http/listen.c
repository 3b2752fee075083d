/* listen.c - listening sockets of the HTTP server, TCP and local
 *
 * Owns the sockets and, for a local one, its name in the file system. Must not know HTTP.
 * When descriptors run out the listener pauses: accepting again at once would spin a core
 * and flood the log (libevent issue 71, measured).
 * Limits: numeric addresses only; an IPv6 listener takes IPv6 peers only.
 */
#include "http/server_internal.h"

#include "hotline/clock.h"
#include "hotline/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PAUSE_US         (100 * HL_US_PER_MS)
#define COMPLAIN_US      HL_US_PER_S
#define MAX_ADDRESS      80
#define LOCAL_PREFIX     "unix:"
#define SOCKET_FLAGS     (SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)
#define LISTENER_OPTIONS (LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC)

static void set_nodelay(int fd)
{
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

static void on_tcp(struct evconnlistener *ev, evutil_socket_t fd, struct sockaddr *addr, int len, void *arg)
{
	struct hl_http_listener *listener = arg;
	char peer[INET6_ADDRSTRLEN] = "unknown";

	(void)ev;
	(void)len;
	if (addr->sa_family == AF_INET)
		inet_ntop(AF_INET, &((struct sockaddr_in *)(void *)addr)->sin_addr, peer, sizeof(peer));
	else if (addr->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((struct sockaddr_in6 *)(void *)addr)->sin6_addr, peer, sizeof(peer));
	set_nodelay(fd);
	hl_http_server_accepted(listener->server, fd, peer, -1);
}

static void on_local(struct evconnlistener *ev, evutil_socket_t fd, struct sockaddr *addr, int len, void *arg)
{
	struct hl_http_listener *listener = arg;
	struct ucred cred;
	socklen_t cred_len = sizeof(cred);

	(void)ev;
	(void)addr;
	(void)len;
	/* Without an identity a local peer has no rights at all, so it is not served. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &cred_len) != 0)
		close(fd);
	else
		hl_http_server_accepted(listener->server, fd, "unix", (int64_t)cred.uid);
}

static void complain(struct hl_http_server *server, int error)
{
	int64_t now_us = hl_mono_us();

	server->n_unsaid++;
	if (server->complained_us != 0 && now_us - server->complained_us < COMPLAIN_US)
		return;
	hl_log(HL_WARN, "http.accept_failed", HL_STR("reason", strerror(error)), HL_INT("times", server->n_unsaid));
	server->complained_us = now_us;
	server->n_unsaid = 0;
}

/* With the reserve descriptor one waiting peer is accepted and closed, so that it learns now instead of waiting
 * in the queue for as long as we are out of descriptors. */
static void turn_one_away(struct hl_http_server *server, int listen_fd)
{
	int fd;

	if (server->reserve_fd < 0)
		return;
	close(server->reserve_fd);
	fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0) {
		server->stats.accepted++;
		server->stats.rejected++;
		close(fd);
	}
	server->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void on_accept_error(struct evconnlistener *ev, void *arg)
{
	struct hl_http_listener *listener = arg;
	int error = errno;

	complain(listener->server, error);
	if (error == EMFILE || error == ENFILE)
		turn_one_away(listener->server, evconnlistener_get_fd(ev));
	evconnlistener_disable(ev);
	hl_timer_start(&listener->retry, PAUSE_US);
}

static void on_pause_end(void *arg)
{
	struct hl_http_listener *listener = arg;
	struct hl_http_server *server = listener->server;

	if (server->reserve_fd < 0)
		server->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	evconnlistener_enable(listener->ev);
}

/* Splits "host:port" or "[host]:port" into a socket address; gives its length, 0 when it is neither. */
static socklen_t read_address(const char *text, struct sockaddr_storage *addr_r)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)addr_r;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)addr_r;
	const char *colon = strrchr(text, ':');
	size_t host_len = colon ? (size_t)(colon - text) : 0;
	char host[MAX_ADDRESS] = "";
	uint64_t port;

	*addr_r = (struct sockaddr_storage){0};
	if (host_len == 0 || host_len >= sizeof(host) || !hl_slice_u64(hl_slice_str(colon + 1), &port) || port > 65535)
		return 0;
	memcpy(host, text, host_len);
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		return sizeof(*v4);
	}
	if (host[0] != '[' || host[host_len - 1] != ']')
		return 0;
	host[host_len - 1] = '\0';
	if (inet_pton(AF_INET6, host + 1, &v6->sin6_addr) != 1)
		return 0;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)port);
	return sizeof(*v6);
}

static int fail(struct hl_error *err, const char *address, const char *reason)
{
	hl_fail(err, HL_CONFIG, "could not listen on %s: %s", address, reason);
	return -1;
}

static int open_tcp(const char *address, struct hl_error *err)
{
	struct sockaddr_storage addr;
	socklen_t len = read_address(address, &addr);
	int fd;

	if (len == 0)
		return fail(err, address, "not of the form 127.0.0.1:8080, [::1]:8080 or unix:/path");
	fd = socket(addr.ss_family, SOCKET_FLAGS, 0);
	if (fd < 0)
		return fail(err, address, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (addr.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int));
	if (bind(fd, (struct sockaddr *)&addr, len) == 0)
		return fd;
	fail(err, address, strerror(errno));
	close(fd);
	return -1;
}

static int port_of(int fd)
{
	struct sockaddr_storage addr = {0};
	socklen_t len = sizeof(addr);

	if (getsockname(fd, (struct sockaddr *)&addr, &len) != 0)
		return 0;
	return addr.ss_family == AF_INET ? ntohs(((struct sockaddr_in *)(void *)&addr)->sin_port)
					 : ntohs(((struct sockaddr_in6 *)(void *)&addr)->sin6_port);
}

/* A name left by a process that died may go; a file that is no socket, or a socket that somebody serves, may not.
 * Gives NULL when the name is free, else the reason. */
static const char *clear_name(const struct sockaddr_un *addr)
{
	struct stat st;
	bool is_dead;
	int fd;

	if (lstat(addr->sun_path, &st) != 0)
		return errno == ENOENT ? NULL : strerror(errno);
	if (!S_ISSOCK(st.st_mode))
		return "exists and is not a socket";
	fd = socket(AF_UNIX, SOCKET_FLAGS, 0);
	if (fd < 0)
		return strerror(errno);
	is_dead = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) != 0 && errno == ECONNREFUSED;
	close(fd);
	if (!is_dead)
		return "another process serves it";
	return unlink(addr->sun_path) == 0 ? NULL : strerror(errno);
}

/* The mode comes from the umask, so there is no moment in which others could connect. */
static int bind_private(int fd, const struct sockaddr_un *addr)
{
	mode_t before = umask(S_IRWXG | S_IRWXO | S_IXUSR);
	int rc = bind(fd, (const struct sockaddr *)addr, sizeof(*addr));

	umask(before);
	return rc;
}

static int open_local(const char *address, struct hl_error *err)
{
	const char *path = address + strlen(LOCAL_PREFIX);
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	const char *reason;
	int fd;

	if (path[0] != '/' || strlen(path) >= sizeof(addr.sun_path))
		return fail(err, address, "the path is not absolute or too long");
	memcpy(addr.sun_path, path, strlen(path));
	reason = clear_name(&addr);
	if (reason)
		return fail(err, address, reason);
	fd = socket(AF_UNIX, SOCKET_FLAGS, 0);
	if (fd < 0)
		return fail(err, address, strerror(errno));
	if (bind_private(fd, &addr) == 0)
		return fd;
	fail(err, address, strerror(errno));
	close(fd);
	return -1;
}

void hl_http_listener_free(struct hl_http_listener *listener)
{
	if (listener->path)
		unlink(listener->path);
	if (listener->ev)
		evconnlistener_free(listener->ev);
	hl_timer_fini(&listener->retry);
	free(listener->path);
	free(listener);
}

/* Takes fd. NULL: errno tells why. */
static struct hl_http_listener *start(struct hl_http_server *server, int fd, const char *path)
{
	struct event_base *base = hl_loop_base(server->loop);
	struct hl_http_listener *listener = calloc(1, sizeof(*listener));

	if (!listener) {
		close(fd);
		return NULL;
	}
	listener->server = server;
	listener->port = path ? 0 : port_of(fd);
	listener->path = path ? strdup(path) : NULL;
	listener->ev = evconnlistener_new(base, path ? on_local : on_tcp, listener, LISTENER_OPTIONS, SOMAXCONN, fd);
	if (!listener->ev)
		close(fd);
	if (!listener->ev || (path && !listener->path) ||
	    !hl_timer_init(&listener->retry, server->loop, on_pause_end, listener)) {
		hl_http_listener_free(listener);
		return NULL;
	}
	evconnlistener_set_error_cb(listener->ev, on_accept_error);
	return listener;
}

enum hl_class hl_http_server_listen(struct hl_http_server *server, const char *address, struct hl_error *err)
{
	bool is_local = hl_slice_has_prefix(hl_slice_str(address), LOCAL_PREFIX);
	int fd = is_local ? open_local(address, err) : open_tcp(address, err);
	struct hl_http_listener *listener;

	if (fd < 0)
		return HL_CONFIG;
	listener = start(server, fd, is_local ? address + strlen(LOCAL_PREFIX) : NULL);
	if (!listener)
		return hl_fail(err, HL_CONFIG, "could not listen on %s: %s", address, strerror(errno));
	STAILQ_INSERT_TAIL(&server->listeners, listener, link);
	return HL_OK;
}
