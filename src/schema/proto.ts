import { describingFields, idField, nameField } from './fields.ts';
import { Type } from './schema-builder.ts';

const MAX_CONTENT_CHARACTERS = 1_048_576;

/** A definition of gRPC services, as `.proto` text or as a compiled descriptor in base64: APISIX's proto body. */
export const protoSchema = Type.Object({
  id: Type.Optional(idField),
  name: Type.Optional(nameField),
  ...describingFields,
  content: Type.String({ minLength: 1, maxLength: MAX_CONTENT_CHARACTERS }),
});
