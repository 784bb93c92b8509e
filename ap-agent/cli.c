/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/cli.h"
#include "ap-agent/agent.h"
#include "common/err.h"
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_CONFIG "/etc/gondola/agent.conf"

struct options {
	const char *config;
	struct joincode code;
	bool has_code;
	bool check;
};

static void print_help(void)
{
	printf("Usage: gondola-agent [--config FILE] [--join CODE]\n"
	       "Runs the RFID readers and shelf labels of one access point.\n\n"
	       "  --config FILE   configuration (default " DEFAULT_CONFIG ")\n"
	       "  --join CODE     join the store with this code, then go on\n"
	       "  --check-config  only say whether the configuration is good\n"
	       "  --help-config   list the keys of the configuration\n"
	       "  --version       print the version\n"
	       "  --help          print this\n");
}

/* 1 = go on, otherwise the exit status negated (0 or below). */
static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
					      {"join", required_argument, NULL, 'j'},
					      {"check-config", no_argument, NULL, 'k'},
					      {"help-config", no_argument, NULL, 'K'},
					      {"version", no_argument, NULL, 'V'},
					      {"help", no_argument, NULL, 'h'},
					      {0}};
	int opt;

	while ((opt = getopt_long(argc, argv, "c:j:Vh", longs, NULL)) != -1) {
		switch (opt) {
		case 'c':
			o->config = optarg;
			break;
		case 'j':
			if (joincode_parse(optarg, &o->code) < 0) {
				fprintf(stderr, "gondola-agent: this is not a join code; one looks"
						" like GJ1-ABCDEFGHIJKLMNOP-0123...cdef\n");
				return -2;
			}
			o->has_code = true;
			/* not for everybody who lists processes */
			memset(optarg, 'x', strlen(optarg));
			break;
		case 'k':
			o->check = true;
			break;
		case 'K':
			settings_print(stdout);
			return 0;
		case 'V':
			printf("gondola-agent %s\n", PACKAGE_VERSION);
			return 0;
		case 'h':
			print_help();
			return 0;
		default:
			return -2;
		}
	}
	if (optind != argc) {
		fprintf(stderr, "gondola-agent: unexpected argument %s\n", argv[optind]);
		return -2;
	}
	return 1;
}

/* An access point has little memory: one arena, freed memory returned early, one pool thread. */
static void be_small(void)
{
#ifdef __GLIBC__
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TRIM_THRESHOLD, 128 * 1024);
	mallopt(M_MMAP_THRESHOLD, 64 * 1024);
#endif
	setenv("UV_THREADPOOL_SIZE", "1", 0);
}

static void on_signal(void *user, int signo)
{
	(void) signo;
	agent_stop(user);
}

static int run(const struct settings *s, const struct options *o)
{
	struct loop_signal *term = NULL, *interrupt = NULL;
	struct agent *agent = NULL;
	struct loop *loop = NULL;
	int r = loop_new(&loop);

	if (r >= 0)
		r = agent_new(loop, s, o->has_code ? &o->code : NULL, &agent);
	if (r >= 0)
		r = loop_signal_new(loop, SIGTERM, on_signal, agent, &term);
	if (r >= 0)
		r = loop_signal_new(loop, SIGINT, on_signal, agent, &interrupt);
	if (r >= 0)
		loop_run(loop);
	else
		log_write(LOG_ERR, "agent", r, "msg=\"giving up\"");
	loop_signal_free(term);
	loop_signal_free(interrupt);
	agent_free(agent);
	loop_free(loop);
	return r < 0 ? 1 : 0;
}

int agent_main(int argc, char **argv)
{
	struct options o = {.config = DEFAULT_CONFIG};
	char diag[SETTINGS_DIAG_MAX];
	struct settings s;
	int r = parse(argc, argv, &o);

	if (r <= 0)
		return -r;
	be_small();
	signal(SIGPIPE, SIG_IGN);
	r = settings_load(o.config, &s, diag);
	if (r < 0) {
		fprintf(stderr, "%s\n", r == -ERR_CONFIG || diag[0] ? diag : err_str(r));
		return 1;
	}
	if (o.check) {
		printf("%s: good\n", o.config);
		settings_done(&s);
		return 0;
	}
	log_set_level(s.log_level);
	r = run(&s, &o);
	settings_done(&s);
	return r;
}
