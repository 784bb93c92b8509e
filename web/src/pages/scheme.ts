// SPDX-License-Identifier: Apache-2.0
// What kind of tag it is, from the EPC's own URI: urn:epc:id:sgtin:... names its scheme.

const WORDS: Record<string, string> = {
  sgtin: 'SGTIN: one trade item',
  sscc: 'SSCC: a logistic unit, such as a pallet or carton',
  sgln: 'SGLN: a location',
  grai: 'GRAI: a returnable asset, such as a crate',
  giai: 'GIAI: an asset, such as equipment',
  gsrn: 'GSRN: a service relation',
  gsrnp: 'GSRN-P: a service provider',
  gdti: 'GDTI: a document',
  cpi: 'CPI: a component or part',
  sgcn: 'SGCN: a coupon',
  ginc: 'GINC: a consignment',
  gsin: 'GSIN: a shipment',
  itip: 'ITIP: a piece of a trade item',
  upui: 'UPUI: a unit of tobacco',
  pgln: 'PGLN: a party',
  lgtin: 'LGTIN: a batch of a trade item',
  gid: 'GID: a general identifier',
  usdod: 'USDoD: United States defence supply',
  adi: 'ADI: an aerospace part',
  imovn: 'IMO: a vessel',
  raw: 'Not an EPC that we know: raw bits',
};

/** The scheme of a tag's URI, in lower case; null when it has none. */
export function schemeOf(uri: string | null | undefined): string | null {
  const m = /^urn:epc:(?:id|tag|raw)(?::([a-z]+)(?:-\d+|\+\+?)?)?:/.exec(uri ?? '');
  return m ? (uri?.startsWith('urn:epc:raw') ? 'raw' : (m[1] ?? 'raw')) : null;
}

export function schemeWords(scheme: string | null | undefined): string {
  return scheme ? (WORDS[scheme.toLowerCase().replace(/[-+].*$/, '')] ?? scheme.toUpperCase()) : 'No scheme that we know';
}
