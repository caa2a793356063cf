import type { VariableSource } from '../../expression/index.ts';
import type { RequestView, ResponseHead } from '../../plugin-kit/index.ts';

const HEADER_PREFIXES = ['sent_http_', 'upstream_http_'] as const;

/** The variables of a request whose answer is on its way: what they say of the answer is what stands in its head by now. */
export function answerVariables(request: RequestView, response: ResponseHead): VariableSource {
  return {
    variable: (name) => {
      if (name === 'status') return response.status;
      const prefix = HEADER_PREFIXES.find((each) => name.startsWith(each));
      return prefix === undefined ? request.variable(name) : response.header(name.slice(prefix.length).toLowerCase().replaceAll('_', '-'));
    },
  };
}
