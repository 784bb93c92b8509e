/* SPDX-License-Identifier: Apache-2.0 */
/** @file A client on a reader, by hand: the session of rfid/llrp_session.h over a socket. */
#include "rfid/tool/tool.h"

#include "common/err.h"
#include "common/gen2_profile.h"
#include "common/hex.h"
#include "rfid/llrp_session.h"
#include "rfid/tool/wire.h"
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#define STOP_WAIT_US (3 * US_PER_SEC)

struct live {
	struct rfid_reader_config cfg;
	char host[256];
	const char *record_path;
	FILE *record;
	bool print, leave;
	int64_t seconds;
	uint64_t max_reads;
	struct tool_wire wire;
	struct rfid_access *tag; /**< what to do with one; NULL = only look */
	bool answered;           /**< it was done, or not */
	int access_err;
	struct llrp_session *session;
	const struct clock *clock;
	struct buf rx; /**< from the reader, up to a whole frame */
	size_t frames, rx_at;
	uint64_t reads;
	bool lost; /**< could not write: socket or record */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void) number;
	interrupted = 1;
}

/** One whole frame, of either side. */
static int on_frame(struct live *l, const uint8_t *data, size_t len, bool from_reader)
{
	struct tool_frame f = {.data = data,
			       .len = len,
			       .number = ++l->frames,
			       .at = l->rx_at,
			       .time_us = clock_real_us(l->clock),
			       .flow = from_reader ? "from the reader" : "to the reader"};
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	struct llrp_diag diag;
	int r;

	l->rx_at += len;
	if (l->record && (fwrite(data, 1, len, l->record) != len || fflush(l->record) != 0)) {
		tool_error("%s: %s", l->record_path, strerror(errno));
		l->lost = true;
		return -EIO;
	}
	if (!l->print)
		return 0;
	r = llrp_msg_decode(data, len, &m, &diag);
	if (r < 0)
		tool_print_fault("session", &f, r, &diag);
	else
		tool_print_frame(stdout, &f, m);
	return 0;
}

static void on_send(void *user, const uint8_t *data, size_t len)
{
	struct live *l = user;

	if (on_frame(l, data, len, false) < 0)
		return;

	int r = l->lost ? 0 : tool_wire_send(&l->wire, data, len);

	if (r < 0) {
		tool_error("%s: %s", l->host, err_str(r));
		l->lost = true;
	}
}

static void on_reads(void *user, const struct rfid_read *reads, size_t n)
{
	struct live *l = user;

	for (size_t i = 0; i < n && !l->tag; i++) {
		const struct rfid_read *r = &reads[i];
		char hex[EPC_HEX_MAX], when[CLOCK_RFC3339_MAX];

		printf("read %s antenna %u", epc_to_hex(&r->epc, hex), r->antenna);
		if (r->rssi_cdbm != INT16_MIN)
			printf(" %.2f dBm", r->rssi_cdbm / 100.0);
		if (r->channel)
			printf(" channel %u", r->channel);
		if (r->phase != UINT16_MAX)
			printf(" phase %.1f degrees", r->phase * 360.0 / 4096);
		printf(" count %u last seen %s%s\n", r->count, clock_rfc3339(r->last_us, when),
		       r->rebased ? " (time of arrival)" : "");
	}
	l->reads += n;
}

static void on_answer(void *user, const struct rfid_access_result *result)
{
	struct live *l = user;

	l->answered = true;
	l->access_err = tool_tag_print(l->tag, result);
}

static void on_state(void *user, enum rfid_reader_state state)
{
	struct live *l = user;

	printf("state %s\n", rfid_reader_state_str(state));
	if (state == RFID_READER_RUNNING && l->tag && !l->answered) {
		int r = llrp_session_access(l->session, l->tag, on_answer, l);

		if (r < 0) {
			tool_error("%s", err_str(r));
			l->lost = true;
		}
	}
}

static void on_incident(void *user, const char *text)
{
	(void) user;
	printf("incident %s\n", text);
}

