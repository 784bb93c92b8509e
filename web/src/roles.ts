// SPDX-License-Identifier: Apache-2.0
// Which permissions each role is a name for. The server's own table decides (controller/perm.c, a test compares);
// this one is only shown.

import type { Permission, Role } from './types';

export const ROLE_PERMISSIONS: Record<Role, Permission[]> = {
  admin: ['view', 'prices', 'products', 'labels', 'places', 'fleet', 'users', 'audit', 'backup', 'books', 'sales', 'incidents', 'tags'],
  manager: ['view', 'prices', 'products', 'labels', 'places', 'audit', 'books', 'sales', 'incidents'],
  stock: ['view', 'labels', 'places', 'books', 'sales', 'incidents', 'tags'],
  it: ['view', 'labels', 'places', 'fleet', 'audit', 'incidents', 'tags'],
  viewer: ['view'],
};
