/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/ctl/ctl.h"
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_URL "https://127.0.0.1:8443"

#define ROLLOUT_ARGS                                                                               \
	"[--name NAME] [--reason TEXT] [--waves 2,25,100] [--staged PERCENT] [--timeout S]"        \
	" [--failed PERCENT] [--settle S] [--start TIME] FILE.csv"

#define PROMOTION_ARGS                                                                             \
	"--percent P|--price PRICE --brand B|--category C|--gtins G,G --from TIME --to TIME"       \
	" [--repeat RRULE] [--draft] NAME"

const struct ctl_verb ctl_verbs[] = {
	{"login", "", "sign in (--user) and keep the session", ctl_login},
	{"logout", "", "end the kept session", ctl_logout},
	{"status", "", "the store at a glance: agents, labels, stock", ctl_status},
	{"products list", "[SEARCH]", "products with price", ctl_products_list},
	{"products show", "GTIN", "one product", ctl_products_show},
	{"products import", "[--dry-run] FILE", "create and update products from a CSV file",
	 ctl_products_import},
	{"price set", "GTIN PRICE", "change a price, now", ctl_price_set},
	{"price history", "GTIN", "what a product has cost and will, promotions too",
	 ctl_price_history},
	{"price undo", "GTIN [REASON]", "take its latest price change back, by a new one",
	 ctl_price_undo},
	{"promotions list", "[--state STATE]", "lower prices between two edges",
	 ctl_promotions_list},
	{"promotions show", "PROMOTION", "one promotion, and how far its labels are",
	 ctl_promotions_show},
	{"promotions preview", PROMOTION_ARGS, "what a promotion would do; makes none",
	 ctl_promotions_preview},
	{"promotions add", PROMOTION_ARGS, "make a promotion", ctl_promotions_add},
	{"promotions change", "[--name NAME] [--to TIME] [--schedule] PROMOTION",
	 "rename it, move its end, set a draft going", ctl_promotions_change},
	{"promotions cancel", "PROMOTION [REASON]", "end it now; the regular price shows again",
	 ctl_promotions_cancel},
	{"promotions labels", "[--state STATE] PROMOTION", "how far each label is, and why",
	 ctl_promotions_labels},
	{"rollouts list", "", "price changes that go out in waves", ctl_rollouts_list},
	{"rollouts show", "ROLLOUT", "one rollout: its waves, and when it will be over",
	 ctl_rollouts_show},
	{"rollouts preview", ROLLOUT_ARGS, "what a rollout would be; starts nothing",
	 ctl_rollouts_preview},
	{"rollouts start", ROLLOUT_ARGS, "send the prices of a CSV file out in waves",
	 ctl_rollouts_start},
	{"rollouts pause", "ROLLOUT [REASON]", "stop before the next flip", ctl_rollouts_pause},
	{"rollouts resume", "ROLLOUT", "go on, also after a halt", ctl_rollouts_resume},
	{"rollouts cancel", "ROLLOUT [REASON]", "stop for good; what has flipped stays",
	 ctl_rollouts_cancel},
	{"rollouts rollback", "ROLLOUT [REASON]", "show the old prices again",
	 ctl_rollouts_rollback},
	{"rollouts labels", "[--wave N] [--state STATE] ROLLOUT", "how far each label is, and why",
	 ctl_rollouts_labels},
	{"labels list", "[SEARCH]", "labels with wanted, sent and shown", ctl_labels_list},
	{"labels show", "LABEL", "one label and its history", ctl_labels_show},
	{"labels link", "[--relink] LABEL GTIN", "show this product on this label",
	 ctl_labels_link},
	{"labels unlink", "LABEL", "take the product off the label", ctl_labels_unlink},
	{"labels import-links", "[--dry-run] [--relink] FILE",
	 "link labels by a CSV file with the columns label and gtin", ctl_labels_import_links},
	{"labels links", "[LABEL]", "every change of a link, newest first", ctl_labels_links},
	{"labels undo", "[--batch] LINK", "take a change of a link back", ctl_labels_undo},
	{"labels flash", "[--seconds N] [--colour COLOUR] LABEL", "make a label blink, to find it",
	 ctl_labels_flash},
	{"labels pick", "[--seconds N] [--colour COLOUR] [--gtins] [--stop] LABEL...",
	 "make several labels blink, or those of products; or take it back", ctl_labels_pick},
	{"labels sensors", "LABEL", "what a label measures, as it was last read",
	 ctl_labels_sensors},
	{"labels read", "[--no-wait] LABEL [SENSOR...]",
	 "have a label's sensors read now, and wait for the values", ctl_labels_read},
	{"labels readings", "[--limit N] LABEL SENSOR", "values of one sensor, newest first",
	 ctl_labels_readings},
	{"labels rotate-keys", "[AGENT]",
	 "new keys for an access point's labels, or for all; and how far", ctl_labels_rotate_keys},
	{"labels replace", "[--force] OLD NEW", "another label takes a broken one's place",
	 ctl_labels_replace},
	{"labels image", "[--what wanted|sent|shown] LABEL FILE",
	 "write the label's picture as PNG", ctl_labels_image},
	{"stock", "[--product GTIN] [--place PLACE]", "live stock by product and place", ctl_stock},
	{"items list", "[--product GTIN] [--place PLACE]", "tagged items", ctl_items_list},
	{"items", "EPC", "where an item is, and from which reads that is known", ctl_items},
	{"differences", "[--reason CODE] [--place PLACE] [GTIN]",
	 "seen against expected, with a reason; one product with the events behind it",
	 ctl_differences},
	{"differences strangers", "", "tags that belong to no product", ctl_differences_strangers},
	{"settle", "GTIN QUANTITY --reason TEXT [--place PLACE]",
	 "settle a difference: what was found becomes the book figure", ctl_settle},
	{"books import", "[--dry-run] FILE", "take book stock from a CSV file", ctl_books_import},
	{"books list", "[GTIN]", "book figures; all that one product ever had", ctl_books_list},
	{"books set", "GTIN QUANTITY [--reason TEXT] [--place PLACE]", "set one book figure",
	 ctl_books_set},
	{"sales add", "ID GTIN[*N]|epc:HEX ... [--till TILL] [--at TIME]",
	 "tell a sale; *-1 is a return", ctl_sales_add},
	{"sales import", "FILE", "tell the sales of a CSV file: id,at,till,gtin,epc,quantity",
	 ctl_sales_import},
	{"sales list", "[GTIN]", "sales, the last told first", ctl_sales_list},
	{"deliveries add", "REFERENCE FILE [--supplier NAME] [--expected TIME] [--place PLACE]",
	 "announce a delivery from a CSV file: gtin,quantity,epc", ctl_deliveries_add},
	{"deliveries list", "", "deliveries, newest first", ctl_deliveries_list},
	{"deliveries show", "REFERENCE", "announced and seen, line by line", ctl_deliveries_show},
	{"deliveries receive", "REFERENCE [GTIN*N ...]",
	 "take a delivery into the books, as announced or as listed", ctl_deliveries_receive},
	{"places list", "", "places of the store", ctl_places_list},
	{"places set", "NAME [--kind KIND]", "create a place or change its kind", ctl_places_set},
	{"places remove", "NAME", "remove a place", ctl_places_remove},
	{"plan show", "", "the floor plan: where places and antennas are", ctl_plan_show},
	{"plan set", "FILE.json", "replace the floor plan by that of a file", ctl_plan_set},
	{"walk start", "--place PLACE --tag EPC [--seconds N]",
	 "carry this tag through this place: its reads are kept", ctl_walk_start},
	{"walk stop", "[WALK]", "end a walk", ctl_walk_stop},
	{"walk show", "[WALK]", "what a walk has brought, and whether it is enough", ctl_walk_show},
	{"walk list", "", "walks, newest first", ctl_walk_list},
	{"walk delete", "WALK", "delete a walk with its reads", ctl_walk_delete},
	{"walk export", "WALK FILE", "the reads of a walk as CSV, for places fit", ctl_walk_export},
	{"places model",
	 "list | fit [WALK ...] | show MODEL | activate MODEL|previous|none | delete MODEL",
	 "what was learnt from walks, how well it will do, and which model is in use",
	 ctl_places_model},
	{"places fit", "--walk PLACE=FILE.csv ... --out MODEL",
	 "learn from recorded walks where a tag is (offline)", ctl_places_fit},
	{"places score", "--model MODEL --walk PLACE=FILE.csv ... [--joined]",
	 "how well a model names the places of walks (offline)", ctl_places_score},
	{"doors list", "", "doors and their antennas", ctl_doors_list},
	{"doors set",
	 "NAME [--place PLACE] [--agent AGENT --inner READER:1,2 --outer READER:3,4] [--grace 2m]",
	 "make a door of two groups of antennas, or change it", ctl_doors_set},
	{"doors remove", "NAME", "remove a door", ctl_doors_remove},
	{"passages", "[--state STATE]", "who passed a door, and what became of it", ctl_passages},
	{"doors score", "--from 1,2 --to 3,4 FILE.csv ...",
	 "which way tags went through a door (offline)", ctl_doors_score},
	{"antennas list", "", "which antenna hears which place", ctl_antennas_list},
	{"antennas set", "AGENT READER NUMBER PLACE", "say which place an antenna hears",
	 ctl_antennas_set},
	{"readers set",
	 "AGENT NAME HOST:PORT [--antennas 1,2] [--profile P] [--tls on] [--pin HEX]"
	 " [--reader-calls on] [--llrp 1.1]",
	 "give an agent a reader to drive", ctl_readers_set},
	{"readers remove", "AGENT NAME", "an agent drives a reader no more", ctl_readers_remove},
	{"join-code", "[--uses N] [--ttl 1h]", "a code with which an agent joins this store",
	 ctl_join_code},
	{"agents list", "", "access points and their health", ctl_agents_list},
	{"agents show", "AGENT", "one access point", ctl_agents_show},
	{"agents radio", "AGENT", "its label radio: train, channels, signal", ctl_radio},
	{"agents replace", "[--ttl 1h] AGENT",
	 "a code with which a new machine takes a dead one's place", ctl_agents_replace},
	{"agents revoke", "AGENT", "take an agent's certificate back", ctl_agents_revoke},
	{"tags read",
	 "[--bank reserved|epc|tid|user] [--words N] [--pointer N] [--epc EPC] [--antenna N] AGENT"
	 " READER",
	 "read the memory of the tag in view, or of that one", ctl_tags_read},
	{"tags write",
	 "--gtin GTIN [--serial N] [--prefix-digits N]|--new-epc EPC [--again] [--epc EPC]"
	 " [--antenna N] AGENT READER",
	 "give a tag an EPC, and read it back", ctl_tags_write},
	{"tags lock", "AGENT READER EPC FIELD HOW",
	 "lock kill-password, access-password, epc, tid or user: with-password, for-ever, never, "
	 "unlock",
	 ctl_tags_lock},
	{"tags list", "", "what was asked of tags, newest first", ctl_tags_list},
	{"incidents list", "[--closed|--all] [--kind KIND]", "what somebody should look at",
	 ctl_incidents_list},
	{"incidents show", "INCIDENT", "one incident: evidence, next step, what became of it",
	 ctl_incidents_show},
	{"incidents acknowledge", "INCIDENT [NOTE]", "say that you look at it",
	 ctl_incidents_acknowledge},
	{"users list", "", "who may sign in", ctl_users_list},
	{"users add", "NAME --role ROLE", "admin, manager, stock, it or viewer", ctl_users_add},
	{"users set-role", "NAME ROLE", "change what somebody may do", ctl_users_set_role},
	{"tokens list", "", "tokens of machines", ctl_tokens_list},
	{"tokens add", "NAME PERMISSION,... [--ttl 90d]", "make a token and print it, this once",
	 ctl_tokens_add},
	{"tokens revoke", "NAME", "take a token back", ctl_tokens_revoke},
	{"sessions list", "", "who is signed in", ctl_sessions_list},
	{"sessions end", "ID", "sign somebody out", ctl_sessions_end},
	{"backup", "[--passphrase-file FILE] FILE", "the whole store, sealed under a passphrase",
	 ctl_backup},
	{"diagnostics", "FILE", "for who helps from afar: state and figures, no secrets",
	 ctl_diagnostics},
	{"events", "", "print what happens, as it happens", ctl_events},
	{NULL, NULL, NULL, NULL},
};

