import path from 'node:path';
import { compileExpression } from '../../expression/index.ts';
import {
  definePlugin,
  type JsonValue,
  type LineFile,
  LogEntryBuilder,
  type LogView,
  type PluginSetup,
  type RequestView,
} from '../../plugin-kit/index.ts';
import { type FileLoggerConfiguration, fileLoggerSchema } from './schema.ts';

interface FileLoggerState {
  readonly entries: LogEntryBuilder;
  /** Undefined where neither the configuration nor the metadata names one. */
  readonly file: LineFile | undefined;
  readonly matches: (request: RequestView) => boolean;
}

/** Appends an entry of every finished request to a file, one JSON line each. Behaviour is that of APISIX's file-logger. */
export const fileLogger = definePlugin<FileLoggerConfiguration, FileLoggerState>({
  ...fileLoggerSchema,
  create: (configuration, setup) => ({
    entries: new LogEntryBuilder(configuration, setup),
    file: openFile(configuration, setup),
    matches: compileMatch(configuration.match),
  }),
  dispose: ({ file }) => file?.close(),
  phases: {
    access: (request, { entries }) => entries.access(request),
    bodyFilter: (request, response, { entries }) => entries.bodyFilter(request, response),
    log: writeEntry,
  },
});

function writeEntry(request: LogView, { entries, file, matches }: FileLoggerState): void {
  if (file === undefined || !matches(request)) return;
  // A line that the disk does not take is counted by the file.
  entries.build(request, (entry) => void file.append(entry));
}

function openFile({ path: configured }: FileLoggerConfiguration, { files, metadata, log }: PluginSetup): LineFile | undefined {
  const shared = metadata?.path;
  const file = configured ?? (typeof shared === 'string' ? shared : undefined);
  if (file === undefined) {
    log.error('neither the configuration nor the metadata names a file: nothing is logged');
    return undefined;
  }
  return files.open(path.resolve(file));
}

/** One of the expressions must hold; an expression that fails to compile does not. */
function compileMatch(rules: readonly JsonValue[] | undefined): (request: RequestView) => boolean {
  if (rules === undefined) return () => true;
  const tests = rules.map(compileExpression).filter((compiled) => compiled.kind === 'expression');
  return (request) => tests.some((compiled) => compiled.test(request));
}
