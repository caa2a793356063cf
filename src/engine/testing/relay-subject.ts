import { FakeClock } from '../../../test-support/fake-clock.ts';
import { HttpExchange } from '../connection/http-exchange.ts';
import type { EngineContext } from '../engine-context.ts';
import type { ForwardingClient } from '../forwarding/forwarding-client.ts';
import { RELAY } from '../forwarding/relay-status.ts';
import { ResponseRelay } from '../forwarding/response-relay.ts';
import { BodyReader } from '../parser/body-reader.ts';
import type { ResponseFilter } from '../response-filter.ts';
import { RecordedTransport } from './recorded-transport.ts';
import { TEST_CLIENT } from './test-client.ts';
import { testContext } from './test-context.ts';
import { planTo } from './test-handler.ts';

const NOBODY = { address: '127.0.0.1', port: 80 };

/** What a relay has made of a response. */
export interface RelayedAnswer {
  /** One of `RELAY`. */
  readonly status: number;
  readonly text: string;
  readonly bodyBytesToClient: number;
  readonly failures: readonly unknown[];
}

/** Gives a response to a relay without sockets, in these pieces, each in a buffer that is overwritten when the relay has read it. */
export async function relayInPieces(
  response: string,
  cuts: readonly number[],
  filter: ResponseFilter | undefined,
  client: { readonly minorVersion: 0 | 1; readonly isHead: boolean },
): Promise<RelayedAnswer> {
  const failures: unknown[] = [];
  const clock = new FakeClock();
  const context = testContext({ clock, onFailure: (error) => failures.push(error) });
  const transport = new RecordedTransport();
  let status: number = RELAY.more;
  let progressed = (): void => {};
  const relay = new ResponseRelay(context, clientOn(context, transport, client), (next) => {
    status = next;
    progressed();
  });
  const exchange = exchangeFor();
  const plan = planTo(NOBODY, { responseFilter: filter });
  relay.begin(exchange, plan, client.isHead, client.isHead, undefined);
  const whenIdle = async (): Promise<void> => {
    while (relay.filtered?.busy === true && status === RELAY.more) await new Promise<void>((resolve) => (progressed = resolve));
  };
  const ends = [...cuts, response.length].filter((cut) => cut > 0 && cut <= response.length).sort((left, right) => left - right);
  let start = 0;
  for (const end of ends) {
    if (end === start || status !== RELAY.more) continue;
    const piece = Buffer.from(response.slice(start, end), 'latin1');
    start = end;
    status = relay.read(piece, piece.length);
    piece.fill(0x58);
    await whenIdle();
  }
  if (status === RELAY.more) status = relay.finish(true);
  await whenIdle();
  relay.end();
  return { status, text: transport.text(), bodyBytesToClient: exchange.bodyBytesToClient, failures };
}

function exchangeFor(): HttpExchange {
  const decisionMaker = {
    onDecided: () => {},
    onAborted: () => {},
    readBody: () => Promise.resolve('too-large' as const),
    reportFailure: () => {},
  };
  return new HttpExchange(TEST_CLIENT, decisionMaker, 0, 0);
}

function clientOn(
  context: EngineContext,
  transport: RecordedTransport,
  { minorVersion, isHead }: { readonly minorVersion: 0 | 1; readonly isHead: boolean },
): ForwardingClient {
  return {
    transport,
    body: new BodyReader(context.limits),
    minorVersion,
    isHead,
    sentContinue: false,
    keepsAlive: () => true,
    closeAfterAnswer: () => {},
    beginTunnel: () => {},
    tunnelEnded: () => {},
    onBodyInterest: () => {},
    answerWritten: () => {},
    refuse: () => {},
    cut: () => {},
    reportFailure: context.onFailure,
  };
}
