// SPDX-License-Identifier: Apache-2.0
// The words of a product's prices: what held when, and why.

export const w = {
  instead: (price: string) => `instead of ${price}`,
  until: (when: string) => `until ${when}`,
  prior: (price: string) => `Lowest price of the 30 days before: ${price}`,
  byPromotion: 'Promotion',
  inForce: 'now',

  history: 'Price history',
  none: 'This product has never had a price.',
  chart: (now: string, low: string, high: string) => `Price over time: ${now} now, between ${low} and ${high}. The table below has every step.`,
  offered: 'price on the shelf',
  promotions: 'promotion',
  when: 'When',
  price: 'Price',
  why: 'By and why',
  planned: 'Planned',
  undo: 'Undo',
  undoTitle: 'Undo this price change',
  undoAsk: (price: string) => `A new change brings back the price that held before ${price}. Both stay in the history.`,
  undone: 'The price before is back',
  superseded: 'A newer change of this product exists. Undo that one first.',
  reason: 'Reason (optional)',

  plan: 'Change the price later',
  planPrice: (currency: string) => `Price from then on (${currency})`,
  planFrom: 'From',
  planHint: (zone: string) => `By the store’s clock (${zone}).`,
  planWhen: (when: string) => `It takes effect on ${when}.`,
  planGap: (asked: string, when: string) => `${asked} does not exist on that day; it takes effect on ${when}.`,
  planPast: 'Enter a day and time in the future.',
  planSave: 'Plan the price',
  plannedSaid: (price: string, when: string) => `${price} from ${when} is planned`,

  edit: 'Edit product',
  category: 'Category (optional)',
  changed: 'Somebody else has changed this product in the meantime. Your entries are still here.',
  loadNew: 'Load the newer one',
  saved: (name: string) => `${name} is saved`,
};
