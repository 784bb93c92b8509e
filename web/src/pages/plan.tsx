// SPDX-License-Identifier: Apache-2.0
// The floor of the store with its stock on it, live; or the same floor being drawn.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import * as api from '../api';
import { type Plan, type PlanPlace, type PlanStock, plan as planApi } from '../api/plan';
import { count } from '../format';
import { useFetched, useLive, useThrottled } from '../hooks';
import { here, setQuery } from '../router';
import { may } from '../session';
import { t } from '../strings';
import { p } from '../strings/plan';
import type { Place, Product } from '../types';
import { Button, Empty, ErrorBox, LinkButton, Loading, PageHead } from '../ui';
import { AntennaMark, Floor, fitted, HearingLines, useScale } from './plan_drawing';
import { PlanEditor } from './plan_edit';
import { ProductPicker } from './product_picker';

interface Counts {
  items: number;
  products: number;
}

function countsOf(stock: PlanStock | null, place: number | null): Counts {
  const hit = stock?.places.find((x) => x.place_id === place || (place === null && x.place_id === 0));
  return { items: hit?.items ?? 0, products: hit?.products ?? 0 };
}

/** What a place leads to: its stock, or the items of the one product that is shown. */
function placeHref(id: number, product: Product | null): string {
  return product ? `/stock/items?product_id=${product.id}&place_id=${id}` : `/stock?place_id=${id}`;
}

interface BoxProps {
  x: PlanPlace;
  k: number;
  c: Counts;
  most: number;
  product: Product | null;
}

function PlaceBox({ x, k, c, most, product }: BoxProps): JSX.Element {
  const heat = most > 0 && c.items > 0 ? 0.08 + 0.42 * Math.sqrt(c.items / most) : 0;
  const label = product ? p.placeLabelOne(x.place, c.items) : p.placeLabel(x.place, c.items, c.products);
  return (
    <a href={placeHref(x.place_id, product)} class={`plan-place kind-${x.kind}`} aria-label={label} data-place={x.place_id} data-items={c.items}>
      <rect class="plan-box" x={x.x * k} y={x.y * k} width={x.w * k} height={x.h * k} rx={4} />
      <rect class="plan-heat" x={x.x * k} y={x.y * k} width={x.w * k} height={x.h * k} rx={4} fill-opacity={heat.toFixed(2)} />
    </a>
  );
}

/** Name and number of a place, over everything else that is drawn. */
function PlaceWords({ x, k, c }: Pick<BoxProps, 'x' | 'k' | 'c'>): JSX.Element {
  const [cx, cy] = [(x.x + x.w / 2) * k, (x.y + x.h / 2) * k];
  const tall = x.h * k > 56;
  const pill = 28 + 10 * count(c.items).length;
  return (
    <g class="plan-words" aria-hidden="true">
      {tall && (
        <text x={x.x * k + 8} y={x.y * k + 19} class="plan-name">
          {fitted(x.place, x.w * k - 16)}
        </text>
      )}
      <rect class="plan-pill" x={cx - pill / 2} y={cy - (tall ? 6 : 15)} width={pill} height={30} rx={15} />
      <text class="plan-count" x={cx} y={cy + (tall ? 15 : 6)} text-anchor="middle">
        {count(c.items)}
      </text>
    </g>
  );
}