/** Cuts what comes into frames for record and print. */
static int keep(struct live *l, const uint8_t *data, size_t len)
{
	struct llrp_header h;
	int r = 0;

	buf_put(&l->rx, data, len);
	if (!buf_ok(&l->rx))
		return l->rx.err;
	while (r == 0 && llrp_header_decode(l->rx.data, l->rx.len, &h) == 0 &&
	       h.length <= l->rx.len) {
		r = on_frame(l, l->rx.data, h.length, true);
		buf_consume(&l->rx, h.length);
	}
	return r;
}

static int poll_ms(const struct live *l, int64_t until_us)
{
	int64_t due = MIN(llrp_session_deadline(l->session), until_us);
	int64_t now = clock_mono_us(l->clock);

	if (due <= now)
		return 0;
	return due - now > INT_MAX * INT64_C(500) ? INT_MAX / 2 : (int) ((due - now + 999) / 1000);
}

/** Until the end that was asked for, or the reader's. */
static int converse(struct live *l)
{
	int64_t end = l->seconds ? clock_mono_us(l->clock) + l->seconds * US_PER_SEC : INT64_MAX;
	bool stopping = false;
	int r = 0;

	while (r == 0 && !l->lost) {
		uint8_t data[65536];
		struct pollfd p = {.fd = l->wire.fd, .events = POLLIN};

		if (!stopping && (interrupted || l->answered || clock_mono_us(l->clock) >= end ||
				  (l->max_reads && l->reads >= l->max_reads))) {
			stopping = true;
			end = clock_mono_us(l->clock) + STOP_WAIT_US;
			if ((l->leave ? llrp_session_leave : llrp_session_stop)(l->session) < 0)
				return 0;
		} else if (stopping && clock_mono_us(l->clock) >= end) {
			return 0;
		}
		fflush(stdout);
		if (tool_wire_pending(&l->wire) || poll(&p, 1, poll_ms(l, end)) > 0) {
			long n = tool_wire_recv(&l->wire, data, sizeof(data));

			if (n <= 0 && n != -EAGAIN) {
				tool_error("%s: %s", l->host,
					   n ? err_str((int) n) : "the reader hung up");
				return stopping ? 0 : -ERR_CLOSED;
			}
			r = n > 0 ? keep(l, data, (size_t) n) : 0;
			if (r == 0 && n > 0)
				r = llrp_session_feed(l->session, data, (size_t) n);
		}
		if (r == 0)
			r = llrp_session_tick(l->session);
	}
	if (r == -ERR_CLOSED && stopping)
		return 0;
	if (r < 0)
		tool_error("%s: %s", l->host,
			   *llrp_session_text(l->session) ? llrp_session_text(l->session)
							  : err_str(r));
	return r < 0 ? r : l->lost ? -EIO : 0;
}

/* --- options ---------------------------------------------------------------------------------- */

static bool number(const char *text, long min, long max, long *ret)
{
	char *end;

	errno = 0;
	*ret = strtol(text, &end, 10);
	return *text && *end == 0 && errno == 0 && *ret >= min && *ret <= max;
}

static bool antennas(struct rfid_reader_config *cfg, const char *text)
{
	while (cfg->n_antennas < RFID_MAX_ANTENNAS) {
		char *end;
		unsigned long n = strtoul(text, &end, 10);

		if (end == text || n == 0 || n > UINT16_MAX || (*end && *end != ','))
			return false;
		cfg->antennas[cfg->n_antennas++] = (uint16_t) n;
		if (*end == 0)
			return true;
		text = end + 1;
	}
	return false;
}

