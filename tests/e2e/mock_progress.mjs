// SPDX-License-Identifier: Apache-2.0
// How far the mock store's labels are with a change: most are as far as said, a few have their own story.

export function labelSteps(labels, state, waveOf = () => null) {
  const at = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
  return labels.map((l, i) => {
    const own = l.state === 'error' || l.state === 'lost' ? 'failed' : state === 'flipped' && i % 4 !== 3 ? 'shown' : state;
    const staged = ['staged', 'flipped', 'shown'].includes(own);
    const flipped = ['flipped', 'shown'].includes(own);
    return {
      label: l.id,
      product: l.product,
      agent: l.agent,
      wave: waveOf(l),
      state: own,
      reason: own === 'failed' ? l.reason : own === 'waiting' ? 'The promotion is not scheduled yet.' : null,
      staged_at: staged ? at(95) : null,
      flipped_at: flipped ? at(30) : null,
      shown_at: own === 'shown' ? at(29) : null,
      grade: own === 'shown' ? 'confirmed' : own === 'flipped' ? 'acknowledged' : null,
    };
  });
}
