/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/perm.h"
#include "common/util.h"
#include <string.h>

static const struct {
	const char *role;
	unsigned int perms;
} roles[] = {
	{"admin", PERM_ALL},
	{"manager", PERM_VIEW | PERM_PRICES | PERM_PRODUCTS | PERM_LABELS | PERM_PLACES |
			    PERM_AUDIT | PERM_BOOKS | PERM_SALES | PERM_INCIDENTS},
	{"stock", PERM_VIEW | PERM_LABELS | PERM_PLACES | PERM_BOOKS | PERM_SALES | PERM_INCIDENTS |
			  PERM_TAGS},
	{"it", PERM_VIEW | PERM_LABELS | PERM_PLACES | PERM_FLEET | PERM_AUDIT | PERM_INCIDENTS |
		       PERM_TAGS},
	{"viewer", PERM_VIEW},
};

static const struct {
	unsigned int bit;
	const char *name;
} names[] = {
	{PERM_VIEW, "view"},     {PERM_PRICES, "prices"}, {PERM_PRODUCTS, "products"},
	{PERM_LABELS, "labels"}, {PERM_PLACES, "places"}, {PERM_FLEET, "fleet"},
	{PERM_USERS, "users"},   {PERM_AUDIT, "audit"},   {PERM_BACKUP, "backup"},
	{PERM_BOOKS, "books"},   {PERM_SALES, "sales"},   {PERM_INCIDENTS, "incidents"},
	{PERM_TAGS, "tags"},
};

unsigned int perm_of_role(const char *role)
{
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
		if (!strcmp(roles[i].role, role))
			return roles[i].perms;
	return 0;
}

const char *perm_name(unsigned int i, unsigned int *ret_bit)
{
	if (i >= ARRAY_SIZE(names))
		return NULL;
	*ret_bit = names[i].bit;
	return names[i].name;
}
