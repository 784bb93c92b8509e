// SPDX-License-Identifier: Apache-2.0
// Linking at the shelf: a bar that stays while one scans label and product again and again, on any page.

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon, type IconName } from '../icons';
import { answers, confirmReplace, type Done, done, keepProduct, lastUndoable, pendingLabel, pendingProduct, question, refuseReplace, reset, take, undo } from '../linking';
import { setSound, soundOn } from '../sound';
import { t } from '../strings';
import { k } from '../strings/links';
import { Button } from '../ui';
import { continuous } from '../wedge';

const w = k.bar;
const ICONS: Record<Done['tone'], IconName> = { good: 'check', ask: 'unknown', bad: 'warn' };
const TONES: Record<Done['tone'], string> = { good: 'tone-good', ask: 'tone-warn', bad: 'tone-bad' };

function Needed({ value, href, icon, words }: { value: string | null; href: string; icon: IconName; words: string }): JSX.Element {
  return value ? (
    <span class="good-text scan-have">
      <Icon name="check" size={18} /> <a href={href}>{value}</a>
    </span>
  ) : (
    <span class="hint">
      <Icon name={icon} size={18} /> {words}
    </span>
  );
}

function Answer({ d }: { d: Done }): JSX.Element {
  return (
    <div class={`scan-answer ${TONES[d.tone]}`} data-tone={d.tone} key={answers.value}>
      <Icon name={ICONS[d.tone]} size={26} />
      <strong class="grow">{d.text}</strong>
    </div>
  );
}

function Question(): JSX.Element | null {
  return question.value ? (
    <div class="scan-question">
      <p>{w.confirmHint}</p>
      <div class="actions">
        <Button kind="danger" icon="swap" onClick={confirmReplace}>
          {w.replace}
        </Button>
        <Button onClick={refuseReplace}>{w.leave}</Button>
      </div>
    </div>
  ) : null;
}

function Typed(): JSX.Element {
  const [text, setText] = useState('');
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (continuous.value) {
      input.current?.focus();
    }
  }, []);
  const submit = (e: Event): void => {
    e.preventDefault();
    if (text.trim()) {
      void take(text.trim());
    }
    setText('');
  };
  return (
    <form onSubmit={submit}>
      <label for="scan-input">{w.field}</label>
      <div class="row">
        <input
          id="scan-input"
          ref={input}
          value={text}
          autocomplete="off"
          spellcheck={false}
          data-takes-scan
          aria-describedby="scan-hint"
          onInput={(e) => setText(e.currentTarget.value)}
        />
        <Button type="submit" disabled={!text.trim()}>
          {w.enter}
        </Button>
      </div>
      <span class="hint" id="scan-hint">
        {w.fieldHint}
      </span>
    </form>
  );
}

export function ScanBar({ onClose }: { onClose: () => void }): JSX.Element {
  const [first, ...rest] = done.value;
  const last = lastUndoable();
  const close = (): void => {
    reset();
    done.value = [];
    onClose();
  };
  const label = pendingLabel.value;
  const product = pendingProduct.value;
  return (
    <section class="scan scan-bar" aria-label={w.title}>
      <header>
        <h2 class="grow">{w.title}</h2>
        <Button icon="sound" kind="quiet" pressed={soundOn.value} onClick={() => setSound(!soundOn.value)}>
          {w.sound}
        </Button>
        <Button icon="cross" kind="quiet" label={t.close} onClick={close} />
      </header>
      <Typed />
      <div class="scan-state">
        <Needed value={label} href={`/labels/${label ?? ''}`} icon="label" words={w.needLabel} />
        <Needed value={product?.name ?? null} href={`/products/${product?.id ?? ''}`} icon="tag" words={w.needProduct} />
      </div>
      {first && <Answer d={first} />}
      <Question />
      <div class="actions">
        <Button icon="undo" disabled={!last} onClick={() => last && void undo(last)}>
          {w.undo}
        </Button>
        <Button icon="tag" pressed={keepProduct.value} onClick={() => (keepProduct.value = !keepProduct.value)}>
          {w.keep}
        </Button>
        <a href="/labels/links">{w.history}</a>
      </div>
      {rest.length > 0 && (
        <details>
          <summary>{w.recent}</summary>
          <ul class="plain-list scan-done">
            {rest.map((d) => (
              <li key={d.n} class={d.tone === 'good' ? 'good-text' : 'warn-text'}>
                <Icon name={ICONS[d.tone]} size={16} /> <span class="grow">{d.text}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}
