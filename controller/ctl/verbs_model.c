/* SPDX-License-Identifier: Apache-2.0 */
/* What is worked out here, from recorded walks, without a controller: the model of the places, and
 * the direction of a passage. */
#include "common/err.h"
#include "common/file.h"
#include "controller/ctl/ctl.h"
#include "controller/inventory/door.h"
#include "controller/inventory/place_model.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAX_BAD_SHOWN 10

struct source {
	const char *file;
	size_t bad;
};

static void say_bad(void *user, uint64_t line, const char *why)
{
	struct source *s = user;

	if (s->bad++ < MAX_BAD_SHOWN)
		fprintf(stderr, "%s:%llu: %s\n", s->file, (unsigned long long) line, why);
}

static int load(const char *file, struct trace *ret)
{
	struct source s = {.file = file};
	int r = trace_load(file, say_bad, &s, ret);

	if (s.bad > MAX_BAD_SHOWN)
		fprintf(stderr, "%s: and %zu more such lines\n", file, s.bad - MAX_BAD_SHOWN);
	if (r == 0 && s.bad)
		fprintf(stderr, "%s: %zu lines left out\n", file, s.bad);
	if (r < 0 && (s.bad == 0 || r != -ERR_SYNTAX))
		fprintf(stderr, "%s: %s\n", file,
			r == -ENODATA ? "there is not one read in it" : err_str(r));
	return r < 0 ? CTL_REFUSED : CTL_OK;
}

/* --- places --- */

struct request {
	const char *model, *out;
	bool joined;
	struct place_walk *walks;
	size_t n;
};

static void request_done(struct request *rq)
{
	for (size_t i = 0; i < rq->n; i++) {
		free((char *) rq->walks[i].place);
		trace_done(&rq->walks[i].trace);
	}
	free(rq->walks);
}

/* PLACE=FILE.csv: the first equals sign parts them. */
static int add_walk(struct request *rq, const char *arg)
{
	const char *eq = strchr(arg, '=');
	struct place_walk *w = &rq->walks[rq->n];

	if (!eq || eq == arg || !eq[1])
		return ctl_usage_error("--walk wants PLACE=FILE.csv, not `%s`", arg);
	if (load(eq + 1, &w->trace) != CTL_OK)
		return CTL_REFUSED;
	rq->n++;
	w->place = strndup(arg, (size_t) (eq - arg));
	return w->place ? CTL_OK : CTL_REFUSED;
}

static int parse(struct request *rq, int argc, char **argv, const char *file_option,
		 const char **file)
{
	int code = CTL_OK;

	rq->walks = calloc((size_t) argc + 1, sizeof(*rq->walks));
	if (!rq->walks)
		return CTL_REFUSED;
	for (int i = 0; i < argc && code == CTL_OK; i++) {
		bool joins = strcmp(argv[i], "--joined") == 0 && file == &rq->model;

		if (!joins && strcmp(argv[i], "--walk") != 0 && strcmp(argv[i], file_option) != 0)
			return ctl_usage_error("there is no option %s here", argv[i]);
		if (!joins && i + 1 == argc)
			return ctl_usage_error("%s needs a value", argv[i]);
		if (joins)
			rq->joined = true;
		else if (strcmp(argv[i], "--walk") == 0)
			code = add_walk(rq, argv[++i]);
		else
			*file = argv[++i];
	}
	if (code == CTL_OK && (!*file || rq->n == 0))
		return ctl_usage_error("%s and at least one --walk are needed", file_option);
	return code;
}

static double share(size_t part, size_t all)
{
	return all ? (double) part / (double) all : 0.0;
}

static void print_places(const struct place_model *m, const struct place_score *s)
{
	puts("place                     reads   right");
	for (unsigned int p = 0; p < m->n_places; p++) {
		size_t all = 0;

		for (unsigned int q = 0; q <= m->n_places; q++)
			all += s->confusion[p][q];
		if (all)
			printf("%-24s %6zu   %.3f\n", m->places[p], all,
			       share(s->confusion[p][p], all));
	}
	puts("\nwalked, then the places named (reads)");
	for (unsigned int p = 0; p < m->n_places; p++) {
		printf("%-24s", m->places[p]);
		for (unsigned int q = 0; q < m->n_places; q++)
			printf(" %6zu", s->confusion[p][q]);
		puts("");
	}
	puts("\nconfidence    reads   right");
	for (unsigned int i = 0; i < ARRAY_SIZE(s->sure); i++)
		if (s->sure[i])
			printf("%.1f to %.1f   %6zu   %.3f\n", i / 10.0, (i + 1) / 10.0, s->sure[i],
			       share(s->sure_right[i], s->sure[i]));
	puts("");
}

static void print_figures(const struct place_score *s)
{
	printf("accuracy %.3f\n", share(s->right, s->reads));
	printf("moves %zu\n", s->moves);
}

