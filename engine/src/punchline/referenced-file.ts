/** The content of a file that a value refers to: `${file:…}`. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';

/** Passwords, keys, certificates and settings are smaller. */
const MAX_BYTES = 64 * 1024;

export type FileContent = { readonly text: string } | { readonly problem: string };

/** Without the line break at the end, which editors add. Relative names start from `folder`. */
export function referencedFile(name: string, folder: string): FileContent {
  let descriptor: number | undefined;
  try {
    // A named pipe without a writer must not hold up the start.
    descriptor = openSync(resolve(folder, name), constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(descriptor).isFile()) return { problem: 'it is no regular file' };
    const bytes = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(descriptor, bytes, length, bytes.length - length, null);
    }
    if (length > MAX_BYTES) return { problem: `it has more than ${MAX_BYTES} bytes` };
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, length));
    return { text: text.replace(/\r?\n$/, '') };
  } catch (error) {
    return { problem: reasonOf(error) };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Why a file cannot be read, for people. */
export function reasonOf(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EISDIR':
      return 'it is a folder, expected a file';
    case 'EACCES':
    case 'EPERM':
      return 'there is no permission to read it';
    case 'ERR_ENCODING_INVALID_ENCODED_DATA':
      return 'it is not UTF-8 text';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
