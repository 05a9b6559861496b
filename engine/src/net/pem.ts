/** Files of certificates and keys, as both sides of TLS name them in their settings. */
import { ReefError } from '../errors.ts';

/** Reads the file that `tls.SETTING` names. Rejects with a `ReefError` where it cannot be read or is no PEM. */
export async function readPem(setting: string, file: string, folder: string): Promise<string> {
  const { readFile } = process.getBuiltinModule('node:fs/promises');
  const { resolve } = process.getBuiltinModule('node:path');
  let text: string;
  try {
    text = await readFile(resolve(folder, file), 'utf8');
  } catch (error) {
    const { message } = error as Error;
    throw new ReefError('config', `Cannot read setting "tls.${setting}": ${message}, expected a file in PEM`, { cause: error });
  }
  if (text.includes('-----BEGIN ')) return text;
  throw new ReefError('config', `Cannot use setting "tls.${setting}": "${file}" holds no PEM, expected text with -----BEGIN`);
}

/** Changes when one of the files does; found without reading them. Settings that name no file are left out. */
export async function filesVersion(files: readonly (string | undefined)[], folder: string): Promise<string> {
  const { stat } = process.getBuiltinModule('node:fs/promises');
  const { resolve } = process.getBuiltinModule('node:path');
  const named = files.filter((file) => file !== undefined);
  const stats = await Promise.all(named.map((file) => stat(resolve(folder, file)).catch(() => undefined)));
  return stats.map((found) => (found ? `${found.ino}.${found.size}.${found.mtimeMs}` : 'none')).join(' ');
}
