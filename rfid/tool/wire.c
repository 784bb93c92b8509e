/* SPDX-License-Identifier: Apache-2.0 */
#include "rfid/tool/wire.h"

#include "common/err.h"
#include "rfid/reader_address.h"
#include "rfid/tool/tool.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HANDSHAKE_MS 10000

static int connect_any(const char *host, const char *port, int *ret_err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
	int fd = -1, r = getaddrinfo(host, port, &hints, &list);

	*ret_err = EHOSTUNREACH;
	if (r != 0) {
		tool_error("%s: %s", host, gai_strerror(r));
		return -1;
	}
	for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
		if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
			*ret_err = errno;
			close(fd);
			fd = -1;
		} else if (fd < 0) {
			*ret_err = errno;
		}
	}
	freeaddrinfo(list);
	if (fd < 0)
		tool_error("%s port %s: %s", host, port, strerror(*ret_err));
	else
		printf("connected to %s port %s\n", host, port);
	return fd;
}

/** The first caller with the reader's address. */
static int await_call(const char *host, uint16_t port, int *ret_err)
{
	uint16_t bound;
	int fd = -1, listener = reader_address_listen(host, port, &bound);
	struct pollfd p = {.fd = listener, .events = POLLIN};

	*ret_err = -listener;
	if (listener < 0) {
		tool_error("port %u: %s", port, strerror(*ret_err));
		return -1;
	}
	printf("waiting for the reader's call on port %u\n", bound);
	fflush(stdout);
	while (fd < 0 && poll(&p, 1, -1) > 0) {
		struct reader_address from = {.len = sizeof(from.storage)};
		char text[64];

		fd = accept4(listener, (struct sockaddr *) &from.storage, &from.len, SOCK_CLOEXEC);
		reader_address_text(&from, text, sizeof(text));
		if (fd >= 0 && !reader_address_is(&from, host)) {
			printf("a caller from %s is not the reader\n", text);
			close(fd);
			fd = -1;
		} else if (fd >= 0) {
			printf("called by %s\n", text);
		}
	}
	*ret_err = errno;
	close(listener);
	return fd;
}

static int wait_for(const struct tool_wire *w, short events, int ms)
{
	struct pollfd p = {.fd = w->fd, .events = events};

	return poll(&p, 1, ms) > 0 ? 0 : -ETIMEDOUT;
}

static int secure(struct tool_wire *w, const struct rfid_reader_config *cfg)
{
	int r = cfg->reader_calls ? tls_identity_make("gondola-llrp", &w->identity) : 0;

	if (r == 0)
		r = tls_stream_new(w->fd, cfg->reader_calls ? TLS_SERVER : TLS_CLIENT, w->identity,
				   cfg->tls_pin, &w->tls);
	if (r < 0) {
		tool_error("TLS: %s", err_str(r));
		return r;
	}
	while ((r = tls_stream_handshake(w->tls)) == -EAGAIN) {
		r = wait_for(w, tls_stream_wants_write(w->tls) ? POLLOUT : POLLIN, HANDSHAKE_MS);
		if (r < 0)
			break;
	}
	if (r < 0)
		tool_error("no TLS with the reader: %s",
			   *tls_stream_text(w->tls) ? tls_stream_text(w->tls) : err_str(r));
	else
		printf("TLS, pin %s\n", tls_stream_peer(w->tls));
	return r;
}

int tool_wire_open(struct tool_wire *w, const struct rfid_reader_config *cfg)
{
	char port[8];
	int err;

	snprintf(port, sizeof(port), "%u", cfg->port);
	*w = (struct tool_wire){.fd = cfg->reader_calls ? await_call(cfg->host, cfg->port, &err)
							: connect_any(cfg->host, port, &err)};
	if (w->fd < 0)
		return -err;
	if (fcntl(w->fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	return cfg->tls ? secure(w, cfg) : 0;
}

void tool_wire_close(struct tool_wire *w)
{
	if (w->tls)
		tls_stream_bye(w->tls);
	tls_stream_free(w->tls);
	tls_identity_free(w->identity);
	if (w->fd >= 0)
		close(w->fd);
	*w = (struct tool_wire){.fd = -1};
}

int tool_wire_send(struct tool_wire *w, const uint8_t *data, size_t len)
{
	while (len > 0) {
		long n;

		if (w->tls) {
			n = tls_stream_send(w->tls, data, len);
		} else {
			n = send(w->fd, data, len, MSG_NOSIGNAL);
			n = n < 0 ? -errno : n;
		}
		if (n == -EAGAIN || n == -EWOULDBLOCK)
			n = wait_for(w, POLLOUT, HANDSHAKE_MS);
		if (n < 0 && n != -EINTR)
			return (int) n;
		if (n > 0) {
			data += n;
			len -= (size_t) n;
		}
	}
	return 0;
}

long tool_wire_recv(struct tool_wire *w, uint8_t *data, size_t size)
{
	ssize_t n;

	if (w->tls)
		return tls_stream_recv(w->tls, data, size);
	n = recv(w->fd, data, size, 0);
	return n < 0 ? errno == EINTR ? -EAGAIN : -errno : n;
}

bool tool_wire_pending(const struct tool_wire *w)
{
	return w->tls && tls_stream_pending(w->tls);
}
