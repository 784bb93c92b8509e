/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Does the simulated store keep up with the clock? Sixteen readers of four antennas hang over a
 * store of 40 x 40 m with 10,000 tagged items, some of them carried about all the time; the store
 * runs in a process of its own, with its radio model, and here sixteen LLRP clients on TCP take
 * every single read as it comes. How much of a core that takes, and how late the latest report is.
 */
#include "common/loop.h"
#include "rfid/llrp_codec.h"
#include "sim/sim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READERS   16
#define ANTENNAS  4
#define ITEMS     10000
#define CELL_M    5.0 /* an antenna hangs in the middle of each */
#define ROW       8
#define WARM_UP_S 4
#define MEASURE_S 15
#define LATE_MS   250 /* later than that is not in time */
#define ROOM      (1u << 20)

/* --- the store's process ---------------------------------------------------------------------- */

static void write_config(FILE *f)
{
	(void) fprintf(f, "seed = 5\n");
	for (int r = 0; r < READERS; r++) {
		double x = r % 4 * 2 * CELL_M, y = r / 4 * 2 * CELL_M;

		(void) fprintf(f, "reader \"r%d\" { antennas = %d }\n", r, ANTENNAS);
		(void) fprintf(f,
			       "place \"p%d\" { kind = \"%s\" x = %g y = %g w = %g h = %g reader = "
			       "\"r%d\" antennas = \"1,2,3,4\" }\n",
			       r, r == 15 ? "fitting-room" : "sales-floor", x, y, 2 * CELL_M,
			       2 * CELL_M, r);
		for (int a = 0; a < ANTENNAS; a++)
			(void) fprintf(f,
				       "antenna \"r%d/%d\" { reader = \"r%d\" number = %d x = %g y "
				       "= %g z = 3 tilt = 90 }\n",
				       r, a + 1, r, a + 1, x + CELL_M * (a % 2 + 0.5),
				       y + CELL_M * (a / 2 + 0.5));
	}
	(void) fprintf(f,
		       "place \"exit\" { kind = \"exit\" x = 40 y = 18 w = 2 h = 4 }\n"
		       "room { height = 3.5 }\n"
		       "day { customers_per_h = 3600 thefts_per_h = 60 buy = 0.1 }\n"
		       "goods { gtins = \"09506000134352\" items = %d }\n",
		       ITEMS);
}

static void run_store(int ready)
{
	char path[] = "/tmp/gondola-bench-XXXXXX", diag[512] = "";
	int fd = mkstemp(path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w"), *out = fdopen(ready, "w");
	struct sim_store *store = NULL;
	struct loop *loop;

	(void) prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!f || !out || loop_new(&loop) < 0)
		_exit(1);
	write_config(f);
	(void) fclose(f);
	if (sim_store_new(loop, path, diag, sizeof diag, &store) < 0) {
		(void) fprintf(stderr, "%s\n", diag);
		(void) unlink(path);
		_exit(1);
	}
	(void) unlink(path);
	sim_store_print_ready(store, out);
	loop_run(loop);
	_exit(0);
}

/** Ports of the readers, from the line that the store prints when it is up. */
static int take_ports(int ready, uint16_t ports[READERS])
{
	FILE *f = fdopen(ready, "r");
	char line[8192], name[8];
	const char *json = f && fgets(line, sizeof line, f) ? strchr(line, '{') : NULL;
	json_t *o = json ? json_loads(json, 0, NULL) : NULL;

	for (int r = 0; o && r < READERS; r++) {
		(void) snprintf(name, sizeof name, "r%d", r);
		ports[r] = (uint16_t) json_integer_value(
			json_object_get(json_object_get(o, "readers"), name));
	}
	if (f)
		(void) fclose(f);
	json_decref(o);
	return o ? 0 : -EPROTO;
}

/* --- clients ---------------------------------------------------------------------------------- */

struct client {
	int fd;
	uint8_t *in;
	size_t len;
};

struct tally {
	uint64_t reads, late;
	int64_t latest_us;
};

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t) t.tv_sec * US_PER_SEC + t.tv_nsec / 1000;
}

