/* SPDX-License-Identifier: Apache-2.0 */
#include "common/conf.h"
#include "common/err.h"
#include <assert.h>
#include <confuse.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#define MAX_SECTIONS 32

struct conf {
	const struct conf_row *schema;
	cfg_t *cfg;
	cfg_opt_t *opts[MAX_SECTIONS + 1]; /* libconfuse keeps pointing at these */
	size_t n_opts;
};

/* libconfuse's callbacks carry no user pointer: the load that is going on in this thread. */
static _Thread_local struct {
	const struct conf_row *schema;
	const char *file; /* libconfuse does not tell inside sections */
	char *diag;
	size_t diag_len;
} loading;

static bool titled(const char *section)
{
	return section && section[strlen(section) - 1] == '*';
}

/* "reader*" and "reader" name the same section; NULL is the top level. */
static bool same_section(const char *row_section, const char *section)
{
	if (!row_section || !section)
		return row_section == section;
	size_t n = strlen(row_section) - titled(row_section);

	return strlen(section) == n && strncmp(row_section, section, n) == 0;
}

static const struct conf_row *find_row(const struct conf_row *schema, const char *section,
				       const char *key)
{
	for (; schema->key; schema++)
		if (same_section(schema->section, section) && strcmp(schema->key, key) == 0)
			return schema;
	return NULL;
}

static void diagnose(int line, const char *fmt, ...) _printf_(2, 3);

/* The first thing that is wrong is the one worth telling. */
static void diagnose(int line, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (!loading.diag_len || loading.diag[0])
		return;
	va_start(ap, fmt);
	(void) vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (line > 0)
		snprintf(loading.diag, loading.diag_len, "%s:%d: %s", loading.file, line, text);
	else
		snprintf(loading.diag, loading.diag_len, "%s: %s", loading.file, text);
}

static __attribute__((format(printf, 2, 0))) void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char text[256];

	(void) vsnprintf(text, sizeof(text), fmt, ap);
	diagnose(cfg->line, "%s", text);
}

static int on_validate(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *section = strcmp(cfg_name(cfg), "root") == 0 ? NULL : cfg_name(cfg);
	const struct conf_row *row = find_row(loading.schema, section, opt->name);

	if (!row || (row->min == 0 && row->max == 0))
		return 0;
	if (row->type == CONF_INT) {
		int64_t v = cfg_opt_getnint(opt, 0);

		if (v >= row->min && v <= row->max)
			return 0;
		diagnose(cfg->line, "%s: %" PRId64 " is outside %" PRId64 "..%" PRId64, opt->name,
			 v, row->min, row->max);
		return -1;
	}
	if (row->type == CONF_STR) {
		const char *v = cfg_opt_getnstr(opt, 0);

		if (!v || (int64_t) strlen(v) <= row->max)
			return 0;
		diagnose(cfg->line, "%s: longer than %" PRId64 " characters", opt->name, row->max);
		return -1;
	}
	return 0;
}

static cfg_opt_t option_of(const struct conf_row *row)
{
	cfg_flag_t flags = row->def ? CFGF_NONE : CFGF_NODEFAULT;
	const char *def = row->def ? row->def : "0";

	switch (row->type) {
	case CONF_INT:
		return (cfg_opt_t) CFG_INT(row->key, strtol(def, NULL, 10), flags);
	case CONF_BOOL:
		return (cfg_opt_t) CFG_BOOL(row->key, strcmp(def, "true") == 0, flags);
	case CONF_FLOAT:
		return (cfg_opt_t) CFG_FLOAT(row->key, strtod(def, NULL), flags);
	default:
		return (cfg_opt_t) CFG_STR(row->key, row->def, flags);
	}
}

static cfg_opt_t *new_options(struct conf *c, const char *section, size_t extra)
{
	size_t n = 0;

	for (const struct conf_row *row = c->schema; row->key; row++)
		n += same_section(row->section, section);
	cfg_opt_t *opts = calloc(n + extra + 1, sizeof(*opts));

	if (!opts)
		return NULL;
	n = 0;
	for (const struct conf_row *row = c->schema; row->key; row++)
		if (same_section(row->section, section))
			opts[n++] = option_of(row);
	opts[n + extra] = (cfg_opt_t) CFG_END();
	c->opts[c->n_opts++] = opts;
	return opts;
}

/* Section names of the schema, each once, without the star. */
static size_t list_sections(const struct conf_row *schema, char names[][32], bool *is_titled)
{
	size_t n = 0;

	for (; schema->key; schema++) {
		size_t i = 0;

		if (!schema->section)
			continue;
		while (i < n && !same_section(schema->section, names[i]))
			i++;
		if (i < n)
			continue;
		assert(n < MAX_SECTIONS);
		is_titled[n] = titled(schema->section);
		snprintf(names[n], sizeof(names[n]), "%.*s",
			 (int) (strlen(schema->section) - is_titled[n]), schema->section);
		n++;
	}
	return n;
}

