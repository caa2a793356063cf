import { randomUUID } from 'node:crypto';
import { Agent, get } from 'node:http';
import { shares } from './measure-propagation.ts';
import { type FilledPlanes, GUARDED_PATH } from './start-filled-planes.ts';

/** Milliseconds a request of a client that asks one after the other. */
export interface Stall {
  readonly p50: number;
  readonly p99: number;
  /** Of each window, the shortest first: what else the machine does meets some of them, what a change does meets all. */
  readonly longest: readonly number[];
  readonly requests: number;
  readonly changes: number;
}

const WINDOW_MS = 3_000;
const WINDOWS = 5;
const BETWEEN_CHANGES_MS = 50;

interface Window {
  readonly times: readonly number[];
  readonly changes: number;
}

/** How long other requests take while nothing changes, and while one key is exchanged twenty times a second, in turn. */
export async function measureStall(planes: FilledPlanes): Promise<{ readonly quiet: Stall; readonly changing: Stall }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    await measureWindow(planes, agent, false);
    const quiet: Window[] = [];
    const changing: Window[] = [];
    while (changing.length < WINDOWS) {
      quiet.push(await measureWindow(planes, agent, false));
      changing.push(await measureWindow(planes, agent, true));
    }
    return { quiet: stallOf(quiet), changing: stallOf(changing) };
  } finally {
    agent.destroy();
  }
}

async function measureWindow({ controlPlane, gateway, key }: FilledPlanes, agent: Agent, isChanging: boolean): Promise<Window> {
  const times: number[] = [];
  const endsAt = performance.now() + WINDOW_MS;
  let changes = 0;
  const changing = (async () => {
    for (; isChanging && performance.now() < endsAt; changes++) {
      const body = { plugins: { 'key-auth': { key: randomUUID() } } };
      const pause = new Promise((resolve) => setTimeout(resolve, BETWEEN_CHANGES_MS));
      await Promise.all([pause, controlPlane.instance.admin('PUT', '/apisix/admin/consumers/changing/credentials/c', body)]);
    }
  })();
  while (performance.now() < endsAt) {
    const startedAt = performance.now();
    await ask(gateway.instance.ports.http, agent, key);
    times.push(performance.now() - startedAt);
  }
  await changing;
  return { times, changes };
}

function stallOf(windows: readonly Window[]): Stall {
  const times = windows.flatMap((window) => window.times);
  const longest = windows.map((window) => Math.round(Math.max(...window.times) * 10) / 10).sort((one, other) => one - other);
  return { ...shares(times), longest, requests: times.length, changes: windows.reduce((sum, { changes }) => sum + changes, 0) };
}

function ask(port: number, agent: Agent, key: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: GUARDED_PATH, agent, headers: { apikey: key } }, (response) => {
      response.resume().on('error', reject);
      response.on('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(`a key was answered ${response.statusCode}`))));
    }).on('error', reject);
  });
}
