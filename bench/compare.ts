import { type BenchOptions, USAGE } from './options.ts';
import { nginxPeer } from './peers/nginx-peer.ts';
import { portcullisPeer } from './peers/portcullis-peer.ts';
import { copyCheckout } from './portcullis/checkout-copy.ts';
import { OWN_CHECKOUT } from './portcullis/own-checkout.ts';
import { formatComparison } from './report/format-comparison.ts';
import { commitOf } from './report/machine.ts';
import { chooseRows } from './rows/choose-rows.ts';
import { runBench } from './run-bench.ts';
import { runCommand } from './run-command.ts';

const COMPARE_USAGE = `npm run bench:compare -- <commit A> [<commit B>] [options]

Measures Portcullis of two commits in turn, with nginx as the third; B is the files as they are when it is left out.

${USAGE}`;

/** Rows without a list: one of each kind of work. */
const USUAL_ROWS = ['get-100b', 'get-10k', 'get-1m', 'post-10k', 'unauthorized', 'access-log'];

async function compare(options: BenchOptions): Promise<void> {
  const [commitA, commitB, ...rest] = options.words;
  if (commitA === undefined || rest.length > 0) throw new RangeError('name one commit or two');
  const rows = chooseRows({ ...options, only: options.only ?? USUAL_ROWS });
  const nameOf = (commit: string | undefined): string => commit ?? `the files as they are (${commitOf(OWN_CHECKOUT)})`;
  console.log(`A is ${nameOf(commitA)}, B is ${nameOf(commitB)}.`);
  const summaries = await runBench({
    options,
    rows,
    baseline: 'A',
    label: `${commitA}-${commitB ?? commitOf(OWN_CHECKOUT)}`.replaceAll(/[^\w.+-]/g, '_'),
    choosePeers(session) {
      const copy = (name: string, commit: string | undefined) => {
        const checkout = session.makeFolder(`checkout-${name}`);
        copyCheckout(OWN_CHECKOUT, commit, checkout);
        return portcullisPeer({ name, checkout });
      };
      return [copy('A', commitA), copy('B', commitB), nginxPeer];
    },
  });
  console.log(`\n${formatComparison(rows, summaries)}`);
}

await runCommand(COMPARE_USAGE, compare);
