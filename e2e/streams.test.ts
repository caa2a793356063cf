import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunningInstance } from '../test-support/running-instance.ts';
import { askByUdp, openStream, startTcpEcho, startUdpEcho } from '../test-support/stream-peers.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';

const FLAGS = ['--no-demo', '--stream-tcp-listen', '127.0.0.1:0', '--stream-udp-listen', '0,127.0.0.1:0'];

test('streams over the real processes', async (t) => {
  const instance = await RunningInstance.start({ dataFolder: await temporaryFolder(t), flags: FLAGS });
  t.after(() => instance.stop());
  const [tcpPort = 0, udpPort = 0, otherUdpPort = 0] = instance.ports.streams ?? [];

  async function put(resource: string, body: unknown, status = 200): Promise<unknown> {
    const answer = await instance.admin('PUT', `/apisix/admin/${resource}`, body);
    assert.ok(answer.status === status || (status === 200 && answer.status === 201), JSON.stringify(answer.body));
    return answer.body;
  }

  const [tcp, udp] = [await startTcpEcho(t, 'tcp'), await startUdpEcho(t, 'udp')];
  const node = (port: number) => ({ host: '127.0.0.1', port, weight: 1 });
  await put('services/tcp', { name: 'tcp', type: 'stream', upstream: { scheme: 'tcp', nodes: [node(tcp.port)] } });
  await put('services/udp', { name: 'udp', type: 'stream', upstream: { scheme: 'udp', nodes: [node(udp.port)] } });
  await put('stream_routes/tcp', { name: 'tcp', service_id: 'tcp', server_port: tcpPort, server_addr: '127.0.0.1' });
  await put('stream_routes/udp', { name: 'udp', service_id: 'udp', remote_addr: '127.0.0.0/8' });

  await t.test('TCP and UDP are served right after the answer of the Admin API', async (t) => {
    const stream = await openStream(t, tcpPort);
    stream.send('hi');
    assert.equal(await stream.takeThrough('hi'), 'tcp:hi');
    assert.equal(await askByUdp(t, udpPort, 'hi'), 'udp:hi');
    assert.equal(await askByUdp(t, otherUdpPort, 'hi'), 'udp:hi');
  });

  await t.test('a gateway process that is replaced cuts no stream and loses no datagram', async (t) => {
    const stream = await openStream(t, tcpPort);
    stream.send('before');
    await stream.takeThrough('before');
    const old = instance.child('gateway');
    const gateways = (): readonly number[] => instance.childProcesses().flatMap(({ role, pid }) => (role === 'gateway' ? [pid] : []));
    let asked = 0;
    const ask = async (): Promise<void> => {
      assert.equal(await askByUdp(t, udpPort, `q${asked}`), `udp:q${asked}`);
      const other = await openStream(t, tcpPort);
      other.send('x');
      assert.equal(await other.takeThrough('x'), 'tcp:x');
      other.socket.end();
      asked++;
    };
    instance.process.kill('SIGUSR2');
    while (gateways().length < 2) await ask();
    for (let round = 0; round < 50; round++) await ask();
    stream.send('after');
    assert.equal(await stream.takeThrough('after'), 'tcp:after');
    stream.socket.end();
    while (gateways().includes(old)) await ask();
    await ask();
  });

  await t.test('what cannot be served is refused with the field and the reason', async () => {
    const refusal = async (resource: string, body: unknown): Promise<unknown> =>
      Reflect.get(Object(await put(resource, body, 400)), 'error_msg');
    const route = { name: 'r', service_id: 'tcp' };
    assert.match(String(await refusal('stream_routes/r', { ...route, server_addr: 'host' })), /\/server_addr.*IP address/);
    assert.match(String(await refusal('stream_routes/r', { ...route, remote_addr: '10.0.0.0/99' })), /\/remote_addr.*network/);
    assert.match(String(await refusal('stream_routes/r', { ...route, server_port: 0 })), /\/server_port/);
    assert.match(String(await refusal('stream_routes/r', { ...route, sni: 'a b' })), /\/sni/);
    assert.match(
      String(await refusal('stream_routes/r', { ...route, plugins: { 'uri-blocker': { block_rules: ['x'] } } })),
      /\/plugins\/uri-blocker.*does not run on stream routes/,
    );
    const service = { name: 's', type: 'stream', upstream: { scheme: 'http', nodes: [] } };
    assert.match(String(await refusal('services/s', service)), /\/upstream\/scheme/);
    assert.match(
      String(await refusal('services/s', { ...service, upstream: { nodes: [] }, plugins: { cors: {} } })),
      /\/plugins\/cors.*does not run on stream routes/,
    );
  });
});
