/** The types of which answers can be made up. */
const MEDIA_TYPES = ['application/json', 'application/xml', 'text/plain', 'text/html', 'text/xml'] as const;

export type MediaType = (typeof MEDIA_TYPES)[number];

/** The media type of a Content-Type, without its parameters; undefined for one that is not supported. */
export function mediaTypeOf(contentType: string): MediaType | undefined {
  const [type = ''] = contentType.split(';', 1);
  const wanted = type.trim().toLowerCase();
  return MEDIA_TYPES.find((known) => known === wanted);
}
