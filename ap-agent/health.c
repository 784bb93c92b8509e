/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/agent_impl.h"
#include "common/err.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Resident memory from the kernel's own count, second field of statm, in pages. */
static uint64_t rss_kib(void)
{
	char text[128];
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	unsigned long long size = 0, resident = 0;

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	if (sscanf(text, "%llu %llu", &size, &resident) != 2)
		return 0;
	return resident * (uint64_t) sysconf(_SC_PAGESIZE) / 1024;
}

static void last_error(const struct agent *a, char *to, size_t cap)
{
	int err = journal_error(a->journal);

	if (err < 0)
		snprintf(to, cap, "the journal cannot be written: %s", err_str(err));
	else if (a->desired_failed)
		snprintf(to, cap, "the desired state cannot be kept: %s", store_error(a->store));
	else if (a->link)
		snprintf(to, cap, "%s", link_last_error(a->link));
	if (to[0] == '\0' && journal_refused(a->journal))
		snprintf(to, cap, "%llu entries that the controller refused are set aside",
			 (unsigned long long) journal_refused(a->journal));
}

void agent_health(struct agent *a, struct proto_health *h)
{
	int64_t from, to;

	identity_times(a->identity, &from, &to);
	h->caps = a->caps;
	snprintf(h->version, sizeof(h->version), "%s", PACKAGE_VERSION);
	h->uptime_us = clock_mono_us(a->clock) - a->started_us;
	h->clock_offset_us = timebase_offset(&a->tb);
	h->clock_uncertainty_us = timebase_uncertainty(&a->tb);
	h->journal_depth = journal_depth(a->journal, JOURNAL_SIGHTINGS) +
			   journal_depth(a->journal, JOURNAL_LABELS) +
			   journal_depth(a->journal, JOURNAL_READS);
	h->journal_dropped = journal_dropped(a->journal);
	h->rss_kib = rss_kib();
	h->tags_in_view = readers_tags_in_view(a->readers);
	snprintf(h->radio_state, sizeof(h->radio_state), "none");
	if (a->labels)
		labels_health(a->labels, h);
	last_error(a, h->last_error, sizeof(h->last_error));
	h->cert_not_after_us = to;
	h->n_readers = readers_health(a->readers, h->readers, PROTO_MAX_READERS);
	if (a->netwatch) {
		h->n_interfaces = netwatch_health(a->netwatch, h->interfaces, PROTO_MAX_INTERFACES);
		netwatch_poll(a->netwatch); /* for the next report */
	}
}
