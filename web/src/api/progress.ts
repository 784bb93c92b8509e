// SPDX-License-Identifier: Apache-2.0
// How far one label is with one change: the same shape for promotions and rollouts.

export type StepState = 'waiting' | 'drawing' | 'staging' | 'staged' | 'flipped' | 'shown' | 'failed' | 'rolled-back';

export interface LabelStep {
  label: string;
  product: { id: number; gtin: string; name: string } | null;
  agent: string | null;
  wave: number | null;
  state: StepState;
  reason: string | null;
  staged_at: string | null;
  flipped_at: string | null;
  shown_at: string | null;
  grade: string | null;
}
