import { hash } from 'node:crypto';
import type { AdminClient } from './admin-client.ts';
import { consumerAt, consumerName } from './sample-consumers.ts';

/** One thing that is asked again and again. */
export interface AdminCase {
  readonly name: string;
  /** The name of the case whose cost this one's is divided by. */
  readonly comparedWith: string;
  /** `turn` counts from 0. */
  readonly ask: (turn: number) => Promise<unknown>;
  readonly isSlow?: boolean;
}

/** What is measured with so many consumers in the store. */
export async function adminCases(client: AdminClient, count: number): Promise<readonly AdminCase[]> {
  const first = 'first page';
  const list = (name: string, query: string, comparedWith = first): AdminCase => ({
    name,
    comparedWith,
    ask: () => client.ask('GET', `consumers?${query}`),
  });
  const pages = (name: string, query: string, total: number): readonly AdminCase[] => [
    list(`first page${name}`, `page=1${query}`),
    list(`middle page${name}`, `page=${Math.ceil(total / 20)}${query}`, `first page${name}`),
    list(`last page${name}`, `page=${Math.floor(total / 10)}${query}`, `first page${name}`),
  ];
  const beforeLast: { readonly next: string } = JSON.parse(await client.ask('GET', `consumers?page=${Math.floor(count / 10) - 1}`));
  return [
    ...pages('', '', count),
    ...pages(' by creation', '&order_by=created_at', count),
    ...pages(' by name', '&order_by=name', count),
    ...pages(' of a label', '&labels[team]=t1', count / 3),
    ...pages(' of two labels', '&labels[team]=t1&labels[stage]=test', count / 6),
    list('last page by cursor', `page_size=10&after=${beforeLast.next}`),
    list('search that finds all', 'page=1&search=consumer'),
    list('search that finds some', 'page=1&search=customer%2099'),
    list('search that finds none', 'page=1&search=nothing'),
    { ...list('whole list', ''), isSlow: true },
    { name: 'GET one', comparedWith: first, ask: (turn) => client.ask('GET', `consumers/${consumerName((turn * 31) % count)}`) },
    { name: 'PUT one that exists', comparedWith: first, ask: (turn) => put(client, (turn * 31) % count) },
    { name: 'PUT a new one', comparedWith: first, ask: (turn) => put(client, count + turn) },
    {
      name: 'bulk of 100 that exist',
      comparedWith: 'PUT one that exists',
      ask: (turn) => client.applyBulk(consumersFrom((turn * 31) % (count - 99), 100)),
    },
    {
      name: 'bulk of 10,000 credentials',
      comparedWith: 'PUT one that exists',
      ask: (turn) => client.applyBulk(credentialsOf(turn)),
      isSlow: true,
    },
    { name: 'DELETE one', comparedWith: first, ask: (turn) => client.ask('DELETE', `consumers/${consumerName(count + turn)}`) },
  ];
}

function put(client: AdminClient, number: number): Promise<string> {
  return client.ask('PUT', `consumers/${consumerName(number)}`, consumerAt(number));
}

function consumersFrom(first: number, count: number): readonly unknown[] {
  return Array.from({ length: count }, (_, offset) => ({
    kind: 'consumer',
    id: consumerName(first + offset),
    body: consumerAt(first + offset),
  }));
}

/** 10,000 credentials of one consumer, new ones each turn. */
function credentialsOf(turn: number): readonly unknown[] {
  return Array.from({ length: 10_000 }, (_, number) => ({
    kind: 'credential',
    parent: consumerName(0),
    id: `c${turn}_${number}`,
    body: { plugins: { 'key-auth': { key: hash('sha256', `${turn} ${number}`) } } },
  }));
}
