/** What servers take as the name of an index; `undefined`: it may be one. To be read after the name and a colon. */
export function indexNameIssue(name: string): string | undefined {
  if (name === '') return 'it is empty';
  // Those with a dot belong to the server itself.
  if (/^[-_+.]/.test(name)) return 'an index cannot begin with "-", "_", "+", and none of ours with "."';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these cannot stand in a name.
  if (/[\u0000-\u0020\\/*?"<>|,#:]/.test(name)) return 'an index cannot have spaces, nor any of \\ / * ? " < > | , # :';
  if (name !== name.toLowerCase()) return 'an index has only small letters';
  if (Buffer.byteLength(name) > 255) return 'an index has at most 255 bytes';
  return undefined;
}
