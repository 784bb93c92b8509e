/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim.h"

#include "common/conf.h"
#include "common/err.h"
#include "config.h"
#include "sim/player.h"
#include "sim/simconf.h"
#include <getopt.h>
#include <signal.h>
#include <string.h>

#define EXIT_USAGE 2

static const char usage_text[] =
	"gondola-sim: a simulated store that speaks the real protocols over real sockets\n"
	"\n"
	"  gondola-sim store --config FILE [--check-config]\n"
	"      LLRP readers, label radios and goods that move, as FILE says\n"
	"  gondola-sim reader --replay FILE.csv [--port N] [--speed X] [--loop] [--stay]\n"
	"                     [--no-rebase] [--name NAME] [--antennas N]\n"
	"      plays a recorded trace as an LLRP reader to its first client\n"
	"\n"
	"  --config FILE    configuration of the store (--help-config lists the keys)\n"
	"  --check-config   read it, say what is wrong, and end\n"
	"  --replay FILE    trace: timestamp,reader,antenna,rssi,epc,phase_angle,channel_index,\n"
	"                   doppler_frequency\n"
	"  --port N         LLRP port on 127.0.0.1 (0 = any free one, the default)\n"
	"  --speed X        X times as fast as recorded (default 1)\n"
	"  --loop           begin again at the end\n"
	"  --stay           go on serving when everything was played and delivered\n"
	"  --no-rebase      keep the recorded times instead of moving them to now\n"
	"  --name NAME      name of the reader in messages\n"
	"  --antennas N     antennas of the reader (default: 4, or as many as the trace has)\n"
	"  --help, --help-config, --version\n";

struct options {
	const char *config, *replay, *name;
	uint16_t port, antennas;
	double speed;
	bool check, loop, stay, no_rebase;
};

/* --- running until a signal ------------------------------------------------------------------- */

struct run {
	struct loop *loop;
	struct loop_signal *term, *interrupt;
	bool stay;
};

static void on_signal(void *user, int signo)
{
	struct run *run = user;

	(void) signo;
	loop_stop(run->loop);
}

static int run_begin(struct run *run)
{
	int r = loop_new(&run->loop);

	if (r == 0)
		r = loop_signal_new(run->loop, SIGTERM, on_signal, run, &run->term);
	if (r == 0)
		r = loop_signal_new(run->loop, SIGINT, on_signal, run, &run->interrupt);
	(void) signal(SIGPIPE, SIG_IGN);
	return r;
}

static void run_end(struct run *run)
{
	if (run->term)
		loop_signal_free(run->term);
	if (run->interrupt)
		loop_signal_free(run->interrupt);
	loop_free(run->loop);
}

static int complain(const char *what, const char *why)
{
	(void) fprintf(stderr, "gondola-sim: %s%s%s\n", what, why && *why ? ": " : "",
		       why ? why : "");
	return EXIT_FAILURE;
}

/* --- gondola-sim store ------------------------------------------------------------------------ */

static int store_main(const struct options *o)
{
	struct sim_store *store = NULL;
	struct run run = {0};
	char diag[512] = "";
	int r;

	if (!o->config)
		return complain("store needs --config FILE", NULL), EXIT_USAGE;
	if (o->check) {
		r = sim_store_check(o->config, diag, sizeof diag);
		if (r < 0)
			return complain(diag[0] ? diag : err_str(r), NULL);
		(void) printf("%s: ok\n", o->config);
		return EXIT_SUCCESS;
	}
	r = run_begin(&run);
	if (r == 0)
		r = sim_store_new(run.loop, o->config, diag, sizeof diag, &store);
	if (r == 0) {
		sim_store_print_ready(store, stdout);
		loop_run(run.loop);
	}
	sim_store_free(store);
	run_end(&run);
	return r < 0 ? complain(diag[0] ? diag : err_str(r), NULL) : EXIT_SUCCESS;
}

/* --- gondola-sim reader ----------------------------------------------------------------------- */

static void bad_row(void *user, size_t line, const char *why)
{
	(void) fprintf(stderr, "%s:%zu: %s\n", (const char *) user, line, why);
}

static void played(void *user)
{
	struct run *run = user;

	if (!run->stay)
		loop_stop(run->loop);
}

static int serve_trace(const struct options *o, const struct replay *trace, struct run *run)
{
	struct sim_reader_config cfg = {.name = o->name ? o->name : "replay", .impinj = true};
	struct sim_player_config play = {
		.speed = o->speed, .loop = o->loop, .no_rebase = o->no_rebase, .progress = stdout};
	struct sim_reader *reader = NULL;
	struct sim_player *player = NULL;
	int r;

	cfg.n_antennas = o->antennas ? o->antennas : MAX(trace->max_antenna, (uint16_t) 4);
	r = sim_reader_new(run->loop, &cfg, &reader);
	if (r == 0)
		r = sim_player_new(run->loop, reader, trace, &play, played, run, &player);
	if (r == 0)
		r = sim_reader_listen(reader, o->port);
	if (r == 0) {
		(void) printf("gondola-sim ready {\"port\":%u,\"antennas\":%u,\"reads\":%zu,"
			      "\"bad_rows\":%zu}\n",
			      sim_reader_port(reader), cfg.n_antennas, trace->n, trace->bad);
		(void) fflush(stdout);
		loop_run(run->loop);
		sim_reader_hang_up(reader);
	}
	sim_player_free(player);
	sim_reader_free(reader);
	return r;
}

