import { StringDecoder } from 'node:string_decoder';

/** The lines of a stream of bytes, with their ends. The last one may lack it. @throws RangeError for a line of over `longest` characters */
export async function* splitLines(bytes: AsyncIterable<Buffer>, longest: number): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let pieces: string[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    const text = decoder.write(chunk);
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      yield `${pieces.join('')}${text.slice(from, end + 1)}`;
      pieces = [];
      length = 0;
      from = end + 1;
    }
    if (from === text.length) continue;
    pieces.push(text.slice(from));
    length += text.length - from;
    if (length > longest) throw new RangeError('a line is too long');
  }
  const rest = `${pieces.join('')}${decoder.end()}`;
  if (rest !== '') yield rest;
}
