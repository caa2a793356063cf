/** Whether a response with this status ends with its head, whatever its fields say (RFC 9112 §6.3). */
export function isBodylessStatus(status: number): boolean {
  return status === 204 || status === 304;
}
