import type { Static, TSchema, Type as TypeBox } from 'typebox';

export type { Static, TSchema };

/**
 * Makes JSON Schemas with TypeBox's types and TypeBox's form, without loading TypeBox: its module takes 60 ms and 9 MB in every
 * thread that knows a schema, and nothing of it is needed but these eight functions.
 *
 * `Optional` marks a field where `Object` sees it, and the mark stays out of what is enumerated, written as JSON or spread.
 */
export const Type: Pick<typeof TypeBox, 'Object' | 'String' | 'Integer' | 'Number' | 'Boolean' | 'Array' | 'Optional' | 'Unsafe'> =
  // TypeBox's types carry fields that exist for the compiler only, so that nothing but its own code would satisfy them by itself.
  Object.freeze({
    Object: (properties: Readonly<Record<string, TSchema>>, options?: object) => {
      const required = Object.keys(properties).filter((name) => !isOptional(properties[name]));
      return { type: 'object', ...(required.length > 0 ? { required } : {}), properties, ...options };
    },
    String: (options?: object) => ({ type: 'string', ...options }),
    Integer: (options?: object) => ({ type: 'integer', ...options }),
    Number: (options?: object) => ({ type: 'number', ...options }),
    Boolean: (options?: object) => ({ type: 'boolean', ...options }),
    Array: (items: TSchema, options?: object) => ({ type: 'array', items, ...options }),
    Optional: (schema: TSchema) => Object.defineProperty({ ...schema }, OPTIONAL, { value: true }),
    Unsafe: (schema: TSchema) => ({ ...schema }),
  }) as never;

const OPTIONAL = '~optional';

function isOptional(schema: TSchema | undefined): boolean {
  return schema !== undefined && Object.hasOwn(schema, OPTIONAL);
}
