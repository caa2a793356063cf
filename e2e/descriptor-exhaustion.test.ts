import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { sendRequest } from '../src/gateway/testing/send-request.ts';
import type { StarvedGatewayReport, StarvedGatewayRequest } from '../src/gateway/testing/starved-gateway-process.ts';
import { bindEndpoint, canHandDownSockets } from '../src/supervisor/index.ts';

const CHILD = path.join(import.meta.dirname, '..', 'src', 'gateway', 'testing', 'starved-gateway-process.ts');
const COPIES = 3;
/** Behind standard input, output and error, and the channel. */
const FIRST_FD = 4;
/** Far more than the child needs, and few enough to be used up at once. */
const DESCRIPTORS = 400;

/** The child with everything it says, in order. */
class StarvedGateway {
  readonly reports: StarvedGatewayReport[] = [];
  readonly #child: ChildProcess;
  readonly #waiters: (() => void)[] = [];

  constructor(child: ChildProcess) {
    this.#child = child;
    const wake = (): void => {
      for (const waiter of this.#waiters.splice(0)) waiter();
    };
    child.on('exit', wake);
    child.on('message', (report: StarvedGatewayReport) => {
      this.reports.push(report);
      wake();
    });
  }

  ask(request: StarvedGatewayRequest): void {
    this.#child.send(request);
  }

  /** Resolves with the first report that fits. Rejects when the child is gone. */
  async hears<Wanted>(find: (report: StarvedGatewayReport) => Wanted | undefined): Promise<Wanted> {
    for (;;) {
      for (const report of this.reports) {
        const wanted = find(report);
        if (wanted !== undefined) return wanted;
      }
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw new Error('the gateway has ended');
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  logged(text: string): Promise<true> {
    return this.hears((report) => ('log' in report && report.log.includes(text) ? true : undefined));
  }
}

/** An upstream that serves each request on a connection of its own. */
async function startUpstream(t: TestContext): Promise<number> {
  const server = createServer((_request, response) => response.setHeader('Connection', 'close').end('ok')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('a gateway without a descriptor left loses no connection: those that come wait until it has some again', async (t) => {
  if (!canHandDownSockets()) return t.skip('sockets cannot be handed down here');
  const upstreamPort = await startUpstream(t);
  const endpoint = await bindEndpoint({ flag: '--http-port', port: 0, hosts: ['127.0.0.1'] }, 1);
  const [socket] = endpoint.addresses[0]?.sockets ?? [];
  assert.ok(socket !== undefined);
  const child = spawn('/bin/sh', ['-c', `ulimit -n ${DESCRIPTORS} && exec "$0" "$@"`, process.execPath, CHILD], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...Array.from({ length: COPIES }, () => socket.fd)],
    env: { ...process.env, FIRST_FD: String(FIRST_FD), COPIES: String(COPIES), UPSTREAM_PORT: String(upstreamPort) },
  });
  const gateway = new StarvedGateway(child);
  t.after(() => {
    child.kill('SIGKILL');
    for (const { guard, sockets } of endpoint.addresses) {
      for (const { close } of sockets) close();
      guard.release();
    }
  });
  const statusPort = await gateway.hears((report) => ('ready' in report ? report.ready.statusPort : undefined));
  assert.equal((await sendRequest(endpoint.port)).body, 'ok');

  const kept = connect({ host: '127.0.0.1', port: endpoint.port });
  t.after(() => kept.destroy());
  kept.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.match(String((await once(kept, 'data'))[0]), / 200 /);

  gateway.ask('eat');
  await gateway.logged('no descriptor is left');
  const waiting = Array.from({ length: 20 }, () => sendRequest(endpoint.port));
  for (const answer of waiting) answer.catch(() => {});
  // The listener that was closed has left one.
  const eaten = await gateway.hears((report) => ('eaten' in report ? report.eaten : undefined));
  gateway.ask('eat');
  await gateway.hears((report) => ('eaten' in report && report.eaten > eaten ? true : undefined));
  kept.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const refused = String((await once(kept, 'data'))[0]);
  assert.match(refused, / 503 .*\r\nRetry-After: 1\r\n.*the gateway is short of descriptors/s);
  gateway.ask('free');
  await gateway.logged('accepts again');
  for (const answer of waiting) assert.equal((await answer).body, 'ok');

  const status = JSON.parse((await sendRequest(statusPort, { target: '/status' })).body);
  assert.deepEqual(status.accepting_paused, { workers: 0, times: 1 });
  assert.equal(status.refused.out_of_descriptors, 1);
  assert.equal((await sendRequest(endpoint.port)).body, 'ok');
  gateway.ask('stop');
  await once(child, 'exit');
});
