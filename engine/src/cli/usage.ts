/** How the commands are called; apart from them, so that help need not load what they do. */
export const runUsage = 'reef run FILE|DIR|- [--state DIR] [--workers N] [--drain-secs N] [--connect] [--metrics…] [--log…]';
export const inspectUsage = 'reef inspect MODULE.wasm [--json]';
export const benchUsage = 'reef bench MODULE.wasm --rows FILE [--function NAME] [--format bincode|json] [--input-columns A,B]';
export const testUsage = 'reef test FILE|DIR… [--only TEXT] [--update] [--watch] [--junit FILE] [--workers N]';
export const topUsage = 'reef top [--state DIR | URL] [--once] [--json] [--every SECS]';
export const tapUsage = 'reef tap NODE [--punchline NAME] [--state DIR] [--before] [--after] [--rejected] [--rate N] [--count N]';
export const auditUsage = 'reef audit [--state DIR] [--verify] [--json]';
export const listUsage = 'reef list [--json]';
export const schemaUsage = 'reef schema';
export const newUsage = 'reef new function|source|sink NAME';
