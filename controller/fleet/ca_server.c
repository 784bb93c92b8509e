/* SPDX-License-Identifier: Apache-2.0 */
#include "common/buf.h"
#include "common/err.h"
#include "common/file.h"
#include "common/log.h"
#include "controller/fleet/ca_internal.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SERVER_DAYS 397
#define RENEW_DAYS  60
#define NAME_MAX_   253
#define NAMES_MAX   64

struct names {
	size_t n;
	char list[NAMES_MAX][NAME_MAX_ + 1];
};

static bool is_dns_name(const char *name)
{
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_*") ==
		       strlen(name) &&
	       *name;
}

static size_t ip_bytes(const char *name, uint8_t ip[16])
{
	if (inet_pton(AF_INET, name, ip) == 1)
		return 4;
	return inet_pton(AF_INET6, name, ip) == 1 ? 16 : 0;
}

static int add_name(struct names *names, const char *start, size_t len)
{
	uint8_t ip[16];
	char *to;

	while (len > 0 && (*start == ' ' || *start == '\t')) {
		start++;
		len--;
	}
	while (len > 0 && (start[len - 1] == ' ' || start[len - 1] == '\t'))
		len--;
	if (len == 0)
		return 0;
	if (len > NAME_MAX_ || names->n == NAMES_MAX)
		return -ERR_CONFIG;
	to = names->list[names->n];
	memcpy(to, start, len);
	to[len] = '\0';
	for (size_t i = 0; i < names->n; i++)
		if (!strcasecmp(names->list[i], to))
			return 0;
	if (ip_bytes(to, ip) == 0 && !is_dns_name(to))
		return -ERR_CONFIG;
	names->n++;
	return 0;
}

static int collect_names(const char *extra, struct names *names)
{
	static const char *const always[] = {"localhost", "127.0.0.1", "::1"};
	char host[NAME_MAX_ + 1] = "";
	int r = 0;

	names->n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		(void) add_name(names, always[i], strlen(always[i]));
	if (gethostname(host, sizeof(host) - 1) == 0)
		(void) add_name(names, host, strlen(host)); /* an odd one is left out */
	while (r == 0 && *extra) {
		size_t len = strcspn(extra, ",");

		r = add_name(names, extra, len);
		extra += len;
		extra += *extra == ',';
	}
	return r;
}

/* The certificate names exactly these, in this order. */
static bool cert_has_names(gnutls_x509_crt_t crt, const struct names *names)
{
	for (size_t i = 0;; i++) {
		char san[NAME_MAX_ + 1];
		uint8_t ip[16];
		size_t len = sizeof(san), ip_len;
		int type = gnutls_x509_crt_get_subject_alt_name(crt, (unsigned int) i, san, &len,
								NULL);

		if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return i == names->n;
		if (type < 0 || i >= names->n)
			return false;
		ip_len = ip_bytes(names->list[i], ip);
		if (type == GNUTLS_SAN_IPADDRESS) {
			if (ip_len != len || memcmp(ip, san, len))
				return false;
		} else if (type != GNUTLS_SAN_DNSNAME || strlen(names->list[i]) != len ||
			   memcmp(names->list[i], san, len)) {
			return false;
		}
	}
}

static bool is_still_good(const struct ca *ca, gnutls_x509_crt_t crt, gnutls_x509_privkey_t key,
			  const struct names *names, int64_t now_us)
{
	gnutls_x509_crt_t authority = ca->crt;
	unsigned int status = 0;
	time_t now = (time_t) (now_us / US_PER_SEC);

	return gnutls_x509_crt_verify(crt, &authority, 1, GNUTLS_VERIFY_DISABLE_TIME_CHECKS,
				      &status) >= 0 &&
	       status == 0 && ca_cert_has_key(crt, key) && cert_has_names(crt, names) &&
	       gnutls_x509_crt_get_activation_time(crt) <= now &&
	       gnutls_x509_crt_get_expiration_time(crt) > now + RENEW_DAYS * 86400;
}

static int set_names(gnutls_x509_crt_t crt, const struct names *names)
{
	int r = 0;

	for (size_t i = 0; i < names->n && r >= 0; i++) {
		uint8_t ip[16];
		size_t ip_len = ip_bytes(names->list[i], ip);

		if (ip_len > 0)
			r = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, ip,
								 (unsigned int) ip_len,
								 GNUTLS_FSAN_APPEND);
		else
			r = gnutls_x509_crt_set_subject_alt_name(
				crt, GNUTLS_SAN_DNSNAME, names->list[i],
				(unsigned int) strlen(names->list[i]), GNUTLS_FSAN_APPEND);
	}
	return r;
}

