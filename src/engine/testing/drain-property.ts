import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DrainScene, requestOf } from './drain-scene.ts';

const requests = fc.array(fc.nat(40).map(requestOf), { minLength: 1, maxLength: 12 });
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('deliver' as const), length: fc.integer({ min: 1, max: 400 }) }) },
    { weight: 4, arbitrary: fc.constant({ kind: 'answer' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'drain' as const }) },
    { weight: 1, arbitrary: fc.boolean().map((atOnce) => ({ kind: 'mode' as const, atOnce })) },
  ),
  { maxLength: 60 },
);

/** In a drain a client gets an answer to each request that was received before an answer said close. */
export const answersInDrain = fc.property(requests, steps, (list, script) => {
  const scene = new DrainScene();
  const sent = Buffer.from(list.join(''), 'latin1');
  const ends = list.map((_, index) => list.slice(0, index + 1).join('').length);
  let receivedAtClose: number | undefined;
  scene.transport.onWrite = (text) => {
    if (/\r\nConnection: close\r\n/i.test(text)) receivedAtClose ??= scene.received;
  };
  for (const step of script) {
    switch (step.kind) {
      case 'deliver':
        scene.deliver(sent, step.length);
        break;
      case 'answer':
        scene.answer();
        break;
      case 'drain':
        scene.context.announcesClose = true;
        break;
      case 'mode':
        scene.answersAtOnce = step.atOnce;
        break;
    }
  }
  // Whatever was left undone is done now.
  scene.context.announcesClose = true;
  scene.answersAtOnce = true;
  for (let round = 0; round < 200; round++) {
    scene.answer();
    scene.deliver(sent, 100);
  }
  const answers = scene.answers();
  const atClose = receivedAtClose ?? scene.received;
  const whole = ends.filter((end) => end <= atClose).length;
  assert.ok(answers.length >= whole, `${answers.length} answers to ${whole} requests received`);
  assert.ok(!answers.slice(0, -1).includes('close'), 'close comes with the last answer');
  if (answers.length === list.length) assert.equal(answers.at(-1), receivedAtClose === undefined ? 'keep-alive' : 'close');
});
