import { StartError } from '../../errors/index.ts';
import { runUnderSupervisor } from '../child-channel.ts';

/** A role for tests: tells what it was started with, and ends as its settings or a question say. */
runUnderSupervisor({
  async start(settings, previousEnd, channel) {
    if (settings === 'refuse') throw new StartError('A person must act.');
    if (settings === 'crash') throw new Error('a fault');
    channel.event('started', { pid: process.pid, previousEnd: previousEnd.kind });
    return { pid: process.pid };
  },
  async drain() {},
  async answer(name, body) {
    if (name === 'exit') process.exit(Number(body));
    if (name === 'fail') throw new Error('no answer to that');
    return body;
  },
});
