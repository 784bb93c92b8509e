// SPDX-License-Identifier: Apache-2.0
// Short tones for hands that are busy: high and rising is good, low is not. No file, no request.

import { signal } from '@preact/signals';

const KEY = 'gondola.sound';

function stored(): boolean {
  try {
    return localStorage.getItem(KEY) !== 'off';
  } catch {
    return true;
  }
}

export const soundOn = signal(stored());

export function setSound(on: boolean): void {
  soundOn.value = on;
  try {
    localStorage.setItem(KEY, on ? 'on' : 'off');
  } catch {
    // private mode: it lasts as long as the page
  }
}

export type Tune = 'taken' | 'good' | 'ask' | 'bad';

/** Hertz and seconds. */
const TUNES: Record<Tune, [number, number][]> = {
  taken: [[880, 0.06]],
  good: [
    [880, 0.07],
    [1320, 0.11],
  ],
  ask: [
    [660, 0.09],
    [660, 0.09],
    [660, 0.09],
  ],
  bad: [
    [220, 0.16],
    [165, 0.24],
  ],
};

let context: AudioContext | null = null;

export function play(tune: Tune): void {
  if (!soundOn.value || typeof AudioContext === 'undefined') {
    return;
  }
  try {
    context ??= new AudioContext();
    const c = context;
    void c.resume();
    let at = c.currentTime;
    for (const [hz, seconds] of TUNES[tune]) {
      const tone = c.createOscillator();
      const volume = c.createGain();
      tone.type = tune === 'bad' ? 'square' : 'sine';
      tone.frequency.value = hz;
      volume.gain.setValueAtTime(0.12, at);
      volume.gain.exponentialRampToValueAtTime(0.001, at + seconds);
      tone.connect(volume).connect(c.destination);
      tone.start(at);
      tone.stop(at + seconds);
      at += seconds + 0.02;
    }
  } catch {
    // no sound device: colour and text say it too
  }
}
