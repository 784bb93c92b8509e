// SPDX-License-Identifier: Apache-2.0

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import * as api from '../api';
import { gtinValid } from '../format';
import { go } from '../router';
import { t } from '../strings';
import { Button, Dialog, ErrorBox, Field, Select } from '../ui';

export const UNITS = ['', 'pc', 'g', 'kg', 'ml', 'l', 'm'];

export function NewProductDialog({ onClose }: { onClose: () => void }): JSX.Element {
  const [gtin, setGtin] = useState('');
  const [name, setName] = useState('');
  const [brand, setBrand] = useState('');
  const [content, setContent] = useState('');
  const [unit, setUnit] = useState('');
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const problem = error instanceof api.Problem ? error : null;
  const gtinError = gtin.length >= 8 && !gtinValid(gtin) ? t.products.badGtin : (problem?.field('gtin') ?? null);
  const submit = (e: Event): void => {
    e.preventDefault();
    setBusy(true);
    setError(null);
    const body: api.NewProduct = { gtin, name: name.trim() };
    if (brand.trim()) {
      body.brand = brand.trim();
    }
    if (content.trim() && unit) {
      body.content = content.trim().replace(',', '.');
      body.unit = unit;
    }
    api.products.create(body).then(
      (p) => {
        onClose();
        go(`/products/${p.id}`);
      },
      (x: unknown) => {
        setError(x);
        setBusy(false);
      },
    );
  };
  return (
    <Dialog title={t.products.add} onClose={onClose}>
      <form onSubmit={submit}>
        <Field
          label={t.products.gtinField}
          value={gtin}
          onInput={(v) => setGtin(v.replace(/\D/g, ''))}
          inputMode="numeric"
          maxLength={14}
          error={gtinError}
          hint={t.products.gtinHint}
          focus
          required
        />
        <Field label={t.products.name} value={name} onInput={setName} error={problem?.field('name') ?? null} required />
        <Field label={t.products.brand} value={brand} onInput={setBrand} error={problem?.field('brand') ?? null} />
        <div class="row">
          <Field
            label={t.products.content}
            value={content}
            onInput={setContent}
            inputMode="decimal"
            hint={t.products.contentHint}
            error={problem?.field('content') ?? null}
          />
          <Select label={t.products.unit} value={unit} options={UNITS.map((u) => [u, u || '–'])} onChange={setUnit} />
        </div>
        <ErrorBox error={api.unplaced(error, 'gtin', 'name', 'brand', 'content')} />
        <div class="actions">
          <Button type="submit" kind="main" busy={busy} disabled={!gtinValid(gtin) || !name.trim()}>
            {t.products.add}
          </Button>
          <Button onClick={onClose}>{t.cancel}</Button>
        </div>
      </form>
    </Dialog>
  );
}
