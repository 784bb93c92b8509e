/* SPDX-License-Identifier: Apache-2.0 */
#include "common/clock_conducted.h"
#include "common/err.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MILLI 1000

struct record {
	int64_t host_us, mono_us, real_us, rate_milli;
};

struct conducted {
	char magic[8];
	uint64_t count;
	struct record record[2];
};

int conducted_open(const char *path, struct conducted **ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct conducted *c;
	struct stat st;
	int r = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if ((size_t) st.st_size < sizeof(*c))
		r = -ERR_BADMSG;
	if (r < 0) {
		close(fd);
		return r;
	}
	c = mmap(NULL, sizeof(*c), PROT_READ, MAP_SHARED, fd, 0);
	r = c == MAP_FAILED ? -errno : 0;
	close(fd);
	if (r < 0)
		return r;
	if (memcmp(c->magic, "GONDCLK1", sizeof(c->magic)) != 0) {
		conducted_free(c);
		return -ERR_BADMSG;
	}
	*ret = c;
	return 0;
}

void conducted_free(struct conducted *c)
{
	if (c)
		munmap(c, sizeof(*c));
}

void conducted_read(const struct conducted *c, int64_t host_us, struct conducted_time *ret)
{
	struct record r;
	uint64_t count;

	/* The record that holds is written again only two changes later: one look back suffices. */
	do {
		count = __atomic_load_n(&c->count, __ATOMIC_ACQUIRE);
		r = c->record[count & 1];
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (__atomic_load_n(&c->count, __ATOMIC_RELAXED) != count);

	/* A record may be a moment younger than the caller's reading: time does not run back. */
	int64_t passed = host_us > r.host_us ? host_us - r.host_us : 0;
	int64_t told = passed / MILLI * r.rate_milli + passed % MILLI * r.rate_milli / MILLI;

	*ret = (struct conducted_time){r.mono_us + told, r.real_us + told, r.rate_milli};
}

int64_t conducted_wait_us(int64_t rate_milli, int64_t delay_us)
{
	if (delay_us <= 0)
		return 0;
	if (rate_milli <= 0 || delay_us / rate_milli >= CONDUCTED_LOOK_US / MILLI)
		return CONDUCTED_LOOK_US;
	return MIN((delay_us * MILLI + rate_milli - 1) / rate_milli, CONDUCTED_LOOK_US);
}
