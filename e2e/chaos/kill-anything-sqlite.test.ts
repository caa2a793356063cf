import { chaosTest } from './chaos-test.ts';
import { killAnything } from './kill-anything.ts';

chaosTest({
  name: 'kill-anything-sqlite',
  promise:
    'whatever is killed with kill -9 while keys are written, every acknowledged write is there, in the store and at the gateway (SQLite)',
  quickRounds: 3,
  run: (chaos) => killAnything(chaos, undefined),
});
