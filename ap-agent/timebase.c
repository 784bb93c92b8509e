/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/timebase.h"
#include "common/hex.h"
#include "common/wire.h"
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* A stamp outside 2020-2200 is no clock; taking it would wreck every flip. */
#define OLDEST_STAMP_US INT64_C(1577836800000000)
#define NEWEST_STAMP_US INT64_C(7258118400000000)
/* A round trip beyond this says too little to start from (long polls answer after a minute). */
#define LONGEST_TRIP_US (10 * US_PER_SEC)

void timebase_init(struct timebase *tb, const struct clock *clock, uint64_t boot)
{
	*tb = (struct timebase){.clock = clock, .boot = boot ? boot : 1};
}

uint64_t timebase_boot_id(void)
{
	char text[64] = "";
	uint64_t id = 0;
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		ssize_t n = read(fd, text, sizeof(text) - 1);

		close(fd);
		/* "xxxxxxxx-xxxx-...": the first eight digits and the four after the dash */
		if (n >= 36) {
			memmove(text + 8, text + 9, 4);
			memmove(text + 12, text + 14, 4);
			text[16] = '\0';
			if (hex_decode(text, &id, sizeof(id)) == 0 && id != 0)
				return id;
		}
	}
	if (getrandom(&id, sizeof(id), 0) != (ssize_t) sizeof(id) || id == 0)
		id = 1;
	return id;
}

static int64_t aged(const struct timebase *tb, int64_t mono_us)
{
	int64_t age = mono_us - tb->at_us;

	return tb->unc_us + (age > 0 ? age / 1000000 * TIMEBASE_DRIFT_PPM : 0);
}

bool timebase_sample(struct timebase *tb, int64_t sent_mono_us, int64_t recv_mono_us,
		     int64_t server_time_us)
{
	int64_t trip = recv_mono_us - sent_mono_us;

	if (trip < 0 || trip > LONGEST_TRIP_US || server_time_us < OLDEST_STAMP_US ||
	    server_time_us > NEWEST_STAMP_US)
		return false;

	int64_t unc = trip / 2 + 1;
	int64_t base = server_time_us - (sent_mono_us + trip / 2);

	if (tb->known) {
		int64_t old = aged(tb, recv_mono_us);
		int64_t apart = base > tb->base_us ? base - tb->base_us : tb->base_us - base;

		/* When both cannot be true, the controller's clock was stepped: the new one counts.
		 */
		if (apart <= unc + old && unc > old)
			return false;
	}
	tb->known = true;
	tb->base_us = base;
	tb->unc_us = unc;
	tb->at_us = recv_mono_us;
	return true;
}

int64_t timebase_uncertainty(const struct timebase *tb)
{
	return tb->known ? aged(tb, clock_mono_us(tb->clock)) : -1;
}

int64_t timebase_skew(const struct timebase *tb)
{
	return clock_real_us(tb->clock) - clock_mono_us(tb->clock);
}

int64_t timebase_offset(const struct timebase *tb)
{
	return tb->known ? tb->base_us - timebase_skew(tb) : 0;
}

int64_t timebase_now(const struct timebase *tb)
{
	return tb->known ? clock_mono_us(tb->clock) + tb->base_us : clock_real_us(tb->clock);
}

int64_t timebase_delta(const struct timebase *tb, uint64_t boot, int64_t skew_us)
{
	if (boot == 0)
		return 0;
	if (tb->known && boot == tb->boot)
		return tb->base_us;
	return skew_us;
}

void timebase_save(const struct timebase *tb, uint8_t ret_blob[TIMEBASE_BLOB_BYTES])
{
	const uint64_t v[4] = {tb->boot, (uint64_t) tb->base_us, (uint64_t) tb->unc_us,
			       (uint64_t) tb->at_us};

	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < 8; k++)
			ret_blob[i * 8 + k] = (uint8_t) (v[i] >> (56 - 8 * k));
}

bool timebase_restore(struct timebase *tb, const uint8_t blob[TIMEBASE_BLOB_BYTES])
{
	struct wire w;

	wire_init(&w, blob, TIMEBASE_BLOB_BYTES);
	uint64_t boot = wire_get_u64be(&w);
	int64_t base = (int64_t) wire_get_u64be(&w);
	int64_t unc = (int64_t) wire_get_u64be(&w);
	int64_t at = (int64_t) wire_get_u64be(&w);

	if (!wire_ok(&w) || boot != tb->boot || unc < 0 || at > clock_mono_us(tb->clock))
		return false;
	tb->known = true;
	tb->base_us = base;
	tb->unc_us = unc;
	tb->at_us = at;
	return true;
}
