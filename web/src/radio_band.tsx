// SPDX-License-Identifier: Apache-2.0
// Pictures of a label radio: its channels beside the Wi-Fi in the 2.4 GHz band, and small columns. What they show also
// stands in words beside them.

import type { JSX } from 'preact';
import { useWidth } from './chart';
import { r, wifiChannel } from './strings/radio';
import type { NetInterface } from './types';

export const DATA_CHANNELS = 37;
const FROM_MHZ = 2396;
const TO_MHZ = 2496;
const ADVERTS: [number, number][] = [
  [37, 2402],
  [38, 2426],
  [39, 2480],
];

/** Centre of data channel 0 to 36. */
export function channelMhz(n: number): number {
  return n <= 10 ? 2404 + 2 * n : 2406 + 2 * n;
}

/** The Wi-Fi of this machine that sends in the labels' band. */
export function wifiOf(list: NetInterface[]): NetInterface[] {
  return list.filter((i) => i.wireless && i.role !== 'monitor' && !!i.centre_mhz && i.centre_mhz >= 2400 && i.centre_mhz <= 2500);
}

interface BandProps {
  used: number[];
  wifi: NetInterface[];
  label: string;
}

/** Channels as bars, Wi-Fi as the hill of its main lobe above them. */
export function Band({ used, wifi, label }: BandProps): JSX.Element {
  const [box, width] = useWidth();
  const top = 12;
  const ground = wifi.length > 0 ? 104 : 16; // room for hills only where there are any
  const height = ground + 86;
  const x = (mhz: number): number => Math.round(((mhz - FROM_MHZ) / (TO_MHZ - FROM_MHZ)) * width * 10) / 10;
  const bar = Math.max(2, x(FROM_MHZ + 2) - 2);
  const wide = width >= 560;
  return (
    <div class="chart band" ref={box} style={{ minHeight: `${height}px` }}>
      {width > 0 && (
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
          {Array.from({ length: 14 }, (_, i) => (i === 13 ? 2484 : 2412 + 5 * i))
            .filter((mhz) => wide || mhz === 2412 || mhz === 2437 || mhz === 2462)
            .map((mhz) => (
              <text key={mhz} x={x(mhz)} y={ground + 16} text-anchor="middle" class={wifi.some((w) => w.centre_mhz === mhz) ? 'band-here' : ''}>
                {wifiChannel(mhz)}
              </text>
            ))}
          <line class="band-ground" x1={0} x2={width} y1={ground} y2={ground} />
          {wifi.map((w) => {
            const mid = w.centre_mhz ?? 0;
            const half = (w.width_mhz || 20) / 2;
            return (
              <g key={w.name} class="band-wifi">
                <path d={`M${x(mid - half - 2)} ${ground}L${x(mid - half + 1)} ${top + 16}H${x(mid + half - 1)}L${x(mid + half + 2)} ${ground}Z`}>
                  <title>{r.wifiOne(w.ssid, mid, w.width_mhz)}</title>
                </path>
                <text x={Math.min(width - 60, Math.max(60, x(mid)))} y={top + 40} text-anchor="middle">
                  {w.ssid || w.name}
                </text>
              </g>
            );
          })}
          {Array.from({ length: DATA_CHANNELS }, (_, n) => (
            <rect key={n} class={used.includes(n) ? 'band-used' : 'band-avoided'} x={x(channelMhz(n)) - bar / 2} y={ground + 26} width={bar} height={36} rx={1}>
              <title>{`${n}: ${channelMhz(n)} MHz, ${used.includes(n) ? r.used : r.avoided}`}</title>
            </rect>
          ))}
          {ADVERTS.map(([n, mhz]) => (
            <rect key={n} class="band-advert" x={x(mhz) - bar / 2} y={ground + 26} width={bar} height={36} rx={1}>
              <title>{`${n}: ${mhz} MHz, ${r.adverts}`}</title>
            </rect>
          ))}
          {[2402, 2426, 2450, 2480].map((mhz) => (
            <text key={mhz} x={Math.max(18, x(mhz))} y={height - 6} text-anchor="middle">
              {mhz}
            </text>
          ))}
          <text x={0} y={ground + 16}>
            Wi-Fi
          </text>
          {wide && (
            <text x={width} y={height - 6} text-anchor="end">
              MHz
            </text>
          )}
        </svg>
      )}
      <ul class="chart-legend plain-list">
        {(
          [
            ['band-used', r.used],
            ['band-avoided', r.avoided],
            ['band-advert', r.adverts],
            ['band-wifi', r.wifi],
          ] as [string, string][]
        ).map(([c, text]) => (
          <li key={c}>
            <svg width="16" height="14" aria-hidden="true" class={c === 'band-wifi' ? c : ''}>
              {c === 'band-wifi' ? <path d="M1 13L4 2H12L15 13Z" /> : <rect class={c} x="3" y="1" width="9" height="12" rx="1" />}
            </svg>
            {text}
          </li>
        ))}
      </ul>
    </div>
  );
}

interface ColumnsProps {
  values: { n: number; title: string; class?: string; text?: string }[];
  label: string;
}

/** Columns side by side; one with a text says it below itself. */
export function Columns({ values, label }: ColumnsProps): JSX.Element {
  const [box, width] = useWidth();
  const height = 96;
  const base = height - 20;
  const most = Math.max(1, ...values.map((v) => v.n));
  const step = width / Math.max(1, values.length);
  return (
    <div class="chart columns" ref={box} style={{ minHeight: `${height}px` }}>
      {width > 0 && (
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
          <line class="band-ground" x1={0} x2={width} y1={base} y2={base} />
          {values.map((v, i) => {
            const h = v.n === 0 ? 0 : Math.max(2, (v.n / most) * (base - 8));
            return (
              <g key={i}>
                <rect class={v.class ?? 'column'} x={i * step + Math.min(2, step * 0.1)} y={base - h} width={Math.max(1, step - Math.min(4, step * 0.2))} height={h}>
                  <title>{v.title}</title>
                </rect>
                {v.text && (
                  <text x={i === 0 ? 0 : i === values.length - 1 ? width : (i + 0.5) * step} y={height - 5} text-anchor={i === 0 ? 'start' : i === values.length - 1 ? 'end' : 'middle'}>
                    {v.text}
                  </text>
                )}
              </g>
            );
          })}
        </svg>
      )}
    </div>
  );
}
