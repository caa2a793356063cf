import { StartError } from '../../errors/index.ts';
import { runUnderSupervisor } from '../child-channel.ts';
import type { FormerChildren } from '../former-children.ts';

let former: FormerChildren | undefined;
let isGone = false;
let drained = Promise.resolve();

/** A role for tests: tells what it was started with, and ends as its settings or a question say. */
runUnderSupervisor({
  async start(settings, previousEnd, channel) {
    if (settings === 'refuse') throw new StartError('A person must act.');
    if (settings === 'crash') throw new Error('a fault');
    former = channel.former;
    void former?.gone.then(() => {
      isGone = true;
    });
    channel.event('started', { pid: process.pid, previousEnd: previousEnd.kind });
    return { pid: process.pid };
  },
  drain: () => drained,
  async answer(name, body) {
    if (name === 'exit') process.exit(Number(body));
    // Its drain does not end by itself.
    if (name === 'hold') drained = new Promise(() => {});
    if (name === 'ask-former') return former === undefined ? 'alone' : former.ask(String(body), 0).then(() => 'answered');
    if (name === 'whether-gone') return isGone;
    if (name === 'fail') throw new Error('no answer to that');
    return body;
  },
});
