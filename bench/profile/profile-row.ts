import { once } from 'node:events';
import path from 'node:path';
import { createTestCertificate } from '../../test-support/test-certificate.ts';
import { KeyTable } from '../key-table.ts';
import { startH2load } from '../load/run-h2load.ts';
import { startWrk, type WrkRun } from '../load/run-wrk.ts';
import { writeWrkScript } from '../load/wrk-script.ts';
import { checkPeer } from '../measure/check-peer.ts';
import type { BenchOptions } from '../options.ts';
import { portcullisPeer } from '../peers/portcullis-peer.ts';
import type { Row } from '../rows/row.ts';
import { coresFor } from '../session/cores.ts';
import { findProgram } from '../session/find-program.ts';
import { Session } from '../session/session.ts';
import { startUpstreams } from '../upstream.ts';

/** V8 names its code in a file that perf reads: compiled functions, and interpreted ones by a copy of the entry for each. */
const NODE_OPTIONS = '--perf-basic-prof --interpreted-frames-native-stack';
/** Not a divisor of the kernel's own ticks, so that samples do not fall on them. */
const SAMPLES_PER_SECOND = 997;
const REPORT_WORDS = ['report', '-q', '--stdio', '--no-children', '-g', 'none', '--percent-limit', '0.5'];
const MAX_COLUMNS = 140;

/**
 * Samples the gateway process of one checkout under the load of a row, and prints where its time goes: by library, then by function.
 *
 * @throws RangeError without a row, or where perf is not installed
 */
export async function profileRow(row: Row | undefined, checkout: string, options: BenchOptions): Promise<void> {
  if (row === undefined || findProgram('perf') === undefined) throw new RangeError('perf is not installed');
  const session = new Session();
  try {
    await sampleRow(session, row, checkout, options);
  } finally {
    await session.close();
  }
}

async function sampleRow(session: Session, row: Row, checkout: string, { seconds, warmUpSeconds }: BenchOptions): Promise<void> {
  const { setup } = row;
  const cores = coresFor(setup.workers);
  const keys = new KeyTable(setup.keys);
  const upstreams = await startUpstreams(session, cores.load);
  const peer = portcullisPeer({ name: 'portcullis', checkout, nodeOptions: NODE_OPTIONS });
  const folder = session.makeFolder('portcullis');
  const { port: upstreamPort, hangingPort, grpcPort } = upstreams;
  const certificate = setup.tls ? await createTestCertificate() : undefined;
  const running = await peer.start({ session, setup, certificate, keys, cores, upstreamPort, hangingPort, grpcPort, folder });
  // V8 leaves the files that name its code; each process writes one.
  for (const pid of [...running.dataPlane(), ...running.others()]) session.removeAtEnd(`/tmp/perf-${pid}.map`);
  try {
    await checkPeer('portcullis', running, row, keys);
    const script = writeWrkScript(path.join(session.folder, 'load'), row.request, keys);
    const load: WrkRun = {
      session,
      cores: cores.load,
      script,
      port: running.port,
      connections: row.connections,
      tls: setup.tls,
      seconds: 3600,
    };
    const generator = row.arrival === 'http2' ? startH2load(load, row.request, 'ignore') : startWrk(load, 'ignore');
    await new Promise((resolve) => setTimeout(resolve, warmUpSeconds * 1000));
    const data = path.join(session.folder, 'perf.data');
    const pids = running.dataPlane().join();
    const record = ['record', '-q', '-F', String(SAMPLES_PER_SECOND), '-g', '-p', pids, '-o', data, '--', 'sleep', String(seconds)];
    await perf(session, record);
    await session.end(generator);
    console.log(`\n${row.name}: ${row.title}, ${seconds} s\n\nBy library:`);
    console.log(readable(await perf(session, [...REPORT_WORDS, '-i', data, '-F', 'overhead,comm,dso'])));
    console.log('By function:');
    console.log(readable(await perf(session, [...REPORT_WORDS, '-i', data, '-F', 'overhead,dso,symbol'])));
  } finally {
    await running.stop();
    await upstreams.stop();
  }
}

/** Runs perf and gives back what it prints. */
async function perf(session: Session, words: readonly string[]): Promise<string> {
  const child = session.spawn('perf', words, { cores: undefined, stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`perf ${words[0]} ended with ${code}`);
  return text;
}

/** perf pads every line to its longest name, and the names of our functions hold whole paths. */
function readable(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return lines
    .map((line) =>
      line
        .replace(/file:\/\/\S*?\/(?=src\/)/, '')
        .trimEnd()
        .slice(0, MAX_COLUMNS),
    )
    .join('\n');
}
