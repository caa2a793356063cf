import type { ResponseHeadEditor } from '../../engine/index.ts';
import type { ResponseHead } from '../../plugin-kit/index.ts';

/** The head of an upstream's answer as plugins see it. */
export class UpstreamResponseHead implements ResponseHead {
  readonly source = 'upstream';
  readonly #editor: ResponseHeadEditor;

  constructor(editor: ResponseHeadEditor) {
    this.#editor = editor;
  }

  get status(): number {
    return this.#editor.status;
  }

  set status(status: number) {
    this.#editor.status = status;
  }

  get hasBody(): boolean {
    return this.#editor.hasBody;
  }

  header(lowerCaseName: string): string | undefined {
    return this.#editor.header(lowerCaseName);
  }

  headerValues(lowerCaseName: string): readonly string[] {
    return this.#editor.headerValues(lowerCaseName);
  }

  headerNames(): readonly string[] {
    return this.#editor.headerNames();
  }

  setHeader(name: string, value: string): void {
    this.#editor.setHeader(name, value);
  }

  addHeader(name: string, value: string): void {
    this.#editor.addHeader(name, value);
  }

  removeHeader(lowerCaseName: string): void {
    this.#editor.removeHeader(lowerCaseName);
  }
}
