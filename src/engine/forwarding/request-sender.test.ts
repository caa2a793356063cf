import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineContext } from '../engine-context.ts';
import { BodyReader } from '../parser/body-reader.ts';
import { PARSE } from '../parser/parse-status.ts';
import { RequestParser } from '../parser/request-parser.ts';
import { FakeTransport } from '../testing/fake-transport.ts';
import { testContext } from '../testing/test-context.ts';
import { planTo } from '../testing/test-handler.ts';
import { EMPTY_BYTES } from '../writer/fixed-lines.ts';
import { RequestSender } from './request-sender.ts';

const TARGET = { address: '127.0.0.1', port: 80 };

function begin(context: EngineContext, sender: RequestSender, path: string, plan = planTo(TARGET)): void {
  const parser = new RequestParser(context.limits);
  const bytes = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: client.example\r\nX-A: 1\r\n\r\n`);
  assert.equal(parser.feed(bytes, 0, bytes.length), PARSE.done);
  sender.begin(plan, parser, EMPTY_BYTES, undefined, bytes, bytes.length, bytes.length);
}

test('a buffer from which a transport still sends is not used for another request', () => {
  const context = testContext();
  const [first, second] = [0, 1].map(() => new RequestSender(context, new BodyReader(context.limits)));
  assert.ok(first !== undefined && second !== undefined);
  const stuck = new FakeTransport();
  stuck.takesAtOnce = false;
  begin(context, first, '/first');
  first.sendFirst(stuck);
  first.end();
  begin(context, second, '/other');
  assert.match(String(stuck.written[0]), /^GET \/first /);
});

test('a buffer that was sent is used again', () => {
  const context = testContext();
  const sender = new RequestSender(context, new BodyReader(context.limits));
  const transport = new FakeTransport();
  begin(context, sender, '/first');
  sender.sendFirst(transport);
  sender.end();
  begin(context, sender, '/other');
  assert.match(String(transport.written[0]), /^GET \/other /);
});

test('Host follows the node that the plan chose last', () => {
  const context = testContext();
  const sender = new RequestSender(context, new BodyReader(context.limits));
  const plan = { ...planTo(TARGET), hostValue: Buffer.from('first.example') as Buffer | undefined };
  begin(context, sender, '/', plan);
  for (const host of ['b.example', 'a-longer-node-name.example:8080', 'b.example']) {
    const transport = new FakeTransport();
    plan.hostValue = Buffer.from(host);
    sender.renewHost();
    sender.sendFirst(transport);
    assert.equal(String(transport.written[0]), `GET / HTTP/1.1\r\nHost: ${host}\r\nX-A: 1\r\n\r\n`);
  }
});

test('a Host that the plan leaves to the client at first follows the node too', () => {
  const context = testContext();
  for (const bytes of [
    'GET /x HTTP/1.1\r\nHost: client.example\r\nX-A: 1\r\n\r\n',
    '\r\nGET /x HTTP/1.1\r\nX-A: 1\r\nhost:client.example\r\n\r\n',
  ]) {
    const sender = new RequestSender(context, new BodyReader(context.limits));
    const plan = { ...planTo(TARGET), hostValue: undefined as Buffer | undefined };
    const parser = new RequestParser(context.limits);
    const head = Buffer.from(`before${bytes}`);
    assert.equal(parser.feed(head, 6, head.length), PARSE.done);
    sender.begin(plan, parser, EMPTY_BYTES, undefined, head, head.length, head.length);
    for (const host of [undefined, 'b', 'a-longer-node-name.example:8080']) {
      const transport = new FakeTransport();
      plan.hostValue = host === undefined ? undefined : Buffer.from(host);
      sender.renewHost();
      sender.sendFirst(transport);
      assert.equal(String(transport.written[0]), `GET /x HTTP/1.1\r\nHost: ${host ?? 'client.example'}\r\nX-A: 1\r\n\r\n`);
    }
  }
});

test('a Host changed while a transport still sends changes only what is sent next', () => {
  const context = testContext();
  const sender = new RequestSender(context, new BodyReader(context.limits));
  const plan = { ...planTo(TARGET), hostValue: Buffer.from('first.example') };
  const stuck = new FakeTransport();
  stuck.takesAtOnce = false;
  begin(context, sender, '/', plan);
  sender.sendFirst(stuck);
  plan.hostValue = Buffer.from('other.example');
  sender.renewHost();
  const next = new FakeTransport();
  sender.sendFirst(next);
  assert.match(String(stuck.written[0]), /Host: first\.example/);
  assert.match(String(next.written[0]), /Host: other\.example/);
});

test('a Host too long for the buffer goes on whole, and the buffer it left serves another request', () => {
  const context = testContext();
  const [first, second] = [0, 1].map(() => new RequestSender(context, new BodyReader(context.limits)));
  assert.ok(first !== undefined && second !== undefined);
  const plan = { ...planTo(TARGET), hostValue: Buffer.from('a') };
  const transport = new FakeTransport();
  begin(context, first, '/first', plan);
  first.sendFirst(transport);
  plan.hostValue = Buffer.from('b'.repeat(10_000));
  first.renewHost();
  begin(context, second, '/other');
  first.sendFirst(transport);
  assert.match(String(transport.written[1]), /^GET \/first HTTP\/1\.1\r\nHost: b{10000}\r\n/);
});

test('a request with a large part of its body goes on in one piece, and twice alike', () => {
  const context = testContext();
  const body = new BodyReader(context.limits);
  const sender = new RequestSender(context, body);
  const parser = new RequestParser(context.limits);
  const head = 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n';
  const bytes = Buffer.from(head + 'x'.repeat(60_000));
  assert.equal(parser.feed(bytes, 0, bytes.length), PARSE.done);
  body.begin('length', 60_000);
  assert.equal(sender.begin(planTo(TARGET), parser, EMPTY_BYTES, undefined, bytes, head.length, bytes.length), bytes.length);
  const transport = new FakeTransport();
  sender.sendFirst(transport);
  sender.sendFirst(transport);
  assert.deepEqual(transport.written.map(String), [String(bytes), String(bytes)]);
});
