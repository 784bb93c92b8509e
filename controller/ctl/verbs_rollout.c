/* SPDX-License-Identifier: Apache-2.0 */
/* Rollouts: price changes that go out in waves. */
#include "common/err.h"
#include "common/gtin.h"
#include "controller/ctl/ctl.h"
#include "controller/shop/csv.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define BAR 24

/* --- the file ----------------------------------------------------------------------------------
 */

static bool is_word(const struct csv_field *f, const char *word)
{
	return f->len == strlen(word) && strncasecmp(f->text, word, f->len) == 0;
}

static int complain(uint64_t line, const char *what)
{
	fprintf(stderr, "gondolactl: line %llu: %s\n", (unsigned long long) line, what);
	return CTL_REFUSED;
}

/* Which column is which; the first record names them. */
static int read_head(struct csv *c, size_t *ret_gtin, size_t *ret_price)
{
	int r = csv_next(c);

	*ret_gtin = *ret_price = CSV_MAX_COLUMNS;
	for (size_t i = 0; r > 0 && !c->fault && i < c->n; i++) {
		if (is_word(&c->fields[i], "gtin"))
			*ret_gtin = i;
		else if (is_word(&c->fields[i], "price"))
			*ret_price = i;
	}
	if (*ret_gtin == CSV_MAX_COLUMNS || *ret_price == CSV_MAX_COLUMNS)
		return complain(1, "the first line names the columns gtin and price");
	return CTL_OK;
}

static int read_row(const struct csv *c, size_t gtin, size_t price, json_t *changes)
{
	const struct csv_field *g = &c->fields[gtin], *p = &c->fields[price];
	uint64_t number;

	if (c->fault)
		return complain(c->fault_line, csv_fault_code(c->fault));
	if (c->n <= MAX(gtin, price))
		return complain(c->line, "there is a field missing");
	if (gtin_parse(g->text, g->len, &number) < 0)
		return complain(c->line, "that is not a GTIN");
	json_array_append_new(changes, json_pack("{s:o,s:o}", "gtin", json_stringn(g->text, g->len),
						 "price", json_stringn(p->text, p->len)));
	return CTL_OK;
}

/* The changes of a file; NULL after saying what is wrong. */
static json_t *read_changes(const char *name)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	json_t *changes = json_array();
	size_t gtin, price;
	struct csv c;
	int code = ctl_read_file(name, &text), r = 0;

	if (code != CTL_OK) {
		json_decref(changes);
		return NULL;
	}
	csv_init(&c, text.data, text.len);
	code = read_head(&c, &gtin, &price);
	while (code == CTL_OK && (r = csv_next(&c)) > 0)
		code = read_row(&c, gtin, price, changes);
	csv_done(&c);
	if (code == CTL_OK && r == 0)
		return changes;
	if (code == CTL_OK)
		fprintf(stderr, "gondolactl: %s\n", err_str(r));
	json_decref(changes);
	return NULL;
}

/* --- options -----------------------------------------------------------------------------------
 */

static int set_waves(json_t *body, const char *text)
{
	json_t *waves = json_array();
	char *end;

	for (;; text = end + 1) {
		double percent = strtod(text, &end);

		if (end == text || (*end && *end != ','))
			break;
		json_array_append_new(waves, json_pack("{s:f}", "percent", percent));
		if (!*end) {
			json_object_set_new(body, "waves", waves);
			return CTL_OK;
		}
	}
	json_decref(waves);
	return ctl_usage_error("waves are percentages such as 2,25,100");
}

