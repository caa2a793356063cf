import {
  type AnswerHeaders,
  definePlugin,
  type PhaseResult,
  type PluginAnswer,
  type PluginInstance,
  type RequestView,
  refuse,
} from '../../plugin-kit/index.ts';
import { type MultiAuthConfiguration, multiAuthSchema } from './schema.ts';

/** The plugins to try, in order. */
interface MultiAuthState {
  readonly plugins: readonly PluginInstance[];
}

/**
 * Lets a request pass that one of several authentication plugins lets pass: they are tried in order, and the first success decides the
 * consumer. Texts are those of APISIX's multi-auth. It relies on plugins of type `auth` that edit a request only when they let it pass.
 */
export const multiAuth = definePlugin<MultiAuthConfiguration, MultiAuthState>({
  ...multiAuthSchema,
  create: (_configuration, { nested }) => ({ plugins: nested }),
  phases: { rewrite: (request, { plugins }) => tryFrom(0, request, plugins, []) },
});

/** `challenge`: the `WWW-Authenticate` of the plugin that failed last and had one. Goes on at once as long as nobody waits. */
function tryFrom(
  start: number,
  request: RequestView,
  plugins: readonly PluginInstance[],
  challenge: AnswerHeaders,
): PhaseResult | Promise<PhaseResult> {
  let latest = challenge;
  for (let index = start; index < plugins.length; index++) {
    const plugin = plugins[index];
    if (plugin?.rewrite === undefined || !applies(plugin, request)) continue;
    const result = plugin.rewrite(request);
    if (result instanceof Promise) {
      return result.then((answer) =>
        answer === undefined ? undefined : tryFrom(index + 1, request, plugins, challengeOf(answer) ?? latest),
      );
    }
    if (result === undefined) return undefined;
    latest = challengeOf(result) ?? latest;
  }
  return refuse('authorization_failed', { headers: latest });
}

/** A plugin that its filter leaves out has recognised nobody, as one that is switched off: neither may count as a success. */
function applies({ filter }: PluginInstance, request: RequestView): boolean {
  return filter === undefined || filter(request);
}

function challengeOf({ headers }: PluginAnswer): AnswerHeaders | undefined {
  const challenges = headers.filter(([name]) => name.toLowerCase() === 'www-authenticate');
  return challenges.length === 0 ? undefined : challenges;
}