static double cpu_s(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static struct llrp_msg *rospec(uint16_t mode)
{
	static const uint16_t all[] = {0};
	struct llrp_elem *spec, *e, *p, *command;
	struct llrp_msg *m;

	if (llrp_msg_new(LLRP_ADD_ROSPEC, 1, &m) < 0)
		return NULL;
	spec = llrp_add(llrp_root(m), LLRP_P_ROSPEC);
	llrp_set(spec, "ROSpecID", 1);
	e = llrp_add(spec, LLRP_P_RO_BOUNDARY_SPEC);
	llrp_set(llrp_add(e, LLRP_P_ROSPEC_START_TRIGGER), "ROSpecStartTriggerType", 1);
	(void) llrp_add(e, LLRP_P_ROSPEC_STOP_TRIGGER);
	e = llrp_add(spec, LLRP_P_AISPEC);
	llrp_set_u16v(e, "AntennaIDs", all, 1);
	(void) llrp_add(e, LLRP_P_AISPEC_STOP_TRIGGER);
	p = llrp_add(e, LLRP_P_INVENTORY_PARAMETER_SPEC);
	llrp_set(p, "InventoryParameterSpecID", 1);
	llrp_set(p, "ProtocolID", 1);
	command =
		llrp_add(llrp_add(p, LLRP_P_ANTENNA_CONFIGURATION), LLRP_P_C1G2_INVENTORY_COMMAND);
	llrp_set(llrp_add(command, LLRP_P_C1G2_RF_CONTROL), "ModeIndex", mode);
	e = llrp_add(command, LLRP_P_C1G2_SINGULATION_CONTROL);
	llrp_set(e, "Session", 2);
	llrp_set(e, "TagPopulation", 256);
	e = llrp_add(spec, LLRP_P_RO_REPORT_SPEC);
	llrp_set(e, "ROReportTrigger", 1);
	llrp_set(e, "N", 1);
	e = llrp_add(e, LLRP_P_TAG_REPORT_CONTENT_SELECTOR);
	llrp_set(e, "EnableAntennaID", 1);
	llrp_set(e, "EnablePeakRSSI", 1);
	llrp_set(e, "EnableFirstSeenTimestamp", 1);
	return m;
}

static int tell(struct client *c, struct llrp_msg *m)
{
	struct buf b = BUF_INIT;
	int r = m ? llrp_msg_encode(m, &b) : -ENOMEM;

	if (r == 0 && write(c->fd, b.data, b.len) != (ssize_t) b.len)
		r = -errno;
	buf_done(&b);
	llrp_msg_free(m);
	return r;
}

static int client_open(struct client *c, uint16_t port, uint16_t mode)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct llrp_msg *m;
	int r;

	c->len = 0;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *) &to, sizeof to) < 0)
		return -errno;
	r = llrp_msg_new(LLRP_DELETE_ROSPEC, 2, &m);
	if (r == 0)
		r = tell(c, m);
	if (r == 0)
		r = tell(c, rospec(mode));
	if (r == 0)
		r = llrp_msg_new(LLRP_ENABLE_ROSPEC, 3, &m);
	if (r < 0)
		return r;
	llrp_set(llrp_root(m), "ROSpecID", 1);
	return tell(c, m);
}

static uint64_t number(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | *p++;
	return v;
}

/** A report of one read: EPC-96, antenna, strength, instant, in that order. */
static void count(const uint8_t *m, size_t len, int64_t now, struct tally *t)
{
	static const size_t instant_at = 10 + 4 + 13 + 3 + 2 + 1;
	int64_t late_us;

	if ((number(m, 2) & 0x3ff) != LLRP_RO_ACCESS_REPORT || len < instant_at + 8)
		return;
	late_us = now - (int64_t) number(m + instant_at, 8);
	t->reads++;
	t->late += late_us > LATE_MS * US_PER_MS;
	t->latest_us = MAX(t->latest_us, late_us);
}

static int client_take(struct client *c, struct tally *t)
{
	ssize_t n = recv(c->fd, c->in + c->len, ROOM - c->len, MSG_DONTWAIT);
	int64_t now = now_us();
	size_t at = 0;

	if (n <= 0)
		return n < 0 && errno == EAGAIN ? 0 : -EPIPE;
	c->len += (size_t) n;
	while (c->len - at >= 10) {
		size_t len = number(c->in + at + 2, 4);

		if (len < 10 || len > ROOM)
			return -EPROTO;
		if (len > c->len - at)
			break;
		count(c->in + at, len, now, t);
		at += len;
	}
	memmove(c->in, c->in + at, c->len - at);
	c->len -= at;
	return 0;
}