/* The verb that has been chosen, for messages about its use. */
static const struct ctl_verb *running;

static void print_help(FILE *out)
{
	fputs("Usage: gondolactl [OPTION...] VERB ...\n"
	      "A store's prices, labels, stock and access points, over the controller's API.\n\n"
	      "  --url URL             controller (GONDOLA_URL; default " DEFAULT_URL ")\n"
	      "  --ca FILE             the store's own authority (GONDOLA_CA)\n"
	      "  --user NAME           sign in as NAME (GONDOLA_USER); else the kept session\n"
	      "  --password-file FILE  else GONDOLA_PASSWORD, else asked for\n"
	      "                        GONDOLA_TOKEN, a machine's token, goes before all of these\n"
	      "  --json                print the API's answers\n"
	      "  --help, --version\n\n",
	      out);
	for (const struct ctl_verb *v = ctl_verbs; v->words; v++) {
		char call[256];

		snprintf(call, sizeof(call), "%s %s", v->words, v->args);
		if (strlen(call) > 38)
			fprintf(out, "  %s\n  %-38s  %s\n", call, "", v->help);
		else
			fprintf(out, "  %-38s  %s\n", call, v->help);
	}
	fputs("\nExit status: 0 done, 1 refused, 2 wrong usage, 3 controller cannot be reached.\n",
	      out);
}

