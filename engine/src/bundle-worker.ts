/** What scripts/bundle.ts makes one file of for worker threads: only what they need, so that they start sooner and hold less. */
import { provideEngine } from './spec/own-engine.ts';

provideEngine(() => import('./index.ts'));

import('./worker/entry.ts');
