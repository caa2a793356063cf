import { type FieldName, fieldNameOf } from '../../lib/field-name.ts';
import type { ResponseHead } from '../../plugin-kit/index.ts';

interface AnswerEdit {
  readonly kind: 'set' | 'add';
  readonly field: FieldName;
  readonly value: string;
}

/** Headers that plugins set on the answer before there was one. */
export class AnswerEdits {
  readonly #edits: AnswerEdit[] = [];

  get isEmpty(): boolean {
    return this.#edits.length === 0;
  }

  /** @throws TypeError for what is no name of a field */
  set(name: string, value: string): void {
    const field = fieldNameOf(name);
    const edits = this.#edits;
    for (let index = edits.length - 1; index >= 0; index--) {
      if (edits[index]?.field.lowerCaseName === field.lowerCaseName) edits.splice(index, 1);
    }
    edits.push({ kind: 'set', field, value });
  }

  /** @throws TypeError for what is no name of a field */
  add(name: string, value: string): void {
    this.#edits.push({ kind: 'add', field: fieldNameOf(name), value });
  }

  applyTo(head: ResponseHead): void {
    const edits = this.#edits;
    for (let index = 0; index < edits.length; index++) {
      const edit = edits[index];
      if (edit === undefined) continue;
      if (edit.kind === 'set') head.setHeader(edit.field.name, edit.value);
      else head.addHeader(edit.field.name, edit.value);
    }
  }
}
