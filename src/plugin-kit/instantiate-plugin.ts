import { PortcullisError } from '../errors/index.ts';
import { compileExpression } from '../expression/index.ts';
import { isThenable } from '../lib/is-thenable.ts';
import type { JsonValue } from '../lib/json.ts';
import { bodyText, type PluginAnswer } from './answer.ts';
import type { BodyFilter } from './body-filter.ts';
import type { ClosedConnection, ConnectionView } from './connection-view.ts';
import type { LogView } from './log-view.ts';
import type { AnyPlugin, PhaseResult } from './plugin.ts';
import type { PluginSetup } from './plugin-setup.ts';
import type { ReadPlugin } from './read-plugin.ts';
import type { RequestView } from './request-view.ts';
import type { ResponseHead } from './response-head.ts';

/** A phase before the answer, of one plugin with one configuration. */
export type PhaseFunction = (request: RequestView) => PhaseResult | Promise<PhaseResult>;

/** One plugin with one configuration, ready to run. A phase that the plugin does not have is undefined. */
export interface PluginInstance {
  readonly plugin: AnyPlugin;
  /** `_meta.priority`, or else the plugin's own. */
  readonly priority: number;
  /** `_meta.disable`: the phases are absent then, and the plugin's code was never called. */
  readonly disabled: boolean;
  /** `_meta.filter`: whether the phases of this request run; undefined where they always do. Asked once a request. */
  readonly filter: ((request: Pick<RequestView, 'variable'>) => boolean) | undefined;
  readonly rewrite: PhaseFunction | undefined;
  readonly access: PhaseFunction | undefined;
  readonly beforeProxy: PhaseFunction | undefined;
  readonly headerFilter: ((request: RequestView, response: ResponseHead) => void) | undefined;
  readonly bodyFilter: ((request: RequestView, response: ResponseHead) => BodyFilter | undefined) | undefined;
  readonly log: ((request: LogView) => void) | undefined;
  readonly preread: ((connection: ConnectionView) => PhaseResult | Promise<PhaseResult>) | undefined;
  readonly closed: ((connection: ClosedConnection) => void) | undefined;
  /** To be called once, after the last request that used the instance. */
  dispose(): void;
}

/** What a switched-off plugin has of phases: nothing. */
const NO_PHASES = {
  filter: undefined,
  rewrite: undefined,
  access: undefined,
  beforeProxy: undefined,
  headerFilter: undefined,
  bodyFilter: undefined,
  log: undefined,
  preread: undefined,
  closed: undefined,
  dispose: (): void => {},
} as const;

/**
 * Creates the state of a plugin whose configuration has been read by `readPlugin`. `_meta.error_response` is applied to
 * what the phases answer, so that neither the plugin nor the pipeline has to know of it.
 *
 * @throws PortcullisError `internal` when the configuration is invalid, and whatever `create` throws
 */
export function instantiatePlugin(plugin: AnyPlugin, read: ReadPlugin, setup: PluginSetup): PluginInstance {
  if (read.kind === 'invalid') throw new PortcullisError('internal', { detail: read.problem });
  const { meta } = read;
  const priority = meta.priority ?? plugin.priority;
  if (read.kind === 'disabled') return { plugin, priority, disabled: true, ...NO_PHASES };
  // The parsing border: the schema has vouched for the shape that the plugin's `Config` describes.
  const state = plugin.create(read.configuration as never, setup);
  const errorBody = meta.errorResponse === undefined ? undefined : bodyText(meta.errorResponse);
  const { rewrite, access, beforeProxy, headerFilter, bodyFilter, log, preread, closed } = plugin.phases;
  return {
    plugin,
    priority,
    disabled: false,
    filter: meta.filter === undefined ? undefined : compileFilter(meta.filter),
    rewrite: rewrite && withErrorBody((request) => rewrite(request, state), errorBody),
    access: access && withErrorBody((request) => access(request, state), errorBody),
    beforeProxy: beforeProxy && withErrorBody((request) => beforeProxy(request, state), errorBody),
    headerFilter: headerFilter && ((request, response) => headerFilter(request, response, state)),
    bodyFilter:
      bodyFilter === undefined || plugin.changesBodies?.(state) === false
        ? undefined
        : (request, response) => bodyFilter(request, response, state),
    log: log && ((request) => log(request, state)),
    preread: preread && ((connection) => preread(connection, state)),
    closed: closed && ((connection) => closed(connection, state)),
    dispose: () => plugin.dispose?.(state),
  };
}

/** An expression that fails counts as true (APISIX, `_meta.filter`). */
function compileFilter(filter: readonly JsonValue[]): (request: Pick<RequestView, 'variable'>) => boolean {
  const compiled = compileExpression([...filter]);
  if (compiled.kind === 'invalid') return () => true;
  return (request) => {
    try {
      return compiled.test(request);
    } catch {
      return true;
    }
  };
}

function withErrorBody(phase: PhaseFunction, errorBody: string | undefined): PhaseFunction {
  if (errorBody === undefined) return phase;
  const replace = (answer: PhaseResult): PhaseResult => (answer === undefined ? undefined : replaceErrorBody(answer, errorBody));
  return (request) => {
    const result = phase(request);
    return isThenable(result) ? Promise.resolve(result).then(replace) : replace(result);
  };
}

function replaceErrorBody(answer: PluginAnswer, errorBody: string): PluginAnswer {
  return answer.status >= 400 ? { ...answer, body: errorBody } : answer;
}
