import { chown } from 'node:fs/promises';

const NOBODY = 65_534;

/** Runs `body` as a user whom file rights hinder, which they do not root; `folder` is given to that user for it. */
export async function withoutRights(folder: string, body: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) return body();
  await chown(folder, NOBODY, NOBODY);
  process.seteuid!(NOBODY);
  try {
    await body();
  } finally {
    process.seteuid!(0);
  }
}