int ctl_usage_error(const char *fmt, ...)
{
	va_list ap;

	fputs("gondolactl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	if (running)
		fprintf(stderr, "\nUsage: gondolactl %s %s\n", running->words, running->args);
	else
		fputs("\nTry `gondolactl --help`.\n", stderr);
	return CTL_USAGE;
}

/* The verb whose words begin the arguments, longest first; *ret_words says how many there are. */
static const struct ctl_verb *find_verb(int argc, char **argv, int *ret_words)
{
	char two[64];

	for (int words = MIN(argc, 2); words > 0; words--) {
		snprintf(two, sizeof(two), "%s%s%s", argv[0], words > 1 ? " " : "",
			 words > 1 ? argv[1] : "");
		for (const struct ctl_verb *v = ctl_verbs; v->words; v++) {
			if (strcmp(v->words, two) == 0) {
				*ret_words = words;
				return v;
			}
		}
	}
	return NULL;
}

/* Says what may follow a word that begins several verbs. */
static int no_such_verb(int argc, char **argv)
{
	size_t n = strlen(argv[0]);
	bool found = false;

	for (const struct ctl_verb *v = ctl_verbs; v->words; v++) {
		if (strncmp(v->words, argv[0], n) != 0 || v->words[n] != ' ')
			continue;
		if (!found)
			fprintf(stderr, "gondolactl: `%s` goes on with one of these:\n", argv[0]);
		fprintf(stderr, "  gondolactl %s %s\n", v->words, v->args);
		found = true;
	}
	return found ? CTL_USAGE
		     : ctl_usage_error("there is no verb `%s%s%s`", argv[0], argc > 1 ? " " : "",
				       argc > 1 ? argv[1] : "");
}

/* An option that the verb does not name would be taken for a search, a file or a price. Yields -1
 * to go on. */
static int check_options(const struct ctl_verb *v, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		const char *at = strstr(v->args, argv[i]);

		if (strcmp(argv[i], "--help") == 0) {
			printf("Usage: gondolactl %s %s\n%s\n", v->words, v->args, v->help);
			return CTL_OK;
		}
		if (strncmp(argv[i], "--", 2) == 0 && (!at || !strchr(" ]", at[strlen(argv[i])])))
			return ctl_usage_error("there is no option %s here", argv[i]);
	}
	return -1;
}

