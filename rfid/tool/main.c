/* SPDX-License-Identifier: Apache-2.0 */
#include "rfid/tool/tool.h"

#include "common/err.h"
#include "rfid/rfid.h"
#include <getopt.h>
#include <stdarg.h>
#include <string.h>

static const char usage[] =
	"Usage: gondola-llrp print [--port N] FILE\n"
	"       gondola-llrp reencode FILE\n"
	"       gondola-llrp session [OPTION...] HOST[:PORT]\n"
	"       gondola-llrp tag [OPTION...] OPERATION... HOST[:PORT]\n"
	"Looks at what RFID readers say: LLRP frames in files, captures and live sessions.\n\n"
	"  print                 messages of FILE in words: frames one after another, or a\n"
	"                        capture (pcap, pcapng) of their TCP connections\n"
	"    --port N            the readers' port in a capture (default 5084)\n"
	"  reencode              decode the frames of FILE and write them, encoded again\n"
	"  session               connect to a reader, make an inventory, tell what happens\n"
	"    --record FILE       keep all frames of both sides, one after another\n"
	"    --print             print each message as `print` does\n"
	"    --antennas LIST     only these (default: all)\n"
	"    --session N         Gen2 session 0-3 (default 1)\n"
	"    --power DBM         transmit power (default: the highest)\n"
	"    --seconds N         stop after so long (default: until Ctrl-C)\n"
	"    --reads N           stop after so many reads\n"
	"    --llrp VERSION      highest to agree on: 1.0.1 (default) or 1.1\n"
	"    --profile NAME      fast-moving, dense-shelf or door\n"
	"    --tls, --pin HEX    TLS; only with the certificate of that SHA-256\n"
	"    --listen            HOST is to connect to us, at PORT\n"
	"    --leave             let the inventory run on, and the reader hold its reports\n"
	"  tag                   work on the memory of a tag, with the options of session and\n"
	"    --epc HEX           this tag (default: whichever comes first)\n"
	"    --password HEX      its access password\n"
	"    --read BANK[:POINTER[:WORDS]]   BANK: reserved, epc, tid, user\n"
	"    --write BANK:POINTER:HEX        words from there\n"
	"    --new-epc HEX       give it another EPC; after --epc\n"
	"    --lock FIELD:HOW    FIELD: kill-password, access-password, epc, tid, user;\n"
	"                        HOW: password, forever, open, open-forever\n"
	"  --help, --version\n\n"
	"FILE may be - for standard input.\n"
	"Exit status: 0 done, 1 a frame is wrong or the reader failed, 2 wrong usage.\n";

void tool_error(const char *fmt, ...)
{
	va_list ap;

	fputs("gondola-llrp: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int tool_usage_error(const char *fmt, ...)
{
	va_list ap;

	fputs("gondola-llrp: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("\nTry `gondola-llrp --help`.\n", stderr);
	return TOOL_USAGE;
}

struct print_run {
	const char *name;
	size_t bad;
};

/** A frame that cannot be decoded does not keep the ones after it from being read. */
static int print_one(void *user, const struct tool_frame *f)
{
	struct print_run *run = user;
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	struct llrp_diag diag;
	int r = llrp_msg_decode(f->data, f->len, &m, &diag);

	if (r < 0) {
		fflush(stdout);
		tool_print_fault(run->name, f, r, &diag);
		run->bad++;
		return 0;
	}
	tool_print_frame(stdout, f, m);
	return ferror(stdout) ? -ERR_CLOSED : 0;
}

static int cmd_print(int argc, char **argv)
{
	static const struct option options[] = {{"port", required_argument, NULL, 'p'},
						{NULL, 0, NULL, 0}};
	_cleanup_buf_ struct buf file = BUF_INIT;
	struct print_run run = {0};
	unsigned long port = RFID_DEFAULT_PORT;
	int opt, r;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		char *end;

		if (opt != 'p')
			return tool_usage_error("print: what is that option?");
		port = strtoul(optarg, &end, 10);
		if (*end || port == 0 || port > UINT16_MAX)
			return tool_usage_error("--port: \"%s\" is not a port", optarg);
	}
	if (optind != argc - 1)
		return tool_usage_error("print wants one file");
	run.name = argv[optind];
	if (tool_read_file(run.name, &file) < 0)
		return TOOL_FAILED;
	if (tool_is_capture(file.data, file.len))
		r = tool_each_captured(run.name, file.data, file.len, (uint16_t) port, print_one,
				       &run);
	else
		r = tool_each_frame(run.name, file.data, file.len, print_one, &run);
	if (fflush(stdout) != 0)
		return TOOL_FAILED;
	return r < 0 || run.bad ? TOOL_FAILED : TOOL_OK;
}

static int reencode_one(void *user, const struct tool_frame *f)
{
	const char *name = user;
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct llrp_diag diag;
	int r = llrp_msg_decode(f->data, f->len, &m, &diag);

	if (r < 0) {
		tool_print_fault(name, f, r, &diag);
		return r;
	}
	r = llrp_msg_encode(m, &out);
	if (r < 0) {
		tool_error("%s: frame %zu at offset %zu: cannot be encoded: %s", name, f->number,
			   f->at, err_str(r));
		return r;
	}
	if (fwrite(out.data, 1, out.len, stdout) != out.len) {
		tool_error("standard output: cannot be written");
		return -ERR_CLOSED;
	}
	return 0;
}

static int cmd_reencode(int argc, char **argv)
{
	_cleanup_buf_ struct buf file = BUF_INIT;
	int r;

	if (argc != 2 || (argv[1][0] == '-' && argv[1][1]))
		return tool_usage_error("reencode wants one file");
	if (tool_read_file(argv[1], &file) < 0)
		return TOOL_FAILED;
	r = tool_each_frame(argv[1], file.data, file.len, reencode_one, argv[1]);
	if (fflush(stdout) != 0) {
		tool_error("standard output: cannot be written");
		return TOOL_FAILED;
	}
	return r < 0 ? TOOL_FAILED : TOOL_OK;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = {
		{"print", cmd_print},
		{"reencode", cmd_reencode},
		{"session", tool_session},
		{"tag", tool_tag},
	};

	if (argc < 2)
		return tool_usage_error("what to do?");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		fputs(usage, stdout);
		return TOOL_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("gondola-llrp " PACKAGE_VERSION);
		return TOOL_OK;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	return tool_usage_error("\"%s\" is nothing I can do", argv[1]);
}
