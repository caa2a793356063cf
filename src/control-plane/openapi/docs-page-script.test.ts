import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { type Element, type HTMLElement, Window } from 'happy-dom';
import { makeAdminFixture } from '../testing/admin-fixture.ts';

const ADDRESS = 'https://admin.example:7443/api/docs';
const scrolledTo: string[] = [];
let window: Window;

// One page for all tests: a document of this size is read in seconds.
before(async (context) => {
  const admin = await makeAdminFixture(context as never);
  const load = async (path: string) => (await admin.send('GET', path, { token: undefined })).text;
  const page = (await load('/api/docs')).replace(/<script [^>]*><\/script>/, '');
  window = new Window({ url: `${ADDRESS}#putRoute`, settings: { disableCSSFileLoading: true } });
  window.document.write(page);
  const { document, location, history, navigator } = window;
  const noteScroll = function (this: HTMLElement) {
    scrolledTo.push(this.id);
  };
  Object.assign(window.HTMLElement.prototype, { scrollIntoView: noteScroll });
  const script = await load('/api/docs/docs-page.js');
  runInContext(script, createContext({ document, location, history, navigator, window, HTMLElement: window.HTMLElement }));
});

after(() => window.happyDOM.close());

beforeEach(() => {
  search('');
  click(byId('collapse'));
});

function byId(id: string): Element {
  const element = window.document.getElementById(id);
  assert.ok(element !== null, id);
  return element;
}

function idsOf(selector: string): readonly string[] {
  return [...window.document.querySelectorAll(selector)].map(({ id }) => id);
}

function click(element: Element | null | undefined): void {
  assert.ok(element instanceof window.HTMLElement);
  element.click();
}

function search(text: string): void {
  Reflect.set(byId('search'), 'value', text);
  byId('search').dispatchEvent(new window.Event('input'));
}

function follow(hash: string): void {
  scrolledTo.length = 0;
  window.location.hash = hash;
  window.dispatchEvent(new window.Event('hashchange'));
}

const shown = () => idsOf('details.operation:not([hidden])');
const unfolded = () => idsOf('details.operation[open]');

test('the link that the page was opened with leads to its operation', () => {
  assert.ok(scrolledTo.includes('putRoute'));
});

test('the tools that need the script appear with it, and the setting names where the page came from', () => {
  assert.deepEqual(idsOf('.tools [hidden], button.copy[hidden]'), []);
  assert.equal(byId('setting').textContent, 'export ADMIN=https://admin.example:7443 API_KEY=…');
});

test('the search shows what has all words, counts it, and hides sections without any', () => {
  const all = shown();
  assert.ok(all.length > 100);
  search('  PATCH   /apisix/admin/consumers ');
  assert.deepEqual(shown(), ['patchConsumer', 'patchCredential']);
  assert.equal(byId('found').textContent, '2 found');
  assert.deepEqual(idsOf('main > section:not([hidden])'), ['tag-consumers']);
  search('no such thing anywhere');
  assert.deepEqual([shown(), byId('found').textContent], [[], '0 found']);
  search('');
  assert.deepEqual([shown(), byId('found').textContent], [all, '']);
});

test('a link unfolds what it leads to, also when a search hides it', () => {
  search('consumers');
  assert.ok(!shown().includes('getRoute'));
  follow('#getRoute');
  assert.deepEqual([unfolded(), scrolledTo], [['getRoute'], ['getRoute']]);
  assert.ok(shown().includes('getRoute'));
});

test('a link that leads nowhere, or is no text at all, does nothing', () => {
  search('patch /apisix/admin/protos');
  for (const hash of ['#nothing', '#%', '#%E0%A4', '']) follow(hash);
  assert.deepEqual([shown(), unfolded(), scrolledTo], [['patchProto'], [], []]);
});

test('what is found is unfolded and folded at once, and one that its reader opens stands in the address', () => {
  follow('#');
  search('patch consumers');
  click(byId('expand'));
  assert.deepEqual(unfolded(), shown());
  assert.equal(window.location.hash.replace('#', ''), '');
  click(byId('collapse'));
  assert.deepEqual(unfolded(), []);
  click(byId('patchConsumer').querySelector('summary'));
  assert.equal(window.location.hash, '#patchConsumer');
});

test('the button beside a command copies it as it stands', async () => {
  const button = byId('putConsumer').querySelector('button.copy');
  click(button);
  await window.happyDOM.waitUntilComplete();
  const copied = await window.navigator.clipboard.readText();
  assert.match(copied, /^curl -k .*-X PUT/s);
  assert.deepEqual([copied, button?.textContent], [button?.parentElement?.querySelector('pre')?.textContent, 'Copied']);
});