bool ctl_take_flag(int *argc, char **argv, const char *flag)
{
	for (int i = 0; i < *argc; i++) {
		if (strcmp(argv[i], flag) == 0) {
			memmove(argv + i, argv + i + 1, sizeof(*argv) * (size_t) (*argc - i - 1));
			--*argc;
			return true;
		}
	}
	return false;
}

bool ctl_take_value(int *argc, char **argv, const char *option, const char **ret)
{
	for (int i = 0; i + 1 < *argc; i++) {
		if (strcmp(argv[i], option) == 0) {
			const char *value = argv[i + 1];

			memmove(argv + i, argv + i + 2, sizeof(*argv) * (size_t) (*argc - i - 2));
			*argc -= 2;
			*ret = value;
			return true;
		}
	}
	return false;
}

/* Trailing slashes of the URL would double those of the paths. */
static char *tidy_url(const char *url)
{
	char *copy = strdup(url);

	for (size_t n = copy ? strlen(copy) : 0; n && copy[n - 1] == '/'; n--)
		copy[n - 1] = 0;
	return copy;
}

enum {
	OPT_URL = 1000,
	OPT_CA,
	OPT_USER,
	OPT_PASSWORD,
	OPT_JSON,
	OPT_HELP,
	OPT_VERSION
};

