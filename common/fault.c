/* SPDX-License-Identifier: Apache-2.0 */
#include "common/fault.h"

#ifdef ENABLE_FAULT_POINTS

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long passages;

/* What is armed: "point:N", or "" for nothing. "@FILE" stands for what the file says just now. */
static void armed_text(char *text, size_t size)
{
	const char *want = getenv("GONDOLA_FAULT");
	ssize_t n = 0;

	if (want && want[0] == '@') {
		int fd = open(want + 1, O_RDONLY | O_CLOEXEC);

		if (fd >= 0) {
			n = read(fd, text, size - 1);
			close(fd);
		}
	} else if (want) {
		n = (ssize_t) strnlen(want, size - 1);
		memcpy(text, want, (size_t) n);
	}
	text[n > 0 ? n : 0] = '\0';
}

/* Splits "point:N" and says whether it names this point; N defaults to 1. */
static bool armed(const char *name, unsigned long *ret_n)
{
	char want[128];

	armed_text(want, sizeof want);

	const char *colon = strrchr(want, ':');
	size_t len = colon ? (size_t) (colon - want) : strlen(want);

	if (len == 0 || strlen(name) != len || strncmp(name, want, len) != 0)
		return false;
	*ret_n = colon ? strtoul(colon + 1, NULL, 10) : 1;
	return true;
}

/* The proof is on disk before the process ends, so that a test can count only real hits. */
static void record(const char *name)
{
	const char *path = getenv("GONDOLA_FAULT_LOG");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		return;
	ssize_t n = write(fd, name, strlen(name));

	n = write(fd, "\n", 1);
	(void) n;
	(void) fsync(fd);
	close(fd);
}

void fault_point(const char *name)
{
	unsigned long n;

	if (!armed(name, &n))
		return;
	pthread_mutex_lock(&lock);
	if (++passages == n) {
		record(name);
		kill(getpid(), SIGKILL);
	}
	pthread_mutex_unlock(&lock);
}

#endif
