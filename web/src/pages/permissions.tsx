// SPDX-License-Identifier: Apache-2.0
// Roles as what they are: named sets of permissions.

import type { JSX } from 'preact';
import { Icon } from '../icons';
import { ROLE_PERMISSIONS } from '../roles';
import { t } from '../strings';
import { a } from '../strings/access';
import type { Permission, Role } from '../types';

const ROLES = Object.entries(t.roles) as [Role, string][];
const PERMISSIONS = Object.entries(a.permissions) as [Permission, string][];

export function PermissionMatrix(): JSX.Element {
  return (
    <section class="matrix">
      <h2>{a.matrix.title}</h2>
      <p class="hint">{a.matrix.lead}</p>
      <div class="table-scroll" tabIndex={0} role="region" aria-label={a.matrix.title}>
        <table>
          <thead>
            <tr>
              <th scope="col">{a.matrix.permission}</th>
              {ROLES.map(([role, name]) => (
                <th key={role} scope="col" class="mark">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {PERMISSIONS.map(([permission, words]) => (
              <tr key={permission}>
                <th scope="row">
                  {words}
                  <span class="sub mono"> {permission}</span>
                </th>
                {ROLES.map(([role]) => {
                  const may = ROLE_PERMISSIONS[role].includes(permission);
                  return (
                    <td key={role} class={`mark ${may ? 'good-text' : ''}`}>
                      {may ? <Icon name="check" size={18} /> : <span aria-hidden="true">·</span>}
                      <span class="hidden">{may ? a.matrix.yes : a.matrix.no}</span>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
