/**
 * Text from rows, functions and files as it may stand in a line for people: what would steer a terminal is spelled out, and lines
 * after the first are indented, so that none can pass for a line of the log.
 */
export function shownText(text: string): string {
  return text.replace(/\r?\n/g, '\n  ').replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
