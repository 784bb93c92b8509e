// SPDX-License-Identifier: Apache-2.0
// The parts every page is made of.

import { signal } from '@preact/signals';
import type { ComponentChildren, JSX, TargetedKeyboardEvent, TargetedMouseEvent } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Problem } from './api';
import { dateTime, relative } from './format';
import { Icon, type IconName } from './icons';
import { t } from './strings';

export type Tone = 'plain' | 'good' | 'busy' | 'warn' | 'bad';

/** A status: icon, words and colour together, never colour alone. */
export function Chip({ tone, icon, children, title }: { tone: Tone; icon: IconName; children: ComponentChildren; title?: string }): JSX.Element {
  return (
    <span class={`chip tone-${tone}`} title={title}>
      <Icon name={icon} size={16} />
      <span>{children}</span>
    </span>
  );
}

interface ButtonProps {
  children?: ComponentChildren;
  icon?: IconName;
  kind?: 'main' | 'plain' | 'quiet' | 'danger';
  type?: 'button' | 'submit';
  label?: string;
  disabled?: boolean;
  busy?: boolean;
  class?: string;
  onClick?: (e: TargetedMouseEvent<HTMLButtonElement>) => void;
  expanded?: boolean;
  pressed?: boolean;
  id?: string;
}

export function Button(p: ButtonProps): JSX.Element {
  return (
    <button
      type={p.type ?? 'button'}
      id={p.id}
      class={`button ${p.kind ?? 'plain'} ${p.children ? '' : 'icon-only'} ${p.class ?? ''}`}
      aria-label={p.label}
      title={p.children ? undefined : p.label}
      disabled={p.disabled || p.busy}
      aria-busy={p.busy ? true : undefined}
      aria-expanded={p.expanded}
      aria-pressed={p.pressed}
      onClick={p.onClick}
    >
      {p.icon && <Icon name={p.icon} />}
      {p.children && <span>{p.children}</span>}
    </button>
  );
}

export function LinkButton(p: { href: string; icon?: IconName; kind?: 'main' | 'plain' | 'quiet'; children: ComponentChildren }): JSX.Element {
  return (
    <a class={`button ${p.kind ?? 'plain'}`} href={p.href}>
      {p.icon && <Icon name={p.icon} />}
      <span>{p.children}</span>
    </a>
  );
}

interface FieldProps {
  label: string;
  value: string;
  onInput: (v: string) => void;
  type?: 'text' | 'password' | 'date' | 'time' | 'datetime-local';
  error?: string | null;
  hint?: ComponentChildren;
  autocomplete?: string;
  inputMode?: 'decimal' | 'numeric' | 'text' | 'search';
  required?: boolean;
  focus?: boolean;
  placeholder?: string;
  class?: string;
  maxLength?: number;
  disabled?: boolean;
  list?: string;
  onKeyDown?: (e: TargetedKeyboardEvent<HTMLInputElement>) => void;
}

/** A labelled input with its hint and its error next to it. */
export function Field(p: FieldProps): JSX.Element {
  const id = useId();
  const ref = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (p.focus) {
      ref.current?.focus();
      ref.current?.select();
    }
  }, [p.focus]);
  useEffect(() => {
    if (p.error) {
      ref.current?.focus();
    }
  }, [p.error]);
  const described = [p.error ? `${id}-e` : '', p.hint ? `${id}-h` : ''].filter(Boolean).join(' ');
  return (
    <div class={`field ${p.class ?? ''}`}>
      <label for={id}>{p.label}</label>
      <input
        ref={ref}
        id={id}
        // The typings tell text from password inputs apart by role, which we do not set.
        type={(p.type ?? 'text') as 'text'}
        value={p.value}
        required={p.required}
        disabled={p.disabled}
        list={p.list}
        maxLength={p.maxLength}
        placeholder={p.placeholder}
        autocomplete={p.autocomplete ?? 'off'}
        inputMode={p.inputMode}
        spellcheck={false}
        aria-invalid={p.error ? true : undefined}
        aria-describedby={described || undefined}
        onInput={(e) => p.onInput(e.currentTarget.value)}
        onKeyDown={p.onKeyDown}
      />
      {p.hint && (
        <div class="hint" id={`${id}-h`}>
          {p.hint}
        </div>
      )}
      {p.error && (
        <div class="field-error" id={`${id}-e`} role="alert">
          <Icon name="warn" size={16} /> {p.error}
        </div>
      )}
    </div>
  );
}

