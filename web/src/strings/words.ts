// SPDX-License-Identifier: Apache-2.0
// Helpers for the catalogues of words: plurals and signed numbers.

import { count } from '../format';

const rules = new Intl.PluralRules('en');

/** "1 item", "3 items". */
export function plural(value: number, one: string, many: string, shown: string = count(value)): string {
  return `${shown} ${rules.select(value) === 'one' ? one : many}`;
}

/** "+3", "−2", "0": with a real minus sign, which is read aloud as one. */
export function signed(value: number): string {
  return value === 0 ? '0' : `${value > 0 ? '+' : '−'}${count(Math.abs(value))}`;
}
