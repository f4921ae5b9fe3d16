/** A table's filter and order in the address, so that a link leads to what one sees. */

import { NO_QUERY, OPERATORS, type Query, type Token } from './filter.ts';

/** One token each: `status=Online`, `name!:web`; without a property `text:db`. */
const FILTER = 'filter';
const SORT = 'sort';
const TOKEN = /^(\w+)(!?[=:])(.*)$/s;
/** The property of a token that has none. */
const FREE_TEXT = 'text';
/** More in a link than anybody types. */
const TOKENS_MAX = 20;

/** The column that rows are sorted by. */
export interface Order {
  readonly column: string;
  readonly isDescending: boolean;
}

/** The filter of an address. What is no filter is left out. */
export function queryOf(address: URLSearchParams): Query {
  const tokens = address.getAll(FILTER).slice(0, TOKENS_MAX).map(tokenOf);
  return { ...NO_QUERY, tokens: tokens.filter((token) => token !== undefined) };
}

/** The address with another filter. */
export function withQuery(address: URLSearchParams, query: Query): URLSearchParams {
  const changed = new URLSearchParams(address);
  changed.delete(FILTER);
  for (const { propertyKey = FREE_TEXT, operator, value } of query.tokens) {
    changed.append(FILTER, `${propertyKey}${operator}${String(value)}`);
  }
  return changed;
}

/** The order of an address: `sort=name`, or `sort=-name` from the end. */
export function orderOf(address: URLSearchParams): Order | undefined {
  const sort = address.get(SORT);
  if (!sort) {
    return undefined;
  }
  return sort.startsWith('-') ? { column: sort.slice(1), isDescending: true } : { column: sort, isDescending: false };
}

/** The address with another order. */
export function withOrder(address: URLSearchParams, { column, isDescending }: Order): URLSearchParams {
  const changed = new URLSearchParams(address);
  changed.set(SORT, isDescending ? `-${column}` : column);
  return changed;
}

function tokenOf(text: string): Token | undefined {
  const [, propertyKey, operator, value] = TOKEN.exec(text) ?? [];
  if (propertyKey === undefined || value === undefined || !OPERATORS.some((known) => known === operator)) {
    return undefined;
  }
  return { ...(propertyKey !== FREE_TEXT && { propertyKey }), operator: operator ?? '', value };
}
