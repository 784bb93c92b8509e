/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Permissions guard each call; a role is a named set of them.
 */
#pragma once

enum perm {
	PERM_NONE = 0,
	PERM_VIEW = 1u << 0,       /**< see products, prices, labels, stock, agents */
	PERM_PRICES = 1u << 1,     /**< change prices */
	PERM_PRODUCTS = 1u << 2,   /**< create, edit and import products */
	PERM_LABELS = 1u << 3,     /**< link labels */
	PERM_PLACES = 1u << 4,     /**< edit places and antennas */
	PERM_FLEET = 1u << 5,      /**< agents, readers, join codes */
	PERM_USERS = 1u << 6,      /**< users and their roles */
	PERM_AUDIT = 1u << 7,      /**< who changed what */
	PERM_BACKUP = 1u << 8,     /**< take a copy of everything, keys included */
	PERM_BOOKS = 1u << 9,      /**< book stock, deliveries, settling differences */
	PERM_SALES = 1u << 10,     /**< feed sales: what a till may do */
	PERM_INCIDENTS = 1u << 11, /**< say that an incident is looked at */
	PERM_TAGS = 1u << 12,      /**< read, write and lock tags at a reader */
	PERM_ALL = 0x1fff,
	PERM_AGENT = 1u << 16,     /**< not a person: an enrolled agent */
	PERM_SIGNED_IN = 1u << 17, /**< any person with a session */
};

/** The permissions of a role; 0 if there is no such role. */
unsigned int perm_of_role(const char *role);
/** The i-th permission bit and its name, for the API; NULL past the last. */
const char *perm_name(unsigned int i, unsigned int *ret_bit);
