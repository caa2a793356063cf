import { compileTemplate, type VariableSource } from '../expression/index.ts';
import type { AnswerHeaders } from './answer.ts';

/** Headers of an answer whose values may hold variables. */
export interface HeaderTemplates {
  /** True: they are the same for every request. */
  readonly isConstant: boolean;
  expand(source: VariableSource): AnswerHeaders;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what must not stand in a header.
const CONTROLS = /[\x00-\x08\x0a-\x1f\x7f]/g;

/**
 * Compiles headers of a configuration: name → text with variables, or number. Control characters in a value are percent-encoded, as
 * OpenResty does, so that no client's text becomes a header of its own.
 */
export function compileHeaderTemplates(headers: Readonly<Record<string, string | number>>): HeaderTemplates {
  const compiled = Object.entries(headers).map(([name, value]) => ({ name, template: compileTemplate(String(value)) }));
  return {
    isConstant: compiled.every(({ template }) => template.isConstant),
    expand: (source) => compiled.map(({ name, template }) => [name, template.expand(source).text.replace(CONTROLS, encode)] as const),
  };
}

function encode(control: string): string {
  return `%${control.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
