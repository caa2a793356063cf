import assert from 'node:assert/strict';
import test from 'node:test';
import { DescriptorWatch } from './descriptor-watch.ts';

function watchWith(free: { count: number }) {
  const events: string[] = [];
  const watch = new DescriptorWatch({
    canOpen: (count) => count <= free.count,
    pause: () => events.push('pause'),
    resume: () => events.push('resume'),
  });
  return { events, look: () => Array.from({ length: 5 }, () => watch.beat()) };
}

test('accepting pauses when no descriptor is left and begins again when there are plenty', () => {
  const free = { count: 1 };
  const { events, look } = watchWith(free);
  look();
  assert.deepEqual(events, []);
  free.count = 0;
  look();
  look();
  assert.deepEqual(events, ['pause']);
  free.count = 31;
  for (let turn = 0; turn < 5; turn++) look();
  assert.deepEqual(events, ['pause']);
  free.count = 32;
  look();
  look();
  assert.deepEqual(events, ['pause', 'resume']);
});

test('a pause lasts for a second at least', () => {
  const free = { count: 0 };
  const { events, look } = watchWith(free);
  look();
  free.count = 100;
  look();
  assert.deepEqual(events, ['pause']);
  look();
  assert.deepEqual(events, ['pause', 'resume']);
});
