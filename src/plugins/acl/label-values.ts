/**
 * The values that the text of a label stands for: a JSON array where it begins with `[`, else what stands between commas, without
 * blanks around it, else itself. An array that cannot be read has none; what in it is no text counts as none.
 */
export function labelValues(text: string): readonly string[] {
  if (text.startsWith('[')) return arrayOf(text);
  return text.includes(',') ? text.split(',').map((value) => value.trim()) : [text];
}

function arrayOf(text: string): readonly string[] {
  try {
    const values: unknown = JSON.parse(text);
    return Array.isArray(values) ? values.filter((value) => typeof value === 'string') : [];
  } catch {
    return [];
  }
}
