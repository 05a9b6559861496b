/** The source and the sink go through the suite that those of Reef go through. */
import { join } from 'node:path';
import { asSecret, freePort, type SuiteSettingsOptions, sinkConforms, sourceConforms } from '@reef/engine/testing';
import { PASSWORD, PostboxServer } from './postbox-server.ts';

const settings = ({ port, impatient }: SuiteSettingsOptions) => ({
  port,
  password: asSecret(PASSWORD),
  ...(impatient && { timeout_secs: 1 }),
});

const access = {
  settings,
  wrongPassword: (options: SuiteSettingsOptions) => ({ ...settings(options), password: asSecret('open barley') }),
  tls: (options: SuiteSettingsOptions & { readonly caFile: string }) => ({
    ...settings(options),
    host: 'localhost',
    ca_file: options.caFile,
  }),
};

sourceConforms({
  type: join(import.meta.dirname, 'postbox-source.ts'),
  documented: false,
  async open(t) {
    const server = await PostboxServer.start(t, await freePort());
    return {
      ...access,
      serverPort: server.port,
      server,
      write: async (rows) => server.offer(rows),
      acknowledged: async () => server.acknowledged,
    };
  },
});

sinkConforms({
  type: join(import.meta.dirname, 'postbox-sink.ts'),
  documented: false,
  async open(t) {
    const server = await PostboxServer.start(t, await freePort());
    return { ...access, serverPort: server.port, server, read: async () => server.taken as { n: number; text: string }[] };
  },
});
