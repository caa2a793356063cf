import type { JsonValue } from '../../../lib/json.ts';
import { type ResourceKindName, Type } from '../../../schema/index.ts';
import { type ApiDescription, type OperationDescription, schemaName } from '../../openapi/index.ts';
import { KIND_TEXTS } from './kind-texts.ts';
import { GROUP_PARAMETER } from './parameters.ts';

const labels = Type.Unsafe<JsonValue>({ type: 'object', additionalProperties: { type: 'array', items: { type: 'string' } } });

/** What the document says of the labels of these kinds. */
export function labelDescription(kinds: readonly ResourceKindName[]): ApiDescription {
  const operations = [...kinds, 'gateway_group' as const].map((name) => [`GET /api/labels/${name}`, operationOf(name)] as const);
  return { operations: Object.fromEntries(operations) };
}

function operationOf(name: ResourceKindName): OperationDescription {
  const ofGroup = name === 'gateway_group';
  return {
    id: `list${schemaName({ name })}Labels`,
    tag: 'Labels',
    summary: `List the labels that ${KIND_TEXTS[name].many} have, with their values`,
    description: 'At most 10,000 values.',
    ...(ofGroup ? {} : { query: [GROUP_PARAMETER] }),
    answers: {
      200: {
        description: 'Values by label',
        schema: Type.Object({ value: labels }),
        example: { value: { team: ['mobile', 'web'] } },
      },
    },
    ...(ofGroup ? {} : { refusals: [404] as const }),
  };
}
