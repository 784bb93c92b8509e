/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/tool/tool.h"

#include "common/err.h"
#include "common/hex.h"
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE_BYTES (1u << 30)
#define HEX_MAX_BYTES  255

static const char usage[] =
	"Usage: gondola-esl print [--key HEX] [--response] HEX\n"
	"       gondola-esl build [--key HEX --randomizer HEX] GROUP COMMAND...\n"
	"       gondola-esl decode [--keys FILE] CAPTURE\n"
	"Looks at what access points and shelf labels say to each other by radio.\n\n"
	"  print              an advertising structure, or a bare payload, in words\n"
	"    --key HEX        key material that opens it: 24 bytes as labels are given them\n"
	"    --response       it comes from a label\n"
	"  build              the packet of a group, in hexadecimal\n"
	"    --key HEX        encrypt it\n"
	"    --randomizer HEX with these 5 bytes, never used before with this key\n"
	"  decode             the train in a btsnoop capture, down to the commands\n"
	"    --keys FILE      lines `train HEX` and `label GROUP ID HEX`\n"
	"  --help, --version\n\n"
	"Commands, one argument each (LABEL may be \"all\"):\n";

void tool_error(const char *fmt, ...)
{
	va_list ap;

	(void) fputs("gondola-esl: ", stderr);
	va_start(ap, fmt);
	(void) vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void) fputc('\n', stderr);
}

static int usage_error(const char *text)
{
	tool_error("%s\nTry `gondola-esl --help`.", text);
	return TOOL_USAGE;
}

static int finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	tool_error("standard output: cannot be written");
	return TOOL_FAILED;
}

/* Bytes given as one argument. Returns how many, or -ERR_SYNTAX. */
static int read_hex(const char *hex, uint8_t out[HEX_MAX_BYTES])
{
	size_t n = strlen(hex) / 2;

	if (n == 0 || n > HEX_MAX_BYTES || strlen(hex) % 2 || hex_decode(hex, out, n) < 0)
		return -ERR_SYNTAX;
	return (int) n;
}

/* --- print ------------------------------------------------------------------------------------ */

struct print_options {
	bool has_key, response;
	struct ead_key key;
};

/* An advertising structure says its own length and type; anything else is a bare payload. */
static bool is_structure(const uint8_t *data, size_t len)
{
	return len > 2 && data[0] == len - 1 && (data[1] == EAD_AD_TYPE || data[1] == ESL_AD_TYPE);
}

static int print_bytes(const struct print_options *o, const uint8_t *data, size_t len)
{
	struct tool_payload p = {.len = len};
	uint8_t ids[HEX_MAX_BYTES];
	size_t n;
	int r = 0;

	if (is_structure(data, len))
		r = tool_payload_open(o->has_key ? &o->key : NULL, data, len, &p);
	else
		memcpy(p.plain, data, len);
	if (r == -EACCES)
		tool_error("encrypted: give --key");
	else if (r == -ERR_CRYPTO)
		tool_error("encrypted, and not with this key");
	else if (r < 0)
		tool_error("no ESL payload: %s", err_str(r));
	if (r < 0)
		return TOOL_FAILED;
	r = o->response ? tool_print_responses(stdout, "", &p)
			: tool_print_packet(stdout, "", &p, ids, &n);
	return finish(r < 0 ? TOOL_FAILED : TOOL_OK);
}

static int cmd_print(int argc, char **argv)
{
	static const struct option options[] = {{"key", required_argument, NULL, 'k'},
						{"response", no_argument, NULL, 'r'},
						{NULL, 0, NULL, 0}};
	struct print_options o = {.has_key = false};
	uint8_t data[HEX_MAX_BYTES];
	int opt, n;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'r')
			o.response = true;
		else if (opt != 'k')
			return usage_error("print: what is that option?");
		else if (tool_key_parse(optarg, &o.key) < 0)
			return usage_error("--key: 48 hexadecimal digits are wanted");
		else
			o.has_key = true;
	}
	if (optind != argc - 1)
		return usage_error("print wants one payload in hexadecimal");
	n = read_hex(argv[optind], data);
	if (n < 0)
		return usage_error("print: that is not up to 255 bytes in hexadecimal");
	return print_bytes(&o, data, (size_t) n);
}

/* --- build ------------------------------------------------------------------------------------ */

static int build_packet(char **argv, struct esl_packet *p)
{
	char why[TOOL_WORDS_MAX], *end;
	unsigned long group = strtoul(argv[0], &end, 10);

	if (*end || end == argv[0] || group > ESL_GROUP_MAX)
		return usage_error("build: the group is a number from 0 to 127");
	esl_packet_init(p, (uint8_t) group);
	for (char **text = argv + 1; *text; text++) {
		struct esl_cmd c;

		if (tool_command_parse(*text, &c, why) < 0) {
			tool_error("\"%s\": %s", *text, why);
			return TOOL_USAGE;
		}
		if (esl_packet_add(p, &c) < 0) {
			tool_error("\"%s\": no room, %d bytes of commands fit a packet", *text,
				   ESL_COMMANDS_MAX);
			return TOOL_FAILED;
		}
	}
	return TOOL_OK;
}

