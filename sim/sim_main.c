/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim.h"

#include "common/conf.h"
#include "common/err.h"
#include "config.h"
#include "sim/kernel_label.h"
#include "sim/player.h"
#include "sim/simconf.h"
#include <getopt.h>
#include <signal.h>
#include <string.h>

#define EXIT_USAGE 2
#define LABEL_SEED 1

static const char usage_text[] =
	"gondola-sim: a simulated store that speaks the real protocols over real sockets\n"
	"\n"
	"  gondola-sim store --config FILE [--check-config]\n"
	"      LLRP readers, label radios and goods that move, as FILE says\n"
	"  gondola-sim reader --replay FILE.csv [--port N] [--speed X] [--loop] [--stay]\n"
	"                     [--no-rebase] [--name NAME] [--antennas N]\n"
	"      plays a recorded trace as an LLRP reader to its first client\n"
	"  gondola-sim label --adapter hciN [--panel WxH] [--type T] [--personality P] [--port N]\n"
	"      one shelf label on this machine's own Bluetooth, whose adapter it takes for itself\n"
	"\n"
	"  --config FILE    configuration of the store (--help-config lists the keys)\n"
	"  --check-config   read it, say what is wrong, and end\n"
	"  --replay FILE    trace: timestamp,reader,antenna,rssi,epc,phase_angle,channel_index,\n"
	"                   doppler_frequency\n"
	"  --port N         port on 127.0.0.1 (0 = any free one, the default): LLRP of a reader,\n"
	"                   truth of a label\n"
	"  --speed X        X times as fast as recorded (default 1)\n"
	"  --loop           begin again at the end\n"
	"  --stay           go on serving when everything was played and delivered\n"
	"  --no-rebase      keep the recorded times instead of moving them to now\n"
	"  --name NAME      name of the reader in messages\n"
	"  --antennas N     antennas of the reader (default: 4, or as many as the trace has)\n"
	"  --adapter hciN   Bluetooth adapter of the label\n"
	"  --panel WxH      its pixels (default 296x128)\n"
	"  --type T         bw, bwr or bwy (default bw)\n"
	"  --personality P  sl or nrf: whose reading of the specification it follows (default sl)\n"
	"  --help, --help-config, --version\n";

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
	OPT_ADAPTER,
	OPT_PANEL,
	OPT_TYPE,
	OPT_PERSONALITY,
	OPT_HELP,
	OPT_HELP_CONFIG,
	OPT_VERSION
};

struct options {
	const char *config, *replay, *name, *adapter;
	struct sim_label_model label;
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

/* --- gondola-sim label ------------------------------------------------------------------------ */

static int label_main(const struct options *o)
{
#ifdef HAVE_DBUS
	struct kernel_label_config cfg = {.adapter = o->adapter,
					  .model = o->label,
					  .seed = LABEL_SEED,
					  .truth_port = o->port,
					  .ready = stdout};
	struct kernel_label *label = NULL;
	struct run run = {0};
	int r;

	if (!o->adapter)
		return complain("label needs --adapter hciN", NULL), EXIT_USAGE;
	r = run_begin(&run);
	if (r == 0)
		r = kernel_label_new(run.loop, &cfg, &label);
	if (r == 0)
		loop_run(run.loop);
	kernel_label_free(label);
	run_end(&run);
	return r < 0 ? complain(o->adapter, err_str(r)) : EXIT_SUCCESS;
#else
	(void) o;
	return complain("label", "this build has no message bus (libdbus)");
#endif
}

/** What --panel, --type and --personality say. */
static bool label_option(struct sim_label_model *m, int opt, const char *text)
{
	static const struct {
		const char *name;
		uint8_t type;
	} types[] = {{"bw", DISPLAY_BLACK_WHITE},
		     {"bwr", DISPLAY_RED_BLACK_WHITE},
		     {"bwy", DISPLAY_YELLOW_BLACK_WHITE}};
	unsigned int width, height;
	char rest;

	if (opt == OPT_PANEL) {
		if (sscanf(text, "%4ux%4u%c", &width, &height, &rest) != 2 || width < 1 ||
		    height < 1 || width > IMAGE_MAX_SIDE || height > IMAGE_MAX_SIDE)
			return false;
		m->width = (uint16_t) width;
		m->height = (uint16_t) height;
		return true;
	}
	if (opt == OPT_PERSONALITY) {
		m->personality = text[0] == 's' ? SIM_PERSONALITY_SL : SIM_PERSONALITY_NRF;
		return !strcmp(text, "sl") || !strcmp(text, "nrf");
	}
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(text, types[i].name)) {
			m->type = types[i].type;
			return true;
		}
	return false;
}

/* --- arguments -------------------------------------------------------------------------------- */

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
	{"adapter", required_argument, NULL, OPT_ADAPTER},
	{"panel", required_argument, NULL, OPT_PANEL},
	{"type", required_argument, NULL, OPT_TYPE},
	{"personality", required_argument, NULL, OPT_PERSONALITY},
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
	case OPT_ADAPTER:
		o->adapter = optarg;
		return 0;
	case OPT_PANEL:
	case OPT_TYPE:
	case OPT_PERSONALITY:
		return label_option(&o->label, opt, optarg) ? 0 : -1;
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
	struct options o = {.speed = 1,
			    .label = {.width = 296,
				      .height = 128,
				      .type = DISPLAY_BLACK_WHITE,
				      .slots = 4,
				      .leds = 1,
				      .redraw_us = 800 * US_PER_MS,
				      .clock_ppm = 20}};
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
	if (optind + 1 == argc && !strcmp(argv[optind], "label"))
		return label_main(&o);
	(void) fputs(usage_text, stderr);
	return EXIT_USAGE;
}