interface TextAreaProps {
  label: string;
  value: string;
  onInput: (v: string) => void;
  rows: number;
  error?: string | null;
  hint?: ComponentChildren;
  mono?: boolean;
  disabled?: boolean;
  placeholder?: string;
}

/** Several lines of text, with hint and error like a field. */
export function TextArea(p: TextAreaProps): JSX.Element {
  const id = useId();
  const described = [p.error ? `${id}-e` : '', p.hint ? `${id}-h` : ''].filter(Boolean).join(' ');
  return (
    <div class="field">
      <label for={id}>{p.label}</label>
      <textarea
        id={id}
        class={p.mono ? 'mono' : ''}
        rows={p.rows}
        value={p.value}
        disabled={p.disabled}
        placeholder={p.placeholder}
        spellcheck={false}
        // A scan into several lines is one more line of them.
        data-takes-scan
        aria-invalid={p.error ? true : undefined}
        aria-describedby={described || undefined}
        onInput={(e) => p.onInput(e.currentTarget.value)}
      />
      {p.hint && (
        <div class="hint" id={`${id}-h`}>
          {p.hint}
        </div>
      )}
      {p.error && (
        <div class="field-error" id={`${id}-e`} role="alert">
          <Icon name="warn" size={16} /> {p.error}
        </div>
      )}
    </div>
  );
}

interface SelectProps {
  label: string;
  value: string;
  options: [value: string, text: string][];
  onChange: (v: string) => void;
  hideLabel?: boolean;
  hint?: string;
}

export function Select(p: SelectProps): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label for={id} class={p.hideLabel ? 'hidden' : ''}>
        {p.label}
      </label>
      <select id={id} value={p.value} onChange={(e) => p.onChange(e.currentTarget.value)}>
        {p.options.map(([v, text]) => (
          <option key={v} value={v} selected={v === p.value}>
            {text}
          </option>
        ))}
      </select>
      {p.hint && <div class="hint">{p.hint}</div>}
    </div>
  );
}

/** Long enough that a fast typist asks once, short enough that nobody notices. */
const TYPING_PAUSE_MS = 40;

/** A search box that reports after a pause in typing, and at once on Enter. `/` brings the focus here. */
export function SearchBox({ label, value, onSearch, placeholder }: { label: string; value: string; onSearch: (q: string) => void; placeholder?: string }): JSX.Element {
  const id = useId();
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const ref = useRef<HTMLInputElement>(null);
  useEffect(() => setText(value), [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const input = (v: string, wait: number): void => {
    setText(v);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onSearch(v.trim()), wait);
  };
  return (
    <div class="search" role="search">
      <label class="hidden" for={id}>
        {label}
      </label>
      <Icon name="search" />
      <input
        ref={ref}
        id={id}
        type="search"
        data-search
        value={text}
        placeholder={placeholder ?? label}
        autocomplete="off"
        spellcheck={false}
        onInput={(e) => input(e.currentTarget.value, TYPING_PAUSE_MS)}
        onKeyDown={(e) => {
          if (e.key === 'Enter') {
            input(e.currentTarget.value, 0);
          } else if (e.key === 'Escape' && text) {
            input('', 0);
          } else if (e.key === 'ArrowDown') {
            document.querySelector<HTMLElement>('[data-row]')?.focus();
            e.preventDefault();
          }
        }}
      />
      <kbd aria-hidden="true">/</kbd>
    </div>
  );
}

/** What a failed call means, in plain words. */
export function plain(e: unknown): string {
  if (e instanceof Problem) {
    if (e.code === 'throttled') {
      return t.throttled(e.retryAfter);
    }
    const known = t.problems[e.code as keyof typeof t.problems] as string | undefined;
    return known ?? (e.status === 500 ? t.problems['server-error'] : e.body.detail || e.body.title);
  }
  return e instanceof Error ? e.message : String(e);
}

export function ErrorBox({ error, retry }: { error: unknown; retry?: (() => void) | undefined }): JSX.Element | null {
  if (!error) {
    return null;
  }
  return (
    <div class="notice tone-bad" role="alert">
      <Icon name="warn" />
      <div class="grow">{plain(error)}</div>
      {retry && (
        <Button icon="refresh" onClick={retry}>
          {t.retry}
        </Button>
      )}
    </div>
  );
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="empty">
      <Icon name={icon} size={40} />
      <h2>{title}</h2>
      <div class="empty-next">{children}</div>
    </div>
  );
}

