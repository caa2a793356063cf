import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TlsItem } from '../../schema/index.ts';
import { ClientPolicy } from './client-policy.ts';
import { TicketKeys } from './ticket-keys.ts';
import { TlsHost } from './tls-host.ts';
import { TlsHosts } from './tls-hosts.ts';

const RULES = { authority: 'ca', authorityIds: [], depth: 1, skippedPaths: [] };

function host(owner: string, names: readonly string[], asks = false): TlsHost {
  const settings: Extract<TlsItem, { kind: 'host' }> = {
    kind: 'host',
    names,
    pairs: [],
    certificateIds: [],
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    client: undefined,
  };
  const client = asks ? new ClientPolicy(owner, RULES, [], { onProblem: () => {}, nowMs: () => 0 }) : undefined;
  const ticketKeys = new TicketKeys(Buffer.alloc(32));
  return new TlsHost({ owner, settings, pairs: [], client, problem: undefined, ticketKeys, onProblem: () => {} });
}

function hostsOf(...all: readonly TlsHost[]): TlsHosts {
  const hosts = new TlsHosts(undefined);
  for (const one of all) hosts.put(one.owner, one);
  return hosts;
}

test('a name belongs to whoever names it exactly, else to the longest pattern, whose star is one label', () => {
  const hosts = hostsOf(
    host('ssl/exact', ['a.example.com']),
    host('ssl/star', ['*.example.com']),
    host('ssl/part', ['*-api.example.com', '*api.example.com']),
  );
  const ownerOf = (name: string): string | undefined => hosts.find(name)?.owner;
  assert.equal(ownerOf('a.example.com'), 'ssl/exact');
  assert.equal(ownerOf('b.example.com'), 'ssl/star');
  assert.equal(ownerOf('x-api.example.com'), 'ssl/part');
  assert.equal(ownerOf('api.example.com'), 'ssl/star');
  assert.equal(ownerOf('c.b.example.com'), undefined);
  assert.equal(ownerOf('example.com'), undefined);
  assert.equal(ownerOf('.example.com'), undefined);
  assert.equal(ownerOf('x.y-api.example.com'), undefined);
});

test('of several objects with one name the strict one comes first, then an SSL, then the lower id; and what goes makes room', () => {
  const hosts = hostsOf(host('sni/a', ['x']), host('ssl/b', ['x']), host('ssl/a', ['x']), host('sni/strict', ['x'], true));
  const order: (string | undefined)[] = [];
  for (let owner = hosts.find('x')?.owner; owner !== undefined; owner = hosts.find('x')?.owner) {
    order.push(owner);
    hosts.put(owner, undefined);
  }
  assert.deepEqual(order, ['sni/strict', 'ssl/a', 'ssl/b', 'sni/a']);
  assert.equal(hosts.isEmpty, true);
});

test('a policy reaches as deep as the wildcard hosts of routes, unless the name belongs to another host', () => {
  const hosts = hostsOf(
    host('ssl/strict', ['*.example.com', '*-api.example.org'], true),
    host('ssl/open', ['a.b.example.com', '*.c.example.com', '*.example.org']),
  );
  const asksAt = (name: string): boolean => hosts.policyFor(name) !== undefined;
  for (const name of ['x.example.com', 'x.y.example.com', 'x.b.example.com', 'x.a.b.example.com', 'x.y-api.example.org']) {
    assert.equal(asksAt(name), true, name);
  }
  for (const name of ['a.b.example.com', 'x.c.example.com', 'x.y.c.example.com', 'example.com', 'x.example.org', 'com', '']) {
    assert.equal(asksAt(name), false, name);
  }
  assert.equal(asksAt(`${'a.'.repeat(50_000)}example.com`), true);
  assert.equal(hosts.find('x.y.example.com'), undefined);
  hosts.put('ssl/strict', undefined);
  assert.equal(hosts.anyStrict, false);
  assert.equal(asksAt('x.y.example.com'), false);
});

test('an object that names others than before leaves no name behind', () => {
  const hosts = hostsOf(host('ssl/a', ['x', '*-y', 'x']));
  hosts.put('ssl/a', host('ssl/a', ['z']));
  assert.equal(hosts.find('x'), undefined);
  assert.equal(hosts.find('a-y'), undefined);
  assert.equal(hosts.find('z')?.owner, 'ssl/a');
});

test('who names no host, or an unknown one, gets the fallback, or nothing', () => {
  const asked = (serverName: string | undefined) => ({ serverName, protocols: [], ticketKeyNames: [] });
  assert.equal(hostsOf(host('ssl/a', ['x'])).termsFor(asked(undefined)), undefined);
  assert.equal(hostsOf(host('ssl/a', ['x'])).termsFor(asked('y')), undefined);
  const hosts = new TlsHosts('x');
  hosts.put('ssl/a', host('ssl/a', ['x']));
  // It has no certificate; that this is told shows that it was chosen.
  assert.throws(() => hosts.termsFor(asked(undefined)), /no certificate/);
  assert.throws(() => hosts.termsFor(asked('y')), /no certificate/);
});

test('what other objects of a name cannot bring is found out once, however many names, handshakes and ticket keys there are', () => {
  const problems: string[] = [];
  const ticketKeys = new TicketKeys(Buffer.alloc(32));
  const pairs = [{ cert: 'no certificate', key: 'no key' }];
  const settings = {
    kind: 'host',
    names: ['x', 'y', '*.z'],
    pairs,
    certificateIds: [],
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    client: undefined,
  } as const;
  const onProblem = (text: string): void => void problems.push(text);
  const parts = { settings, pairs, client: undefined, problem: undefined, ticketKeys, onProblem };
  const hosts = hostsOf(new TlsHost({ ...parts, owner: 'ssl/a' }), new TlsHost({ ...parts, owner: 'ssl/b' }));
  const shakeHands = (serverName: string): void =>
    assert.throws(() => hosts.termsFor({ serverName, protocols: [], ticketKeyNames: [] }), /PEM|no start line/i);
  for (const name of ['x', 'y', 'a.z', 'x']) shakeHands(name);
  ticketKeys.renew(Buffer.alloc(32, 1), Buffer.alloc(32));
  for (const name of ['x', 'y', 'a.z', 'x']) shakeHands(name);
  assert.equal(problems.length, 1);
});
