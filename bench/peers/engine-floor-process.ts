import {
  type Exchange,
  type ExchangeHandler,
  type ForwardPlan,
  HttpServer,
  UpstreamPool,
  type UpstreamTarget,
} from '../../src/engine/index.ts';
import { systemClock } from '../../src/lib/clock.ts';

// Run as: engine-floor-process.ts <upstream port> <hanging upstream port>
const [upstreamPort = '', hangingPort = ''] = process.argv.slice(2);
const pool = new UpstreamPool({ clock: systemClock });
/** As long as the line that the others write for a consumer. */
const CONSUMER_LINE = Buffer.from('X-Consumer-Username: consumer_1000\r\n', 'latin1');
const HANG = Buffer.from('/hang/', 'latin1');

const serviceTarget = pool.target('127.0.0.1', Number(upstreamPort));
const hangingTarget = pool.target('127.0.0.1', Number(hangingPort));
const toService = planTo(serviceTarget);
const toHanging = planTo(hangingTarget);

function planTo(target: UpstreamTarget): ForwardPlan {
  return {
    requestMethod: undefined,
    requestTarget: undefined,
    hostValue: undefined,
    connectTimeoutMs: 60_000,
    sendTimeoutMs: 60_000,
    readTimeoutMs: 60_000,
    allowsUpgrade: false,
    isDuplex: false,
    maxBodyBytes: Number.POSITIVE_INFINITY,
    body: undefined,
    responseFilter: undefined,
    appendRequestLines: (writer) => writer.appendAll(CONSUMER_LINE),
    isForbiddenTrailer: () => false,
    nextTarget: (attempt) => (attempt === 0 ? target : 'no_node'),
  };
}

const handler: ExchangeHandler = {
  onRequest(exchange: Exchange) {
    const head = exchange.head;
    const hangs = head !== undefined && HANG.compare(head.bytes, head.targetStart, head.targetStart + HANG.length) === 0;
    exchange.forward(hangs ? toHanging : toService);
  },
  appendAnswerLines() {},
  onFinished() {},
};

const server = new HttpServer({ handler, pool, serverHeader: 'Portcullis', clock: systemClock });
const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`${port}\n`);
process.on('SIGTERM', () => process.exit(0));