static int fill(const struct ca *ca, gnutls_x509_crt_t crt, gnutls_x509_privkey_t key,
		const struct names *names, int64_t now_us)
{
	static const char cn[] = "Gondola controller";
	int r = ca_begin_cert(crt, now_us, SERVER_DAYS);

	if (r >= 0)
		r = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, cn,
						  sizeof(cn) - 1);
	if (r >= 0)
		r = gnutls_x509_crt_set_key(crt, key);
	if (r >= 0)
		r = set_names(crt, names);
	if (r >= 0)
		r = gnutls_x509_crt_set_basic_constraints(crt, 0, -1);
	if (r >= 0)
		r = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (r >= 0)
		r = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
	return r < 0 ? r : ca_finish_cert(crt, ca->crt, ca->key);
}

static int chain_pem(const struct ca *ca, gnutls_x509_crt_t crt, char **ret)
{
	gnutls_datum_t pem = {NULL, 0};
	int r = ca_map(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem), "export");

	if (r < 0)
		return r;
	r = asprintf(ret, "%.*s%.*s", (int) pem.size, pem.data, (int) ca->pem.size, ca->pem.data) <
			    0
		    ? -ENOMEM
		    : 0;
	gnutls_free(pem.data);
	return r;
}

/* Key first, certificate second: after a crash between the two they do not match, and both are made
 * anew at the next start. */
static int make_pair(const struct ca *ca, gnutls_x509_crt_t crt, gnutls_x509_privkey_t key,
		     const struct names *names, int64_t now_us)
{
	_cleanup_free_ char *chain = NULL;
	char path[PATH_MAX];
	int r = ca_map(ca_make_key(key), "make key");

	if (r == 0)
		r = ca_map(fill(ca, crt, key, names, now_us), "make server certificate");
	if (r == 0)
		r = ca_store_key(ca, "server.key", key);
	if (r == 0)
		r = chain_pem(ca, crt, &chain);
	if (r == 0)
		r = ca_path(ca, "server.pem", path);
	if (r == 0)
		r = file_write_durable(path, chain, strlen(chain), 0644);
	if (r == 0)
		log_notice("ca", "names=%zu days=%d msg=\"made a server certificate\"", names->n,
			   SERVER_DAYS);
	return r;
}

static int export_pair(const struct ca *ca, gnutls_x509_crt_t crt, gnutls_x509_privkey_t key,
		       char **ret_chain, char **ret_key)
{
	gnutls_datum_t pem = {NULL, 0};
	_cleanup_free_ char *chain = NULL;
	int r = chain_pem(ca, crt, &chain);

	if (r == 0)
		r = ca_map(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem), "export");
	if (r < 0)
		return r;
	*ret_key = strndup((const char *) pem.data, pem.size);
	gnutls_memset(pem.data, 0, pem.size);
	gnutls_free(pem.data);
	if (!*ret_key)
		return -ENOMEM;
	*ret_chain = TAKE_PTR(chain);
	return 0;
}

/* Throws away what a failed import may have left. */
static int renew_handles(gnutls_x509_crt_t *crt, gnutls_x509_privkey_t *key)
{
	if (*crt)
		gnutls_x509_crt_deinit(*crt);
	if (*key)
		gnutls_x509_privkey_deinit(*key);
	*crt = NULL;
	*key = NULL;
	return gnutls_x509_crt_init(crt) < 0 || gnutls_x509_privkey_init(key) < 0 ? -ENOMEM : 0;
}

int ca_server_pair(struct ca *ca, const char *names_text, int64_t now_us, char **ret_chain,
		   char **ret_key, bool *ret_made)
{
	_cleanup_free_ struct names *names = calloc(1, sizeof(*names));
	gnutls_x509_crt_t crt = NULL;
	gnutls_x509_privkey_t key = NULL;
	bool good = false;
	int r;

	if (!names)
		return -ENOMEM;
	r = collect_names(names_text, names);
	if (r == 0)
		r = renew_handles(&crt, &key);
	if (r == 0)
		good = ca_load_key(ca, "server.key", key) == 0 &&
		       ca_load_cert(ca, "server.pem", crt) == 0 &&
		       is_still_good(ca, crt, key, names, now_us);
	if (r == 0 && !good)
		r = renew_handles(&crt, &key);
	if (r == 0 && !good)
		r = make_pair(ca, crt, key, names, now_us);
	if (r == 0)
		r = export_pair(ca, crt, key, ret_chain, ret_key);
	if (r == 0)
		*ret_made = !good;
	if (crt)
		gnutls_x509_crt_deinit(crt);
	if (key)
		gnutls_x509_privkey_deinit(key);
	return r;
}
