// SPDX-License-Identifier: Apache-2.0
// The words for how far labels are with a change.

import { count } from '../format';
import { n } from '../strings';

export const g = {
  states: {
    waiting: 'Waiting',
    drawing: 'Picture being drawn',
    staging: 'Being sent',
    staged: 'Stored, not visible',
    flipped: 'Shown',
    shown: 'Shown, confirmed',
    failed: 'Failed',
    'rolled-back': 'Rolled back',
  },
  bar: { shown: 'shown and confirmed', flipped: 'shown', staged: 'stored', waiting: 'waiting', failed: 'failed', back: 'rolled back' },
  barLabel: 'Progress of the labels',
  allStates: 'All states',
  allWaves: 'All waves',
  state: 'State',
  wave: 'Wave',
  waveOf: (v: number) => `Wave ${count(v)}`,
  label: 'Label',
  product: 'Product',
  since: 'Since',
  agent: 'Agent',
  total: (v: number, complete: boolean) => (complete ? n(v, 'label', 'labels') : `More than ${count(v)} labels`),
  none: 'No label in this state',
  noLabels: 'No label is concerned: the products are not linked to labels.',
};
