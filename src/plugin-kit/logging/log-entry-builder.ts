import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { isJsonObject } from '../../schema/index.ts';
import type { BodyFilter } from '../body-filter.ts';
import type { LogView } from '../log-view.ts';
import type { PluginSetup } from '../plugin-setup.ts';
import type { RequestView } from '../request-view.ts';
import type { ResponseHead } from '../response-head.ts';
import { type CompiledLogFormat, compileLogFormat, type LogMembers, type LogVariable } from './compile-log-format.ts';
import { type BodyTexts, defaultLogEntry } from './default-log-entry.ts';
import type { LogConfiguration } from './log-fields.ts';
import { LoggedBodies } from './logged-bodies.ts';

export interface LogEntryOptions {
  /** `route_id` of a request that no route matched; without it the member is left out. */
  readonly unmatchedRouteId?: string;
}

const REQUEST_BODY = 'request_body';
const RESPONSE_BODY = 'resp_body';

/**
 * Makes the entries of one logger's configuration (APISIX, `log-util`): the plugin's own format, or else that of its metadata, or else
 * the default entry and the members added to it.
 */
export class LogEntryBuilder {
  readonly #format: CompiledLogFormat | undefined;
  readonly #extra: CompiledLogFormat | undefined;
  readonly #bodies: LoggedBodies;
  readonly #setup: Pick<PluginSetup, 'hostName' | 'version'>;
  readonly #unmatchedRouteId: string | undefined;

  constructor(
    configuration: LogConfiguration,
    setup: Pick<PluginSetup, 'hostName' | 'version' | 'metadata'>,
    options: LogEntryOptions = {},
  ) {
    const format = configuration.log_format ?? filledObject(setup.metadata?.log_format);
    const extra = format === undefined ? (configuration.log_format_extra ?? filledObject(setup.metadata?.log_format_extra)) : undefined;
    this.#format = format && compileLogFormat(format);
    this.#extra = extra && compileLogFormat(extra);
    const names = this.#format?.variables ?? this.#extra?.variables;
    this.#bodies = new LoggedBodies(configuration, {
      request: names?.has(REQUEST_BODY) === true ? 'always' : this.#format === undefined,
      response: this.#format === undefined || this.#format.variables.has(RESPONSE_BODY),
    });
    this.#setup = setup;
    this.#unmatchedRouteId = options.unmatchedRouteId;
  }

  /** For the phase `access`: waits for the request's body where it is to be logged. */
  access(request: RequestView): Promise<undefined> | undefined {
    return this.#bodies.readRequest(request);
  }

  /** For the phase `bodyFilter`: keeps the answer's body where it is to be logged. */
  bodyFilter(request: RequestView, response: ResponseHead): BodyFilter | undefined {
    return this.#bodies.copyResponse(request, response);
  }

  /** For the phase `log`: `take` gets the entry as JSON, at once or, where a body must be decoded first, soon. */
  build(request: LogView, take: (entry: string) => void): void {
    const { texts, ready } = this.#bodies.textsOf(request);
    const entry = this.#entryOf(request, texts);
    if (ready === undefined) take(JSON.stringify(entry));
    else void ready.then(() => take(JSON.stringify(entry)));
  }

  #entryOf(request: LogView, bodies: BodyTexts): LogMembers {
    const variable = (name: string): LogVariable => {
      if (name === REQUEST_BODY) return bodies.request;
      return name === RESPONSE_BODY ? (bodies.response ?? '') : request.variable(name);
    };
    const entry = this.#format === undefined ? this.#defaultEntry(request, bodies, variable) : this.#format.fill(variable);
    if (request.route !== undefined) {
      entry.service_id = request.route.serviceId;
      entry.route_id = request.route.id;
    } else if (this.#unmatchedRouteId !== undefined) {
      entry.route_id ??= this.#unmatchedRouteId;
    }
    return entry;
  }

  #defaultEntry(request: LogView, bodies: BodyTexts, variable: (name: string) => LogVariable): LogMembers {
    const entry = defaultLogEntry(request, this.#setup, bodies);
    if (this.#extra === undefined) return entry;
    for (const [name, value] of Object.entries(this.#extra.fill(variable))) if (!Object.hasOwn(entry, name)) define(entry, name, value);
    return entry;
  }
}

/** A member of any name, `__proto__` too. */
function define(entry: LogMembers, name: string, value: LogMembers[string]): void {
  Object.defineProperty(entry, name, { value, enumerable: true, configurable: true, writable: true });
}

/** An object with members; APISIX takes an empty one in the metadata for none. */
function filledObject(value: JsonValue | undefined): JsonObject | undefined {
  return value !== undefined && isJsonObject(value) && Object.keys(value).length > 0 ? value : undefined;
}