static int set_number(json_t *to, const char *key, const char *text, bool whole)
{
	char *end;
	double v;

	if (!text)
		return CTL_OK;
	v = strtod(text, &end);
	if (end == text || *end || v < 0 || v > 1e9)
		return ctl_usage_error("`%s` is not a number", text);
	json_object_set_new(to, key, whole ? json_integer((json_int_t) v) : json_real(v));
	return CTL_OK;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Reads options and file into the body of a request. */
static int make_body(int argc, char **argv, json_t **ret)
{
	const char *name = NULL, *waves = NULL, *settle = NULL, *gate = NULL, *timeout = NULL;
	const char *failed = NULL, *start = NULL, *reason = NULL;
	json_t *body, *rules;
	int code = CTL_OK;

	(void) ctl_take_value(&argc, argv, "--name", &name);
	(void) ctl_take_value(&argc, argv, "--reason", &reason);
	(void) ctl_take_value(&argc, argv, "--waves", &waves);
	(void) ctl_take_value(&argc, argv, "--staged", &gate);
	(void) ctl_take_value(&argc, argv, "--timeout", &timeout);
	(void) ctl_take_value(&argc, argv, "--failed", &failed);
	(void) ctl_take_value(&argc, argv, "--settle", &settle);
	(void) ctl_take_value(&argc, argv, "--start", &start);
	if (argc != 1)
		return ctl_usage_error("give one file with the columns gtin and price");
	body = json_pack("{s:s}", "name", name ? name : base_name(argv[0]));
	if (reason)
		json_object_set_new(body, "reason", json_string(reason));
	if (start)
		json_object_set_new(body, "start", json_string(start));
	if (waves)
		code = set_waves(body, waves);
	rules = json_object();
	if (code == CTL_OK)
		code = set_number(rules, "staged_percent", gate, false);
	if (code == CTL_OK)
		code = set_number(rules, "timeout_s", timeout, true);
	json_object_set_new(body, "gate", rules);
	rules = json_object();
	if (code == CTL_OK)
		code = set_number(rules, "failed_percent", failed, false);
	json_object_set_new(body, "halt", rules);
	if (code == CTL_OK)
		code = set_number(body, "settle_s", settle, true);
	if (code == CTL_OK) {
		json_t *changes = read_changes(argv[0]);

		code = changes ? CTL_OK : CTL_REFUSED;
		if (changes)
			json_object_set_new(body, "changes", changes);
	}
	if (code != CTL_OK) {
		json_decref(body);
		return code;
	}
	*ret = body;
	return CTL_OK;
}

/* --- showing -----------------------------------------------------------------------------------
 */

static long long number_at(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* "####====--------": shown, flipped, staged, and what is left. */
static void print_bar(const json_t *o, const char *total_key)
{
	long long total = number_at(o, total_key);
	char bar[BAR + 1];

	for (int i = 0; i < BAR; i++) {
		long long at = total ? (2 * i + 1) * total / (2 * BAR) : 0;

		bar[i] = !total                         ? '.'
			 : at < number_at(o, "shown")   ? '#'
			 : at < number_at(o, "flipped") ? '='
			 : at < number_at(o, "staged")  ? '-'
							: '.';
	}
	bar[BAR] = 0;
	fputs(bar, stdout);
}

static void print_wave(const json_t *w)
{
	char percent[32], state[32], at[40];

	snprintf(percent, sizeof(percent), "%g %%",
		 json_number_value(json_object_get(w, "percent")));
	printf("  wave %lld  %6s  %-11s [", number_at(w, "n"), percent,
	       ctl_text_at(w, "state", state, sizeof(state)));
	print_bar(w, "labels");
	printf("]  %lld products, %lld labels: %lld staged, %lld flipped, %lld shown, %lld failed",
	       number_at(w, "products"), number_at(w, "labels"), number_at(w, "staged"),
	       number_at(w, "flipped"), number_at(w, "shown"), number_at(w, "failed"));
	if (number_at(w, "rolled_back"))
		printf(", %lld rolled back", number_at(w, "rolled_back"));
	if (json_is_string(json_object_get(w, "flip_at")))
		printf(", flip at %s", ctl_text_at(w, "flip_at", at, sizeof(at)));
	putchar('\n');
}

static void print_forecast(const json_t *r, const char *key, const char *heading)
{
	const json_t *f = json_object_get(r, key);
	char at[40], why[400];

	if (json_is_object(f))
		printf("  %-9s %s  (%s)\n", heading, ctl_text_at(f, "finish", at, sizeof(at)),
		       ctl_text_at(f, "why", why, sizeof(why)));
}

static void print_rollout(const json_t *r)
{
	char name[160], state[32], reason[500], who[100], text[40];
	const json_t *w;
	size_t i;

	printf("Rollout %lld: %s (%s)\n", number_at(r, "id"),
	       ctl_text_at(r, "name", name, sizeof(name)),
	       ctl_text_at(r, "state", state, sizeof(state)));
	if (json_is_string(json_object_get(r, "reason")))
		printf("  %s\n", ctl_text_at(r, "reason", reason, sizeof(reason)));
	printf("  by        %s, %s\n", ctl_text_at(r, "by", who, sizeof(who)),
	       ctl_text_at(r, "created", text, sizeof(text)));
	json_array_foreach(json_object_get(r, "waves"), i, w)
	{
		print_wave(w);
	}
	if (json_is_string(json_object_get(r, "finished")))
		printf("  finished  %s\n", ctl_text_at(r, "finished", text, sizeof(text)));
	else
		print_forecast(r, "forecast", "forecast");
	print_forecast(r, "first_forecast", "at first");
}

static void print_preview(const json_t *p)
{
	const json_t *v;
	char text[200];
	size_t i;

	printf("%lld products, %lld labels\n", number_at(p, "products"), number_at(p, "labels"));
	json_array_foreach(json_object_get(p, "waves"), i, v)
	{
		printf("  wave %zu: %lld products, %lld labels\n", i + 1, number_at(v, "products"),
		       number_at(v, "labels"));
	}
	print_forecast(p, "forecast", "forecast");
	json_array_foreach(json_object_get(p, "warnings"), i, v)
	{
		printf("  note: %s\n", ctl_text_at(v, "detail", text, sizeof(text)));
	}
}

/* --- verbs -------------------------------------------------------------------------------------
 */

int ctl_rollouts_list(struct ctl *c, int argc, char **argv _unused_)
{
	static const struct ctl_column columns[] = {
		{"ID", "id", true},
		{"NAME", "name", false},
		{"STATE", "state", false},
		{"LABELS", "total", true},
		{"STAGED", "staged", true},
		{"FLIPPED", "flipped", true},
		{"SHOWN", "shown", true},
		{"FAILED", "failed", true},
		{"CREATED", "created", false},
		{"BY", "by", false},
	};

	if (argc)
		return ctl_usage_error("rollouts list takes nothing more");
	return ctl_show_list(c, "/api/v1/rollouts", columns, ARRAY_SIZE(columns));
}

static const char *path_of(struct buf *b, const char *id, const char *after)
{
	buf_put_str(b, "/api/v1/rollouts/");
	ctl_escape(b, id);
	buf_put_str(b, after);
	buf_put_u8(b, 0);
	return buf_ok(b) ? (const char *) b->data : "/";
}

int ctl_rollouts_show(struct ctl *c, int argc, char **argv)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	json_t *r;

	if (argc != 1)
		return ctl_usage_error("rollouts show needs one number");
	int code = ctl_call(c, "GET", path_of(&path, argv[0], ""), NULL, &r);

	if (code == CTL_OK && r)
		print_rollout(r);
	json_decref(r);
	return code;
}

int ctl_rollouts_start(struct ctl *c, int argc, char **argv)
{
	json_t *body, *r = NULL;
	int code = make_body(argc, argv, &body);

	if (code == CTL_OK)
		code = ctl_call(c, "POST", "/api/v1/rollouts", body, &r);
	if (code == CTL_OK && r)
		print_rollout(r);
	json_decref(r);
	return code;
}

int ctl_rollouts_preview(struct ctl *c, int argc, char **argv)
{
	json_t *body, *r = NULL;
	int code = make_body(argc, argv, &body);

	if (code == CTL_OK)
		code = ctl_call(c, "POST", "/api/v1/rollouts/preview", body, &r);
	if (code == CTL_OK && r)
		print_preview(r);
	json_decref(r);
	return code;
}

static int say(struct ctl *c, int argc, char **argv, const char *verb)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	json_t *r, *body;

	if (argc < 1 || argc > 2)
		return ctl_usage_error("give a rollout's number and, if you like, a reason");
	body = argc > 1 ? json_pack("{s:s}", "reason", argv[1]) : json_object();
	int code = ctl_call(c, "POST", path_of(&path, argv[0], verb), body, &r);

	if (code == CTL_OK && r)
		print_rollout(r);
	json_decref(r);
	return code;
}

