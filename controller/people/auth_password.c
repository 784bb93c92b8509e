/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/people/auth_password.h"
#include "common/err.h"
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define OPS_LIMIT   3u
#define MEM_LIMIT   (32u * 1024 * 1024)
#define MAX_RUNNING 2
#define MAX_WAITING 32

struct job {
	struct job *next;
	struct passwords *owner;
	bool make; /* a new hash, not a check */
	bool nobody;
	char hash[crypto_pwhash_STRBYTES];
	char password[PASSWORD_MAX + 1];
	password_done done;
	void *user;
	int err;
};

struct passwords {
	struct loop *loop;
	char decoy[crypto_pwhash_STRBYTES]; /* what a password of nobody is checked against */
	struct job *first, **tail;
	size_t waiting, running;
	bool closing;
};

int password_hash_now(const char *password, char ret_hash[PASSWORD_HASH_MAX])
{
	_Static_assert(PASSWORD_HASH_MAX >= crypto_pwhash_STRBYTES, "hash fits");
	if (sodium_init() < 0)
		return -ERR_CRYPTO;
	return crypto_pwhash_str(ret_hash, password, strlen(password), OPS_LIMIT, MEM_LIMIT) < 0
		       ? -ENOMEM
		       : 0;
}

void password_random(char ret[PASSWORD_RANDOM_LEN + 1])
{
	static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";

	for (size_t i = 0; i < PASSWORD_RANDOM_LEN; i++)
		ret[i] = alphabet[randombytes_uniform(sizeof(alphabet) - 1)];
	ret[PASSWORD_RANDOM_LEN] = '\0';
}

static void work(void *arg)
{
	struct job *j = arg;

	if (j->make)
		j->err = crypto_pwhash_str(j->hash, j->password, strlen(j->password), OPS_LIMIT,
					   MEM_LIMIT) < 0
				 ? -ENOMEM
				 : 0;
	else
		j->err = crypto_pwhash_str_verify(j->hash, j->password, strlen(j->password)) < 0 ||
					 j->nobody
				 ? -ERR_AUTH
				 : 0;
	sodium_memzero(j->password, sizeof(j->password));
}

static void finish_job(struct job *j)
{
	j->done(j->user, j->err, j->err == 0 && j->make ? j->hash : NULL);
	sodium_memzero(j, sizeof(*j));
	free(j);
}

static void run_next(struct passwords *p);

static void after_work(void *arg)
{
	struct job *j = arg;
	struct passwords *p = j->owner;

	p->running--;
	finish_job(j);
	run_next(p);
}

static void run_next(struct passwords *p)
{
	while (p->first && (p->running < MAX_RUNNING || p->closing)) {
		struct job *j = p->first;

		p->first = j->next;
		if (!p->first)
			p->tail = &p->first;
		p->waiting--;
		j->err = p->closing ? -ERR_CLOSED : loop_work(p->loop, work, after_work, j);
		if (j->err < 0)
			finish_job(j);
		else
			p->running++;
	}
}

static int submit(struct passwords *p, struct job *j)
{
	if (!j)
		return -ENOMEM;
	j->owner = p;
	*p->tail = j;
	p->tail = &j->next;
	p->waiting++;
	run_next(p);
	return 0;
}

static struct job *new_job(struct passwords *p, const char *password, password_done done,
			   void *user, int *ret_err)
{
	struct job *j;

	*ret_err = -EAGAIN;
	if (p->waiting >= MAX_WAITING || p->closing)
		return NULL;
	*ret_err = -ERR_TOO_LARGE;
	if (strlen(password) > PASSWORD_MAX)
		return NULL;
	*ret_err = -ENOMEM;
	j = calloc(1, sizeof(*j));
	if (!j)
		return NULL;
	memcpy(j->password, password, strlen(password) + 1);
	j->done = done;
	j->user = user;
	*ret_err = 0;
	return j;
}

int passwords_verify(struct passwords *p, const char *hash, const char *password,
		     password_done done, void *user)
{
	int r;
	struct job *j = new_job(p, password, done, user, &r);

	if (!j)
		return r;
	j->nobody = !hash || strlen(hash) >= sizeof(j->hash);
	snprintf(j->hash, sizeof(j->hash), "%s", j->nobody ? p->decoy : hash);
	return submit(p, j);
}

int passwords_hash(struct passwords *p, const char *password, password_done done, void *user)
{
	int r;
	struct job *j = new_job(p, password, done, user, &r);

	if (!j)
		return r;
	j->make = true;
	return submit(p, j);
}

int passwords_new(struct loop *l, struct passwords **ret)
{
	struct passwords *p = calloc(1, sizeof(*p));
	char random[PASSWORD_RANDOM_LEN + 1], hash[PASSWORD_HASH_MAX];
	int r;

	if (!p)
		return -ENOMEM;
	p->loop = l;
	p->tail = &p->first;
	password_random(random);
	r = password_hash_now(random, hash);
	if (r < 0) {
		free(p);
		return r;
	}
	memcpy(p->decoy, hash, sizeof(p->decoy));
	*ret = p;
	return 0;
}

void passwords_free(struct passwords *p)
{
	if (!p)
		return;
	p->closing = true;
	run_next(p);
	while (p->running > 0)
		loop_run_once(p->loop, 100);
	free(p);
}