/** Says goodbye, and waits until the reader is free for the next one. */
static void client_close(struct client *c)
{
	struct llrp_msg *m;

	if (llrp_msg_new(LLRP_CLOSE_CONNECTION, 4, &m) == 0 && tell(c, m) == 0) {
		while (recv(c->fd, c->in, ROOM, 0) > 0) {
		}
	}
	(void) close(c->fd);
}

static int listen_for(struct client clients[READERS], double seconds, struct tally *t)
{
	int64_t end = now_us() + (int64_t) (seconds * US_PER_SEC);
	struct pollfd fds[READERS];
	int r = 0;

	for (int i = 0; i < READERS; i++)
		fds[i] = (struct pollfd){.fd = clients[i].fd, .events = POLLIN};
	while (r == 0 && now_us() < end) {
		(void) poll(fds, READERS, 50);
		for (int i = 0; r == 0 && i < READERS; i++) {
			if (fds[i].revents)
				r = client_take(&clients[i], t);
		}
	}
	return r;
}

/* --- figures ---------------------------------------------------------------------------------- */

static int measure(const uint16_t ports[READERS], clockid_t clock, uint16_t mode, const char *what)
{
	static struct client clients[READERS];
	struct tally warm = {0}, t = {0};
	double cpu, started;
	int r = 0;

	for (int i = 0; r == 0 && i < READERS; i++) {
		if (!clients[i].in)
			clients[i].in = malloc(ROOM);
		r = clients[i].in ? client_open(&clients[i], ports[i], mode) : -ENOMEM;
	}
	if (r == 0)
		r = listen_for(clients, WARM_UP_S, &warm);
	cpu = cpu_s(clock);
	started = cpu_s(CLOCK_MONOTONIC);
	if (r == 0)
		r = listen_for(clients, MEASURE_S, &t);
	cpu = (cpu_s(clock) - cpu) / (cpu_s(CLOCK_MONOTONIC) - started);
	for (int i = 0; i < READERS; i++)
		client_close(&clients[i]);
	if (r < 0)
		return r;
	(void) printf("bench sim_readers_%s_cpu %.3f s/s\n", what, cpu);
	(void) printf("bench sim_readers_%s_realtime %.1f times\n", what, 1 / cpu);
	(void) printf("bench sim_readers_%s_reads %.0f reads/s\n", what,
		      (double) t.reads / MEASURE_S);
	(void) printf("bench sim_readers_%s_latest %.0f ms\n", what, (double) t.latest_us / 1000);
	(void) printf("bench sim_readers_%s_late %.3f %%\n", what,
		      t.reads ? 100.0 * (double) t.late / (double) t.reads : 0);
	return t.reads == 0 ? -ENODATA : 0;
}

int main(void)
{
	uint16_t ports[READERS] = {0};
	int ready[2], r;
	clockid_t clock;
	pid_t child;

	if (pipe(ready) < 0)
		return 1;
	(void) signal(SIGPIPE, SIG_IGN);
	child = fork();
	if (child == 0) {
		(void) close(ready[0]);
		run_store(ready[1]);
	}
	(void) close(ready[1]);
	if (child < 0 || take_ports(ready[0], ports) < 0)
		return 1;
	(void) printf(
		"# %d readers x %d antennas over 40 x 40 m, %d items, 3,600 customers an hour; "
		"a report per read; reads are told every 50 ms, late is later than %d ms\n",
		READERS, ANTENNAS, ITEMS, LATE_MS);
	r = clock_getcpuclockid(child, &clock) ? -ESRCH : 0;
	if (r == 0)
		r = measure(ports, clock, 1000, "miller4");
	if (r == 0)
		r = measure(ports, clock, 0, "fm0");
	(void) kill(child, SIGKILL);
	(void) waitpid(child, NULL, 0);
	if (r < 0)
		(void) fprintf(stderr, "bench_sim_readers: %s\n", strerror(-r));
	return r < 0;
}
