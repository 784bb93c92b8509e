// SPDX-License-Identifier: Apache-2.0
// A small PNG writer and a 5 x 7 dot font: enough to draw pictures that look like shelf labels.

import { deflateSync } from 'node:zlib';

const FONT = {
  0: '0e11131519110e', 1: '040c040404040e', 2: '0e11010204081f', 3: '1f02040201110e', 4: '02060a121f0202', 5: '1f101e0101110e',
  6: '0608101e11110e', 7: '1f010204080808', 8: '0e11110e11110e', 9: '0e11110f01020c', '.': '000000000c0c00', ',': '000000000c0408',
  A: '0e11111f111111', B: '1e11111e11111e', C: '0e11101010110e', D: '1e11111111111e', E: '1f10101e10101f', F: '1f10101e101010',
  G: '0e11101711110f', H: '1111111f111111', I: '0e04040404040e', J: '0702020202120c', K: '11121418141211', L: '1010101010101f',
  M: '111b1515111111', N: '11191513111111', O: '0e11111111110e', P: '1e11111e101010', Q: '0e11111115120d', R: '1e11111e141211',
  S: '0f10100e01011e', T: '1f040404040404', U: '1111111111110e', V: '11111111110a04', W: '11111115151b11', X: '11110a040a1111',
  Y: '1111110a040404', Z: '1f01020408101f', '/': '01020204080810', ' ': '00000000000000', '-': '0000001f000000',
};

function crcTable() {
  return Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) {
      c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    }
    return c >>> 0;
  });
}
const TABLE = crcTable();

function crc(bytes) {
  let c = 0xffffffff;
  for (const b of bytes) {
    c = TABLE[(c ^ b) & 0xff] ^ (c >>> 8);
  }
  return (c ^ 0xffffffff) >>> 0;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc(body), body.length + 4);
  return out;
}

/** Palette picture: 0 white, 1 black, 2 red. */
class Picture {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.px = new Uint8Array(width * height);
  }
  rect(x, y, w, h, colour) {
    for (let j = Math.max(0, y); j < Math.min(this.height, y + h); j++) {
      this.px.fill(colour, j * this.width + Math.max(0, x), j * this.width + Math.min(this.width, x + w));
    }
  }
  text(x, y, s, size, colour) {
    for (const ch of s.toUpperCase().normalize('NFD').replace(/[\u0300-\u036f]/g, '')) {
      const glyph = FONT[ch] ?? FONT['-'];
      for (let r = 0; r < 7; r++) {
        const bits = Number.parseInt(glyph.slice(r * 2, r * 2 + 2), 16);
        for (let c = 0; c < 5; c++) {
          if (bits & (16 >> c)) {
            this.rect(x + c * size, y + r * size, size, size, colour);
          }
        }
      }
      x += 6 * size;
    }
  }
  png(scale) {
    const w = this.width * scale;
    const h = this.height * scale;
    const raw = Buffer.alloc((w + 1) * h);
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        raw[y * (w + 1) + 1 + x] = this.px[Math.floor(y / scale) * this.width + Math.floor(x / scale)];
      }
    }
    const head = Buffer.alloc(13);
    head.writeUInt32BE(w, 0);
    head.writeUInt32BE(h, 4);
    head.set([8, 3, 0, 0, 0], 8);
    const palette = Buffer.from([255, 255, 255, 0, 0, 0, 200, 30, 30]);
    return Buffer.concat([
      Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
      chunk('IHDR', head),
      chunk('PLTE', palette),
      chunk('IDAT', deflateSync(raw)),
      chunk('IEND', Buffer.alloc(0)),
    ]);
  }
}

/** A label picture with name, price and something like a barcode. */
export function labelPng({ width, height, name, price, unitPrice, gtin, scale, red }) {
  const p = new Picture(width, height);
  const small = height > 200 ? 3 : 2;
  p.text(8, 8, name.slice(0, Math.floor((width - 16) / (6 * small))), small, 1);
  const size = height > 200 ? 12 : 7;
  const priceWidth = price.length * 6 * size;
  if (red) {
    p.rect(width - priceWidth - 18, Math.floor(height * 0.3), priceWidth + 18, 7 * size + 16, 2);
  }
  p.text(width - priceWidth - 6, Math.floor(height * 0.3) + 8, price, size, red ? 0 : 1);
  p.text(8, Math.floor(height * 0.4), unitPrice ?? '', small === 3 ? 2 : 1, 1);
  let x = 8;
  for (const d of gtin) {
    const v = Number(d);
    p.rect(x, height - 34, 1 + (v & 1), 22, 1);
    p.rect(x + 3 + (v & 2 ? 1 : 0), height - 34, 1 + (v >> 2 & 1), 22, 1);
    x += 8;
  }
  p.text(8, height - 10, gtin, 1, 1);
  return p.png(scale);
}
