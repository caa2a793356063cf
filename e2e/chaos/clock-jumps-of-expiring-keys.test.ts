import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEchoUpstream } from '../../test-support/echo-upstream.ts';
import { sampleValue } from '../../test-support/parse-exposition.ts';
import { type RunningInstance, until } from '../../test-support/running-instance.ts';
import { startControlPlane, startGateway } from '../../test-support/separate-planes.ts';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { type ChaosRun, chaosTest } from './chaos-test.ts';
import { untilCurrent } from './check-ledger.ts';
import { publishGuardedRoute } from './guarded-route.ts';

const PRELOAD = fileURLToPath(new URL('../../test-support/jumping-clock.ts', import.meta.url));
const TOKEN_PATH = '/by-token';
const HOUR_MS = 3_600_000;
/** Each on a connection of its own, so that every worker is asked. */
const ASKED_EACH_TIME = 12;

chaosTest({
  name: 'clock-jumps-of-expiring-keys',
  promise:
    'what has expired is refused by every worker and the control plane, and stays refused when clocks are set back and processes killed; a gateway whose clock alone was ahead is set right',
  quickRounds: 1,
  run: async (chaos) => {
    const { random } = chaos;
    const folder = await temporaryFolder(chaos);
    const clocks = { plane: new SetClock(path.join(folder, 'plane')), gateway: new SetClock(path.join(folder, 'gateway')) };
    const token = `a7ee-${random.hexadecimal()}`;
    const controlPlane = await startControlPlane(chaos, { token, environment: clocks.plane.environment });
    const gateway = await startGateway(chaos, controlPlane, { environment: clocks.gateway.environment });
    const plane = () => controlPlane.instance;
    await publishGuardedRoute(plane(), await startEchoUpstream(chaos), ['jack', 'barrier']);
    const secret = random.hexadecimal();
    await written(plane(), 'consumers/jack/credentials/jwt', { plugins: { 'jwt-auth': { key: 'jack', secret } } });
    await written(plane(), 'routes/token', { name: 'token', paths: [TOKEN_PATH], service_id: 'echo', plugins: { 'jwt-auth': {} } });
    await untilCurrent(plane());
    const asked = new Asked(chaos, () => gateway.instance.ports.http);
    /** By which things have come to expire; it can but grow. */
    let laterMs = 0;
    await chaos.rounds(async () => {
      // Both clocks are right, and were never later.
      for (const clock of Object.values(clocks)) clock.set(laterMs);
      const hours = random.integer(2, 30);
      const endMs = Date.now() + laterMs + HOUR_MS;
      const short = tokenOf(secret, endMs);
      const long = tokenOf(secret, endMs + 400 * 24 * HOUR_MS);
      const apiToken = await makeApiToken(plane(), endMs);
      assert.equal(await statusOfPlane(plane(), apiToken), 200);
      await asked.becomes(short, 200, 'it is valid');
      await asked.all(long, 200);

      // The gateway's clock alone is ahead, and set right: what the control plane says counts again.
      clocks.gateway.set(laterMs + hours * HOUR_MS);
      chaos.tally.killed('gateway clock, ahead');
      await asked.becomes(short, 401, 'the clocks of all workers have jumped');
      await asked.all(long, 200);
      clocks.gateway.set(laterMs);
      await asked.becomes(short, 200, 'the gateway is set right');

      // It comes to be that late, and then both clocks are set back, or one after the other.
      laterMs += hours * HOUR_MS;
      for (const clock of random.shuffle(Object.values(clocks))) clock.set(laterMs);
      await asked.becomes(short, 401, 'it has expired');
      await untilSkewIs(gateway.instance, 0);
      assert.equal(await statusOfPlane(plane(), apiToken), 401);
      // OpenSSL goes by the machine's own clock, which no test can set: what a control plane certifies when it starts must be valid by that, too.
      const backMs = laterMs + random.pick([1, 24, 24 * 30]) * HOUR_MS;
      for (const clock of random.shuffle(Object.values(clocks))) clock.set(laterMs - backMs);
      chaos.tally.killed('both clocks, set back');
      await untilSkewIs(gateway.instance, -backMs);
      await asked.all(short, 401);
      await asked.all(long, 200);
      assert.equal(await statusOfPlane(plane(), apiToken), 401);

      for (const { role, name } of random.shuffle([
        { role: controlPlane, name: 'control plane' },
        { role: gateway, name: 'gateway' },
      ])) {
        await role.instance.killEverything();
        await role.start();
        chaos.tally.killed(`${name}, its clock set back`);
        await asked.all(short, 401);
        await asked.all(long, 200);
      }
      await untilCurrent(plane());
      await untilSkewIs(gateway.instance, -backMs);
      await asked.all(short, 401);
      assert.equal(await statusOfPlane(plane(), apiToken), 401);
    });
  },
});