static int fit(struct request *rq)
{
	_cleanup_(place_model_freep) struct place_model *m = NULL;
	_cleanup_free_ struct place_score *s = calloc(1, sizeof(*s));
	_cleanup_buf_ struct buf text = BUF_INIT;
	const char *why;
	int r;

	if (!s)
		return CTL_REFUSED;
	if (place_model_fit(rq->walks, rq->n, &m, s, &why) < 0) {
		fprintf(stderr, "gondolactl: these walks cannot be fitted: %s\n", why);
		return CTL_REFUSED;
	}
	place_model_write(m, &text);
	r = buf_ok(&text) ? file_write_durable(rq->out, text.data, text.len, 0644) : -ENOMEM;
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", rq->out, err_str(r));
		return CTL_REFUSED;
	}
	printf("%u places, %u antennas, %.1f reads a second\n", m->n_places, m->n_antennas,
	       (double) m->reads_per_s);
	puts("What to expect: each quarter of the walks, judged by what the other three taught.\n");
	print_places(m, s);
	printf("(the parts were played joined: %zu moves are real)\n", s->parts - 1);
	print_figures(s);
	return CTL_OK;
}

static int load_model(const char *file, struct place_model **ret)
{
	_cleanup_free_ char *text = NULL;
	unsigned int line = 0;
	size_t len;
	int r = file_read(file, PLACE_MODEL_MAX_BYTES, &text, &len);

	if (r == 0)
		r = place_model_read(text, len, ret, &line);
	if (r == 0)
		return CTL_OK;
	if (line)
		fprintf(stderr, "%s:%u: %s\n", file, line, err_str(r));
	else
		fprintf(stderr, "%s: %s\n", file, err_str(r));
	return CTL_REFUSED;
}

static int score(struct request *rq)
{
	_cleanup_(place_model_freep) struct place_model *m = NULL;
	_cleanup_free_ struct place_score *s = calloc(1, sizeof(*s));

	if (!s || load_model(rq->model, &m) != CTL_OK)
		return CTL_REFUSED;
	for (size_t i = 0; i < rq->n; i++) {
		if (place_model_place(m, rq->walks[i].place) != PLACE_MODEL_NONE)
			continue;
		fprintf(stderr, "%s: the model has no place `%s`\n", rq->model, rq->walks[i].place);
		return CTL_REFUSED;
	}
	if (place_model_score(m, rq->walks, rq->n, rq->joined, s) < 0)
		return CTL_REFUSED;
	print_places(m, s);
	print_figures(s);
	return CTL_OK;
}

int ctl_places_fit(struct ctl *c, int argc, char **argv)
{
	struct request rq = {0};
	int code = parse(&rq, argc, argv, "--out", &rq.out);

	(void) c;
	if (code == CTL_OK)
		code = fit(&rq);
	request_done(&rq);
	return code;
}

int ctl_places_score(struct ctl *c, int argc, char **argv)
{
	struct request rq = {0};
	int code = parse(&rq, argc, argv, "--model", &rq.model);

	(void) c;
	if (code == CTL_OK)
		code = score(&rq);
	request_done(&rq);
	return code;
}

/* --- doors --- */

static int group(const char *option, const char *text, struct door_group *ret)
{
	int r = text ? door_group_parse(text, ret) : -ENOENT;

	if (r == -ENOENT)
		return ctl_usage_error("%s 1,2 (the antennas of one side) is needed", option);
	if (r < 0)
		return ctl_usage_error("%s: `%s` is not a list of antennas", option, text);
	return CTL_OK;
}

static int judge(const char *file, const struct door_group *from, const struct door_group *to)
{
	struct door_verdict v;
	struct trace t;

	if (load(file, &t) != CTL_OK)
		return CTL_REFUSED;
	door_judge(t.reads, t.n, from, to, &v);
	printf("%s %s %.3f\n", file, door_direction_str(v.direction), (double) v.confidence);
	trace_done(&t);
	return CTL_OK;
}

int ctl_doors_score(struct ctl *c, int argc, char **argv)
{
	const char *from_text = NULL, *to_text = NULL;
	struct door_group from, to;
	int code, files = 0;

	(void) c;
	for (int i = 0; i < argc; i++) {
		bool is_from = strcmp(argv[i], "--from") == 0;

		if (!is_from && strcmp(argv[i], "--to") != 0) {
			if (strncmp(argv[i], "--", 2) == 0)
				return ctl_usage_error("there is no option %s here", argv[i]);
			argv[files++] = argv[i];
		} else if (i + 1 == argc) {
			return ctl_usage_error("%s needs a value", argv[i]);
		} else {
			*(is_from ? &from_text : &to_text) = argv[i + 1];
			i++;
		}
	}
	code = group("--from", from_text, &from);
	if (code == CTL_OK)
		code = group("--to", to_text, &to);
	if (code != CTL_OK)
		return code;
	for (unsigned int i = 0; i < to.n; i++)
		if (door_group_has(&from, to.antennas[i]))
			return ctl_usage_error("antenna %u is on both sides", to.antennas[i]);
	if (files == 0)
		return ctl_usage_error("name at least one recording");
	for (int i = 0; i < files; i++)
		if (judge(argv[i], &from, &to) != CTL_OK)
			code = CTL_REFUSED;
	return code;
}
