// SPDX-License-Identifier: Apache-2.0
// What every view of a label shares: its state, its picture, and the three facts wanted, sent and shown.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { labels as labelApi } from '../api';
import { dateTime, money } from '../format';
import { Icon, type IconName } from '../icons';
import { t } from '../strings';
import { k } from '../strings/links';
import type { Label, LabelState } from '../types';
import { Ago, Chip, now, type Tone } from '../ui';

const LOOK: Record<LabelState, [Tone, IconName]> = {
  unlinked: ['plain', 'unlink'],
  pending: ['busy', 'clock'],
  sending: ['busy', 'send'],
  shown: ['good', 'check'],
  error: ['bad', 'warn'],
  lost: ['bad', 'off'],
};

export const LABEL_STATES = Object.keys(LOOK) as LabelState[];

export function StateChip({ label }: { label: Label }): JSX.Element {
  const [tone, icon] = LOOK[label.state] ?? ['plain', 'unknown'];
  return (
    <Chip tone={tone} icon={icon}>
      {t.state[label.state] ?? label.state}
    </Chip>
  );
}

export type What = 'wanted' | 'sent' | 'shown';

export function imageOf(label: Label, what: What): string | null {
  return label[what]?.image ?? null;
}

/** Exactly the bits of a label, at whole multiples of its pixels. */
export function LabelPicture({ label, what, scale = 1, caption }: { label: Label; what: What; scale?: 1 | 2 | 3; caption?: string }): JSX.Element {
  const image = imageOf(label, what);
  const [failed, setFailed] = useState<string | null>(null);
  const alt = t.labels.pictureAlt(t.stage[what], label.product?.name ?? label.id);
  const body =
    image && failed !== image ? (
      <img
        src={labelApi.imageUrl(label.id, what, image, 2)}
        width={label.width * scale}
        height={label.height * scale}
        alt={alt}
        loading="lazy"
        onError={() => setFailed(image)}
      />
    ) : (
      <div class="no-picture" style={{ aspectRatio: `${label.width || 296} / ${label.height || 128}` }}>
        <Icon name="label" size={22} />
        <span>{image ? t.labels.pictureFailed : t.labels.noPicture}</span>
      </div>
    );
  return (
    <figure class={`picture what-${what}`}>
      {body}
      {caption && <figcaption>{caption}</figcaption>}
    </figure>
  );
}

function FactRow({ name, done, same, children }: { name: string; done: boolean; same: boolean; children: JSX.Element | string }): JSX.Element {
  return (
    <div class={`fact3 ${done ? (same ? 'is-same' : 'is-other') : 'is-none'}`}>
      <dt>
        <Icon name={done ? (same ? 'check' : 'clock') : 'unknown'} size={16} /> {name}
      </dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Wanted, sent and shown are three facts; each says since when, and shown says how we know. */
export function Facts3({ label }: { label: Label }): JSX.Element {
  const { wanted, sent, shown } = label;
  const isWanted = (image: string | null | undefined): boolean => !!image && image === wanted?.image;
  return (
    <dl class="facts3">
      <FactRow name={t.stage.wanted} done={!!wanted} same={!!wanted}>
        {wanted ? (
          <>
            {wanted.price_minor !== null && wanted.currency ? <strong>{money(wanted.price_minor, wanted.currency)} </strong> : null}
            <Ago at={wanted.from} />
          </>
        ) : (
          t.labels.nothing
        )}
      </FactRow>
      <FactRow name={t.stage.sent} done={!!sent?.image} same={isWanted(sent?.image)}>
        {sent?.image ? (
          <>
            {isWanted(sent.image) ? '' : `${t.labels.olderPicture} `}
            <Ago at={sent.at} />
          </>
        ) : (
          t.labels.notYet
        )}
      </FactRow>
      <FactRow name={t.stage.shown} done={!!shown?.image} same={isWanted(shown?.image)}>
        {shown?.image ? (
          <>
            {isWanted(shown.image) ? '' : `${t.labels.olderPicture} `}
            <Ago at={shown.since} />{' '}
            <span class="grade" title={t.gradeHint[shown.grade]}>
              {t.grade[shown.grade] ?? shown.grade}
            </span>
          </>
        ) : (
          t.labels.notYet
        )}
      </FactRow>
    </dl>
  );
}

/** Prices that are already known to follow. */
export function Ahead({ label }: { label: Label }): JSX.Element | null {
  const ahead = (label.ahead ?? []).filter((w) => !w.held);
  return ahead.length === 0 ? null : (
    <dl class="facts3">
      {ahead.map((w) => (
        <div class="fact3" key={w.from}>
          <dt>
            <Icon name="clock" size={16} /> {t.labels.next}
          </dt>
          <dd>
            {w.price_minor !== null && w.currency ? <strong>{money(w.price_minor, w.currency)}</strong> : t.labels.nothing}{' '}
            {t.labels.from} {dateTime(w.from)}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Its light, while it blinks or is about to; nothing otherwise. */
export function BlinkMark({ label }: { label: Label }): JSX.Element | null {
  const f = label.flash;
  const words = f && new Date(f.until).getTime() > now.value ? k.flash.blinks[f.state] : undefined;
  return f && words ? (
    <span class="blink-mark" data-blinks={f.state}>
      <span class={`flash-dot ${f.colour} ${f.state === 'stopping' ? 'is-dark' : 'is-on'}`} aria-hidden="true" /> {words}
    </span>
  ) : null;
}

export function Battery({ mv }: { mv: number | null }): JSX.Element {
  if (mv === null) {
    return <span>–</span>;
  }
  const low = mv < 2400;
  return (
    <span class={low ? 'warn-text' : ''}>
      {low && <Icon name="warn" size={16} />} {t.labels.volts(mv / 1000)} {low && t.labels.batteryLow}
    </span>
  );
}

