import { startPostgres } from '../../test-support/postgres-server.ts';
import { chaosTest } from './chaos-test.ts';
import { killAnything } from './kill-anything.ts';
import { NotPossibleHere } from './not-possible-here.ts';

chaosTest({
  name: 'kill-anything-postgres',
  promise:
    'whatever is killed with kill -9 while keys are written, PostgreSQL too, every acknowledged write is there, in the store and at the gateway',
  quickRounds: 3,
  run: async (chaos) => {
    // A server of its own: it is killed.
    const database = await startPostgres({ settings: ['fsync=on'] });
    if (typeof database === 'string') throw new NotPossibleHere(database);
    chaos.after(() => database.stop());
    await killAnything(chaos, database);
  },
});
