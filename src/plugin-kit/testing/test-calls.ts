import type { OutgoingCalls, OutgoingRequest, OutgoingResponse } from '../outgoing-calls.ts';

/** What the other side answers; an Error makes the call fail. */
export type CallAnswer = (
  request: OutgoingRequest,
  index: number,
) => Partial<OutgoingResponse> | Error | Promise<Partial<OutgoingResponse>>;

/** Calls that go nowhere: what was sent can be read, and a test decides what comes back (200 without a body unless it says so). */
export class TestCalls implements OutgoingCalls {
  readonly sent: OutgoingRequest[] = [];
  answer: CallAnswer = () => ({});

  async send(request: OutgoingRequest): Promise<OutgoingResponse> {
    this.sent.push(request);
    const answer = await this.answer(request, this.sent.length - 1);
    if (answer instanceof Error) throw answer;
    return { status: 200, headers: new Map(), body: Buffer.alloc(0), ...answer };
  }
}
