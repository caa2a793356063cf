import { compileReplacement, type Replacement, type SafeRegex } from '../../expression/index.ts';
import type { BodyFilter } from '../../plugin-kit/index.ts';
import type { Decode } from './content-coding.ts';
import { compileFilterRegex } from './filter-regex.ts';
import type { BodyRule } from './schema.ts';

/** Replacements in a body, ready to be made. */
export interface BodyRules {
  readonly rules: readonly CompiledRule[];
  /** Larger bodies are not let through. */
  readonly maxBytes: number;
}

interface CompiledRule {
  readonly regex: SafeRegex;
  readonly replacement: Replacement;
  readonly scope: 'once' | 'global';
}

/** Where an expression needs the slower engine, more would hold up a worker for too long: it reads about four bytes in a microsecond. */
const MAX_SLOW_BYTES = 2 * 1024 * 1024;

/** Compiles what the plugin's `check` has accepted. */
export function compileBodyRules(filters: readonly BodyRule[], maxBytes: number): BodyRules {
  const rules = filters.map(({ regex: pattern, options, replace, scope }) => {
    const regex = compileFilterRegex(pattern, options);
    if (regex.kind === 'invalid') throw new Error(`a regular expression is invalid: ${regex.message}`);
    return { regex, replacement: compileReplacement(replace), scope };
  });
  const isSlow = rules.some(({ regex }) => regex.engine !== 'native');
  return { rules, maxBytes: isSlow ? Math.min(maxBytes, MAX_SLOW_BYTES) : maxBytes };
}

/**
 * Collects a body, decodes it, makes the replacements and gives the whole on. A body that is too large, or not in the coding that its head
 * named, fails: the client gets no end of it, rather than one that was not rewritten.
 */
export function filterBody({ rules, maxBytes }: BodyRules, decode: Decode): BodyFilter {
  const pieces: Buffer[] = [];
  let length = 0;
  return {
    write: (chunk) => {
      length += chunk.length;
      if (length > maxBytes) throw new RangeError(`the body has more than ${maxBytes} bytes and cannot be rewritten`);
      // The bytes of the chunk are the caller's again after this call.
      pieces.push(Buffer.from(chunk));
    },
    end: (push) => {
      const rewrite = (body: Buffer): void => push(rewritten(body, rules));
      const decoded = decode(Buffer.concat(pieces), maxBytes);
      return decoded instanceof Promise ? decoded.then(rewrite) : rewrite(decoded);
    },
    abort: () => {
      pieces.length = 0;
    },
  };
}

function rewritten(body: Buffer, rules: readonly CompiledRule[]): Buffer {
  let text = body.toString('latin1');
  for (const { regex, replacement, scope } of rules) text = regex.replace(text, replacement, scope);
  return Buffer.from(text, 'latin1');
}
