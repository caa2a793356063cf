import { type CompiledExpression, compileExpression, type VariableSource, withRegexBudget } from '../../expression/index.ts';
import type { JsonValue } from '../../lib/json.ts';
import { networkList } from '../../lib/network-list.ts';
import type { NetworkSet } from '../../lib/network-set.ts';
import { BODY_USE, bodyUseOf } from './body-use.ts';
import { CompileError } from './compile-error.ts';
import type { RouteSettings } from './settings.ts';

/** What conditions are asked of. */
export interface ConditionSource extends VariableSource {
  /** The client's, canonical. */
  readonly remoteAddress: string;
}

/** What a route asks of a request besides host, path and method. */
export class RouteConditions {
  /** Which variables of the body they need (see `BODY_USE`): these must have been read before `test`. */
  readonly bodyUse: number;
  readonly #expression: CompiledExpression | undefined;
  readonly #networks: NetworkSet | undefined;

  constructor(expression: CompiledExpression | undefined, networks: NetworkSet | undefined) {
    this.bodyUse = expression === undefined ? BODY_USE.none : bodyUseOf(expression.variables);
    this.#expression = expression;
    this.#networks = networks;
  }

  /** Whether the request meets them. */
  test(request: ConditionSource): boolean {
    if (this.#networks?.has(request.remoteAddress) === false) return false;
    return this.#expression === undefined || this.#expression.test(request);
  }
}

/** Compiled once, however often the route's service changes. */
const compiled = new WeakMap<RouteSettings, RouteConditions>();

/** A route's conditions, undefined where it has none. @throws CompileError for a rule that this version cannot serve */
export function compileConditions(routeId: string, settings: RouteSettings): RouteConditions | undefined {
  const { vars, remoteAddresses } = settings;
  if (vars.length === 0 && remoteAddresses.length === 0) return undefined;
  let conditions = compiled.get(settings);
  if (conditions === undefined) {
    conditions = new RouteConditions(vars.length === 0 ? undefined : expressionOf(routeId, vars), networkList(remoteAddresses));
    compiled.set(settings, conditions);
  }
  return conditions;
}

function expressionOf(routeId: string, vars: readonly JsonValue[]): CompiledExpression {
  const expression = withRegexBudget(() => compileExpression([...vars]));
  if (expression.kind === 'invalid') throw new CompileError(`route ${routeId}: vars: ${expression.message}`);
  return expression;
}