export function Loading(): JSX.Element {
  return (
    <div class="loading" role="status">
      <span class="spinner" aria-hidden="true" /> {t.loading}
    </div>
  );
}

/** The present moment, once a second; for "12 seconds ago". */
export const now = signal(Date.now());
setInterval(() => {
  if (document.visibilityState === 'visible') {
    now.value = Date.now();
  }
}, 1000);

/** A time as people say it, with the exact one on hover. */
export function Ago({ at }: { at: string | null | undefined }): JSX.Element {
  return at ? (
    <time dateTime={at} title={dateTime(at)}>
      {relative(at, now.value)}
    </time>
  ) : (
    <span>–</span>
  );
}

export function CopyButton({ text }: { text: string }): JSX.Element {
  const [done, setDone] = useState(false);
  return (
    <Button
      icon={done ? 'check' : 'copy'}
      onClick={() =>
        void navigator.clipboard.writeText(text).then(() => {
          setDone(true);
          say(t.copied);
        })
      }
    >
      {done ? t.copied : t.copy}
    </Button>
  );
}

/** A modal dialog. The focus goes to its first field, and back where it was when Escape or the close button end it. */
export function Dialog({ title, onClose, children, wide }: { title: string; onClose: () => void; children: ComponentChildren; wide?: boolean }): JSX.Element {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const el = ref.current;
    const before = document.activeElement;
    el?.showModal();
    el?.querySelector<HTMLElement>('.dialog-body :is(input, select)')?.focus();
    return () => {
      el?.close();
      if (before instanceof HTMLElement) {
        before.focus();
      }
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class={wide ? 'wide' : ''}
      aria-labelledby={id}
      onCancel={(e) => {
        e.preventDefault();
        onClose();
      }}
    >
      <header>
        <h2 id={id}>{title}</h2>
        <Button icon="cross" kind="quiet" label={t.close} onClick={onClose} />
      </header>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  text: string;
  action: string;
  onDo: () => Promise<void>;
  onClose: () => void;
  /** What the button says that changes nothing; Cancel unless the action itself is one. */
  keep?: string;
  children?: ComponentChildren;
}

/** Asks before something that cannot be undone. */
export function Confirm({ title, text, action, onDo, onClose, keep, children }: ConfirmProps): JSX.Element {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const run = (): void => {
    setBusy(true);
    onDo().then(onClose, (e: unknown) => {
      setError(e);
      setBusy(false);
    });
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{text}</p>
      {children}
      <ErrorBox error={error} />
      <div class="actions">
        <Button kind="danger" busy={busy} onClick={run}>
          {action}
        </Button>
        <Button onClick={onClose}>{keep ?? t.cancel}</Button>
      </div>
    </Dialog>
  );
}

const spoken = signal('');
let sayTimer: ReturnType<typeof setTimeout> | undefined;

/** Tells people who listen instead of look; at most one message a second. */
export function say(text: string): void {
  clearTimeout(sayTimer);
  sayTimer = setTimeout(() => {
    spoken.value = spoken.value === text ? `${text}\u00a0` : text;
  }, 400);
}

export function Announcer(): JSX.Element {
  return (
    <div class="hidden" role="status" aria-live="polite">
      {spoken.value}
    </div>
  );
}

export function PageHead({ title, children, lead, chip }: { title: string; children?: ComponentChildren; lead?: ComponentChildren; chip?: ComponentChildren }): JSX.Element {
  useEffect(() => {
    document.title = `${title} · ${t.app}`;
  }, [title]);
  return (
    <div class="page-head">
      <div class="grow">
        <div class="title-line">
          <h1>{title}</h1>
          {chip}
        </div>
        {lead && <p class="lead">{lead}</p>}
      </div>
      {children && <div class="page-actions">{children}</div>}
    </div>
  );
}

/** One fact: a name and its value. */
export function Fact({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
