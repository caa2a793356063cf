import assert from 'node:assert/strict';
import test from 'node:test';
import { childEnvironment } from './child-environment.ts';

test('children inherit no setting, no secret and no database of the supervisor', () => {
  const inherited = childEnvironment({
    PATH: '/bin',
    LANG: 'C',
    PORTCULLIS_BOOTSTRAP_TOKEN: 'x',
    PORTCULLIS_ADMIN_PASSWORD_FILE: 'x',
    DATABASE_URL: 'x',
    REDIS_URL: 'x',
    PGPASSWORD: 'x',
    NODE_COMPILE_CACHE: '/cache',
  });
  assert.deepEqual(inherited, { PATH: '/bin', LANG: 'C', NODE_COMPILE_CACHE: '/cache' });
});

test('what the instance opens is inherited all the same, but for what Node.js speaks to its children by', () => {
  const environment = { PGPASSWORD: 'x', PGUSER: 'x', NODE_CHANNEL_FD: '3', DATABASE_URL: 'x' };
  assert.deepEqual(childEnvironment(environment, ['PGPASSWORD', 'NODE_CHANNEL_FD', 'MISSING']), { PGPASSWORD: 'x' });
});

test('a setting of one kind of child gives way to what the environment says', () => {
  assert.deepEqual(childEnvironment({ PATH: '/bin' }, [], { MALLOC_ARENA_MAX: '1' }), { MALLOC_ARENA_MAX: '1', PATH: '/bin' });
  assert.deepEqual(childEnvironment({ MALLOC_ARENA_MAX: '8' }, [], { MALLOC_ARENA_MAX: '1' }), { MALLOC_ARENA_MAX: '8' });
});