int ctl_rollouts_pause(struct ctl *c, int argc, char **argv)
{
	return say(c, argc, argv, "/pause");
}

int ctl_rollouts_resume(struct ctl *c, int argc, char **argv)
{
	return say(c, argc, argv, "/resume");
}

int ctl_rollouts_cancel(struct ctl *c, int argc, char **argv)
{
	return say(c, argc, argv, "/cancel");
}

int ctl_rollouts_rollback(struct ctl *c, int argc, char **argv)
{
	return say(c, argc, argv, "/rollback");
}

int ctl_rollouts_labels(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {
		{"LABEL", "label", false},        {"PRODUCT", "product.name", false},
		{"ACCESS POINT", "agent", false}, {"WAVE", "wave", true},
		{"STATE", "state", false},        {"GRADE", "grade", false},
		{"REASON", "reason", false},
	};
	const char *wave = NULL, *state = NULL;
	_cleanup_buf_ struct buf path = BUF_INIT;

	(void) ctl_take_value(&argc, argv, "--wave", &wave);
	(void) ctl_take_value(&argc, argv, "--state", &state);
	if (argc != 1)
		return ctl_usage_error("rollouts labels needs one number");
	buf_put_str(&path, "/api/v1/rollouts/");
	ctl_escape(&path, argv[0]);
	buf_put_str(&path, "/labels");
	if (wave) {
		buf_put_str(&path, "?wave=");
		ctl_escape(&path, wave);
	}
	if (state) {
		buf_put_str(&path, wave ? "&state=" : "?state=");
		ctl_escape(&path, state);
	}
	buf_put_u8(&path, 0);
	return ctl_show_list(c, buf_ok(&path) ? (const char *) path.data : "/", columns,
			     ARRAY_SIZE(columns));
}
