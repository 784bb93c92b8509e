/* SPDX-License-Identifier: Apache-2.0 */
/* Wall times and recurrences from outside: a first line with the wall time, a second with the
 * rule. */
#include "controller/promo/walltime.h"
#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void resolve(const struct walltime *w)
{
	static const char *const zones[] = {"Europe/Berlin", "Australia/Lord_Howe", "UTC"};

	for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
		struct walltime back;
		int64_t start, end;

		if (walltime_resolve(w, zones[i], WALLTIME_START, &start, NULL) < 0 ||
		    walltime_resolve(w, zones[i], WALLTIME_END, &end, NULL) < 0 || end < start ||
		    walltime_at(start, zones[i], &back) < 0 ||
		    walltime_to_count(&back) < walltime_to_count(w))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *) data, *line = memchr(text, '\n', size);
	size_t len = line ? (size_t) (line - text) : size;
	struct walltime w = {2026, 11, 27, 8, 0, 0};
	struct walltime_rule *r;
	int64_t last = INT64_MIN;

	if (walltime_parse(text, len, &w) == 0)
		resolve(&w);
	if (!line)
		return 0;
	line++;
	if (walltime_rule_new(line, size - len - 1, "Europe/Berlin", &w, &r) < 0)
		return 0;
	for (int i = 0; i < 100 && walltime_rule_next(r, &w); i++) {
		if (walltime_to_count(&w) <= last)
			abort();
		last = walltime_to_count(&w);
		resolve(&w);
	}
	walltime_rule_free(r);
	return 0;
}