static int reader_main(const struct options *o)
{
	struct replay trace = {0};
	struct run run = {.stay = o->stay};
	int r;

	if (!o->replay)
		return complain("reader needs --replay FILE", NULL), EXIT_USAGE;
	r = replay_load(o->replay, bad_row, (void *) o->replay, &trace);
	if (r < 0)
		return complain(o->replay, r == -ERR_SYNTAX ? "no header row with timestamp and epc"
							    : err_str(r));
	if (trace.n == 0) {
		replay_done(&trace);
		return complain(o->replay, "no row that can be played");
	}
	r = run_begin(&run);
	if (r == 0)
		r = serve_trace(o, &trace, &run);
	run_end(&run);
	replay_done(&trace);
	return r < 0 ? complain("reader", err_str(r)) : EXIT_SUCCESS;
}

/* --- arguments -------------------------------------------------------------------------------- */

enum {
	OPT_CONFIG = 1,
	OPT_CHECK,
	OPT_REPLAY,
	OPT_PORT,
	OPT_SPEED,
	OPT_LOOP,
	OPT_STAY,
	OPT_NO_REBASE,
	OPT_NAME,
	OPT_ANTENNAS,
	OPT_HELP,
	OPT_HELP_CONFIG,
	OPT_VERSION
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, OPT_CONFIG},
	{"check-config", no_argument, NULL, OPT_CHECK},
	{"replay", required_argument, NULL, OPT_REPLAY},
	{"port", required_argument, NULL, OPT_PORT},
	{"speed", required_argument, NULL, OPT_SPEED},
	{"loop", no_argument, NULL, OPT_LOOP},
	{"stay", no_argument, NULL, OPT_STAY},
	{"no-rebase", no_argument, NULL, OPT_NO_REBASE},
	{"name", required_argument, NULL, OPT_NAME},
	{"antennas", required_argument, NULL, OPT_ANTENNAS},
	{"help", no_argument, NULL, OPT_HELP},
	{"help-config", no_argument, NULL, OPT_HELP_CONFIG},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

static bool number_option(const char *text, double min, double max, double *ret)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || !(v >= min && v <= max))
		return false;
	*ret = v;
	return true;
}

/** 0 to go on, 1 when the option was all there was to do, -1 for a mistake. */
static int take_option(int opt, struct options *o)
{
	double v;

	switch (opt) {
	case OPT_CONFIG:
		o->config = optarg;
		return 0;
	case OPT_CHECK:
		o->check = true;
		return 0;
	case OPT_REPLAY:
		o->replay = optarg;
		return 0;
	case OPT_PORT:
		if (!number_option(optarg, 0, 65535, &v))
			return -1;
		o->port = (uint16_t) v;
		return 0;
	case OPT_SPEED:
		return number_option(optarg, 0.001, 1e6, &o->speed) ? 0 : -1;
	case OPT_LOOP:
		o->loop = true;
		return 0;
	case OPT_STAY:
		o->stay = true;
		return 0;
	case OPT_NO_REBASE:
		o->no_rebase = true;
		return 0;
	case OPT_NAME:
		o->name = optarg;
		return 0;
	case OPT_ANTENNAS:
		if (!number_option(optarg, 1, SIM_READER_MAX_ANTENNAS, &v))
			return -1;
		o->antennas = (uint16_t) v;
		return 0;
	case OPT_HELP:
		(void) fputs(usage_text, stdout);
		return 1;
	case OPT_HELP_CONFIG:
		conf_print_schema(simconf_schema, stdout);
		return 1;
	case OPT_VERSION:
		(void) puts("gondola-sim " PACKAGE_VERSION);
		return 1;
	default:
		return -1;
	}
}

int sim_main(int argc, char **argv)
{
	struct options o = {.speed = 1};
	int opt;

	while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		int r = take_option(opt, &o);

		if (r > 0)
			return EXIT_SUCCESS;
		if (r < 0) {
			(void) fputs("gondola-sim: bad option; see gondola-sim --help\n", stderr);
			return EXIT_USAGE;
		}
	}
	if (optind + 1 == argc && !strcmp(argv[optind], "store"))
		return store_main(&o);
	if (optind + 1 == argc && !strcmp(argv[optind], "reader"))
		return reader_main(&o);
	(void) fputs(usage_text, stderr);
	return EXIT_USAGE;
}
