import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { ByteWriter } from '../../lib/byte-writer.ts';
import { networkList } from '../../lib/network-list.ts';
import { systemRandom } from '../../lib/random.ts';
import type { AnyPlugin, ConsumerMatch } from '../../plugin-kit/index.ts';
import { ClientHeaderRules, Pipeline } from '../pipeline/index.ts';
import type { RuntimeChange } from '../worker/worker-messages.ts';
import { FakeExchange } from './fake-exchange.ts';
import { createTestRuntime, putInForce } from './test-runtime.ts';

const jack: ConsumerMatch = { username: 'jack', customId: undefined, credentialId: 'c1' };

/** What an append method appends. */
export function appended(append: (writer: ByteWriter) => void): string {
  const writer = new ByteWriter(Buffer.alloc(0), 64);
  append(writer);
  return writer.bytes.toString('latin1', writer.start, writer.position);
}

/** The lines that the upstream gets from the gateway. */
export function requestLines(exchange: FakeExchange): string {
  return appended((writer) => exchange.plan?.appendRequestLines(writer));
}

/** A pipeline over a runtime with these changes, without an engine: what it decides is read from the exchanges. */
export async function startPipeline(
  changes: readonly RuntimeChange[],
  plugins: readonly AnyPlugin[] = [],
  trusted: readonly string[] = [],
  clock: FakeClock = new FakeClock(),
) {
  const runtime = createTestRuntime(plugins);
  await putInForce(runtime, changes);
  const log = new RecordingLogger();
  const lines: string[] = [];
  const line = new ByteWriter(Buffer.alloc(0), 64);
  const inForce = { revision: 7, isCurrent: true, keepsRevoked: false };
  const entered: (readonly [number, number])[] = [];
  const pipeline = new Pipeline({
    routes: runtime,
    consumers: {
      findByKey: (_plugin, key) => (key === 'right' ? jack : undefined),
      findByName: () => undefined,
      findCredential: () => undefined,
      isCurrent: () => inForce.isCurrent,
      digest: () => undefined,
    },
    get keepsRevoked() {
      return inForce.keepsRevoked;
    },
    headerRules: new ClientHeaderRules(['X-Consumer-*']),
    trustedAddresses: networkList(trusted),
    random: systemRandom,
    clock,
    log,
    enter: (route, plugin) => entered.push([route, plugin]),
    revision: () => inForce.revision,
    accessLog: {
      beginLine: () => line,
      endLine: () => {
        lines.push(line.bytes.toString('latin1', 0, line.position));
        line.position = 0;
      },
    },
  });
  const ask = (requestLine: string, headers: readonly string[] = []): FakeExchange => {
    const exchange = new FakeExchange(requestLine, headers);
    pipeline.onRequest(exchange);
    return exchange;
  };
  const finish = (exchange: FakeExchange) => {
    exchange.finished = true;
    pipeline.onFinished(exchange);
    return JSON.parse(lines.at(-1) ?? '');
  };
  return { pipeline, runtime, inForce, clock, log, lines, entered, ask, finish };
}
