import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type RunningInstance, until } from '../../test-support/running-instance.ts';
import { startControlPlane } from '../../test-support/separate-planes.ts';
import { joinSimulatedInstance, type SimulatedInstance } from '../../test-support/simulated-instances.ts';
import { type ChaosRun, chaosTest } from './chaos-test.ts';
import { untilCurrent } from './check-ledger.ts';

const INSTANCES = 200;
const INSTANCES_IN_TESTS = 40;
/** Of these, so many stop to put in force what arrives, and read no more. */
const STUCK = 5;
const BETWEEN_CHANGES_MS = 50;
const CHANGES_IN_A_ROUND = 20;
/**
 * Once a minute each instance reads its journal anew, all of a group at the same moment: a hundredth of a second on machines of their own, three seconds
 * where two hundred are one process. State comparison has tests of its own.
 */
const FLAGS = ['--compare-interval=0'];
/** Another group has such instances alone, and gets changes for which no buffer of the kernel is large enough. */
const SLOW_INSTANCES = 5;
const LARGE_CHANGES = 20;
const LARGE_BYTES = 400_000;
/** Before the first round, so that what grows once has done so. */
const FIRST_CHANGES = 50;
/**
 * The control plane's memory may grow by so much in all: garbage that has not been collected is in it, so this finds what grows with every change. That an
 * instance which does not read is sent no more is tried by src/distribution/publisher.test.ts.
 */
const MOST_GROWTH_BYTES = 150_000_000;

chaosTest({
  name: 'many-instances',
  promise:
    'two hundred instances follow twenty changes a second; those that are stuck are waited for once, and the memory of the control plane stays bounded',
  quickRounds: 1,
  run: async (chaos) => {
    const { tally } = chaos;
    const count = chaos.isThorough ? INSTANCES : INSTANCES_IN_TESTS;
    const { instance: plane } = await startControlPlane(chaos, { token: `a7ee-${chaos.random.hexadecimal()}`, flags: FLAGS });
    await plane.admin('PUT', '/apisix/admin/consumers/barrier', { username: 'barrier' });
    const group = await plane.admin('POST', '/api/gateway_groups', { name: 'slow' });
    assert.equal(group.status, 200, JSON.stringify(group.body));
    const slowGroup = String((group.body as { readonly value: { readonly id: string } }).value.id);
    const gate = new Gate();
    const join = (groupId: string, isStuck: boolean): Promise<SimulatedInstance> =>
      joinSimulatedInstance(chaos, { plane, groupId, ...(isStuck ? { beforeDelta: () => gate.passed() } : {}) });
    const all: SimulatedInstance[] = [];
    while (all.length < count) all.push(await join('default', all.length < STUCK));
    const slow: SimulatedInstance[] = [];
    while (slow.length < SLOW_INSTANCES) slow.push(await join(slowGroup, true));
    // Whoever is stuck could not be stopped.
    chaos.after(() => gate.open());
    await untilCurrent(plane, count);
    // What grows once, does so here.
    await change(chaos, plane, FIRST_CHANGES);
    await changeLargely(chaos, plane, slowGroup, LARGE_CHANGES);
    const memoryBefore = memoryOf(plane);
    await chaos.rounds(async () => {
      gate.shut();
      const revision = await change(chaos, plane, CHANGES_IN_A_ROUND);
      await until(() => all.slice(STUCK).every((each) => (each.revision ?? 0) >= revision), 'all that are not stuck follow', 60_000);
      // One that has missed an earlier wait is not waited for until the control plane has its answer.
      await until(async () => (await currentAt(plane, revision)) === count - STUCK, 'the control plane knows that they do', 60_000);
      const answer = await plane.admin('PUT', '/apisix/admin/consumers/barrier', { username: 'barrier', desc: String(revision) });
      const [, applied = '', lagging = ''] = /^(\d+\/\d+); lagging=(\S+)$/.exec(String(answer.headers['portcullis-applied'])) ?? [];
      assert.equal(applied, `${count - STUCK}/${count}`, String(answer.headers['portcullis-applied']));
      const stuck = all.slice(0, STUCK).map(({ instanceId }) => instanceId);
      assert.deepEqual(lagging.split(',').sort(), stuck.sort());
      const largeRevision = await changeLargely(chaos, plane, slowGroup, LARGE_CHANGES);
      const growth = memoryOf(plane) - memoryBefore;
      chaos.figure('memoryGrowthMb', growth / 1e6);
      if (growth > MOST_GROWTH_BYTES) tally.requestFailed(`the control plane has grown by ${Math.round(growth / 1e6)} MB`);
      gate.open();
      await untilCurrent(plane, count);
      await until(() => slow.every((each) => each.revision === largeRevision), 'those that were stuck follow too', 60_000);
      const newest = Math.max(...all.map((each) => each.revision ?? 0));
      await until(() => all.every((each) => each.revision === newest), 'all have one revision');
    });
  },
});

