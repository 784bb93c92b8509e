/* SPDX-License-Identifier: Apache-2.0 */
#include "rfid/reader_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/** A name being resolved on the pool. A job that outlives its owner is told so. */
struct reader_lookup {
	reader_lookup_fn fn; /**< NULL when cancelled */
	void *user;
	char *host;
	char port[8];
	struct reader_address addresses[READER_MAX_ADDRESSES];
	size_t n;
	int err; /**< of getaddrinfo() */
};

bool reader_address_parse(const char *host, uint16_t port, struct reader_address *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *) &ret->storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *) &ret->storage;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		ret->len = sizeof(*v4);
		return true;
	}
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		ret->len = sizeof(*v6);
		return true;
	}
	return false;
}

static const void *bytes_of(const struct reader_address *a, size_t *ret_len)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *) &a->storage;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *) &a->storage;

	if (a->storage.ss_family == AF_INET) {
		*ret_len = sizeof(v4->sin_addr);
		return &v4->sin_addr;
	}
	/* An IPv4 caller on an IPv6 socket. */
	*ret_len = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) ? 4 : sizeof(v6->sin6_addr);
	return v6->sin6_addr.s6_addr + sizeof(v6->sin6_addr) - *ret_len;
}

const char *reader_address_text(const struct reader_address *a, char *buf, size_t size)
{
	size_t len;
	const void *bytes = bytes_of(a, &len);

	if (!inet_ntop(len == 4 ? AF_INET : AF_INET6, bytes, buf, (socklen_t) size))
		snprintf(buf, size, "somewhere");
	return buf;
}

bool reader_address_is(const struct reader_address *peer, const char *host)
{
	static const uint8_t any[16];
	struct reader_address want;
	const void *a, *b;
	size_t a_len, b_len;

	if (!reader_address_parse(host, 0, &want))
		return false;
	a = bytes_of(peer, &a_len);
	b = bytes_of(&want, &b_len);
	if (memcmp(b, any, b_len) == 0)
		return true;
	return a_len == b_len && memcmp(a, b, a_len) == 0;
}

static bool is_loopback(const struct reader_address *a)
{
	size_t len;
	const uint8_t *b = bytes_of(a, &len);

	return len == 4 ? b[0] == 127 : memcmp(b, &in6addr_loopback, sizeof(in6addr_loopback)) == 0;
}

int reader_address_listen(const char *host, uint16_t port, uint16_t *ret_port)
{
	struct reader_address a;
	struct sockaddr_in *v4 = (struct sockaddr_in *) &a.storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *) &a.storage;
	int fd, on = 1, err;

	if (!reader_address_parse(host, port, &a))
		return -EADDRNOTAVAIL;
	if (!is_loopback(&a) && a.storage.ss_family == AF_INET)
		v4->sin_addr.s_addr = htonl(INADDR_ANY);
	else if (!is_loopback(&a))
		v6->sin6_addr = in6addr_any;
	fd = socket(a.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	(void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *) &a.storage, a.len) < 0 || listen(fd, 4) < 0 ||
	    getsockname(fd, (struct sockaddr *) &a.storage, &a.len) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	/* The port is at the same place in both. */
	*ret_port = ntohs(v4->sin_port);
	return fd;
}

/* --- names ------------------------------------------------------------------------------------ */

static void lookup_free(struct reader_lookup *l)
{
	free(l->host);
	free(l);
}

static void lookup_work(void *user)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	struct reader_lookup *l = user;

	l->err = getaddrinfo(l->host, l->port, &hints, &list);
	for (const struct addrinfo *a = list; !l->err && a && l->n < READER_MAX_ADDRESSES;
	     a = a->ai_next) {
		if (a->ai_addrlen > sizeof(l->addresses[0].storage))
			continue;
		memcpy(&l->addresses[l->n].storage, a->ai_addr, a->ai_addrlen);
		l->addresses[l->n++].len = a->ai_addrlen;
	}
	if (list)
		freeaddrinfo(list);
}

static void lookup_done(void *user)
{
	struct reader_lookup *l = user;

	if (l->fn)
		l->fn(l->user, l->addresses, l->n, l->err ? gai_strerror(l->err) : "no address");
	lookup_free(l);
}

int reader_lookup_start(struct loop *loop, const char *host, uint16_t port, reader_lookup_fn fn,
			void *user, struct reader_lookup **ret)
{
	struct reader_lookup *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->fn = fn;
	l->user = user;
	l->host = strdup(host);
	snprintf(l->port, sizeof(l->port), "%u", port);
	*ret = l; /* the virtual loop is done before loop_work() returns */
	r = l->host ? loop_work(loop, lookup_work, lookup_done, l) : -ENOMEM;
	if (r < 0) {
		*ret = NULL;
		lookup_free(l);
	}
	return r;
}

void reader_lookup_cancel(struct reader_lookup *l)
{
	if (l)
		l->fn = NULL;
}
