/* SPDX-License-Identifier: Apache-2.0 */
/* Where a controller's byte stream may be: behind a UNIX socket, a TCP socket or a serial line. */
#include "esl-radio/hci_host.h"

#include "common/err.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

enum port_kind {
	PORT_UNIX,
	PORT_TCP,
	PORT_UART
};

struct port {
	enum port_kind kind;
	char name[108];      /* path, address or device */
	unsigned int number; /* TCP port or line speed */
};

static const struct {
	unsigned int baud;
	speed_t speed;
} speeds[] = {
	{9600, B9600},     {57600, B57600},   {115200, B115200},   {230400, B230400},
	{460800, B460800}, {921600, B921600}, {1000000, B1000000}, {2000000, B2000000},
};

static bool find_speed(unsigned int baud, speed_t *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(speeds); i++)
		if (speeds[i].baud == baud) {
			*ret = speeds[i].speed;
			return true;
		}
	return false;
}

/* "NAME:NUMBER", split at the last colon. */
static int split_number(const char *text, struct port *p)
{
	const char *colon = strrchr(text, ':');
	char *end;
	unsigned long n;

	if (!colon || colon == text || colon[1] < '0' || colon[1] > '9' ||
	    (size_t) (colon - text) >= sizeof(p->name))
		return -ERR_SYNTAX;
	n = strtoul(colon + 1, &end, 10);
	if (*end || n == 0 || n > 4000000)
		return -ERR_SYNTAX;
	memcpy(p->name, text, (size_t) (colon - text));
	p->number = (unsigned int) n;
	return 0;
}

static int parse(const char *address, struct port *p)
{
	struct sockaddr_in sa;
	speed_t speed;

	*p = (struct port){.number = 0};
	if (strncmp(address, "unix:", 5) == 0) {
		address += 5;
		if (!address[0] || strlen(address) >= sizeof(((struct sockaddr_un *) 0)->sun_path))
			return -ERR_SYNTAX;
		memcpy(p->name, address, strlen(address) + 1);
		return 0;
	}
	if (strncmp(address, "tcp:", 4) == 0) {
		p->kind = PORT_TCP;
		return split_number(address + 4, p) < 0 || p->number > UINT16_MAX ||
				       inet_pton(AF_INET, p->name, &sa.sin_addr) != 1
			       ? -ERR_SYNTAX
			       : 0;
	}
	if (strncmp(address, "uart:", 5) == 0) {
		p->kind = PORT_UART;
		return split_number(address + 5, p) < 0 || !find_speed(p->number, &speed)
			       ? -ERR_SYNTAX
			       : 0;
	}
	return -ERR_SYNTAX;
}

int hci_port_check(const char *address)
{
	struct port p;

	return parse(address, &p);
}

static int open_socket(const struct sockaddr *sa, socklen_t len)
{
	int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int e;

	if (fd < 0)
		return -errno;
	if (connect(fd, sa, len) == 0 || errno == EINPROGRESS)
		return fd;
	e = -errno;
	(void) close(fd);
	return e;
}

static int open_tcp(const struct port *p)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t) p->number)};
	int fd, one = 1;

	if (inet_pton(AF_INET, p->name, &sa.sin_addr) != 1)
		return -ERR_SYNTAX;
	fd = open_socket((const struct sockaddr *) &sa, sizeof(sa));
	if (fd >= 0) /* commands are small, and the train waits for them */
		(void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* Raw bytes with hardware flow control, as Vol 4 Part A 2 wants the line. */
static int open_uart(const struct port *p)
{
	struct termios line;
	speed_t speed = B115200;
	int fd = open(p->name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), e;

	if (fd < 0)
		return -errno;
	(void) find_speed(p->number, &speed);
	if (tcgetattr(fd, &line) == 0) {
		cfmakeraw(&line);
		line.c_cflag |= CRTSCTS | CLOCAL | CREAD;
		if (cfsetspeed(&line, speed) == 0 && tcsetattr(fd, TCSANOW, &line) == 0 &&
		    tcflush(fd, TCIOFLUSH) == 0)
			return fd;
	}
	e = -errno;
	(void) close(fd);
	return e;
}

int hci_port_open(const char *address)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct port p;
	int r = parse(address, &p);

	if (r < 0)
		return r;
	if (p.kind == PORT_TCP)
		return open_tcp(&p);
	if (p.kind == PORT_UART)
		return open_uart(&p);
	memcpy(sa.sun_path, p.name, sizeof(sa.sun_path));
	return open_socket((const struct sockaddr *) &sa, sizeof(sa));
}
