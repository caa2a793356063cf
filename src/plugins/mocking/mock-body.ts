import { compileTemplate } from '../../expression/index.ts';
import type { RandomNumbers } from '../../lib/random-numbers.ts';
import { type RequestView, textOfByteString } from '../../plugin-kit/index.ts';
import { generateObject } from './generate-value.ts';
import { mediaTypeOf } from './media-type.ts';
import type { MockingConfiguration } from './schema.ts';
import { writeXML } from './write-xml.ts';

const ROOT = 'data';

/** Bodies as a configuration describes them. */
export interface MockBody {
  /** True: it is the same for every request. */
  readonly isConstant: boolean;
  text(request: RequestView): string;
}

/** The example, with its variables filled in, or else what is made up from the schema. */
export function mockBody(
  { response_example: example, response_schema: schema = {}, content_type: type }: MockingConfiguration,
  numbers: RandomNumbers,
): MockBody {
  if (example !== undefined) {
    const template = compileTemplate(example);
    return { isConstant: template.isConstant, text: (request) => textOfByteString(template.expand(request).text) };
  }
  const mediaType = mediaTypeOf(type);
  switch (mediaType) {
    case 'application/json':
    case 'text/plain':
      return { isConstant: false, text: (request) => fillIn(JSON.stringify(generateObject(schema, numbers)), request) };
    case 'application/xml':
    case 'text/xml':
      return { isConstant: false, text: (request) => fillIn(writeXML(ROOT, generateObject(schema, numbers)), request) };
    case 'text/html':
    case undefined:
      return { isConstant: true, text: () => '' };
  }
}

/** Examples in a schema may hold variables, as in APISIX, which looks for them in the finished text. */
function fillIn(text: string, request: RequestView): string {
  return text.includes('$') ? textOfByteString(compileTemplate(text).expand(request).text) : text;
}