/** HOST, HOST:PORT, [V6] or [V6]:PORT. */
static bool address(struct live *l, const char *text)
{
	const char *colon = strrchr(text, ':'), *from = text;
	size_t n = strlen(text);
	long port = l->cfg.tls ? RFID_DEFAULT_TLS_PORT : RFID_DEFAULT_PORT;

	if (*text == '[') {
		const char *close_at = strchr(text, ']');

		if (!close_at || (close_at[1] && close_at[1] != ':'))
			return false;
		from = text + 1;
		n = (size_t) (close_at - from);
		colon = close_at[1] ? close_at + 1 : NULL;
	} else if (colon && strchr(text, ':') == colon) {
		n = (size_t) (colon - text);
	} else {
		colon = NULL; /* a bare IPv6 address */
	}
	if (n == 0 || n >= sizeof(l->host) || (colon && !number(colon + 1, 1, UINT16_MAX, &port)))
		return false;
	memcpy(l->host, from, n);
	l->cfg.port = (uint16_t) port;
	return true;
}

/* One option of the command `name`, with its argument in optarg. */
static int take_option(struct live *l, int opt, const char *name)
{
	long v;

	switch (opt) {
	case 'r':
		l->record_path = optarg;
		break;
	case 'p':
		l->print = true;
		break;
	case 'a':
		if (!antennas(&l->cfg, optarg))
			return tool_usage_error("--antennas: \"%s\" is no list of numbers", optarg);
		break;
	case 's':
		if (!number(optarg, 0, 3, &v))
			return tool_usage_error("--session: 0 to 3");
		l->cfg.session = (uint8_t) v;
		break;
	case 'w':
		if (!number(optarg, 1, 99, &v))
			return tool_usage_error("--power: 1 to 99 dBm");
		l->cfg.power_cdbm = (int16_t) (v * 100);
		break;
	case 't':
		if (!number(optarg, 1, 1000000, &v))
			return tool_usage_error("--seconds: 1 to 1000000");
		l->seconds = v;
		break;
	case 'n':
		if (!number(optarg, 1, LONG_MAX, &v))
			return tool_usage_error("--reads: a number from 1");
		l->max_reads = (uint64_t) v;
		break;
	case 'l':
		if (strcmp(optarg, "1.1") != 0 && strcmp(optarg, "1.0.1") != 0)
			return tool_usage_error("--llrp: 1.0.1 or 1.1");
		l->cfg.version = optarg[2] == '1' ? LLRP_VERSION_1_1 : LLRP_VERSION_1;
		break;
	case 'k':
		l->leave = true;
		break;
	case 'T':
		l->cfg.tls = true;
		break;
	case 'P':
		l->cfg.tls = true;
		l->cfg.tls_pin = optarg;
		break;
	case 'L':
		l->cfg.reader_calls = true;
		break;
	case 'o':
		if (!gen2_profile_find(optarg))
			return tool_usage_error("--profile: fast-moving, dense-shelf or door");
		l->cfg.profile = optarg;
		break;
	case 'e':
	case 'w' + 256:
	case 'R':
	case 'W':
	case 'N':
	case 'K':
		if (!l->tag)
			return tool_usage_error("session: that option is for tag");
		if (tool_tag_option(l->tag, opt, optarg) != TOOL_OK)
			return TOOL_USAGE;
		break;
	default:
		return tool_usage_error("%s: what is that option?", name);
	}
	return TOOL_OK;
}

