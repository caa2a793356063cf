import assert from 'node:assert/strict';
import path from 'node:path';
import { ownSchema } from '../../test-support/own-schema.ts';
import { postgresForTests } from '../../test-support/postgres-server.ts';
import { runPortcullis } from '../../test-support/run-portcullis.ts';
import type { RunningInstance } from '../../test-support/running-instance.ts';
import { startControlPlane } from '../../test-support/separate-planes.ts';
import { type ChaosRun, chaosTest } from './chaos-test.ts';
import { NotPossibleHere } from './not-possible-here.ts';

const WRITERS_EACH = 10;
const WRITES_EACH = 4;
const SHARED = '/apisix/admin/consumers/shared';

chaosTest({
  name: 'two-control-planes',
  promise: 'two control planes on one PostgreSQL with ten writers each write one history, and no update is lost',
  quickRounds: 2,
  run: async (chaos) => {
    const postgres = await postgresForTests();
    if (postgres.kind === 'none') throw new NotPossibleHere(postgres.reason);
    const environment = ownSchema(chaos, postgres.url);
    const token = `a7ee-${chaos.random.hexadecimal()}`;
    const first = await startControlPlane(chaos, { token, environment });
    const keyring = path.join(first.dataFolder, 'keyring.json');
    const second = await startControlPlane(chaos, { token, environment, flags: ['--keyring-file', keyring] });
    const planes = [first.instance, second.instance];
    assert.equal((await first.instance.admin('PUT', SHARED, { username: 'shared', labels: { start: 'yes' } })).status, 200);
    let count = 0;
    await first.instance.admin('PUT', '/apisix/admin/consumers/counter', { username: 'counter', desc: '0' });
    await chaos.rounds(async (_scope, round) => {
      const revisions: number[] = [];
      const before = await revisionOf(first.instance);
      const writers = planes.flatMap((plane, index) =>
        Array.from({ length: WRITERS_EACH }, async (_, writer) => {
          for (let turn = 0; turn < WRITES_EACH; turn++) {
            const label = `w${index}_${writer}`;
            revisions.push(await patchLabel(plane, label, `${round}-${turn}`));
            chaos.tally.writesAcknowledged++;
          }
          revisions.push(...(await increment(chaos, plane)));
          count++;
        }),
      );
      await Promise.all(writers);
      await checkHistory(chaos, { planes, before, revisions, round, count });
    });
    await runPortcullis(['audit', 'verify', '--data-dir', first.dataFolder], environment);
  },
});

/** Sets one label by a patch, whatever else is written; the revision of it. */
async function patchLabel(plane: RunningInstance, label: string, value: string): Promise<number> {
  const answer = await plane.admin('PATCH', SHARED, { labels: { [label]: value } });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return Number(answer.headers['portcullis-revision']);
}

/** Adds one to a number that everybody adds to, by a write with If-Match that is tried until it holds. */
async function increment({ tally }: ChaosRun, plane: RunningInstance): Promise<readonly number[]> {
  for (;;) {
    const read = await plane.admin('GET', '/apisix/admin/consumers/counter');
    const { value } = read.body as { value: { desc: string } };
    const write = await plane.admin(
      'PUT',
      '/apisix/admin/consumers/counter',
      { username: 'counter', desc: String(Number(value.desc) + 1) },
      { 'If-Match': String(read.headers.etag) },
    );
    if (write.status === 412) continue;
    assert.equal(write.status, 200, JSON.stringify(write.body));
    tally.writesAcknowledged++;
    return [Number(write.headers['portcullis-revision'])];
  }
}

async function revisionOf(plane: RunningInstance): Promise<number> {
  const answer = await plane.admin('PUT', '/apisix/admin/consumers/marker', { username: 'marker' });
  return Number(answer.headers['portcullis-revision']);
}

/** Both planes tell the same, which is all that was answered. */
async function checkHistory(
  { tally }: ChaosRun,
  options: {
    readonly planes: readonly RunningInstance[];
    readonly before: number;
    readonly revisions: readonly number[];
    readonly round: number;
    readonly count: number;
  },
): Promise<void> {
  const { planes, before, revisions, round, count } = options;
  if (new Set(revisions).size !== revisions.length) tally.writeLost('two writes were answered with one revision');
  const sorted = [...revisions].sort((one, other) => one - other);
  const expected = Array.from({ length: revisions.length }, (_, index) => before + index + 1);
  if (JSON.stringify(sorted) !== JSON.stringify(expected)) {
    tally.writeLost(`revisions ${sorted[0]} to ${sorted.at(-1)} for ${revisions.length} writes after ${before}: there is a gap`);
  }
  for (const plane of planes) {
    const shared = (await plane.admin('GET', SHARED)).body as { value: { labels: Record<string, string> } };
    const labels = Object.entries(shared.value.labels).filter(([name]) => name !== 'start');
    const wrong = labels.filter(([, value]) => value !== `${round}-${WRITES_EACH - 1}`);
    if (labels.length !== 2 * WRITERS_EACH || wrong.length > 0)
      tally.writeLost(`labels after round ${round + 1}: ${JSON.stringify(labels)}`);
    const counter = (await plane.admin('GET', '/apisix/admin/consumers/counter')).body as { value: { desc: string } };
    if (counter.value.desc !== String(count)) tally.writeLost(`${counter.value.desc} of ${count} increments are there`);
  }
}
