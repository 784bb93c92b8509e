// SPDX-License-Identifier: Apache-2.0
// What kind of tag it is, in words: the schemes of the GS1 EPC Tag Data Standard.

const WORDS: Record<string, string> = {
  sgtin: 'SGTIN: one trade item',
  sscc: 'SSCC: a logistic unit, such as a pallet or carton',
  sgln: 'SGLN: a location',
  grai: 'GRAI: a returnable asset, such as a crate',
  giai: 'GIAI: an asset, such as equipment',
  dsgtin: 'SGTIN with a date: one trade item',
  gsrn: 'GSRN: a service relation',
  gsrnp: 'GSRN-P: a service provider',
  gdti: 'GDTI: a document',
  cpi: 'CPI: a component or part',
  sgcn: 'SGCN: a coupon',
  itip: 'ITIP: a piece of a trade item',
  gid: 'GID: a general identifier',
};

/** Words for a scheme such as sgtin-96 or giai+; what the server already says in words stays as it is. */
export function schemeWords(scheme: string | null | undefined): string {
  if (!scheme) {
    return 'No scheme that we know';
  }
  const known = WORDS[scheme.toLowerCase().replace(/[-+].*$/, '')];
  return known ?? scheme.charAt(0).toUpperCase() + scheme.slice(1);
}

/** What a tag is: its scheme in words, or what it is instead. */
export function tagWords(item: { scheme?: string | null; kind?: string; uri: string | null }): string {
  const scheme = item.scheme ?? /^urn:epc:id:([a-z]+):/.exec(item.uri ?? '')?.[1];
  return scheme ? schemeWords(scheme) : schemeWords(item.kind);
}