static int build(struct conf *c)
{
	static _Thread_local char names[MAX_SECTIONS][32]; /* libconfuse copies them */
	bool is_titled[MAX_SECTIONS];
	size_t n = list_sections(c->schema, names, is_titled), top = 0;
	cfg_opt_t *opts = new_options(c, NULL, n);

	if (!opts)
		return -ENOMEM;
	while (opts[top].name)
		top++;
	for (size_t i = 0; i < n; i++) {
		cfg_opt_t *inner = new_options(c, names[i], 0);
		cfg_flag_t flags =
			is_titled[i] ? CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES : CFGF_NONE;

		if (!inner)
			return -ENOMEM;
		opts[top + i] = (cfg_opt_t) CFG_SEC(names[i], inner, flags);
	}
	c->cfg = cfg_init(opts, CFGF_NONE);
	if (!c->cfg)
		return -ENOMEM;
	(void) cfg_set_error_function(c->cfg, on_error);
	for (const struct conf_row *row = c->schema; row->key; row++) {
		char path[96];
		int len = row->section ? (int) (strlen(row->section) - titled(row->section)) : 0;

		snprintf(path, sizeof(path), "%.*s%s%s", len, row->section ? row->section : "",
			 row->section ? "|" : "", row->key);
		(void) cfg_set_validate_func(c->cfg, path, on_validate);
	}
	return 0;
}

static bool given(cfg_t *sec, const struct conf_row *row)
{
	return row->def || cfg_size(sec, row->key) > 0;
}

/* Keys without a default must be there, in every section that is there. */
static int check_required(const struct conf *c)
{
	for (const struct conf_row *row = c->schema; row->key; row++) {
		char name[32];

		if (!row->section) {
			if (given(c->cfg, row))
				continue;
			diagnose(0, "%s: must be given", row->key);
			return -ERR_CONFIG;
		}
		snprintf(name, sizeof(name), "%.*s",
			 (int) (strlen(row->section) - titled(row->section)), row->section);
		for (unsigned int i = 0; i < cfg_size(c->cfg, name); i++) {
			cfg_t *sec = cfg_getnsec(c->cfg, name, i);

			if (given(sec, row))
				continue;
			diagnose(sec->line, "%s: must be given in section %s", row->key, name);
			return -ERR_CONFIG;
		}
	}
	return 0;
}

int conf_load(const char *file, const struct conf_row *schema, char *diag, size_t diag_len,
	      struct conf **ret)
{
	_cleanup_(conf_freep) struct conf *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	if (diag_len)
		diag[0] = 0;
	c->schema = schema;
	loading.schema = schema;
	loading.file = file;
	loading.diag = diag;
	loading.diag_len = diag_len;
	int r = build(c);

	if (r < 0)
		return r;
	errno = 0;
	switch (cfg_parse(c->cfg, file)) {
	case CFG_SUCCESS:
		break;
	case CFG_FILE_ERROR:
		r = errno ? -errno : -EIO;
		diagnose(0, "cannot be read: %s", err_str(r));
		return r;
	default:
		diagnose(0, "cannot be parsed");
		return -ERR_CONFIG;
	}
	r = check_required(c);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(c);
	return 0;
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	if (c->cfg)
		cfg_free(c->cfg);
	for (size_t i = 0; i < c->n_opts; i++)
		free(c->opts[i]);
	free(c);
}

static cfg_t *section_of(const struct conf *c, const char *section, const char *title,
			 const char *key)
{
	const struct conf_row *row = find_row(c->schema, section, key);

	assert(row);
	(void) row;
	if (!section)
		return c->cfg;
	cfg_t *sec = title ? cfg_gettsec(c->cfg, section, title) : cfg_getsec(c->cfg, section);

	assert(sec);
	return sec;
}

const char *conf_str(const struct conf *c, const char *section, const char *title, const char *key)
{
	return cfg_getstr(section_of(c, section, title, key), key);
}

int64_t conf_int(const struct conf *c, const char *section, const char *title, const char *key)
{
	return cfg_getint(section_of(c, section, title, key), key);
}

bool conf_bool(const struct conf *c, const char *section, const char *title, const char *key)
{
	return cfg_getbool(section_of(c, section, title, key), key) == cfg_true;
}

double conf_float(const struct conf *c, const char *section, const char *title, const char *key)
{
	return cfg_getfloat(section_of(c, section, title, key), key);
}

size_t conf_count(const struct conf *c, const char *section)
{
	return cfg_size(c->cfg, section);
}

const char *conf_title(const struct conf *c, const char *section, size_t i)
{
	cfg_t *sec = cfg_getnsec(c->cfg, section, (unsigned int) i);

	return sec ? cfg_title(sec) : NULL;
}

void conf_print_schema(const struct conf_row *schema, FILE *out)
{
	const char *section = NULL;

	for (; schema->key; schema++) {
		bool new_section =
			schema->section && (!section || strcmp(section, schema->section) != 0);

		if (new_section)
			fprintf(out, "\n%.*s%s { ... }\n",
				(int) (strlen(schema->section) - titled(schema->section)),
				schema->section, titled(schema->section) ? " \"NAME\"" : "");
		section = schema->section;
		fprintf(out, "  %-20s %s", schema->key, schema->doc);
		if (schema->type == CONF_INT && (schema->min || schema->max))
			fprintf(out, " (%" PRId64 "..%" PRId64 ")", schema->min, schema->max);
		if (!schema->def)
			fprintf(out, " [must be given]\n");
		else
			fprintf(out, " [default: %s]\n", schema->def[0] ? schema->def : "empty");
	}
}
