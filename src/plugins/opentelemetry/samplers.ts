import type { RootSamplerConfiguration, SamplerConfiguration } from './schema.ts';
import type { ParentContext } from './trace-context.ts';

/** Decides whether a span is recorded and sent. */
export type Sampler = (traceId: string, parent: ParentContext | undefined) => boolean;

/** The samplers of OpenTelemetry's SDK specification that APISIX has. */
export function createSampler({ name, options }: SamplerConfiguration): Sampler {
  if (name !== 'parent_base') return createRootSampler({ name, options });
  const root = createRootSampler(options.root);
  return (traceId, parent) => (parent === undefined ? root(traceId, undefined) : parent.sampled);
}

function createRootSampler({ name, options }: RootSamplerConfiguration): Sampler {
  switch (name) {
    case 'always_on':
      return () => true;
    case 'always_off':
      return () => false;
    case 'trace_id_ratio':
      return ratioSampler(options.fraction);
  }
}

/** The lower half of the id, without its last bit, against a share of 2^63, as OpenTelemetry's SDK for Go has it: all who see a trace decide alike. */
function ratioSampler(fraction: number): Sampler {
  if (fraction >= 1) return () => true;
  if (!(fraction > 0)) return () => false;
  const bound = BigInt(Math.floor(fraction * 2 ** 63));
  return (traceId) => BigInt(`0x${traceId.slice(16)}`) >> 1n < bound;
}