/** The same figures in words, for those places too that nobody has drawn yet. */
function CountTable({ plan, places, stock, product }: { plan: Plan; places: Place[]; stock: PlanStock | null; product: Product | null }): JSX.Element {
  const drawn = new Set(plan.places.map((x) => x.place_id));
  const none = countsOf(stock, null);
  return (
    <div class="table-scroll plan-table">
      <table aria-label={p.table}>
        <thead>
          <tr>
            <th scope="col">{p.place}</th>
            <th scope="col" class="num">
              {p.itemsHead}
            </th>
            {!product && (
              <th scope="col" class="num">
                {p.productsHead}
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {places.map((x) => {
            const c = countsOf(stock, x.id);
            return (
              <tr key={x.id}>
                <td>
                  <a href={placeHref(x.id, product)}>{x.name}</a>
                  <div class="sub">
                    {t.kinds[x.kind] ?? x.kind}
                    {drawn.has(x.id) ? '' : ` · ${p.elsewhere}`}
                  </div>
                </td>
                <td class="num">{count(c.items)}</td>
                {!product && <td class="num">{count(c.products)}</td>}
              </tr>
            );
          })}
          {none.items > 0 && (
            <tr>
              <td>
                <a href="/stock/items?place_id=0">{p.noPlace}</a>
              </td>
              <td class="num">{count(none.items)}</td>
              {!product && <td class="num">{count(none.products)}</td>}
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

function Choice({ product, onPick }: { product: Product | null; onPick: (x: Product | null) => void }): JSX.Element {
  return product ? (
    <p class="linked plan-shown">
      <strong>{p.showing(product.name)}</strong>
      <Button icon="cross" onClick={() => onPick(null)}>
        {p.allProducts}
      </Button>
    </p>
  ) : (
    <ProductPicker label={p.product} onPick={onPick} />
  );
}

function View({ plan, places }: { plan: Plan; places: Place[] }): JSX.Element {
  const id = here.value.query.get('product_id') ?? '';
  const chosen = useFetched<Product | null>(`product/${id}`, () => (id ? api.products.get(Number(id)) : Promise.resolve(null)));
  const product = id ? chosen.data : null;
  const stock = useFetched(`plan-stock/${id}`, () => planApi.stock(id ? Number(id) : null));
  const again = useThrottled(stock.reload, 1000);
  useLive('stock', again);
  const [shown, setShown] = useState<PlanStock | null>(null);
  // While the next figures are on their way the last ones stay.
  useEffect(() => {
    if (stock.data) {
      setShown(stock.data);
    }
  }, [stock.data]);
  const { box, k } = useScale(plan.width_m, plan.height_m);
  const most = Math.max(0, ...plan.places.map((x) => countsOf(shown, x.place_id).items));
  return (
    <div class="plan-page">
      <div class="plan-side">
        <Choice product={product} onPick={(x) => setQuery({ product_id: x ? String(x.id) : null })} />
        <ErrorBox error={stock.error ?? chosen.error} retry={stock.reload} />
        <CountTable plan={plan} places={places} stock={shown} product={product} />
      </div>
      <div class="plan-scroll" ref={box}>
        <Floor plan={plan} k={k} label={p.drawing}>
          {plan.places.map((x) => (
            <PlaceBox key={x.place_id} x={x} k={k} c={countsOf(shown, x.place_id)} most={most} product={product} />
          ))}
          <HearingLines plan={plan} k={k} />
          {plan.antennas.map((a) => (
            <AntennaMark key={`${a.agent_id}/${a.reader}/${a.antenna}`} a={a} k={k} />
          ))}
          {plan.places.map((x) => (
            <PlaceWords key={x.place_id} x={x} k={k} c={countsOf(shown, x.place_id)} />
          ))}
        </Floor>
        <p class="hint">{p.legend}</p>
      </div>
    </div>
  );
}

function NothingDrawn({ places, onDraw }: { places: Place[]; onDraw: () => void }): JSX.Element {
  return (
    <Empty icon="place" title={p.none}>
      <p>{places.length === 0 ? p.noPlaces : p.noneHint}</p>
      {may('places') &&
        (places.length === 0 ? (
          <LinkButton href="/stock/places" kind="main" icon="place">
            {p.makePlaces}
          </LinkButton>
        ) : (
          <Button kind="main" icon="edit" onClick={onDraw}>
            {p.draw}
          </Button>
        ))}
    </Empty>
  );
}

export function PlanPage(_: object): JSX.Element {
  const f = useFetched('plan', () => planApi.get());
  const places = useFetched('places', () => api.places.list({ limit: 1000 }));
  const antennas = useFetched('antennas', () => api.antennas.list({ limit: 1000 }));
  const editing = here.value.query.get('edit') === '1' && may('places');
  const begin = (): void => setQuery({ edit: '1' });
  const [plan, setPlan] = useState<Plan | null>(null);
  useEffect(() => setPlan(f.data), [f.data]);
  const all = places.data?.items;
  return (
    <div class="page">
      <PageHead title={p.title} lead={editing ? p.help : p.lead}>
        {may('places') && !editing && plan && plan.places.length > 0 && (
          <Button icon="edit" onClick={begin}>
            {p.edit}
          </Button>
        )}
        {!editing && (
          <LinkButton href="/stock/places" icon="place">
            {p.places}
          </LinkButton>
        )}
      </PageHead>
      <ErrorBox error={f.error ?? places.error} retry={f.reload} />
      {(!plan || !all) && !f.error && !places.error && <Loading />}
      {plan && all && editing && antennas.data && (
        <PlanEditor
          plan={plan}
          places={all}
          antennas={antennas.data.items}
          onPlaces={places.reload}
          onSaved={(next) => {
            setPlan(next);
            antennas.reload();
          }}
          onClose={() => setQuery({ edit: null })}
        />
      )}
      {plan && all && !editing && (plan.places.length === 0 ? <NothingDrawn places={all} onDraw={begin} /> : <View plan={plan} places={all} />)}
    </div>
  );
}