static int cmd_build(int argc, char **argv)
{
	static const struct option options[] = {{"key", required_argument, NULL, 'k'},
						{"randomizer", required_argument, NULL, 'z'},
						{NULL, 0, NULL, 0}};
	uint8_t ad[ESL_AD_MAX], sealed[ESL_AD_MAX + EAD_OVERHEAD], rand[EAD_RAND_BYTES];
	char text[2 * sizeof(sealed) + 1];
	bool has_key = false, has_rand = false;
	struct ead_key key;
	struct esl_packet p;
	int opt, r;

	while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (opt == 'k' && tool_key_parse(optarg, &key) < 0)
			return usage_error("--key: 48 hexadecimal digits are wanted");
		if (opt == 'z' && hex_decode(optarg, rand, sizeof(rand)) < 0)
			return usage_error("--randomizer: 10 hexadecimal digits are wanted");
		if (opt != 'k' && opt != 'z')
			return usage_error("build: what is that option?");
		has_key |= opt == 'k';
		has_rand |= opt == 'z';
	}
	if (has_key != has_rand)
		return usage_error("build: --key and --randomizer go together");
	if (argc - optind < 2)
		return usage_error("build wants a group and commands");
	r = build_packet(argv + optind, &p);
	if (r != TOOL_OK)
		return r;
	r = esl_ad_encode(p.data, p.len, ad, sizeof(ad));
	if (r > 0 && has_key)
		r = ead_seal(&key, rand, ad, (size_t) r, sealed, sizeof(sealed));
	if (r < 0) {
		tool_error("%s", err_str(r));
		return TOOL_FAILED;
	}
	puts(hex_encode(has_key ? sealed : ad, (size_t) r, text));
	return finish(TOOL_OK);
}

/* --- decode ----------------------------------------------------------------------------------- */

static int read_file(const char *path, struct buf *ret)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");
	char chunk[65536];
	size_t n;
	int r = f ? 0 : -errno;

	buf_init(ret, MAX_FILE_BYTES);
	while (f && (n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_put(ret, chunk, n);
	if (f && ferror(f))
		r = -EIO;
	else if (!buf_ok(ret))
		r = ret->err;
	if (f && f != stdin)
		(void) fclose(f);
	if (r < 0)
		tool_error("%s: %s", path, err_str(r));
	return r;
}

static int decode_file(const char *path, const struct tool_keys *keys)
{
	_cleanup_buf_ struct buf file = BUF_INIT;
	_cleanup_free_ struct tool_train *t = calloc(1, sizeof(*t));
	int r;

	if (!t || read_file(path, &file) < 0)
		return TOOL_FAILED;
	t->out = stdout;
	t->keys = keys;
	r = tool_each_record(path, file.data, file.len, tool_decode_record, t);
	printf("%zu records: %zu packets to labels and %zu answers, %zu opened, %zu not, %zu "
	       "malformed\n",
	       t->totals.records, t->totals.packets, t->totals.responses, t->totals.opened,
	       t->totals.closed, t->totals.malformed);
	return finish(r < 0 || t->totals.malformed ? TOOL_FAILED : TOOL_OK);
}

static int cmd_decode(int argc, char **argv)
{
	static const struct option options[] = {{"keys", required_argument, NULL, 'k'},
						{NULL, 0, NULL, 0}};
	struct tool_keys keys = {.n_labels = 0};
	const char *key_file = NULL;
	int opt, r;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt != 'k')
			return usage_error("decode: what is that option?");
		key_file = optarg;
	}
	if (optind != argc - 1)
		return usage_error("decode wants one capture");
	if (key_file && tool_keys_read(key_file, &keys) < 0)
		return TOOL_FAILED;
	r = decode_file(argv[optind], &keys);
	tool_keys_done(&keys);
	return r;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = {
		{"print", cmd_print},
		{"build", cmd_build},
		{"decode", cmd_decode},
	};

	if (argc < 2)
		return usage_error("what to do?");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		(void) fputs(usage, stdout);
		tool_command_help(stdout);
		(void) fputs("\nCAPTURE may be - for standard input.\n"
			     "Exit status: 0 done, 1 something is malformed or stays closed, 2 "
			     "wrong usage.\n",
			     stdout);
		return finish(TOOL_OK);
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("gondola-esl " PACKAGE_VERSION);
		return finish(TOOL_OK);
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	return usage_error("that is nothing I can do");
}
