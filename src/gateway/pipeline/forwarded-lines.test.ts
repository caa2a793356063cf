import assert from 'node:assert/strict';
import test from 'node:test';
import { requestLines, startPipeline } from '../testing/test-pipeline.ts';
import { routeChange, serviceChange } from '../testing/test-runtime.ts';

test('an upstream is told where a request came from, as the gateway saw it', async () => {
  const { ask } = await startPipeline([serviceChange(), routeChange('a', ['/a'])]);
  const sent = [
    'X-Forwarded-For: 1.1.1.1',
    'X-Real-IP: 1.1.1.1',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: h',
    'Forwarded: for=1.1.1.1',
  ];
  const exchange = ask('GET /a', sent);
  const own = 'X-Forwarded-Proto: http\r\nX-Forwarded-Host: test\r\nX-Forwarded-Port: 9080\r\n';
  assert.equal(requestLines(exchange), `X-Real-IP: 10.0.0.7\r\nX-Forwarded-For: 1.1.1.1, 10.0.0.7\r\n${own}`);
  assert.deepEqual(exchange.head.keptNames, ['Host']);
  assert.equal(requestLines(ask('GET /a')), `X-Real-IP: 10.0.0.7\r\nX-Forwarded-For: 10.0.0.7\r\n${own}`);
});

test('what a trusted address says of its client is believed', async () => {
  const { ask } = await startPipeline([serviceChange(), routeChange('a', ['/a'])], [], ['10.0.0.0/8']);
  const exchange = ask('GET /a', ['X-Forwarded-For: 1.1.1.1', 'X-Forwarded-Proto: https', 'X-Real-IP: 1.1.1.1', 'Forwarded: for=1.1.1.1']);
  const own = 'X-Forwarded-Host: test\r\nX-Forwarded-Port: 9080\r\n';
  assert.equal(requestLines(exchange), `X-Real-IP: 10.0.0.7\r\nX-Forwarded-For: 1.1.1.1, 10.0.0.7\r\n${own}`);
  assert.deepEqual(exchange.head.keptNames, ['Host', 'X-Forwarded-Proto', 'Forwarded']);
});

test('with trusted addresses nobody else is believed in anything', async () => {
  const { ask } = await startPipeline([serviceChange(), routeChange('a', ['/a'])], [], ['192.168.0.0/16', '::1']);
  const exchange = ask('GET /a', ['X-Forwarded-For: 1.1.1.1', 'X-Forwarded-Proto: https']);
  assert.match(requestLines(exchange), /X-Forwarded-For: 10\.0\.0\.7\r\nX-Forwarded-Proto: http\r\n/);
  assert.deepEqual(exchange.head.keptNames, ['Host']);
});
