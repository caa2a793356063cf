import { type BenchOptions, readOptions } from './options.ts';
import { allRows } from './rows/rows.ts';

/** Runs a command with the options it was called with; a wrong option is told with the usage. Sets the exit code. */
export async function runCommand(usage: string, work: (options: BenchOptions) => Promise<void>): Promise<void> {
  const words = process.argv.slice(2);
  if (words.includes('--help')) {
    console.log(usage);
    return;
  }
  try {
    const options = readOptions(words);
    if (options.list) for (const { name, title } of allRows(options.keys)) console.log(`${name.padEnd(18)} ${title}`);
    else await work(options);
  } catch (error) {
    console.error(error instanceof RangeError ? `${error.message}\n\n${usage}` : error);
    process.exitCode = 1;
  }
}