/** The clock of one role, off by what its file says. */
class SetClock {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
    this.set(0);
  }

  get environment() {
    return { NODE_OPTIONS: `--import=${PRELOAD}`, JUMPING_CLOCK_FILE: this.#file };
  }

  /** Whole at every moment. */
  set(offsetMs: number): void {
    writeFileSync(`${this.#file}.new`, String(offsetMs));
    renameSync(`${this.#file}.new`, this.#file);
  }
}

/** Requests with a token to a gateway. */
class Asked {
  readonly #chaos: ChaosRun;
  readonly #port: () => number;

  constructor(chaos: ChaosRun, port: () => number) {
    this.#chaos = chaos;
    this.#port = port;
  }

  /** Every worker answers so at once. */
  async all(token: string, expected: number): Promise<void> {
    for (const status of await this.#statuses(token)) {
      if (status !== expected) this.#chaos.tally.requestFailed(`answered ${status} and not ${expected}`);
    }
  }

  /** Resolves when every worker answers so. */
  async becomes(token: string, expected: number, what: string): Promise<void> {
    await until(async () => (await this.#statuses(token)).every((status) => status === expected), what, 30_000);
  }

  async #statuses(token: string): Promise<readonly (number | string)[]> {
    this.#chaos.tally.requests += ASKED_EACH_TIME;
    return Promise.all(Array.from({ length: ASKED_EACH_TIME }, () => statusWith(this.#port(), token)));
  }
}

function statusWith(port: number, token: string): Promise<number | string> {
  return new Promise((resolve) => {
    const headers = { Authorization: `Bearer ${token}` };
    const request = http.get({ host: '127.0.0.1', port, path: TOKEN_PATH, agent: false, headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    request.on('error', (error) => resolve(error.message));
  });
}

/** Resolves when the gateway has heard the control plane's time and says that its own clock is off by so much (to a minute). */
async function untilSkewIs(gateway: RunningInstance, expectedMs: number): Promise<void> {
  const url = `http://127.0.0.1:${gateway.ports.metrics}/apisix/prometheus/metrics`;
  await until(
    async () => {
      const seconds = sampleValue(await (await fetch(url)).text(), 'portcullis_clock_ahead_of_control_plane_seconds');
      return seconds !== undefined && Math.abs(seconds * 1000 - expectedMs) < 60_000;
    },
    `the gateway knows that its clock is off by ${expectedMs / HOUR_MS} hours`,
    30_000,
  );
}

/** A JSON Web Token of the consumer, good until then. */
function tokenOf(secret: string, endMs: number): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ key: 'jack', exp: Math.floor(endMs / 1000) })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

async function makeApiToken(plane: RunningInstance, endMs: number): Promise<string> {
  const { status, body } = await plane.admin('POST', '/api/tokens', { name: 'short', expires_at: Math.floor(endMs / 1000) });
  assert.equal(status, 200, JSON.stringify(body));
  return String((body as { value: { token: string } }).value.token);
}

async function statusOfPlane(plane: RunningInstance, apiToken: string): Promise<number> {
  return (await plane.admin('GET', '/apisix/admin/consumers', undefined, { 'X-API-KEY': apiToken })).status;
}

async function written(plane: RunningInstance, resource: string, body: unknown): Promise<void> {
  const answer = await plane.admin('PUT', `/apisix/admin/${resource}`, body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
}