static int parse(struct live *l, int argc, char **argv)
{
	static const struct option options[] = {
		{"record", required_argument, NULL, 'r'},
		{"print", no_argument, NULL, 'p'},
		{"antennas", required_argument, NULL, 'a'},
		{"session", required_argument, NULL, 's'},
		{"power", required_argument, NULL, 'w'},
		{"seconds", required_argument, NULL, 't'},
		{"reads", required_argument, NULL, 'n'},
		{"llrp", required_argument, NULL, 'l'},
		{"leave", no_argument, NULL, 'k'},
		{"epc", required_argument, NULL, 'e'},
		{"password", required_argument, NULL, 'w' + 256},
		{"read", required_argument, NULL, 'R'},
		{"write", required_argument, NULL, 'W'},
		{"new-epc", required_argument, NULL, 'N'},
		{"lock", required_argument, NULL, 'K'},
		{"tls", no_argument, NULL, 'T'},
		{"pin", required_argument, NULL, 'P'},
		{"listen", no_argument, NULL, 'L'},
		{"profile", required_argument, NULL, 'o'},
		{NULL, 0, NULL, 0},
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (take_option(l, opt, argv[0]) != TOOL_OK)
			return TOOL_USAGE;
	if (optind != argc - 1)
		return tool_usage_error("%s wants one reader", argv[0]);
	if (l->tag && l->tag->n_ops == 0)
		return tool_usage_error("tag: nothing to do: --read, --write, --new-epc or --lock");
	if (!address(l, argv[optind]))
		return tool_usage_error("\"%s\" is no HOST or HOST:PORT", argv[optind]);
	return 0;
}

/** One line that adds up, and one for where something may be missing. */
static void print_ledger(const struct rfid_ledger *l)
{
	char from[CLOCK_RFC3339_MAX], to[CLOCK_RFC3339_MAX];

	printf("ledger %" PRIu64 " reports of %" PRIu64 " reads in %" PRIu64 " frames: %" PRIu64
	       " handed on (%" PRIu64 " held for us), %" PRIu64 " strange, %" PRIu64
	       " unclaimed; %" PRIu64 " overflows, %" PRIu64 " gaps\n",
	       l->reports, l->reads, l->frames, l->handed_on, l->held, l->strange, l->unclaimed,
	       l->overflows, l->gaps);
	if (l->gaps)
		printf("gap from %s to %s: %s\n", clock_rfc3339(l->last_gap.from_us, from),
		       clock_rfc3339(l->last_gap.to_us, to), rfid_gap_cause_str(l->last_gap.cause));
}

static int session(int argc, char **argv, struct rfid_access *tag)
{
	static const struct llrp_session_callbacks callbacks = {
		.send = on_send,
		.state = on_state,
		.reads = on_reads,
		.incident = on_incident,
	};
	struct live l = {.clock = clock_system(),
			 .wire.fd = -1,
			 .cfg = {.name = "reader", .session = 1},
			 .tag = tag};
	struct sigaction act = {.sa_handler = on_signal};
	struct rfid_reader_stats stats;
	int r = parse(&l, argc, argv);

	if (r != 0)
		return r;
	l.cfg.host = l.host;
	r = llrp_session_new(&l.cfg, l.clock, &callbacks, &l, &l.session);
	if (r < 0) {
		tool_error("%s", err_str(r));
		return TOOL_FAILED;
	}
	if (l.record_path && !(l.record = fopen(l.record_path, "wb"))) {
		tool_error("%s: %s", l.record_path, strerror(errno));
		llrp_session_free(l.session);
		return TOOL_FAILED;
	}
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	r = tool_wire_open(&l.wire, &l.cfg);
	if (r == 0) {
		llrp_session_connected(l.session);
		r = converse(&l);
		llrp_session_get_stats(l.session, &stats);
		printf("%" PRIu64 " reads in %" PRIu64 " messages from %s, LLRP %s\n", stats.reads,
		       stats.messages, stats.model[0] ? stats.model : "a reader",
		       stats.version == LLRP_VERSION_1_1 ? "1.1" : "1.0.1");
		print_ledger(&stats.ledger);
	}
	tool_wire_close(&l.wire);
	if (l.record && fclose(l.record) != 0) {
		tool_error("%s: %s", l.record_path, strerror(errno));
		r = -EIO;
	}
	llrp_session_free(l.session);
	buf_done(&l.rx);
	if (r == 0 && tag && l.access_err)
		r = l.access_err;
	return r < 0 ? TOOL_FAILED : TOOL_OK;
}

int tool_session(int argc, char **argv)
{
	return session(argc, argv, NULL);
}

int tool_tag(int argc, char **argv)
{
	struct rfid_access tag = {0};

	return session(argc, argv, &tag);
}
