import { definePlugin, type PluginAnswer, refuse } from '../../plugin-kit/index.ts';
import { type ClientControlConfiguration, clientControlSchema } from './schema.ts';

interface ClientControlState {
  /** Undefined: bodies are left alone. */
  readonly maxBodyBytes: number | undefined;
  readonly refusal: PluginAnswer;
}

/** Bounds the bodies of requests, and lifts every other bound. As APISIX's client-control. */
export const clientControl = definePlugin<ClientControlConfiguration, ClientControlState>({
  ...clientControlSchema,
  readsHeadLater: false,
  create: ({ max_body_size: size }) => ({
    maxBodyBytes: size === 0 ? Number.POSITIVE_INFINITY : size,
    refusal: refuse('body_too_large', { style: 'gateway' }),
  }),
  phases: {
    rewrite: (request, { maxBodyBytes, refusal }) => {
      if (maxBodyBytes === undefined) return undefined;
      const { bodyLength } = request;
      if (typeof bodyLength === 'number' && bodyLength > maxBodyBytes) return refusal;
      request.limitBody(maxBodyBytes);
      return undefined;
    },
  },
});
