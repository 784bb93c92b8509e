// SPDX-License-Identifier: Apache-2.0
// What happened to a label, newest first; every entry that names a picture can show it, with the grade of evidence.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import * as api from '../api';
import { dateTime, money } from '../format';
import { useFetched, useLive, useThrottled } from '../hooks';
import { currency } from '../session';
import { t } from '../strings';
import type { Label, LabelEvent } from '../types';
import { Button, ErrorBox } from '../ui';

const STEP = 50;
const MOST = 1000;

function EventPicture({ label, e }: { label: Label; e: LabelEvent & { image: string } }): JSX.Element {
  const [open, setOpen] = useState(false);
  const [failed, setFailed] = useState(false);
  const what = t.labelEvents[e.kind as keyof typeof t.labelEvents] ?? e.kind;
  return (
    <details class="event-picture" onToggle={(ev) => setOpen(ev.currentTarget.open)}>
      <summary>
        {t.labels.picture}
        <span class="hidden">
          {' '}
          {what} {dateTime(e.at)}
        </span>
      </summary>
      {open &&
        (failed ? (
          <p class="hint">{t.labels.pictureFailed}</p>
        ) : (
          <figure class="picture">
            <img
              src={api.labels.pastImageUrl(label.id, e.image, 2)}
              width={label.width}
              height={label.height}
              alt={t.labels.pictureAlt(`${what}, ${dateTime(e.at)},`, label.product?.name ?? label.id)}
              onError={() => setFailed(true)}
            />
          </figure>
        ))}
    </details>
  );
}

function Entry({ label, e }: { label: Label; e: LabelEvent }): JSX.Element {
  return (
    <li>
      <time dateTime={e.at}>{dateTime(e.at)}</time>
      <span class="grow">
        <strong>{t.labelEvents[e.kind as keyof typeof t.labelEvents] ?? e.kind}</strong>
        {e.price_minor !== null && e.price_minor !== undefined ? ` ${money(e.price_minor, e.currency ?? label.wanted?.currency ?? currency.value)}` : ''}
        {e.grade && (
          <>
            {' '}
            <span class="grade" title={t.gradeHint[e.grade]}>
              {t.grade[e.grade] ?? e.grade}
            </span>
          </>
        )}
        {e.text ? ` · ${e.text}` : ''}
      </span>
      {e.image && <EventPicture label={label} e={{ ...e, image: e.image }} />}
    </li>
  );
}

export function LabelHistory({ label }: { label: Label }): JSX.Element {
  const [limit, setLimit] = useState(STEP);
  const f = useFetched(`label-history/${label.id}`, () => api.labels.history(label.id, { limit }));
  const reload = useThrottled(f.reload, 1000);
  useLive('label', (l) => l.id === label.id && reload());
  const more = (): void => {
    setLimit((n) => Math.min(MOST, n + 200));
    reload();
  };
  return (
    <section>
      <h3>{t.labels.history}</h3>
      <ErrorBox error={f.error} retry={f.reload} />
      {f.data?.items.length === 0 && <p class="hint">{t.labels.noHistory}</p>}
      <ol class="timeline">
        {f.data?.items.map((e) => (
          <Entry key={`${e.at}/${e.kind}/${e.image ?? ''}`} label={label} e={e} />
        ))}
      </ol>
      {f.data?.next && limit < MOST && <Button onClick={more}>{t.showMore}</Button>}
    </section>
  );
}