static const struct option options[] = {
	{"url", required_argument, NULL, OPT_URL},
	{"ca", required_argument, NULL, OPT_CA},
	{"user", required_argument, NULL, OPT_USER},
	{"password-file", required_argument, NULL, OPT_PASSWORD},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

/* Takes the general options, before or right after the verb's words. Yields -1 to go on. */
static int parse_options(struct ctl *c, int argc, char **argv)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (opt) {
		case OPT_URL:
			c->url = optarg;
			break;
		case OPT_CA:
			c->ca = optarg;
			break;
		case OPT_USER:
			c->user = optarg;
			break;
		case OPT_PASSWORD:
			c->password_file = optarg;
			break;
		case OPT_JSON:
			c->json = true;
			break;
		case 'h':
		case OPT_HELP:
			print_help(stdout);
			return CTL_OK;
		case OPT_VERSION:
			puts("gondolactl " PACKAGE_VERSION);
			return CTL_OK;
		default:
			return CTL_USAGE;
		}
	}
	return -1;
}

/* `gondolactl login --user NAME` reads better than the option first: general options may follow. */
static void take_trailing(struct ctl *c, int *argc, char **argv)
{
	c->json |= ctl_take_flag(argc, argv, "--json");
	(void) ctl_take_value(argc, argv, "--user", &c->user);
	(void) ctl_take_value(argc, argv, "--password-file", &c->password_file);
}

static const char *env_or(const char *name, const char *def)
{
	const char *v = getenv(name);

	return v && v[0] ? v : def;
}

int main(int argc, char **argv)
{
	struct ctl c = {.url = env_or("GONDOLA_URL", DEFAULT_URL),
			.ca = env_or("GONDOLA_CA", NULL),
			.user = env_or("GONDOLA_USER", NULL),
			.token = env_or("GONDOLA_TOKEN", NULL)};
	int code = parse_options(&c, argc, argv), words;

	if (code >= 0)
		return code;
	argc -= optind;
	argv += optind;
	if (argc == 0) {
		print_help(stderr);
		return CTL_USAGE;
	}
	const struct ctl_verb *v = find_verb(argc, argv, &words);

	if (!v)
		return no_such_verb(argc, argv);
	running = v;
	argc -= words;
	argv += words;
	take_trailing(&c, &argc, argv);
	code = check_options(v, argc, argv);
	if (code >= 0)
		return code;
	char *url = tidy_url(c.url);

	if (!url)
		return CTL_REFUSED;
	c.url = url;
	code = v->run(&c, argc, argv);
	explicit_bzero(c.cookie, sizeof(c.cookie));
	free(url);
	return fflush(stdout) == 0 ? code : CTL_REFUSED;
}
