/** The files of an artifact's zip: names from its central directory, contents checked against their sizes and CRCs. */
import { crc32 } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';

export interface ZipContent {
  readonly names: readonly string[];
  /** Unpacks one file of at most `most` bytes. Rejects with what is wrong with it. */
  read(name: string, most: number): Promise<Buffer>;
  close(): void;
}

const MOST_ENTRIES = 10_000;

/** Opens a zip. Rejects with what is wrong with it: a name that leads outside counts. */
export async function openZip(path: string): Promise<ZipContent> {
  // Loaded only where there are artifacts.
  const { default: yauzl } = await import('yauzl');
  const zip = await yauzl.openPromise(path, { autoClose: false, strictFileNames: true });
  try {
    const entries = await readEntries(zip);
    return {
      names: Array.from(entries.keys()),
      read: (name, most) => readEntry(zip, entries.get(name)!, most),
      close: () => zip.close(),
    };
  } catch (error) {
    zip.close();
    throw error;
  }
}

async function readEntries(zip: ZipFile): Promise<Map<string, Entry>> {
  if (zip.entryCount > MOST_ENTRIES) throw new Error(`it has ${zip.entryCount} entries, expected at most ${MOST_ENTRIES}`);
  const entries = new Map<string, Entry>();
  for await (const entry of zip.eachEntry()) {
    if (entries.has(entry.fileName)) throw new Error(`it holds ${JSON.stringify(entry.fileName)} twice`);
    entries.set(entry.fileName, entry);
  }
  return entries;
}

async function readEntry(zip: ZipFile, entry: Entry, most: number): Promise<Buffer> {
  const { fileName, uncompressedSize } = entry;
  if (entry.isEncrypted()) throw new Error(`${JSON.stringify(fileName)} is encrypted`);
  if (uncompressedSize > most) {
    throw new Error(`${JSON.stringify(fileName)} has ${uncompressedSize} bytes, expected at most ${most}`);
  }
  const parts: Buffer[] = [];
  for await (const part of await zip.openReadStreamPromise(entry)) parts.push(part as Buffer);
  const bytes = Buffer.concat(parts);
  if (crc32(bytes) !== entry.crc32) throw new Error(`${JSON.stringify(fileName)} is damaged: its checksum is wrong`);
  return bytes;
}
