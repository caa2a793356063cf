import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { answersInDrain } from '../testing/drain-property.ts';
import { DrainScene, requestOf } from '../testing/drain-scene.ts';

test('in a drain a client gets an answer to each request that was received before an answer said close', () => {
  fc.assert(answersInDrain, { numRuns: 1000 });
});

test('a burst that comes in several pieces is answered whole, and the last answer says close', () => {
  const scene = new DrainScene();
  const sent = Buffer.from(requestOf(0).repeat(100), 'latin1');
  scene.context.announcesClose = true;
  for (let piece = 0; piece < 8; piece++) scene.deliver(sent, 401);
  const answers = scene.answers();
  assert.equal(answers.length, 100);
  assert.equal(answers.indexOf('close'), 99);
});

test('a client that never stops sending is told to close all the same', () => {
  const scene = new DrainScene();
  scene.context.announcesClose = true;
  const sent = Buffer.from(requestOf(0).repeat(10_000), 'latin1');
  for (let piece = 0; piece < 1000 && !scene.transport.ended; piece++) scene.deliver(sent, 1009);
  const answers = scene.answers();
  assert.equal(answers.indexOf('close'), answers.length - 1);
  assert.ok(scene.received < 20 * 1009, `told after ${scene.received} bytes`);
});

test('a client that always has another request under way is told to close all the same', () => {
  const scene = new DrainScene();
  scene.context.announcesClose = true;
  scene.answersAtOnce = false;
  const request = Buffer.from(requestOf(0), 'latin1');
  const sent = Buffer.concat(Array.from({ length: 1000 }, () => request));
  // Each comes whole, while the one before waits for its answer.
  while (scene.received < sent.length && !scene.transport.ended) {
    scene.deliver(sent, request.length);
    scene.deliver(sent, request.length);
    scene.answer();
  }
  const answers = scene.answers();
  assert.equal(answers.indexOf('close'), answers.length - 1);
  assert.ok(answers.length < 50, `told after ${answers.length} answers`);
});

test('a long burst that has come in few reads is answered whole', () => {
  const scene = new DrainScene();
  scene.context.announcesClose = true;
  scene.answersAtOnce = false;
  const sent = Buffer.from(requestOf(0).repeat(5000), 'latin1');
  for (let answered = 0; answered < 5000; answered++) {
    scene.deliver(sent, 65_536);
    scene.answer();
  }
  const answers = scene.answers();
  assert.equal(answers.length, 5000);
  assert.equal(answers.indexOf('close'), 4999);
});

test('empty lines behind a request are no request', () => {
  const scene = new DrainScene();
  scene.context.announcesClose = true;
  scene.deliver(Buffer.from(`${requestOf(0)}\r\n`, 'latin1'), 1000);
  assert.deepEqual(scene.answers(), ['close']);
});

test('the unread body of a refused request is no request', () => {
  const scene = new DrainScene();
  scene.context.announcesClose = true;
  scene.deliver(Buffer.from(requestOf(40), 'latin1'), 1000);
  assert.deepEqual(scene.answers(), ['close']);
});

test('what lies behind the unread body of a refused request is answered too', () => {
  const scene = new DrainScene();
  scene.context.announcesClose = true;
  scene.deliver(Buffer.from(requestOf(40) + requestOf(39) + requestOf(0), 'latin1'), 1000);
  assert.deepEqual(scene.answers(), ['keep-alive', 'keep-alive', 'close']);
});
