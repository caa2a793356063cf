import { Agent, get } from 'node:http';
import { fileURLToPath } from 'node:url';
import { AdminClient } from '../admin/admin-client.ts';
import { startFilled } from '../portcullis/start-filled.ts';
import { median } from '../report/statistics.ts';
import type { Session } from '../session/session.ts';
import { routeDocument } from './sample-documents.ts';
import { sampleRequest, sampleRoute } from './sample-routes.ts';

const FILL_PROGRAM = fileURLToPath(new URL('./fill-routes-process.ts', import.meta.url));
const ROUNDS = 8;
const WINDOW_MS = 2_500;
const CHANGE_INTERVAL_MS = 50;
const ANSWER_LIMIT_MS = 10_000;

interface Client {
  readonly agent: Agent;
  readonly port: number;
}

interface Window {
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
  readonly changes: number;
}

/**
 * Prints how long requests take while nothing changes and while one route changes twenty times a second, in turn: Portcullis as a user runs
 * it, with one worker. The requests are refused by key-auth, so that no upstream has a part in it.
 */
export async function measureLive(session: Session, count: number): Promise<void> {
  const { instance, token } = await startFilled(session, { name: 'routes', program: FILL_PROGRAM, count });
  const admin = new AdminClient(instance.adminPort, token);
  const client = { agent: new Agent({ keepAlive: true, maxSockets: 1 }), port: instance.httpPort };
  const windows = { quiet: [] as Window[], changing: [] as Window[] };
  await measureWindow(client, count, undefined);
  for (let round = 0; round < ROUNDS; round++) {
    windows.quiet.push(await measureWindow(client, count, undefined));
    windows.changing.push(await measureWindow(client, count, (turn) => changeRoute(admin, count, `-${round}-${turn}`)));
  }
  console.log(`\n${count} routes in a running gateway: milliseconds a request, medians of ${ROUNDS} windows; the longest of all\n`);
  for (const [name, all] of Object.entries(windows)) {
    const figure = (of: (window: Window) => number): string => median(all.map(of)).toFixed(2);
    const longest = all.map((window) => window.longest).sort((a, b) => a - b);
    const changes = all.reduce((sum, window) => sum + window.changes, 0);
    const texts = longest.map((time) => time.toFixed(1)).join(' ');
    console.log(
      `${name.padEnd(9)} p50 ${figure(({ p50 }) => p50)}  p99 ${figure(({ p99 }) => p99)}  longest of each window ${texts}  changes ${changes}`,
    );
  }
  client.agent.destroy();
  admin.close();
  await instance.stop();
}

async function changeRoute(admin: AdminClient, count: number, tag: string): Promise<void> {
  await admin.ask('PUT', `routes/${sampleRoute(7, count).id}`, routeDocument(7, count, tag));
}

/** One request after the other on one connection, while `change` runs at even intervals. */
async function measureWindow(client: Client, count: number, change: ((turn: number) => Promise<void>) | undefined): Promise<Window> {
  const times: number[] = [];
  const endsAt = performance.now() + WINDOW_MS;
  const changing = change === undefined ? Promise.resolve(0) : changeUntil(endsAt, change);
  for (let turn = 0; performance.now() < endsAt; turn++) {
    const startedAt = performance.now();
    // Not the route that changes, and each time another one, so that the router itself is asked.
    await ask(client, sampleRequest(sampleRoute(8 + ((turn * 7919) % (count - 8)), count), turn));
    times.push(performance.now() - startedAt);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? 0;
  return { p50: at(0.5), p99: at(0.99), longest: times.at(-1) ?? 0, changes: await changing };
}

async function changeUntil(endsAt: number, change: (turn: number) => Promise<void>): Promise<number> {
  let turn = 0;
  for (; performance.now() < endsAt; turn++) {
    const next = new Promise((resolve) => setTimeout(resolve, CHANGE_INTERVAL_MS));
    await Promise.all([change(turn), next]);
  }
  return turn;
}

function ask({ agent, port }: Client, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = get({ host: '127.0.0.1', port, path, agent, timeout: ANSWER_LIMIT_MS }, (response) => {
      response.resume();
      response.on('error', reject);
      response.on('end', () =>
        response.statusCode === 401 ? resolve() : reject(new Error(`${path} was answered ${response.statusCode}`)),
      );
    });
    asked.on('timeout', () => asked.destroy(new Error(`${path} was not answered`)));
    asked.on('error', reject);
  });
}