/** Lets all pass, or holds them. */
class Gate {
  #opening = Promise.withResolvers<void>();

  constructor() {
    this.#opening.resolve();
  }

  passed(): Promise<void> {
    return this.#opening.promise;
  }

  shut(): void {
    this.#opening = Promise.withResolvers();
  }

  open(): void {
    this.#opening.resolve();
  }
}

/** Writes at the pace, whether those before were answered or not; the newest revision, when all are. */
async function change(chaos: ChaosRun, plane: RunningInstance, count: number): Promise<number> {
  const waitsMs: number[] = [];
  const write = async (index: number): Promise<number> => {
    const sentMs = performance.now();
    const body = { username: `many_${index % 20}`, desc: chaos.random.hexadecimal() };
    const answer = await plane.admin('PUT', `/apisix/admin/consumers/${body.username}`, body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    waitsMs.push(performance.now() - sentMs);
    chaos.tally.writesAcknowledged++;
    return Number(answer.headers['portcullis-revision']);
  };
  const answers: Promise<number>[] = [];
  while (answers.length < count) {
    answers.push(write(answers.length));
    await pause(BETWEEN_CHANGES_MS);
  }
  const revisions = await Promise.all(answers);
  assert.equal(new Set(revisions).size, count, 'each write has a revision of its own');
  const sorted = waitsMs.sort((one, other) => one - other);
  chaos.figure('answerP50Ms', sorted[Math.floor(count * 0.5)] ?? 0);
  chaos.figure('answerP99Ms', sorted[Math.floor(count * 0.99)] ?? 0);
  return Math.max(...revisions);
}

/** Writes what is too large to wait in a socket; nobody reads it yet. */
async function changeLargely({ tally, random }: ChaosRun, plane: RunningInstance, groupId: string, count: number): Promise<number> {
  let revision = 0;
  for (let index = 0; index < count; index++) {
    const body = `${random.hexadecimal()}${'x'.repeat(LARGE_BYTES)}`;
    const service = { name: 'large', plugins: { 'response-rewrite': { body } } };
    const answer = await plane.admin('PUT', `/apisix/admin/services/large?gateway_group_id=${groupId}`, service, { Prefer: 'wait=0' });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    tally.writesAcknowledged++;
    revision = Number(answer.headers['portcullis-revision']);
  }
  return revision;
}

/** How many instances hold the revision by what the control plane lists, and nothing is amiss with them. */
async function currentAt(plane: RunningInstance, revision: number): Promise<number> {
  const answer = await plane.admin('GET', '/api/gateway_groups/default/instances');
  const { list } = answer.body as { readonly list: readonly { readonly status: string; readonly revision: number }[] };
  return list.filter((each) => each.status === 'Healthy' && each.revision >= revision).length;
}

/** Resident bytes of the control plane's process (proc(5)). */
function memoryOf(plane: RunningInstance): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${plane.child('control-plane')}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
